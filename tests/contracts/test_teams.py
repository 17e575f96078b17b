"""Tokens of several teams, members and the audit log, on every database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from statuspulse.domain.actor import Actor, Origin
from statuspulse.domain.difference import Difference
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.domain.times import MINUTE
from statuspulse.storage import audit, people, teams, tokens
from statuspulse.storage.audit import AuditFilter
from statuspulse.storage.database import Database
from statuspulse.storage.people import Member
from statuspulse.storage.schema import audit_entries
from statuspulse.storage.tokens import FoundToken, Token
from tests.contracts.ground import ACTOR, OTHER, TEAM, Ground, lay


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def a_token(number: int, *team_ids: str, created_at: int = 3000) -> Token:
    return Token(
        id=f"tok_{number:08d}",
        team_ids=team_ids,
        name="ops",
        prefix="sk_live_",
        last4="7f6a",
        scopes=("read",),
        networks=(),
        expires_at=None,
        revoked_at=None,
        last_used_at=None,
        last_used_ip=None,
        created_at=created_at,
        updated_at=created_at,
    )


def a_member(number: int, team_id: str = TEAM) -> Member:
    return Member(
        user_id=f"usr_{number:08d}",
        team_id=team_id,
        email=f"person{number}@example.com",
        role="viewer",
        created_at=number,
        updated_at=number,
    )


def found(ground: Ground, digest: bytes) -> FoundToken:
    token: FoundToken | None = ground.read(lambda connection: tokens.by_digest(connection, digest))
    assert token is not None
    return token


def test_a_token_of_several_teams_is_seen_by_each_and_ends_for_all(ground: Ground) -> None:
    token = a_token(1, TEAM, OTHER)
    ground.write(lambda connection: tokens.insert(connection, token, b"both"))
    ground.write(lambda connection: tokens.insert(connection, a_token(2, TEAM), b"ours"))
    for team_id, expected in ((TEAM, ["tok_00000002", "tok_00000001"]), (OTHER, ["tok_00000001"])):
        page = ground.read(
            lambda connection, t=team_id: tokens.page(connection, t, after=None, descending=True, limit=9)
        )
        assert [one.id for one in page] == expected
        assert ground.read(lambda connection, t=team_id: tokens.count_of(connection, t)) == len(expected)
        assert ground.read(lambda connection, t=team_id: tokens.get(connection, t, token.id)) == token
    assert ground.read(lambda connection: tokens.get(connection, OTHER, "tok_00000002")) is None
    assert [team.id for team in found(ground, b"both").teams] == [TEAM, OTHER]
    assert ground.write(lambda connection: tokens.revoke(connection, OTHER, token.id, 4000))
    assert found(ground, b"both").token.revoked_at == 4000


def test_tokens_come_in_pages(ground: Ground) -> None:
    for number in (1, 2, 3):
        ground.write(
            lambda connection, n=number: tokens.insert(connection, a_token(n, TEAM, created_at=n), str(n).encode())
        )
    for descending, expected in ((True, ["tok_00000001"]), (False, ["tok_00000003"])):
        page = ground.read(
            lambda connection, d=descending: tokens.page(
                connection, TEAM, after=(2, "tok_00000002"), descending=d, limit=5
            )
        )
        assert [one.id for one in page] == expected


def test_secrets_of_before_end_with_the_overlap_and_never_later_than_they_would(ground: Ground) -> None:
    ground.write(lambda connection: tokens.insert(connection, a_token(1, TEAM), b"first"))
    for digest, until in ((b"second", 9000), (b"third", 12_000)):
        ground.write(
            lambda connection, d=digest, u=until: tokens.replace_secret(
                connection, "tok_00000001", d, ("sk_live_", d.decode()[-4:]), now=5000, old_until=u
            )
        )
    ends = [found(ground, digest).secret_ends_at for digest in (b"first", b"second", b"third")]
    assert ends == [9000, 12_000, None]
    assert (found(ground, b"first").token.last4, found(ground, b"first").token.updated_at) == ("hird", 5000)


def test_a_use_is_remembered_once_a_minute(ground: Ground) -> None:
    ground.write(lambda connection: tokens.insert(connection, a_token(1, TEAM), b"one"))
    for at, ip, expected in (
        (5000, "192.0.2.1", (5000, "192.0.2.1")),
        (5000 + MINUTE - 1, "192.0.2.2", (5000, "192.0.2.1")),
        (5000 + MINUTE, None, (5000 + MINUTE, None)),
    ):
        ground.write(lambda connection, a=at, i=ip: tokens.note_use(connection, "tok_00000001", a, i))
        token = found(ground, b"one").token
        assert (token.last_used_at, token.last_used_ip) == expected


def test_a_team_that_is_deleted_takes_its_own_tokens_along_and_frees_its_slug(ground: Ground) -> None:
    ground.write(lambda connection: tokens.insert(connection, a_token(1, OTHER), b"theirs"))
    ground.write(lambda connection: tokens.insert(connection, a_token(2, TEAM, OTHER), b"both"))
    ground.write(lambda connection: tokens.leave_team(connection, OTHER, 7000))
    ground.write(lambda connection: teams.mark_deleted(connection, OTHER, 7000))
    assert found(ground, b"theirs").token.revoked_at == 7000
    both = found(ground, b"both")
    assert (both.token.revoked_at, both.token.team_ids) == (None, (TEAM,))
    assert ground.read(lambda connection: teams.by_slug(connection, "team-1")) is None
    assert ground.read(lambda connection: teams.get(connection, OTHER)) is None
    assert [team.id for team in ground.read(lambda connection: teams.get_all(connection, [TEAM, OTHER]))] == [TEAM]
    assert ground.read(lambda connection: teams.exists(connection, OTHER))


def test_settings_of_a_team_are_kept(ground: Ground) -> None:
    team = ground.read(lambda connection: teams.get(connection, TEAM))
    assert team.settings == TeamSettings()
    settings = TeamSettings(require_preconditions=True, lenient_references=False, status_default_window="7d")
    changed = replace(team, name="Ours", settings=settings, updated_at=9)
    ground.write(lambda connection: teams.save(connection, changed))
    assert ground.read(lambda connection: teams.get(connection, TEAM)) == changed


def test_a_team_counts_what_it_still_has(ground: Ground) -> None:
    assert ground.read(lambda connection: teams.count_monitors(connection, TEAM)) == 2
    assert ground.read(lambda connection: teams.count_monitors(connection, OTHER)) == 0
    assert ground.read(lambda connection: teams.count_open_incidents(connection, TEAM)) == 0


def test_an_address_is_one_user_in_whichever_teams(ground: Ground) -> None:
    def ensure(user_id: str) -> str:
        made: str = ground.write(lambda connection: people.ensure_user(connection, user_id, "person1@example.com", 1))
        return made

    assert ensure("usr_00000001") == ensure("usr_00000009") == "usr_00000001"
    assert ground.read(lambda connection: people.user_exists(connection, "usr_00000001"))
    assert not ground.read(lambda connection: people.user_exists(connection, "usr_00000009"))


def test_a_member_belongs_to_its_team_alone(ground: Ground) -> None:
    member, theirs = a_member(1), a_member(1, OTHER)
    ground.write(lambda connection: people.ensure_user(connection, member.user_id, member.email, 1))
    assert ground.write(lambda connection: people.insert_if_new(connection, member)) is True
    assert ground.write(lambda connection: people.insert_if_new(connection, member)) is False
    assert ground.read(lambda connection: people.get(connection, OTHER, member.user_id)) is None
    ground.write(lambda connection: people.insert_if_new(connection, theirs))
    ground.write(
        lambda connection: people.save(connection, replace(member, role="owner", contacts=("nch_1",), updated_at=5))
    )
    assert ground.read(lambda connection: people.get(connection, TEAM, member.user_id)) == replace(
        member, role="owner", contacts=("nch_1",), updated_at=5
    )
    ground.write(lambda connection: people.remove(connection, TEAM, member.user_id))
    assert ground.read(lambda connection: people.count(connection, TEAM)) == 0
    assert ground.read(lambda connection: people.get(connection, OTHER, member.user_id)) == theirs
    ground.write(lambda connection: people.remove_all(connection, OTHER))
    assert ground.read(lambda connection: people.page(connection, OTHER, after=None, descending=False, limit=9)) == []


def test_members_come_in_pages(ground: Ground) -> None:
    for number in (1, 2, 3):
        member = a_member(number)
        ground.write(lambda connection, m=member: people.ensure_user(connection, m.user_id, m.email, 1))
        ground.write(lambda connection, m=member: people.insert_if_new(connection, m))
    after = (1, "usr_00000001")
    page = ground.read(lambda connection: people.page(connection, TEAM, after=after, descending=False, limit=1))
    assert page == [a_member(2)]
    assert ground.read(lambda connection: people.count(connection, TEAM)) == 3


def test_an_audit_entry_keeps_who_what_and_from_where(ground: Ground) -> None:
    actor = Actor("token", "tok_00000001", "ops", Origin("req_0", "192.0.2.1"))
    diff = [Difference("/name", "a", "ü"), Difference("/paused", False, None)]
    ground.write(
        lambda connection: audit.record(
            connection, TEAM, at=5, actor=actor, action="monitor.updated", resource="mon_1", diff=diff
        )
    )
    (entry,) = ground.read(lambda connection: audit.entries(connection, TEAM, 9))
    assert (entry.actor, entry.diff, entry.request_id, entry.ip) == (actor, tuple(diff), "req_0", "192.0.2.1")


def test_the_audit_log_is_append_only_whoever_asks(ground: Ground) -> None:
    ground.write(lambda connection: audit.record(connection, TEAM, at=5, actor=ACTOR, action="a", resource="x"))
    for statement in (audit_entries.update().values(action="b"), audit_entries.delete()):
        with pytest.raises(DBAPIError, match="append-only"):
            ground.write(lambda connection, s=statement: connection.execute(s))
    (entry,) = ground.read(lambda connection: audit.entries(connection, TEAM, 9))
    assert entry.action == "a"


def test_the_audit_log_is_narrowed_and_counted(ground: Ground) -> None:
    for at, action, resource in ((1, "a", "x"), (2, "a", "y"), (3, "b", "x"), (4, "a", "x")):
        ground.write(
            lambda connection, a=at, b=action, c=resource: audit.record(
                connection, TEAM, at=a, actor=ACTOR, action=b, resource=c
            )
        )
    for wanted, expected in (
        (AuditFilter(), [1, 2, 3, 4]),
        (AuditFilter(action="a"), [1, 2, 4]),
        (AuditFilter(resource="x"), [1, 3, 4]),
        (AuditFilter(since=2, until=4), [2, 3]),
        (AuditFilter(action="a", resource="x", since=2), [4]),
    ):
        page = ground.read(
            lambda connection, w=wanted: audit.page(connection, TEAM, w, after=None, descending=False, limit=9)
        )
        assert [entry.at for entry in page] == expected
        assert ground.read(lambda connection, w=wanted: audit.count(connection, TEAM, w, 99)) == len(expected)
        assert ground.read(lambda connection, w=wanted: audit.count(connection, OTHER, w, 99)) == 0
    assert ground.read(lambda connection: audit.count(connection, TEAM, AuditFilter(), 2)) == 2
