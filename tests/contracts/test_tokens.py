"""Tokens, teams and probes, on every database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from statuspulse.storage import probes, teams, tokens
from statuspulse.storage.database import Database
from statuspulse.storage.teams import Team
from statuspulse.storage.tokens import Token

FIRST = Team(id="team_first000", slug="first", name="First", created_at=1000, updated_at=1000)
LATER = Team(id="team_later000", slug="later", name="Later", created_at=2000, updated_at=2000)


def write(database: Database, work: Any) -> Any:
    return database.submit(work).result(10)


def a_token(team: Team, token_id: str = "tok_00000001", **changes: Any) -> Token:
    members: dict[str, Any] = {
        "id": token_id,
        "team_ids": (team.id,),
        "name": "ops",
        "prefix": "sk_live_",
        "last4": "7f6a",
        "scopes": ("write", "tokens:read"),
        "networks": ("192.0.2.0/24",),
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "last_used_ip": None,
        "created_at": 3000,
        "updated_at": 3000,
    }
    return Token(**{**members, **changes})


def probe_with(database: Database, digest: bytes) -> tuple[str, str] | None:
    probe = database.read_now(lambda connection: probes.by_digest(connection, digest, 0))
    return None if probe is None else (probe.id, probe.region)


@pytest.fixture
def filled(database: Database) -> Database:
    def fill(connection: Connection) -> None:
        teams.insert(connection, FIRST)
        teams.insert(connection, LATER)

    write(database, fill)
    return database


def test_the_team_that_was_there_first_is_the_first_whatever_the_clock_says(filled: Database) -> None:
    earlier = replace(LATER, id="team_0earlier", slug="earlier", created_at=1)
    write(filled, lambda connection: teams.insert(connection, earlier))
    assert filled.read_now(teams.first) == FIRST
    assert filled.read_now(lambda connection: teams.by_slug(connection, "later")) == LATER
    assert filled.read_now(lambda connection: teams.by_slug(connection, "none")) is None


def test_a_token_is_found_by_its_digest_with_its_team(filled: Database) -> None:
    early, late = a_token(FIRST), a_token(LATER, "tok_00000002", expires_at=9000)
    write(filled, lambda connection: tokens.insert(connection, early, b"early"))
    write(filled, lambda connection: tokens.insert(connection, late, b"late"))
    found = filled.read_now(lambda connection: tokens.by_digest(connection, b"late"))
    assert found is not None
    assert (found.token, [(team.slug, team.is_first) for team in found.teams]) == (late, [("later", False)])
    found = filled.read_now(lambda connection: tokens.by_digest(connection, b"early"))
    assert found is not None
    assert (found.token, [(team.slug, team.is_first) for team in found.teams]) == (early, [("first", True)])
    assert filled.read_now(lambda connection: tokens.by_digest(connection, b"other")) is None


def test_one_text_is_one_token(filled: Database) -> None:
    write(filled, lambda connection: tokens.insert(connection, a_token(FIRST), b"same"))
    with pytest.raises(IntegrityError):
        write(filled, lambda connection: tokens.insert(connection, a_token(LATER, "tok_00000002"), b"same"))
    assert filled.read_now(tokens.count) == 1


def test_only_its_team_revokes_a_token_and_only_once(filled: Database) -> None:
    write(filled, lambda connection: tokens.insert(connection, a_token(FIRST), b"digest"))
    for team_id, expected in ((LATER.id, False), (FIRST.id, True), (FIRST.id, False)):
        assert (
            write(filled, lambda connection, t=team_id: tokens.revoke(connection, t, "tok_00000001", 5000)) is expected
        )
    found = filled.read_now(lambda connection: tokens.by_digest(connection, b"digest"))
    assert found is not None
    assert found.token.revoked_at == 5000


def test_a_region_is_made_once_and_keeps_its_key(database: Database) -> None:
    first = write(database, lambda connection: probes.ensure_region(connection, "eu-west", "Frankfurt", 1))
    again = write(database, lambda connection: probes.ensure_region(connection, "eu-west", "Elsewhere", 2))
    other = write(database, lambda connection: probes.ensure_region(connection, "ap-south", "Mumbai", 3))
    assert first == again != other
    assert database.read_now(probes.region_slugs) == ["ap-south", "eu-west"]


def test_a_probe_is_known_by_its_key_of_now(database: Database) -> None:
    def fill(connection: Connection) -> None:
        region_key = probes.ensure_region(connection, "eu-west", "Frankfurt", 1)
        for probe_id, digest in (("prb_00000001", b"one"), ("prb_00000002", b"two")):
            probes.insert(connection, probe_id, region_key=region_key, name="p", digest=digest, now=1)
        probes.replace_key(connection, "prb_00000002", b"three", 2)

    write(database, fill)
    known = [probe_with(database, digest) for digest in (b"one", b"two", b"three")]
    assert known == [("prb_00000001", "eu-west"), None, ("prb_00000002", "eu-west")]
    first = database.read_now(lambda connection: probes.first_of_region(connection, "eu-west"))
    assert first is not None
    assert first.id == "prb_00000001"
    assert database.read_now(lambda connection: probes.first_of_region(connection, "none")) is None


def test_live_tokens_of_a_team_are_neither_revoked_nor_past_their_end(database: Database) -> None:
    def fill(connection: Connection) -> None:
        for team in (FIRST, LATER):
            teams.insert(connection, team)
        wanted = (
            a_token(FIRST, "tok_live0001"),
            a_token(FIRST, "tok_live0002", expires_at=5001),
            a_token(FIRST, "tok_past0001", expires_at=5000),
            a_token(FIRST, "tok_gone0001", revoked_at=4000),
            a_token(LATER, "tok_else0001"),
        )
        for number, token in enumerate(wanted):
            tokens.insert(connection, token, bytes([number]) * 32)

    write(database, fill)
    live = database.read_now(lambda connection: tokens.live_of_team(connection, FIRST.id, 5000))
    assert sorted(token.id for token in live) == ["tok_live0001", "tok_live0002"]
