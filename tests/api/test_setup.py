"""The first start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.catalog import setup
from statuspulse.catalog.setup import BootstrapTokenError, FirstStart
from statuspulse.domain.access import may_be_token
from statuspulse.storage import probes, teams, tokens
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.schema import metadata
from statuspulse.storage.sealing import Keyring
from tests.api.server import NOW

CHOSEN = "sk_live_8f3a9c2d1e4b7f6a"
KEYRING = Keyring(b"k" * 32)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(sqlite_url(tmp_path / "statuspulse.db"))
    opened.submit(metadata.create_all).result(10)
    yield opened
    opened.close()


def start(database: Database, bootstrap_token: str | None = None, now: int = NOW) -> FirstStart:
    return database.submit(
        lambda connection: setup.set_up(connection, KEYRING, bootstrap_token=bootstrap_token, now=now)
    ).result(10)


def token_of(database: Database, text: str) -> tokens.FoundToken | None:
    digest = KEYRING.digest("token", text)
    return database.read_now(lambda connection: tokens.by_digest(connection, digest))


def probe_of(database: Database, key: str) -> probes.Probe | None:
    digest = KEYRING.digest("probe_key", key)
    return database.read_now(lambda connection: probes.by_digest(connection, digest, 0))


def test_a_first_start_makes_team_region_probe_and_token(database: Database) -> None:
    made = start(database)
    assert made.admin_token is not None
    assert made.local_probe_key is not None
    team = database.read_now(teams.first)
    assert team is not None
    assert (team.id, team.slug) == (made.team_id, "default")
    assert database.read_now(probes.region_slugs) == ["local"]
    assert may_be_token(made.admin_token.reveal())
    found = token_of(database, made.admin_token.reveal())
    assert found is not None
    assert (found.token.scopes, found.teams[0].is_first) == (("admin",), True)
    probe = probe_of(database, made.local_probe_key.reveal())
    assert probe is not None
    assert (probe.region, probe.name) == ("local", "local")


def test_a_second_start_makes_nothing(database: Database) -> None:
    first = start(database)
    second = start(database, now=NOW + 1000)
    assert (second.team_id, second.admin_token, second.local_probe_key) == (first.team_id, None, None)


def test_secrets_do_not_show_themselves(database: Database) -> None:
    made = start(database)
    assert made.admin_token is not None
    assert made.admin_token.reveal() not in repr(made)


def test_the_token_of_the_settings_works_verbatim_and_is_not_shown(database: Database) -> None:
    made = start(database, CHOSEN)
    assert made.admin_token is None
    found = token_of(database, CHOSEN)
    assert found is not None
    assert (found.token.prefix, found.token.last4) == ("sk_live_", "7f6a")
    assert start(database, CHOSEN, NOW + 1).admin_token is None
    assert database.read_now(tokens.count) == 1


def test_a_revoked_token_of_the_settings_stays_revoked(database: Database) -> None:
    start(database, CHOSEN)
    found = token_of(database, CHOSEN)
    assert found is not None
    database.submit(lambda connection: tokens.revoke(connection, found.token.team_ids[0], found.token.id, NOW)).result(
        10
    )
    start(database, CHOSEN, NOW + 1)
    again = token_of(database, CHOSEN)
    assert again is not None
    assert again.token.revoked_at == NOW


def test_a_token_of_the_settings_that_was_rotated_away_stays_away(database: Database) -> None:
    start(database, CHOSEN)
    found = token_of(database, CHOSEN)
    assert found is not None
    shown = ("sk_live_", "wXyZ")
    database.submit(
        lambda connection: tokens.replace_secret(
            connection, found.token.id, b"another", shown, now=NOW, old_until=NOW + 5
        )
    ).result(10)
    start(database, CHOSEN, NOW + 9)
    again = token_of(database, CHOSEN)
    assert again is not None
    assert again.secret_ends_at == NOW + 5


def test_another_token_of_the_settings_is_taken_later(database: Database) -> None:
    start(database)
    start(database, CHOSEN, NOW + 1)
    assert token_of(database, CHOSEN) is not None


@pytest.mark.parametrize("text", ["short", "x" * 256, "has a space in the middle", "sk_live_ümlaut_ümlaut"])
def test_a_token_that_cannot_be_one_is_refused_without_being_quoted(database: Database, text: str) -> None:
    with pytest.raises(BootstrapTokenError) as caught:
        start(database, text)
    assert text not in str(caught.value)


def test_a_lost_probe_key_is_renewed(database: Database) -> None:
    made = start(database)
    probe = database.read_now(lambda connection: probes.first_of_region(connection, "local"))
    assert probe is not None
    assert made.local_probe_key is not None
    renewed = database.submit(lambda connection: setup.renew_probe_key(connection, KEYRING, probe.id, NOW)).result(10)
    assert probe_of(database, made.local_probe_key.reveal()) is None
    assert probe_of(database, renewed.reveal()) == probe
