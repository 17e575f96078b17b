"""Monitors and policies in storage, on every database."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Connection

from statuspulse.domain.actor import Actor
from statuspulse.domain.health import Health, State
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.monitor import Severity
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.storage import incidents, monitors, policies, probes, results, states, teams
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor, MonitorFilter, Order
from statuspulse.storage.policies import Policy
from statuspulse.storage.results import Placed
from statuspulse.storage.states import MonitorState
from statuspulse.storage.teams import Team

TEAM = Team(id="team_00000001", slug="ours", name="Ours", created_at=1, updated_at=1)
OTHER = Team(id="team_00000002", slug="theirs", name="Theirs", created_at=2, updated_at=2)
ACTOR = Actor("token", "tok_00000001", "ops")
NEWEST = Order(by="created_at", descending=True)


def write(database: Database, work: Any) -> Any:
    return database.submit(work).result(10)


def a_monitor(number: int, **changes: Any) -> Monitor:
    name = changes.get("name", f"Monitor {number:03d}")
    config = {"name": name, "tags": [], "regions": ["local"], "escalation_policy": None, **changes.pop("config", {})}
    members: dict[str, Any] = {
        "key": 0,
        "id": f"mon_{number:08d}",
        "team_id": TEAM.id,
        "name": name,
        "type": "http",
        "target": f"https://{number}.example/",
        "config": config,
        "config_version": 1,
        "judged_from_version": 1,
        "revision": 1,
        "paused": False,
        "resume_at": None,
        "updated_by": ACTOR,
        "created_at": 1000 + number,
        "updated_at": 1000 + number,
    }
    return Monitor(**{**members, **changes})


def store(connection: Connection, monitor: Monitor, state: State = State.UP) -> Monitor:
    kept = replace(monitor, key=monitors.insert(connection, monitor))
    health = Health.PENDING if state in (State.PAUSED, State.MAINTENANCE) else Health(state.value)
    states.begin(
        connection, kept.key, MonitorState(health=health, state=state, since=monitor.created_at, seq=0, votes_from=0)
    )
    return kept


@pytest.fixture
def teamed(database: Database) -> Database:
    def fill(connection: Connection) -> None:
        for team in (TEAM, OTHER):
            teams.insert(connection, team)
        probes.ensure_region(connection, "local", "Local", 1)
        probes.ensure_region(connection, "eu-west", "Frankfurt", 1)

    write(database, fill)
    return database


def ids(
    database: Database,
    wanted: MonitorFilter | None = None,
    order: Order = NEWEST,
    after: monitors.SortKey | None = None,
    limit: int = 1000,
) -> list[int]:
    def read(connection: Connection) -> list[int]:
        found = monitors.listed(connection, TEAM.id, wanted or MonitorFilter(), order, after=after)
        return [int(item.monitor.id[4:]) for item in islice(found, limit)]

    return database.read_now(read)


def test_a_monitor_is_read_as_it_was_stored(teamed: Database) -> None:
    kept = write(
        teamed, lambda connection: store(connection, a_monitor(1, config={"description": "Gr\u00fc\u00dfe \U0001f600"}))
    )
    assert teamed.read_now(lambda connection: monitors.get(connection, TEAM.id, kept.id)) == kept
    assert write(teamed, lambda connection: monitors.get_to_change(connection, TEAM.id, kept.id)) == kept


def test_no_monitor_is_read_for_another_team(teamed: Database) -> None:
    kept = write(teamed, lambda connection: store(connection, a_monitor(1)))
    assert teamed.read_now(lambda connection: monitors.get(connection, OTHER.id, kept.id)) is None
    assert write(teamed, lambda connection: monitors.get_to_change(connection, OTHER.id, kept.id)) is None
    write(teamed, lambda connection: monitors.save(connection, replace(kept, team_id=OTHER.id, name="Stolen")))
    write(teamed, lambda connection: monitors.mark_deleted(connection, OTHER.id, kept.key, 9, 9))
    assert teamed.read_now(lambda connection: monitors.get(connection, TEAM.id, kept.id)) == kept


def test_a_change_is_stored_and_a_deletion_hides(teamed: Database) -> None:
    kept = write(teamed, lambda connection: store(connection, a_monitor(1)))
    changed = replace(kept, name="Other", config={**kept.config, "name": "Other"}, config_version=2, paused=True)
    write(teamed, lambda connection: monitors.save(connection, changed))
    assert teamed.read_now(lambda connection: monitors.get(connection, TEAM.id, kept.id)) == changed
    write(teamed, lambda connection: monitors.mark_deleted(connection, TEAM.id, kept.key, 2, 5000))
    assert teamed.read_now(lambda connection: monitors.get(connection, TEAM.id, kept.id)) is None
    assert teamed.read_now(lambda connection: monitors.exists(connection, kept.id))
    assert ids(teamed) == []


def test_lists_are_sorted_by_key_and_then_by_id(teamed: Database) -> None:
    def fill(connection: Connection) -> None:
        for number, name, state in (
            (1, "b", State.UP),
            (2, "a", State.DOWN),
            (3, "b", State.UNKNOWN),
            (4, "c", State.DOWN),
        ):
            store(connection, a_monitor(number, name=name, created_at=1000 + number // 2), state)

    write(teamed, fill)
    for by, descending, expected in (
        ("created_at", False, [1, 2, 3, 4]),
        ("created_at", True, [4, 3, 2, 1]),
        ("name", False, [2, 1, 3, 4]),
        ("name", True, [4, 3, 1, 2]),
        ("state", False, [2, 4, 3, 1]),
        ("state", True, [1, 3, 4, 2]),
    ):
        order = Order(by=by, descending=descending)
        assert ids(teamed, order=order) == expected
        collected: list[int] = []
        after = None
        for _ in expected:

            def one(connection: Connection, place: Any = after, order: Order = order) -> Any:
                return next(monitors.listed(connection, TEAM.id, MonitorFilter(), order, after=place))

            item = teamed.read_now(one)
            collected.append(int(item.monitor.id[4:]))
            after = item.sort_key
        assert collected == expected


def test_a_list_goes_on_beyond_one_batch(teamed: Database) -> None:
    def fill(connection: Connection) -> None:
        for number in range(450):
            store(connection, a_monitor(number, config={"tags": ["rare"] if number % 100 == 0 else ["rarer"]}))

    write(teamed, fill)
    assert ids(teamed) == list(range(449, -1, -1))
    assert ids(teamed, MonitorFilter(tags=("rare",))) == [400, 300, 200, 100, 0]
    assert ids(teamed, limit=3) == [449, 448, 447]


def test_filters_hold_exactly(teamed: Database) -> None:
    def fill(connection: Connection) -> None:
        store(connection, a_monitor(1, config={"tags": ["prod", "eu"], "regions": ["local", "eu-west"]}))
        store(connection, a_monitor(2, name="100% prod", config={"tags": ["prod-eu"], "escalation_policy": "prod"}))
        store(connection, a_monitor(3, name="\u00c9toile", paused=True, type="tcp"), State.PAUSED)
        store(connection, a_monitor(4, team_id=OTHER.id, config={"tags": ["prod"]}))

    write(teamed, fill)
    for wanted, expected in (
        (MonitorFilter(tags=("prod",)), [1]),
        (MonitorFilter(tags=("prod", "eu")), [1]),
        (MonitorFilter(tags=("prod", "us")), []),
        (MonitorFilter(region="eu-west"), [1]),
        (MonitorFilter(region="eu"), []),
        (MonitorFilter(escalation_policy="prod"), [2]),
        (MonitorFilter(escalation_policy="eu"), []),
        (MonitorFilter(text="100%"), [2]),
        (MonitorFilter(text="monitor"), [1]),
        (MonitorFilter(text="\u00e9TOILE"), [3]),
        (MonitorFilter(text="2.EXAMPLE"), [2]),
        (MonitorFilter(text="_"), []),
        (MonitorFilter(paused=True), [3]),
        (MonitorFilter(paused=False), [2, 1]),
        (MonitorFilter(type="tcp"), [3]),
        (MonitorFilter(states=("paused", "down")), [3]),
        (MonitorFilter(states=("up",)), [2, 1]),
        (MonitorFilter(updated_since=1002), [3, 2]),
    ):
        assert ids(teamed, wanted) == expected, wanted


def test_the_newest_look_of_any_region_is_the_last_probe(teamed: Database) -> None:
    first, second = (write(teamed, lambda connection, n=number: store(connection, a_monitor(n))) for number in (1, 2))

    def fill(connection: Connection) -> None:
        for region_key, region, at in ((1, "local", 5000), (1, "local", 8000), (2, "eu-west", 7000)):
            result = Result(
                monitor_id=first.id,
                region=region,
                scheduled_at=at,
                kind=ResultKind.SCHEDULED,
                round=0,
                lag_us=0,
                observed_at=at + 100,
                attempt=1,
                config_version=1,
                observation=Observation(),
            )
            results.insert(connection, [Placed(first.key, region_key, 1, result)])

    write(teamed, fill)
    found = teamed.read_now(lambda connection: monitors.last_probes(connection, [first.key, second.key]))
    assert found == {first.key: 8100}
    assert teamed.read_now(lambda connection: monitors.last_probes(connection, [])) == {}


def test_the_oldest_open_incident_stands_beside_a_monitor(teamed: Database) -> None:
    kept = write(teamed, lambda connection: store(connection, a_monitor(1)))

    def fill(connection: Connection) -> None:
        for number, state in (
            (1, IncidentState.RESOLVED),
            (2, IncidentState.ACKNOWLEDGED),
            (3, IncidentState.TRIGGERED),
        ):
            incidents.insert(
                connection,
                Incident(
                    id=f"inc_{number:08d}",
                    team_id=TEAM.id,
                    number=0,
                    monitor_key=kept.key,
                    monitor_id=kept.id,
                    dedup_key=f"key-{number}",
                    state=state,
                    version=1,
                    title="Down",
                    severity=Severity.CRITICAL,
                    source="manual",
                    assignee=None,
                    occurrences=1,
                    notify=False,
                    policy=None,
                    triggered_at=1000 + number,
                    triggered_by=ACTOR,
                    created_at=1,
                    updated_at=1,
                ),
            )

    write(teamed, fill)
    assert teamed.read_now(lambda connection: monitors.open_incidents(connection, [kept.key])) == {
        kept.key: "inc_00000002"
    }


def a_policy(number: int, **changes: Any) -> Policy:
    members: dict[str, Any] = {
        "id": f"esc_{number:08d}",
        "team_id": TEAM.id,
        "slug": f"policy-{number}",
        "name": f"Policy {number}",
        "rules": {"steps": []},
        "created_at": 1000 + number // 2,
        "updated_at": 1000 + number,
    }
    return Policy(**{**members, **changes})


def test_a_policy_is_made_once_per_team_and_slug(teamed: Database) -> None:
    for policy, expected in (
        (a_policy(1, slug="oncall"), True),
        (a_policy(2, slug="oncall"), False),
        (a_policy(3, slug="oncall", team_id=OTHER.id), True),
    ):
        assert write(teamed, lambda connection, p=policy: policies.insert_if_new(connection, p)) is expected
    kept = teamed.read_now(lambda connection: policies.get(connection, TEAM.id, "oncall"))
    assert kept == a_policy(1, slug="oncall")


def test_policies_are_paged_by_time_and_id(teamed: Database) -> None:
    def fill(connection: Connection) -> None:
        for number in range(1, 5):
            policies.insert_if_new(connection, a_policy(number, is_default=number == 3))

    write(teamed, fill)

    def page(*, descending: bool, after: tuple[int, str] | None) -> list[int]:
        found = teamed.read_now(
            lambda connection: policies.page(connection, TEAM.id, after=after, descending=descending, limit=2)
        )
        return [int(policy.id[4:]) for policy in found]

    assert page(descending=False, after=None) == [1, 2]
    assert page(descending=False, after=(1001, "esc_00000002")) == [3, 4]
    assert page(descending=True, after=None) == [4, 3]
    assert page(descending=True, after=(1001, "esc_00000003")) == [2, 1]
    assert teamed.read_now(lambda connection: policies.count(connection, TEAM.id)) == 4
    assert teamed.read_now(lambda connection: policies.default_slug(connection, TEAM.id)) == "policy-3"
    assert teamed.read_now(lambda connection: policies.default_slug(connection, OTHER.id)) is None
