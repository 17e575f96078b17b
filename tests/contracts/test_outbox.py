"""What is owed, on every database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import SECOND
from statuspulse.storage import incidents, outbox, teams
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident
from statuspulse.storage.outbox import LEASE, Aside, Debt, Delivery, Ending, Notification, StaleLeaseError, State
from statuspulse.storage.teams import Team
from tests.owed import all_of_incident

NOW = 1_000_000
TEAM = "team_1a2b3c4d"
OTHER_TEAM = "team_00000000"
FIRST, SECOND_INCIDENT, THIRD = "inc_00000001", "inc_00000002", "inc_00000003"
NOTHING = Aside()
TAKEN = Delivery(started_at=NOW, latency_ms=12, ending=Ending.DELIVERED, provider_status=200)
NOT_TAKEN = Delivery(started_at=NOW, latency_ms=34, ending=Ending.RETRY, provider_status=503, error="http_503")
REFUSED = Delivery(started_at=NOW, latency_ms=5, ending=Ending.REFUSED, provider_status=404, error="no_service")


def an_incident(incident_id: str) -> Incident:
    return Incident(
        id=incident_id,
        team_id=TEAM,
        number=0,
        monitor_key=None,
        monitor_id=None,
        dedup_key=None,
        state=IncidentState.TRIGGERED,
        version=1,
        title="Down",
        severity=Severity.CRITICAL,
        source="monitor",
        assignee=None,
        occurrences=1,
        notify=True,
        policy=None,
        triggered_at=NOW,
        triggered_by=SYSTEM,
        created_at=NOW,
        updated_at=NOW,
    )


class Ledger:
    """The outbox of a database in which three incidents are open."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._events = 0
        self.write(self._fill)

    @staticmethod
    def _fill(connection: Connection) -> None:
        for team_id in (TEAM, OTHER_TEAM):
            teams.insert(connection, Team(id=team_id, slug=team_id[5:], name="Team", created_at=NOW, updated_at=NOW))
        for incident_id in (FIRST, SECOND_INCIDENT, THIRD):
            incidents.insert(connection, an_incident(incident_id))

    def write(self, work: Callable[[Connection], Any]) -> Any:
        return self.database.submit(work).result(10)

    def owe(self, action: str = "trigger", *, incident: str = FIRST, to: str = "nch_a", now: int = NOW) -> str:
        """Answers the event's id."""
        self._events += 1
        debt = Debt(
            team_id=TEAM,
            event_id=f"evt_{self._events}",
            incident_id=incident,
            destination=to,
            action=action,
            dedup_key=incident,
            body={"action": action, "name": "Zoë"},
        )
        self.write(lambda connection: outbox.owe(connection, [debt], now))
        return debt.event_id

    def claim(
        self, now: int = NOW, *, owner: str = "one", limit: int = 100, aside: Aside = NOTHING
    ) -> list[Notification]:
        claimed: list[Notification] = self.write(
            lambda connection: outbox.claim(connection, owner=owner, now=now, limit=limit, aside=aside)
        )
        return claimed

    def due(self, aside: Aside = NOTHING) -> int | None:
        return self.database.read_now(lambda connection: outbox.next_due_at(connection, aside))

    def delivered(self, claimed: Notification, now: int = NOW) -> None:
        self.write(lambda connection: outbox.record_delivered(connection, claimed, TAKEN, now))

    def retry(self, claimed: Notification, at: int, now: int = NOW) -> None:
        self.write(lambda connection: outbox.record_retry(connection, claimed, NOT_TAKEN, at, now))

    def rows(self, incident: str = FIRST, team: str = TEAM) -> list[Notification]:
        return all_of_incident(self.database, team, incident)

    def deliveries(self, row: Notification, team: str = TEAM) -> list[Delivery]:
        return self.database.read_now(lambda connection: outbox.deliveries_of(connection, team, row.id))


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def events(rows: list[Notification]) -> list[str]:
    return [row.event_id for row in rows]


def test_what_is_owed_is_due_at_once_and_claimed_once(ledger: Ledger) -> None:
    owed = ledger.owe()
    assert ledger.due() == NOW
    (claimed,) = ledger.claim()
    assert (claimed.event_id, claimed.dedup_key, claimed.body) == (owed, FIRST, {"action": "trigger", "name": "Zoë"})
    assert (claimed.state, claimed.attempts, claimed.lease_epoch) == (State.PENDING, 0, 1)
    assert ledger.claim(owner="two") == []
    assert ledger.due() == NOW + LEASE


def test_nothing_is_claimed_before_it_is_due(ledger: Ledger) -> None:
    ledger.owe(now=NOW + 1)
    assert ledger.claim(NOW) == []
    assert len(ledger.claim(NOW + 1)) == 1


def test_an_expired_lease_is_claimed_by_another_with_the_same_event(ledger: Ledger) -> None:
    ledger.owe()
    (first,) = ledger.claim()
    assert ledger.claim(NOW + LEASE - 1, owner="two") == []
    (again,) = ledger.claim(NOW + LEASE, owner="two")
    assert (again.id, again.event_id, again.dedup_key) == (first.id, first.event_id, first.dedup_key)
    assert again.lease_epoch == first.lease_epoch + 1


def test_an_outcome_under_a_stale_epoch_is_refused_and_leaves_no_trace(ledger: Ledger) -> None:
    ledger.owe()
    (stale,) = ledger.claim()
    (fresh,) = ledger.claim(NOW + LEASE, owner="two")
    for record in (
        lambda connection: outbox.record_delivered(connection, stale, TAKEN, NOW),
        lambda connection: outbox.record_retry(connection, stale, NOT_TAKEN, NOW, NOW),
        lambda connection: outbox.record_dead(connection, stale, REFUSED, NOW),
        lambda connection: outbox.bury(connection, stale, "channel_deleted", NOW),
    ):
        with pytest.raises(StaleLeaseError):
            ledger.write(record)
    (row,) = ledger.rows()
    assert (row.state, row.attempts, ledger.deliveries(row)) == (State.PENDING, 0, [])
    ledger.delivered(fresh)
    assert ledger.rows()[0].state is State.DELIVERED


def test_an_outcome_is_recorded_once(ledger: Ledger) -> None:
    ledger.owe()
    (claimed,) = ledger.claim()
    ledger.delivered(claimed)
    with pytest.raises(StaleLeaseError):
        ledger.delivered(claimed)


def test_a_delivered_row_shows_its_delivery_and_is_owed_no_more(ledger: Ledger) -> None:
    ledger.owe()
    (claimed,) = ledger.claim()
    ledger.delivered(claimed, NOW + 7)
    (row,) = ledger.rows()
    assert (row.state, row.attempts, row.finished_at, row.provider_status) == (State.DELIVERED, 1, NOW + 7, 200)
    assert (row.last_error, ledger.deliveries(row)) == (None, [TAKEN])
    assert (ledger.due(), ledger.claim(NOW + 10 * LEASE)) == (None, [])


def test_a_retry_waits_for_its_instant(ledger: Ledger) -> None:
    ledger.owe()
    (claimed,) = ledger.claim()
    ledger.retry(claimed, NOW + 5 * SECOND)
    assert ledger.due() == NOW + 5 * SECOND
    assert ledger.claim(NOW + 5 * SECOND - 1) == []
    (again,) = ledger.claim(NOW + 5 * SECOND)
    assert (again.attempts, again.last_error, again.provider_status) == (1, "http_503", 503)
    ledger.delivered(again)
    (row,) = ledger.rows()
    assert (row.attempts, row.last_error, ledger.deliveries(row)) == (2, None, [NOT_TAKEN, TAKEN])


def test_a_refused_row_is_dead(ledger: Ledger) -> None:
    ledger.owe()
    (claimed,) = ledger.claim()
    ledger.write(lambda connection: outbox.record_dead(connection, claimed, REFUSED, NOW + 7))
    (row,) = ledger.rows()
    assert (row.state, row.last_error, row.finished_at) == (State.DEAD, "no_service", NOW + 7)
    assert (ledger.deliveries(row), ledger.due()) == ([REFUSED], None)


def test_a_buried_row_is_dead_without_a_delivery(ledger: Ledger) -> None:
    ledger.owe()
    (claimed,) = ledger.claim()
    ledger.write(lambda connection: outbox.bury(connection, claimed, "channel_deleted", NOW))
    (row,) = ledger.rows()
    assert (row.state, row.attempts, row.last_error) == (State.DEAD, 0, "channel_deleted")
    assert ledger.deliveries(row) == []


def test_a_resolve_waits_until_its_trigger_has_ended(ledger: Ledger) -> None:
    trigger, resolve = ledger.owe("trigger"), ledger.owe("resolve")
    (first,) = ledger.claim()
    assert first.event_id == trigger
    assert ledger.claim(NOW + 1) == []
    ledger.retry(first, NOW + 5 * SECOND)
    assert ledger.claim(NOW + 2) == []
    assert ledger.due() == NOW + 5 * SECOND
    (first,) = ledger.claim(NOW + 5 * SECOND)
    ledger.delivered(first)
    assert events(ledger.claim(NOW + 5 * SECOND)) == [resolve]


def test_a_dead_trigger_does_not_hold_up_its_resolve(ledger: Ledger) -> None:
    ledger.owe("trigger")
    resolve = ledger.owe("resolve")
    (first,) = ledger.claim()
    ledger.write(lambda connection: outbox.record_dead(connection, first, REFUSED, NOW))
    assert events(ledger.claim()) == [resolve]


def test_a_note_that_failed_holds_up_other_notes_alone(ledger: Ledger) -> None:
    """Before its first try it stands in its place: what it says belongs before the end."""
    first, resolve = ledger.owe("note", to="int_a"), ledger.owe("resolve", to="int_a")
    (claimed,) = ledger.claim()
    assert (claimed.event_id, ledger.claim()) == (first, [])
    ledger.retry(claimed, NOW + 500)
    second, again = ledger.owe("note", to="int_a"), ledger.owe("trigger", to="int_a")
    assert ledger.due() == NOW
    (ending,) = ledger.claim()
    assert (ending.event_id, ledger.claim()) == (resolve, [])
    ledger.delivered(ending)
    (anew,) = ledger.claim()
    assert anew.event_id == again
    ledger.retry(anew, NOW + 900)
    assert ledger.claim(NOW + 400) == []
    (claimed,) = ledger.claim(NOW + 500)
    assert (claimed.event_id, ledger.claim(NOW + 500)) == (first, [])
    ledger.delivered(claimed)
    assert events(ledger.claim(NOW + 500)) == [second]


def test_other_incidents_and_other_destinations_do_not_wait(ledger: Ledger) -> None:
    here = ledger.owe("trigger", to="nch_a", now=NOW - 3)
    elsewhere = ledger.owe("trigger", to="nch_b", now=NOW - 2)
    ledger.owe("resolve", to="nch_b", now=NOW - 2)
    other = ledger.owe("trigger", incident=SECOND_INCIDENT, to="nch_a", now=NOW - 1)
    assert events(ledger.claim()) == [here, elsewhere]
    assert events(ledger.claim()) == [other]
    assert ledger.claim() == []


def test_a_claim_takes_one_row_of_each_destination_the_one_due_longest(ledger: Ledger) -> None:
    late = ledger.owe(incident=FIRST, to="nch_a", now=NOW - 1)
    early = ledger.owe(incident=SECOND_INCIDENT, to="nch_a", now=NOW - 2)
    alone = ledger.owe(incident=FIRST, to="nch_b", now=NOW)
    assert events(ledger.claim()) == [early, alone]
    assert events(ledger.claim()) == [late]


def test_a_claim_takes_no_more_than_its_limit_and_those_due_longest(ledger: Ledger) -> None:
    expected = [ledger.owe(to=f"nch_{place}", now=NOW - 10 + place) for place in range(5)]
    assert events(ledger.claim(limit=2)) == expected[:2]
    assert events(ledger.claim(limit=9)) == expected[2:]


def test_what_is_set_aside_is_neither_claimed_nor_due(ledger: Ledger) -> None:
    ledger.owe(to="nch_a")
    held = ledger.owe(to="nch_b", now=NOW + 3)
    free = ledger.owe(to="nch_c", now=NOW + 4)
    (first, *_) = ledger.rows()
    aside = Aside(destinations=["nch_a"], ids=[row.id for row in ledger.rows() if row.event_id == held])
    assert first.event_id != held
    assert ledger.due(aside) == NOW + 4
    assert events(ledger.claim(NOW + 10, aside=aside)) == [free]
    assert ledger.due(aside) == NOW + 10 + LEASE


def test_released_rows_are_due_again_at_once_under_a_new_epoch(ledger: Ledger) -> None:
    ledger.owe(to="nch_a")
    ledger.owe(to="nch_b")
    first, _ = ledger.claim(owner="one")
    assert ledger.write(lambda connection: outbox.release(connection, "two", NOW)) == 0
    assert ledger.write(lambda connection: outbox.release(connection, "one", NOW)) == 2
    again, _ = ledger.claim(owner="two")
    assert (again.id, again.attempts, again.lease_epoch) == (first.id, 0, first.lease_epoch + 1)
    with pytest.raises(StaleLeaseError):
        ledger.delivered(first)


def test_what_was_owed_too_long_is_given_up_unless_somebody_has_it_in_hand(ledger: Ledger) -> None:
    in_hand = ledger.owe(incident=FIRST, now=NOW)
    (claimed,) = ledger.claim()
    old = ledger.owe(incident=SECOND_INCIDENT, now=NOW)
    young = ledger.owe(incident=THIRD, now=NOW + 2)
    elsewhere = ledger.owe(incident=SECOND_INCIDENT, to="nch_b", now=NOW)
    expired = ledger.write(
        lambda connection: outbox.expire(connection, "nch_a", owed_before=NOW + 2, error="expired", now=NOW + 3)
    )
    assert events(expired) == [old]
    states = {row.event_id: row.state for incident in (FIRST, SECOND_INCIDENT, THIRD) for row in ledger.rows(incident)}
    assert states == {
        in_hand: State.PENDING,
        old: State.DEAD,
        young: State.PENDING,
        elsewhere: State.PENDING,
    }
    ledger.delivered(claimed)


def test_rows_are_counted_by_state_and_the_oldest_debt_is_known(ledger: Ledger) -> None:
    assert ledger.database.read_now(outbox.oldest_pending_at) is None
    assert ledger.database.read_now(outbox.counts) == dict.fromkeys(State, 0)
    ledger.owe(to="nch_a", now=NOW)
    ledger.owe(to="nch_b", now=NOW + 1)
    ledger.owe(to="nch_c", now=NOW + 2)
    first, second, _third = ledger.claim(NOW + 5)
    ledger.delivered(first)
    ledger.retry(second, NOW + 60 * SECOND)
    counts = ledger.database.read_now(outbox.counts)
    assert (counts[State.PENDING], counts[State.DELIVERED], counts[State.DEAD]) == (2, 1, 0)
    assert ledger.database.read_now(outbox.oldest_pending_at) == NOW + 1


def test_only_its_team_sees_what_is_owed_of_an_incident(ledger: Ledger) -> None:
    expected = [ledger.owe(action) for action in ("trigger", "acknowledge", "resolve")]
    ledger.owe(incident=SECOND_INCIDENT)
    assert events(ledger.rows()) == expected
    assert [row.seq for row in ledger.rows()] == [1, 2, 3]
    assert ledger.rows(team=OTHER_TEAM) == []
    (claimed, *_) = ledger.claim()
    ledger.delivered(claimed)
    assert ledger.deliveries(claimed, team=OTHER_TEAM) == []


def test_a_body_does_not_show_where_a_notification_is_printed(ledger: Ledger) -> None:
    ledger.owe()
    assert "Zoë" not in repr(ledger.rows()[0])


# The planner of PostgreSQL reads small tables as a whole.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_due_is_found_by_the_index_of_open_rows(ledger: Ledger) -> None:
    asked: list[tuple[str, Any]] = []
    reader = ledger.database.engines.reader

    def listen(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(reader, "before_cursor_execute", listen)
    ledger.due()
    event.remove(reader, "before_cursor_execute", listen)
    statement, parameters = asked[-1]
    with reader.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert "USING INDEX ix_outbox_due" in plan[0][3]
