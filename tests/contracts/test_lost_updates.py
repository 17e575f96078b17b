"""Two changes of one thing at the same moment, over two connections, on every database: neither is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from statuspulse.catalog import (
    channel_changes,
    escalation_policies,
    integrations,
    maintenance,
    monitors,
    people,
    probes,
    schedules,
    slos,
    teams,
    webhooks,
)
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.members.channel import ChannelEdit, ChannelRequest
from statuspulse.catalog.members.probe import ProbeEdit
from statuspulse.catalog.members.webhook import WebhookEdit, WebhookRequest
from statuspulse.catalog.monitors import Edit, Way
from statuspulse.catalog.references import Change
from statuspulse.egress.policy import Policy
from statuspulse.storage import slos as stored_slos
from statuspulse.storage.database import Database
from statuspulse.storage.sealing import Keyring
from tests.contracts.ground import ACTOR, TEAM, Ground, lay

PATIENCE = 20
NOW = 1_790_000_000_000
INSTANCE = Instance(keyring=Keyring(b"k" * 32), policy=Policy(), min_interval_seconds=10)
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
CHANGE = Change(team_id=TEAM, actor=ACTOR, now=NOW, strict=False)


Work = Callable[[Connection], Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one of these is made and changed; `two` are changes that have nothing to do with each other."""

    make: Callable[[Connection], Any]
    edit: Callable[[Connection, Any, Mapping[str, Any]], Any]
    shown: Callable[[Connection, Any], Mapping[str, Any]]
    two: tuple[Mapping[str, Any], Mapping[str, Any]]


def make_policy(connection: Connection) -> str:
    steps = [{"delay_seconds": 0, "targets": [{"type": "monitor_notifications"}]}]
    return escalation_policies.create(connection, CHANGE, {"slug": "night", "name": "Night", "steps": steps}).slug


def policy(connection: Connection, slug: str) -> Mapping[str, Any]:
    found = escalation_policies.get(connection, TEAM, slug)
    return {"name": found.name, "description": found.description, "version": found.version}


def make_schedule(connection: Connection) -> str:
    people.add(connection, INSTANCE, CHANGE, {"email": "ana@example.com", "role": "responder"})
    return schedules.create(connection, CHANGE, {"name": "Week", "members": ["ana@example.com"]}).id


def schedule(connection: Connection, schedule_id: str) -> Mapping[str, Any]:
    found = schedules.get(connection, TEAM, schedule_id)
    return {"name": found.name, "handoff": found.plan["handoff"], "version": found.version}


def make_slo(connection: Connection) -> str:
    members = {"name": "Shop", "objective_pct": 99.9, "tags": ["prod"]}
    return slos.create(connection, INSTANCE, CHANGE, members).id


def slo(connection: Connection, slo_id: str) -> Mapping[str, Any]:
    found = slos.get(connection, TEAM, slo_id)
    return {"name": found.name, "objective_pct": found.objective_pct, "version": found.version}


def make_window(connection: Connection) -> str:
    members = {"name": "Patch", "monitors": {"all": True}, "starts_at": "2027-01-03T02:00:00Z", "duration_seconds": 600}
    return maintenance.create(connection, CHANGE, members, may_backdate=False).id


def window(connection: Connection, window_id: str) -> Mapping[str, Any]:
    found = maintenance.get(connection, TEAM, window_id)
    return {"name": found.name, "description": found.plan["description"], "version": found.version}


def make_channel(connection: Connection) -> str:
    sent = ChannelRequest(url="https://ops.example/hooks/alerts")
    return channel_changes.create(connection, INSTANCE, CHANGE, sent).channel.id


def channel(connection: Connection, channel_id: str) -> Mapping[str, Any]:
    found = channel_changes.get(connection, TEAM, channel_id)
    return {"name": found.name, "enabled": found.enabled, "version": found.version}


def make_endpoint(connection: Connection) -> str:
    sent = WebhookRequest(url="https://ops.example/hook", events=["*"])
    return webhooks.create(connection, INSTANCE.keyring, INSTANCE.policy, CHANGE, sent).endpoint.id


def edit_endpoint(connection: Connection, endpoint_id: str, sent: Mapping[str, Any]) -> None:
    webhooks.edit(connection, INSTANCE.keyring, INSTANCE.policy, CHANGE, endpoint_id, WebhookEdit(**sent))


def endpoint(connection: Connection, endpoint_id: str) -> Mapping[str, Any]:
    found = webhooks.get(connection, TEAM, endpoint_id)
    return {"description": found.description, "payload": found.payload.value, "version": found.version}


def make_integration(connection: Connection) -> str:
    sent = {"kind": "alertmanager"}
    return integrations.create(connection, INSTANCE.keyring, INSTANCE.policy, CHANGE, sent).integration.id


def edit_integration(connection: Connection, integration_id: str, sent: Mapping[str, Any]) -> None:
    integrations.edit(connection, INSTANCE.keyring, INSTANCE.policy, CHANGE, integration_id, sent)


def integration(connection: Connection, integration_id: str) -> Mapping[str, Any]:
    found = integrations.get(connection, TEAM, integration_id)
    return {"name": found.name, "enabled": found.enabled, "version": found.version}


def team(connection: Connection, team_id: str) -> Mapping[str, Any]:
    found = teams.get(connection, team_id).team
    return {"name": found.name, "timezone": found.timezone, "version": found.version}


def probe(connection: Connection, probe_id: str) -> Mapping[str, Any]:
    found = probes.get(connection, probe_id)
    return {"name": found.name, "draining": found.draining, "version": found.version}


KINDS = {
    "policy": Kind(
        make=make_policy,
        edit=lambda connection, slug, sent: escalation_policies.update(
            connection, CHANGE, slug, sent, deep=True, if_match=None
        ),
        shown=policy,
        two=({"name": "Day"}, {"description": "Of the shop"}),
    ),
    "schedule": Kind(
        make=make_schedule,
        edit=lambda connection, found, sent: schedules.update(connection, CHANGE, found, sent, None),
        shown=schedule,
        two=({"name": "Month"}, {"handoff": "10:30"}),
    ),
    "slo": Kind(
        make=make_slo,
        edit=lambda connection, found, sent: slos.update(connection, INSTANCE, CHANGE, found, sent),
        shown=slo,
        two=({"name": "Checkout"}, {"objective_pct": 99.5}),
    ),
    "window": Kind(
        make=make_window,
        edit=lambda connection, found, sent: maintenance.update(connection, CHANGE, found, sent),
        shown=window,
        two=({"name": "Move"}, {"description": "Rack 4"}),
    ),
    "channel": Kind(
        make=make_channel,
        edit=lambda connection, found, sent: channel_changes.edit(connection, CHANGE, found, ChannelEdit(**sent)),
        shown=channel,
        two=({"name": "Night"}, {"enabled": False}),
    ),
    "webhook": Kind(
        make=make_endpoint,
        edit=edit_endpoint,
        shown=endpoint,
        two=({"description": "Of the shop"}, {"payload": "thin"}),
    ),
    "integration": Kind(
        make=make_integration,
        edit=edit_integration,
        shown=integration,
        two=({"name": "Alerts"}, {"enabled": False}),
    ),
    "team": Kind(
        make=lambda _: TEAM,
        edit=lambda connection, found, sent: teams.update(connection, CHANGE, found, sent),
        shown=team,
        two=({"name": "Payments"}, {"timezone": "Europe/Berlin"}),
    ),
    "probe": Kind(
        make=lambda _: "prb_00000001",
        edit=lambda connection, found, sent: probes.edit(connection, CHANGE, found, ProbeEdit(**sent)),
        shown=probe,
        two=({"name": "fra-1"}, {"draining": True}),
    ),
}


@pytest.fixture
def ground(database: Database) -> Ground:
    return lay(database)


@pytest.fixture
def other(database_url: str) -> Iterator[Database]:
    """A second process on the same database."""
    second = Database(database_url)
    yield second
    second.close()


def waits(engine: Engine) -> bool:
    """Whether a transaction waits for another one; on SQLite it waits before it begins, and nobody can tell."""
    if engine.dialect.name == "sqlite":
        return True
    with engine.connect() as connection:
        return bool(connection.scalar(_WAITING))


def at_once(ground: Ground, other: Database, one: Work, two: Work, *, reads: str = "FROM ") -> None:
    """`two` runs while `one` has written and not committed, until it waits for that or has read past it."""
    written, committing, read = threading.Event(), threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        one(connection)
        written.set()
        assert committing.wait(PATIENCE)

    def follow(connection: Connection) -> None:
        def look(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if reads in statement:
                read.set()

        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # how long it waits is up to the machine
        event.listen(connection, "after_cursor_execute", look)
        two(connection)

    held = ground.database.submit(hold)
    assert written.wait(PATIENCE)
    following = other.submit(follow)
    while not read.wait(0.01) and not waits(ground.database.engines.reader):
        pass
    committing.set()
    held.result(PATIENCE)
    following.result(PATIENCE)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_of_two_changes_at_once_neither_is_lost(ground: Ground, other: Database, kind: Kind) -> None:
    made = ground.write(kind.make)
    first, second = kind.two
    at_once(
        ground,
        other,
        lambda connection: kind.edit(connection, made, first),
        lambda connection: kind.edit(connection, made, second),
    )
    assert ground.read(lambda connection: kind.shown(connection, made)) == {**first, **second, "version": 3}


def test_an_objective_keeps_its_name_while_its_monitor_gets_another(ground: Ground, other: Database) -> None:
    """It follows the configuration of the monitor, whose change writes it, too."""
    members = {"name": "Shop", "type": "http", "url": "https://shop.example/", "sla": {"objective_pct": 99.9}}
    monitor = ground.write(lambda connection: monitors.create(connection, INSTANCE, CHANGE, members)).view.monitor
    (led,) = ground.read(lambda connection: stored_slos.of_configs(connection, TEAM, [monitor.key])).values()
    rename = Edit(sent={"name": "Checkout"}, way=Way.PATCH, if_match=None, dry_run=False)
    at_once(
        ground,
        other,
        lambda connection: slos.update(connection, INSTANCE, CHANGE, led.id, {"name": "Our promise"}),
        lambda connection: monitors.update(connection, INSTANCE, CHANGE, monitor.id, rename),
        reads="FROM slos",
    )
    kept = ground.read(lambda connection: slo(connection, led.id))
    assert (kept["name"], kept["version"]) == ("Our promise", 3)
