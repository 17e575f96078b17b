"""A monitor that depends on another pages nobody while that one is down, and no alert is lost by it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import escalation_policies, incident_moves
from statuspulse.catalog import incidents as catalog
from statuspulse.domain.failure import Failure
from statuspulse.domain.health import Health
from statuspulse.domain.hold import Cause
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.times import SECOND
from statuspulse.engine import escalator
from statuspulse.engine.escalator import Escalator
from statuspulse.metrics import Metrics
from statuspulse.storage import incidents, monitors
from statuspulse.storage.incidents import Incident
from statuspulse.storage.schema import events as event_rows
from statuspulse.storage.schema import outbox
from tests.engine.world import REFUSED, START, World, result
from tests.virtual_time import WatchedDatabase


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    begun = World.begin(tmp_path)
    yield begun
    begun.database.close()


def at(seconds: float) -> int:
    return START + round(seconds * SECOND)


class Family:
    """A gateway and a shop behind it, each checked every 10 s and down with the first failure."""

    def __init__(self, world: World, **members: Any) -> None:
        rules = {"failure_threshold": 1, "recovery_threshold": 1}
        self.world = world
        self.parent = world.monitor(name="Gateway", **rules)
        self.child = world.monitor(name="Shop", depends_on=[self.parent], **rules, **members)

    def see(self, monitor: str, seconds: float, failure: Failure | None = None, version: int = 1) -> None:
        self.world.see(result(monitor, at(seconds), failure, version=version))

    def fail(self, monitor: str, seconds: float) -> None:
        self.see(monitor, seconds, REFUSED)

    def sweep(self, seconds: float) -> None:
        self.world.write(lambda connection: escalator.sweep(connection, at(seconds)))

    def incident(self, monitor: str) -> Incident:
        return [one for one in self.world.incidents() if one.monitor_id == monitor][-1]

    def hold(self) -> Cause | None:
        hold = self.incident(self.child).escalation.hold
        return None if hold is None else hold.cause

    def told(self, monitor: str | None = None) -> list[str]:
        """What is owed to people about the monitor, in order."""
        wanted = {one.id for one in self.world.incidents() if one.monitor_id == (monitor or self.child)}
        query = select(outbox.c.action, outbox.c.incident_id).order_by(outbox.c.id)
        rows = self.world.database.read_now(lambda connection: list(connection.execute(query)))
        return [row.action for row in rows if row.incident_id in wanted]


def policy_of_two_steps(world: World) -> str:
    own = {"type": "monitor_notifications"}
    policy = {
        "slug": "twice",
        "name": "Twice",
        "steps": [{"targets": [own]}, {"delay_seconds": 60, "targets": [own]}],
    }
    world.write(lambda connection: escalation_policies.create(connection, world.change_at(START), policy))
    return "twice"


@pytest.fixture
def family(world: World) -> Family:
    return Family(world)


def both_down(family: Family) -> None:
    family.see(family.parent, 0)
    family.see(family.child, 0)
    family.fail(family.parent, 10)
    family.fail(family.child, 12)


def test_a_child_of_what_is_down_is_recorded_and_told_to_nobody(family: Family) -> None:
    both_down(family)
    incident = family.incident(family.child)
    assert incident.state is IncidentState.TRIGGERED
    assert family.hold() is Cause.DOWN
    assert (family.told(), family.told(family.parent)) == ([], ["trigger"])
    assert family.world.transitions(family.child)[-1].state == "down"


def test_the_timeline_and_the_event_say_why(family: Family) -> None:
    both_down(family)
    incident = family.incident(family.child)
    read = family.world.database.read_now
    entries = read(lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=10))
    held = entries[-1][1].detail["held"]
    assert (held["reason"], held["monitor_ids"]) == ("dependency_down", [family.parent])
    query = select(event_rows.c.body).where(event_rows.c.incident_id == incident.id)
    [body] = read(lambda connection: list(connection.scalars(query)))
    assert json.loads(body)["data"]["suppressed"] is True


def test_a_child_that_recovers_with_its_parent_is_never_told_of(family: Family) -> None:
    both_down(family)
    family.see(family.parent, 20)
    family.see(family.child, 22)
    family.sweep(200)
    assert family.incident(family.child).state is IncidentState.RESOLVED
    assert family.told() == []


def test_a_child_that_is_down_still_is_told_of_after_a_fresh_confirmation(family: Family) -> None:
    both_down(family)
    family.see(family.parent, 20)
    family.sweep(20.5)
    assert family.hold() is Cause.CONFIRMING
    family.sweep(30)
    assert family.told() == []
    family.fail(family.child, 32)
    family.sweep(36)
    assert (family.told(), family.hold()) == (["trigger"], None)


def test_a_failure_from_before_the_recovery_confirms_nothing(family: Family) -> None:
    both_down(family)
    family.fail(family.child, 19)
    family.see(family.parent, 20)
    family.sweep(20.5)
    family.sweep(26)
    assert family.told() == []


def test_a_child_that_is_seen_no_more_is_told_of_in_the_end(family: Family) -> None:
    both_down(family)
    family.see(family.parent, 20)
    family.sweep(20.5)
    family.sweep(110)
    assert family.told() == []
    family.sweep(111)
    assert family.told() == ["trigger"]


def test_a_parent_that_goes_down_again_holds_again(family: Family) -> None:
    both_down(family)
    family.see(family.parent, 20)
    family.sweep(20.5)
    family.fail(family.parent, 30)
    family.fail(family.child, 32)
    family.sweep(33)
    assert (family.hold(), family.told()) == (Cause.DOWN, [])


def test_a_parent_that_is_up_holds_nothing(family: Family) -> None:
    family.see(family.child, 0)
    family.see(family.parent, 11)
    family.fail(family.child, 10)
    assert family.told() == ["trigger"]


def test_what_is_above_the_parent_matters_only_through_it(world: World) -> None:
    family = Family(world)
    power = world.monitor(name="Power", failure_threshold=1)
    world.edit(family.parent, at(0), depends_on=[power])
    family.see(family.parent, 10, version=2)
    family.fail(power, 10)
    family.fail(family.child, 9)
    assert family.told() == ["trigger"]


def test_a_doubt_about_the_parent_is_waited_for(world: World) -> None:
    family = Family(world)
    world.edit(family.parent, START, failure_threshold=2)
    family.see(family.parent, 0, version=2)
    family.see(family.child, 0)
    family.see(family.parent, 10, REFUSED, version=2)
    family.fail(family.child, 11)
    assert (family.hold(), family.told()) == (Cause.DOUBT, [])
    family.see(family.parent, 15, REFUSED, version=2)
    family.sweep(15.5)
    assert (family.hold(), family.told()) == (Cause.DOWN, [])


def test_a_doubt_that_settles_well_is_told_of_within_seconds(world: World) -> None:
    family = Family(world)
    world.edit(family.parent, START, failure_threshold=2)
    family.see(family.parent, 0, version=2)
    family.see(family.parent, 10, REFUSED, version=2)
    family.fail(family.child, 11)
    family.see(family.parent, 15, version=2)
    family.sweep(17)
    assert family.told() == ["trigger"]


def test_a_new_parent_that_is_being_looked_at_is_waited_for(world: World) -> None:
    family = Family(world)
    world.edit(family.parent, START, failure_threshold=2)
    family.see(family.parent, 8, REFUSED, version=2)
    family.fail(family.child, 10)
    assert (family.hold(), family.told()) == (Cause.DOUBT, [])
    family.see(family.parent, 10.3, REFUSED, version=2)
    family.sweep(11)
    assert (family.hold(), family.told(), family.told(family.parent)) == (Cause.DOWN, [], ["trigger"])


def test_a_new_parent_that_nobody_has_looked_at_is_waited_for_half_a_minute(family: Family) -> None:
    family.fail(family.child, 10)
    assert (family.hold(), family.told()) == (Cause.DOUBT, [])
    for seconds in (16, 22, 28, 34):
        family.sweep(seconds)
    assert family.told() == []
    family.sweep(41)
    assert family.told() == ["trigger"]


def test_a_new_parent_that_passes_holds_nothing(family: Family) -> None:
    family.fail(family.child, 10)
    family.see(family.parent, 11)
    family.sweep(16)
    assert (family.told(), family.hold()) == (["trigger"], None)


def test_a_new_parent_of_which_one_region_fails_is_waited_for(world: World) -> None:
    for slug in ("eu-west", "ap-south"):
        world.region(slug, START)
    rules = {"failure_threshold": 1, "recovery_threshold": 1}
    parent = world.monitor(name="Gateway", regions=["local", "eu-west", "ap-south"], **rules)
    child = world.monitor(name="Shop", depends_on=[parent], **rules)
    world.see(result(parent, at(11), REFUSED))
    assert world.state(parent).health is Health.PENDING
    world.see(result(child, at(10), REFUSED))
    [incident] = world.incidents()
    assert incident.escalation.hold is not None
    assert (incident.escalation.hold.cause, world.owed()) == (Cause.DOUBT, [])


def test_a_parent_that_nobody_has_looked_at_since_is_waited_for_half_a_minute(family: Family) -> None:
    family.see(family.parent, 0)
    family.see(family.child, 2)
    family.fail(family.child, 12)
    assert (family.hold(), family.told()) == (Cause.DOUBT, [])
    for seconds in (18, 24, 30, 36):
        family.sweep(seconds)
    assert family.told() == []
    family.sweep(43)
    assert family.told() == ["trigger"]


def test_the_first_failure_of_a_child_has_its_parent_looked_at(world: World) -> None:
    family = Family(world)
    world.edit(family.child, START, failure_threshold=2, interval_seconds=60)
    # A slot of its own that is near would serve in place of the look; at an interval of a day none is.
    world.edit(family.parent, START, interval_seconds=86_400)
    family.see(family.parent, 0, version=2)
    family.see(family.child, 1, version=2)
    _, tally = world.ship(world.items(result(family.child, at(31), REFUSED, version=2)), at(31.2))
    asked = [recheck.watched.monitor.id for recheck in tally.rechecks]
    assert family.parent in asked


def test_a_parent_that_is_deleted_holds_nothing_and_is_named_no_more(family: Family) -> None:
    both_down(family)
    family.world.delete(family.parent, at(20))
    stored = family.world.database.read_now(
        lambda connection: monitors.get(connection, family.world.team_id, family.child)
    )
    assert stored is not None
    assert (stored.config["depends_on"], stored.config_version) == ([], 2)
    family.sweep(20.5)
    family.see(family.child, 25, REFUSED, version=2)
    family.sweep(30)
    assert family.told() == ["trigger"]


def test_a_parent_that_is_paused_holds_nothing(family: Family) -> None:
    both_down(family)
    family.world.pause(family.parent, at(20))
    family.sweep(20.5)
    family.fail(family.child, 22)
    family.sweep(30)
    assert family.told() == ["trigger"]


def test_a_child_that_depends_on_it_no_more_is_told_of(family: Family) -> None:
    both_down(family)
    family.world.edit(family.child, at(20), depends_on=[])
    family.sweep(20.5)
    family.see(family.child, 22, REFUSED, version=2)
    family.sweep(30)
    assert family.told() == ["trigger"]


def test_steps_of_an_incident_that_was_told_wait_while_its_parent_is_down(world: World) -> None:
    family = Family(world, escalation_policy=policy_of_two_steps(world))
    family.see(family.parent, 11)
    family.fail(family.child, 10)
    world.write(lambda connection: connection.execute(outbox.update().values(state="delivered")))
    family.fail(family.parent, 20)
    family.sweep(71)
    assert (family.told(), family.hold()) == (["trigger"], Cause.DOWN)
    family.see(family.parent, 80)
    family.sweep(80.5)
    family.fail(family.child, 82)
    family.sweep(86)
    family.sweep(86.1)
    assert family.told() == ["trigger", "trigger"]


def test_the_end_reaches_those_who_heard_of_the_beginning_whatever_is_down(family: Family) -> None:
    family.see(family.parent, 11)
    family.fail(family.child, 10)
    family.fail(family.parent, 20)
    family.see(family.child, 22)
    assert family.told() == ["trigger", "resolve"]


def test_what_people_trigger_is_told_whatever_is_down(family: Family) -> None:
    both_down(family)
    body = {"title": "Customers call", "monitor_id": family.child}
    family.world.write(lambda connection: catalog.submit(connection, family.world.change_at(at(20)), body))
    assert family.told() == ["trigger"]


def test_whoever_takes_a_held_incident_ends_the_wait(family: Family) -> None:
    both_down(family)
    body = {"incident_id": family.incident(family.child).id, "state": "acknowledged"}
    family.world.write(lambda connection: catalog.submit(connection, family.world.change_at(at(20)), body))
    assert family.hold() is None
    family.see(family.parent, 30)
    family.sweep(200)
    assert family.told() == []


def test_a_held_incident_is_escalated_by_hand_all_the_same(world: World) -> None:
    family = Family(world, escalation_policy=policy_of_two_steps(world))
    both_down(family)
    incident = family.incident(family.child)
    family.world.write(
        lambda connection: incident_moves.escalate(connection, family.world.change_at(at(20)), incident.id, {"step": 0})
    )
    assert family.told() == ["trigger"]
    assert family.hold() is Cause.DOWN


@asynccontextmanager
async def escalating(world: World, now: Callable[[], int]) -> AsyncIterator[None]:
    watch = Escalator(world.database, LocalBus(), Metrics(), now=now)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(watch.run(), name="escalator")
        yield
        task.cancel()


@pytest.mark.virtual_time
async def test_twenty_children_wait_out_an_outage_and_the_one_that_stays_down_is_told(
    tmp_path: Path, now: Callable[[], int]
) -> None:
    world = World.begin(tmp_path, WatchedDatabase)
    rules = {"failure_threshold": 1, "recovery_threshold": 1}
    parent = world.monitor(now(), name="Gateway", **rules)
    children = [world.monitor(now(), name=f"Shop {number}", depends_on=[parent], **rules) for number in range(20)]

    def see(looked_at: list[str], failure: Failure | None) -> None:
        for monitor in looked_at:
            world.ship(world.items(result(monitor, now(), failure)), now())

    async with escalating(world, now):
        await asyncio.sleep(10)
        see([parent], REFUSED)
        see(children, REFUSED)
        await asyncio.sleep(150)
        assert len(world.owed()) == 1
        see([parent], None)
        see(children[1:], None)
        await asyncio.sleep(10)
        see(children[:1], REFUSED)
        await asyncio.sleep(10)
    assert [action for action, _ in world.owed()] == ["trigger", "resolve", "trigger"]
    still_open = [one.monitor_id for one in world.incidents() if one.is_open]
    assert still_open == children[:1]
    world.database.close()


@pytest.mark.virtual_time
async def test_a_stop_while_a_child_is_held_loses_no_alert(tmp_path: Path, now: Callable[[], int]) -> None:
    world = World.begin(tmp_path, WatchedDatabase)
    rules = {"failure_threshold": 1, "recovery_threshold": 1}
    parent = world.monitor(now(), name="Gateway", **rules)
    child = world.monitor(now(), name="Shop", depends_on=[parent], **rules)
    for monitor in (parent, child):
        world.ship(world.items(result(monitor, now(), REFUSED)), now())
    async with escalating(world, now):
        await asyncio.sleep(30)
    await asyncio.sleep(3600)
    world.restart()
    world.ship(world.items(result(parent, now())), now())
    async with escalating(world, now):
        await asyncio.sleep(100)
    assert [action for action, _ in world.owed()] == ["trigger", "resolve", "trigger"]
    world.database.close()
