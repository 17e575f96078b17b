"""Tickets for streams on both engines: each is taken once."""

from __future__ import annotations

import pytest

from statuspulse.storage import stream_tickets
from statuspulse.storage.database import Database
from statuspulse.storage.stream_tickets import Ticket
from tests.contracts.ground import TEAM, Ground, lay

TICKET = Ticket(secret_digest=b"\x00s", team_id=TEAM, ends_at=2000)


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


def put(ground: Ground, digest: bytes, now: int = 1000) -> None:
    ground.write(lambda connection: stream_tickets.insert(connection, digest, TICKET, now=now))


def test_a_ticket_is_taken_once(ground: Ground) -> None:
    put(ground, b"\xff1")
    assert ground.read(lambda connection: stream_tickets.find(connection, b"\xff1")) == TICKET
    taken = [ground.write(lambda connection: stream_tickets.take(connection, b"\xff1")) for _ in range(2)]
    assert taken == [TICKET, None]


def test_those_that_nobody_used_go_with_the_next(ground: Ground) -> None:
    put(ground, b"1")
    put(ground, b"2", now=1999)
    assert ground.read(lambda connection: stream_tickets.find(connection, b"1")) == TICKET
    put(ground, b"3", now=2000)
    assert ground.read(lambda connection: stream_tickets.find(connection, b"1")) is None
    assert ground.read(lambda connection: stream_tickets.find(connection, b"2")) is None
