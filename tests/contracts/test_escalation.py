"""Escalations on every database: steps as rows, each fired once, ended with the move that ends them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from statuspulse.delivery import fallback
from statuspulse.domain import escalation as ladders
from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.escalation import REACH, Ladder
from statuspulse.domain.flapping import Flapping
from statuspulse.domain.health import Health, State
from statuspulse.domain.hours import DAYS
from statuspulse.domain.incident import IncidentState, Move, ResolveReason
from statuspulse.domain.message import Facts, Message
from statuspulse.domain.monitor import Severity
from statuspulse.domain.team_settings import TeamSettings
from statuspulse.domain.times import HOUR, MINUTE, SECOND, from_text, to_text
from statuspulse.engine import escalating, escalator, holds
from statuspulse.engine.incidents import Opening, Revision, change, open_incident, revise
from statuspulse.storage import channels as stored_channels
from statuspulse.storage import events, incidents, outbox, people, policies, schedules, states, teams, timers
from statuspulse.storage.database import Database
from statuspulse.storage.events import EventFilter
from statuspulse.storage.incidents import Incident
from statuspulse.storage.people import Member
from statuspulse.storage.policies import Policy
from statuspulse.storage.schedules import Schedule
from statuspulse.storage.schema import channels, escalation_timers, monitors
from statuspulse.storage.schema import outbox as rows
from tests.contracts.ground import ACTOR, TEAM, Ground, lay

T0 = 1_790_000_000_000
REFUSED = Facts(reason="refused")
FIRST, SECOND_ONE, THIRD, LAST = (f"nch_0000000{number}" for number in range(1, 5))


def step(delay: int, *targets: tuple[str, str | None], only_between: Any = None) -> dict[str, Any]:
    named = [{"type": kind, "id": name} for kind, name in targets]
    return {"delay_seconds": delay, "targets": named, "only_between": only_between}


def rules(*steps: dict[str, Any], repeat: tuple[int, int] = (0, 0), **members: Any) -> dict[str, Any]:
    count, delay = repeat
    base: dict[str, Any] = {"ack_timeout_seconds": None, "auto_resolve_seconds": None, "severities": []}
    return {"steps": list(steps), "repeat": {"count": count, "delay_seconds": delay}, **base, **members}


LADDER = rules(step(0, ("channel", FIRST)), step(60, ("channel", SECOND_ONE)), step(120, ("channel", THIRD)))


class Scene:
    """Four channels, one policy, and incidents that follow it; time is an argument."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        ground.write(self._lay)

    def _lay(self, connection: Connection) -> None:
        for name in (FIRST, SECOND_ONE, THIRD, LAST):
            connection.execute(
                channels.insert().values(
                    id=name,
                    team_id=TEAM,
                    type="slack",
                    digest=name.encode(),
                    url_sealed=b"",
                    url_masked="slack://***",
                    name=name,
                    enabled=True,
                    health="ok",
                    version=1,
                    created_at=1,
                    updated_at=1,
                )
            )

    def policy(self, document: dict[str, Any], slug: str = "oncall") -> None:
        policy = Policy(
            id=f"esc_{slug}", team_id=TEAM, slug=slug, name=slug, rules=document, created_at=1, updated_at=1
        )
        self.ground.write(lambda connection: policies.insert_if_new(connection, policy))

    def open(self, now: int = T0, *, facts: Facts = REFUSED, **members: Any) -> Incident:
        parts = {"team_id": TEAM, "title": "Down", "severity": Severity.ERROR, "source": "manual", "triggered_at": now}
        opening = Opening(**{**parts, "policy": "oncall", **members})
        made: Incident = self.ground.write(lambda connection: open_incident(connection, opening, ACTOR, now, facts))
        return made

    def now(self, incident: Incident) -> Incident:
        found: Incident = self.ground.read(lambda connection: incidents.get(connection, TEAM, incident.id))
        return found

    def move(self, incident: Incident, move: Move, at: int, until: int | None = None) -> Incident:
        current = self.now(incident)
        revision = Revision(edited=current, move=move, until=until)
        moved: Incident = self.ground.write(
            lambda connection: revise(connection, current, revision, ACTOR, at, facts=Facts())
        )
        return moved

    def sweep(self, at: int) -> list[int]:
        found: list[int] = self.ground.write(lambda connection: escalator.sweep(connection, at))
        return found

    def told(self, incident: Incident) -> list[tuple[str, str, int]]:
        """(action, channel, ms after T0) of everything that is owed."""
        query = (
            select(rows.c.action, rows.c.destination, rows.c.created_at)
            .where(rows.c.incident_id == incident.id)
            .order_by(rows.c.created_at, rows.c.destination)
        )
        found = self.ground.read(lambda connection: list(connection.execute(query)))
        return [(row.action, row.destination, row.created_at - T0) for row in found]

    def timers(self, incident: Incident) -> list[tuple[str, int, int, int]]:
        query = select(escalation_timers).where(escalation_timers.c.incident_id == incident.id)
        found = self.ground.read(lambda connection: list(connection.execute(query.order_by(escalation_timers.c.kind))))
        return [(row.kind, row.repeat, row.step, row.due_at - T0) for row in found]

    def entries(self, incident: Incident, kind: str) -> list[dict[str, Any]]:
        page = self.ground.read(lambda connection: incidents.timeline_page(connection, incident.id, after=0, limit=100))
        return [entry.detail for _, entry in page if entry.type == kind]

    def settle(self, incident: Incident, state: str, *names: str) -> None:
        """What the dispatcher writes down of the rows of some channels."""
        where = (rows.c.incident_id == incident.id) & (rows.c.state == "pending")
        if names:
            where &= rows.c.destination.in_(names)
        self.ground.write(lambda connection: connection.execute(update(rows).where(where).values(state=state)))

    def configure(self, **members: Any) -> None:
        def save(connection: Connection) -> None:
            stored = select(monitors.c.config).where(monitors.c.key == self.ground.monitor)
            config = json.loads(connection.execute(stored).scalar_one())
            text = json.dumps({**config, **members})
            connection.execute(update(monitors).where(monitors.c.key == self.ground.monitor).values(config=text))

        self.ground.write(save)

    def zone(self, name: str) -> None:
        def save(connection: Connection) -> None:
            team = teams.get(connection, TEAM)
            assert team is not None
            teams.save(connection, replace(team, timezone=name))

        self.ground.write(save)

    def settings(self, **members: Any) -> None:
        def save(connection: Connection) -> None:
            team = teams.get(connection, TEAM)
            assert team is not None
            teams.save(connection, replace(team, settings=TeamSettings(**members)))

        self.ground.write(save)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(lay(database))


def rule(*notify: str, **members: Any) -> dict[str, Any]:
    when = {"states": ["down", "up"], "severities": [], "schedule": None, **members.pop("when", {})}
    base = {"name": "rule", "after_seconds": 0, "repeat_seconds": None, "send_resolved": True, "mute": False}
    base |= {"quiet_hours": None}
    return {**base, "when": when, "notify": list(notify), **members}


def test_each_step_comes_after_the_one_before_and_then_the_ladder_is_exhausted(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()
    assert scene.timers(incident) == [("reach", 0, 0, REACH), ("step", 0, 1, 60 * SECOND)]
    scene.settle(incident, "delivered")
    assert scene.sweep(T0 + 59_999) == []
    assert scene.sweep(T0 + 60_000) == [0]
    scene.settle(incident, "delivered")
    assert scene.sweep(T0 + 60_001) == []
    scene.sweep(T0 + 180_000)
    assert scene.told(incident) == [
        ("trigger", FIRST, 0),
        ("trigger", SECOND_ONE, 60_000),
        ("trigger", THIRD, 180_000),
    ]
    current = scene.now(incident)
    assert (current.version, current.escalation.progress.exhausted) == (3, True)
    first, second = scene.entries(incident, "escalated")
    assert (first["step"], first["channels"], first["reason"]) == (1, [SECOND_ONE], "step_timeout")
    assert (first["next_step_at"], second["next_step_at"]) == (to_text(T0 + 180_000), None)
    body = scene.ground.read(lambda connection: outbox.newest(connection, TEAM, incident.id))[THIRD].body
    facts = Message.of(body).facts
    assert (facts.reason, facts.waiting_ms) == ("refused", 180_000)


@pytest.mark.parametrize("flapping_since", [None, T0])
def test_a_later_step_does_not_call_down_what_is_not(scene: Scene, flapping_since: int | None) -> None:
    scene.policy(LADDER)
    monitor = scene.ground.monitor
    incident = scene.open(monitor_key=monitor, facts=Facts(reason="refused", since=T0))
    state = scene.ground.read(lambda connection: states.state_of(connection, monitor))
    up = replace(state, health=Health.UP, state=State.UP, flapping=Flapping(score=9.0, at=T0, since=flapping_since))
    scene.ground.write(lambda connection: states.save_state(connection, monitor, up))
    scene.settle(incident, "delivered")
    scene.sweep(T0 + 60_000)
    facts = Message.of(newest(scene, incident)[SECOND_ONE].body).facts
    assert (facts.reason, facts.waiting_ms) == ("the monitor is up now", 60_000)
    assert (facts.since, facts.flapping) == ((None, None) if flapping_since is None else (T0, True))


def test_whoever_is_called_in_on_an_acknowledged_incident_hears_who_has_it(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.move(scene.open(), Move.ACKNOWLEDGE, T0 + 1000)
    climb = ladders.jump(Ladder.of(LADDER), incident.escalation.progress, 1, T0 + 2000)
    scene.ground.write(
        lambda connection: escalating.escalate(connection, incident, climb, ACTOR, T0 + 2000, reason="manual")
    )
    message = Message.of(newest(scene, incident)[SECOND_ONE].body)
    assert (message.state, message.facts.waiting_ms) == ("acknowledged", None)
    assert message.facts.note == f"{ACTOR.label} has acknowledged it."


def test_a_step_that_is_overdue_fires_once_and_the_next_delay_counts_from_then(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()
    scene.settle(incident, "delivered")
    assert scene.sweep(T0 + HOUR) == [HOUR - 60_000]
    assert scene.sweep(T0 + HOUR) == []
    assert ("step", 0, 2, HOUR + 120_000) in scene.timers(incident)
    assert scene.told(incident)[1:] == [("trigger", SECOND_ONE, HOUR)]


def test_steps_without_delay_are_one_event_and_one_message_per_channel(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(0, ("channel", FIRST), ("channel", SECOND_ONE))))
    scene.configure(notifications=[FIRST, SECOND_ONE])
    incident = scene.open(monitor_key=scene.ground.monitor)
    assert sorted(scene.told(incident)) == [("trigger", FIRST, 0), ("trigger", SECOND_ONE, 0)]
    assert len({row.event_id for row in newest(scene, incident).values()}) == 1


def newest(scene: Scene, incident: Incident) -> dict[str, Any]:
    found: dict[str, Any] = scene.ground.read(lambda connection: outbox.newest(connection, TEAM, incident.id))
    return found


def test_an_acknowledgement_cancels_every_step_in_its_transaction(scene: Scene) -> None:
    scene.policy({**LADDER, "repeat": {"count": 9, "delay_seconds": 0}})
    incident = scene.open()
    acknowledged = scene.move(incident, Move.ACKNOWLEDGE, T0 + SECOND)
    assert scene.timers(incident) == []
    assert acknowledged.escalation.progress.next_at is None
    assert scene.sweep(T0 + HOUR) == []
    assert [action for action, _, _ in scene.told(incident)] == ["trigger", "acknowledge"]


def test_an_acknowledgement_that_is_withdrawn_starts_at_the_first_step(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()
    scene.sweep(T0 + 60_000)
    scene.move(incident, Move.ACKNOWLEDGE, T0 + 70_000)
    again = scene.move(incident, Move.UNACKNOWLEDGE, T0 + 80_000)
    assert (again.escalation.progress.at.step, again.escalation.begun_at) == (0, T0 + 80_000)
    assert ("step", 0, 1, 140_000) in scene.timers(incident)
    assert scene.told(incident)[-1] == ("trigger", FIRST, 80_000)


def test_an_acknowledgement_runs_out_by_the_policy(scene: Scene) -> None:
    scene.policy({**LADDER, "ack_timeout_seconds": 300})
    incident = scene.open()
    acknowledged = scene.move(incident, Move.ACKNOWLEDGE, T0)
    assert acknowledged.escalation.ack_expires_at == T0 + 300_000
    scene.sweep(T0 + 299_999)
    assert scene.now(incident).state is IncidentState.ACKNOWLEDGED
    scene.sweep(T0 + 300_000)
    current = scene.now(incident)
    assert (current.state, current.acknowledged_at) == (IncidentState.TRIGGERED, None)
    assert current.escalation.ack_expires_at is None
    assert scene.told(incident)[-1] == ("trigger", FIRST, 300_000)


def test_a_snooze_ends_when_it_was_said_to(scene: Scene) -> None:
    incident = scene.open(policy=None)
    scene.move(incident, Move.ACKNOWLEDGE, T0, until=T0 + MINUTE)
    longer = scene.move(incident, Move.NONE, T0 + 1, until=T0 + HOUR)
    assert longer.version == 3
    assert scene.timers(incident) == [("ack_end", 0, 0, HOUR)]
    assert [detail["until"] for detail in scene.entries(incident, "snoozed")] == [
        to_text(T0 + MINUTE),
        to_text(T0 + HOUR),
    ]
    scene.sweep(T0 + HOUR)
    assert scene.now(incident).state is IncidentState.TRIGGERED


def test_a_ladder_is_climbed_again_as_often_as_the_policy_says(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(60, ("channel", SECOND_ONE)), repeat=(1, 300)))
    incident = scene.open()
    at = T0
    for _ in range(9):
        scene.settle(incident, "delivered")
        due = scene.ground.read(timers.next_due_at)
        if due is None:
            break
        at = due
        scene.sweep(at)
    assert [(name, after) for _, name, after in scene.told(incident)] == [
        (FIRST, 0),
        (SECOND_ONE, 60_000),
        (FIRST, 360_000),
        (SECOND_ONE, 420_000),
    ]
    assert scene.now(incident).escalation.progress.exhausted


def test_nobody_is_told_twice_of_what_he_is_still_owed(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(60, ("channel", FIRST), ("channel", SECOND_ONE))))
    incident = scene.open()
    scene.sweep(T0 + 60_000)
    assert scene.told(incident) == [("trigger", FIRST, 0), ("trigger", SECOND_ONE, 60_000)]


def test_a_channel_that_refuses_for_good_brings_the_next_step_at_once(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(3600, ("channel", SECOND_ONE))))
    incident = scene.open()
    scene.settle(incident, "dead")
    scene.ground.write(lambda connection: timers.hasten(connection, incident.id, T0 + SECOND))
    scene.sweep(T0 + SECOND)
    assert scene.told(incident)[1:] == [("trigger", SECOND_ONE, SECOND)]
    assert [detail["reason"] for detail in scene.entries(incident, "escalated")] == ["channel_failing"]


def test_a_channel_without_success_for_two_minutes_brings_the_next_step(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(3600, ("channel", SECOND_ONE))))
    incident = scene.open()
    scene.sweep(T0 + REACH)
    assert scene.told(incident)[1:] == [("trigger", SECOND_ONE, REACH)]


def test_what_arrives_in_time_brings_nothing_forward(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(3600, ("channel", SECOND_ONE))))
    incident = scene.open()
    scene.settle(incident, "delivered")
    scene.ground.write(lambda connection: timers.hasten(connection, incident.id, T0 + SECOND))
    scene.sweep(T0 + SECOND)
    assert ("reach", 0, 0, REACH) in scene.timers(incident)
    scene.sweep(T0 + REACH)
    assert scene.told(incident) == [("trigger", FIRST, 0)]
    assert scene.timers(incident) == [("step", 0, 1, HOUR)]


def test_where_no_step_is_left_the_fallback_channel_hears_of_it(scene: Scene) -> None:
    scene.settings(fallback_channel=LAST)
    scene.policy(rules(step(0, ("channel", FIRST))))
    failing, unheard = scene.open(), scene.open(policy=None)
    scene.settle(failing, "dead")
    scene.sweep(T0 + REACH)
    assert scene.told(failing)[1:] == [("trigger", LAST, REACH)]
    assert scene.told(unheard) == [("trigger", LAST, 0)]


def test_an_incident_that_nobody_ends_is_over_when_the_policy_says(scene: Scene) -> None:
    scene.policy({**LADDER, "auto_resolve_seconds": 600})
    incident = scene.open()
    scene.move(incident, Move.ACKNOWLEDGE, T0 + SECOND)
    scene.sweep(T0 + 600_000)
    current = scene.now(incident)
    assert (current.resolve_reason, current.resolved_by) == (ResolveReason.AUTO_TIMEOUT.value, SYSTEM)
    assert scene.timers(incident) == []
    assert scene.told(incident)[-1] == ("resolve", FIRST, 600_000)


def test_an_outage_that_goes_on_is_not_called_over(scene: Scene) -> None:
    scene.policy({**LADDER, "auto_resolve_seconds": 600})

    def break_it(connection: Connection) -> None:
        state = states.state_of(connection, scene.ground.monitor)
        states.save_state(connection, scene.ground.monitor, replace(state, health=Health.DOWN))

    scene.ground.write(break_it)
    incident = scene.open(monitor_key=scene.ground.monitor)
    scene.sweep(T0 + 600_000)
    assert scene.now(incident).is_open
    assert ("auto_resolve", 0, 0, 1_200_000) in scene.timers(incident)


def test_other_severities_are_not_escalated(scene: Scene) -> None:
    scene.policy({**LADDER, "severities": ["critical"]})
    incident = scene.open()
    assert (scene.told(incident), scene.timers(incident)) == ([], [])
    assert scene.told(scene.open(severity=Severity.CRITICAL)) == [("trigger", FIRST, 0)]


def test_a_step_outside_of_its_hours_is_passed_over(scene: Scene) -> None:
    never = {"timezone": "UTC", "days": ["mon"], "from": "00:00", "to": "00:01"}
    scene.policy(rules(step(0, ("channel", FIRST), only_between=never), step(0, ("channel", SECOND_ONE))))
    assert scene.told(scene.open()) == [("trigger", SECOND_ONE, 0)]


def test_a_person_is_told_by_his_contacts_and_a_schedule_means_who_is_on_call(scene: Scene) -> None:
    def settle(connection: Connection) -> None:
        for number, contact in ((1, FIRST), (2, SECOND_ONE)):
            user_id = people.ensure_user(connection, f"usr_0000000{number}", f"p{number}@ours.example", 1)
            member = Member(
                user_id=user_id,
                team_id=TEAM,
                email=f"p{number}@ours.example",
                role="responder",
                contacts=(contact,),
                created_at=number,
                updated_at=number,
            )
            people.insert_if_new(connection, member)
        plan = {
            "timezone": "UTC",
            "rotation": "daily",
            "handoff": "00:00",
            "starts_on": "2026-01-01",
            "members": ["p2@ours.example"],
            "overrides": [],
        }
        schedules.insert(
            connection,
            Schedule(id="sch_00000001", team_id=TEAM, name="Primary", plan=plan, created_at=1, updated_at=1),
        )

    scene.ground.write(settle)
    scene.policy(rules(step(0, ("user", "usr_00000001"), ("schedule", "sch_00000001"), ("user", "usr_gone0000"))))
    assert sorted(scene.told(scene.open())) == [("trigger", FIRST, 0), ("trigger", SECOND_ONE, 0)]


def test_rules_tell_some_later_some_again_and_some_nothing_of_the_end(scene: Scene) -> None:
    scene.configure(
        notification_rules=[
            rule(FIRST, send_resolved=False),
            rule(SECOND_ONE, after_seconds=600, repeat_seconds=300),
            rule(THIRD, when={"states": ["up"]}),
            rule(mute=True),
            rule(LAST),
        ]
    )
    incident = scene.open(policy=None, monitor_key=scene.ground.monitor)
    scene.settle(incident, "delivered")
    scene.sweep(T0 + REACH)
    assert scene.timers(incident) == [("route", 0, 1, 600_000)]
    for at in (600_000, 900_000):
        scene.sweep(T0 + at)
        scene.settle(incident, "delivered")
    current = scene.now(incident)
    scene.ground.write(lambda connection: change(connection, current, Move.RESOLVE, ACTOR, T0 + HOUR, facts=Facts()))
    assert scene.told(incident) == [
        ("trigger", FIRST, 0),
        ("trigger", SECOND_ONE, 600_000),
        ("trigger", SECOND_ONE, 900_000),
        ("resolve", SECOND_ONE, HOUR),
        ("resolve", THIRD, HOUR),
    ]
    assert scene.timers(incident) == []


def test_a_policy_means_by_the_monitors_notifications_what_its_rules_say(scene: Scene) -> None:
    scene.configure(notifications=[FIRST], notification_rules=[rule(mute=True, when={"severities": ["error"]})])
    scene.policy(rules(step(0, ("monitor_notifications", None), ("channel", LAST))))
    assert scene.told(scene.open(monitor_key=scene.ground.monitor)) == [("trigger", LAST, 0)]


def test_a_policy_that_is_edited_reaches_only_what_begins_afterwards(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()

    def edit(connection: Connection) -> None:
        stored = policies.get(connection, TEAM, "oncall")
        assert stored is not None
        policies.save(connection, replace(stored, rules=rules(step(0, ("channel", LAST)))))

    scene.ground.write(edit)
    scene.settle(incident, "delivered")
    scene.sweep(T0 + 60_000)
    assert scene.told(incident)[1:] == [("trigger", SECOND_ONE, 60_000)]
    assert scene.told(scene.open()) == [("trigger", LAST, 0)]


def disable(scene: Scene, *names: str) -> None:
    where = channels.c.id.in_(names)
    scene.ground.write(lambda connection: connection.execute(update(channels).where(where).values(enabled=False)))


def test_a_step_whose_channel_is_off_gives_its_time_to_the_next(scene: Scene) -> None:
    scene.policy(LADDER)
    disable(scene, FIRST)
    incident = scene.open()
    assert scene.told(incident) == [("trigger", SECOND_ONE, 0)]
    assert scene.timers(incident) == [("reach", 0, 0, REACH), ("step", 0, 2, 120 * SECOND)]
    disable(scene, THIRD)
    scene.settle(incident, "delivered")
    scene.settings(fallback_channel=LAST)
    scene.sweep(T0 + 120_000)
    assert scene.told(incident)[1:] == [("trigger", LAST, 120_000)]


def test_where_nobody_of_a_round_can_be_told_the_fallback_channel_is_at_once(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST)), step(60, ("channel", SECOND_ONE)), repeat=(2, 600)))
    scene.settings(fallback_channel=LAST)
    disable(scene, FIRST, SECOND_ONE)
    incident = scene.open()
    assert scene.told(incident) == [("trigger", LAST, 0)]
    scene.settle(incident, "delivered")
    scene.sweep(T0 + 600_000)
    assert scene.told(incident)[1:] == [("trigger", LAST, 600_000)]


def test_what_a_rule_mutes_is_no_step_that_reaches_nobody(scene: Scene) -> None:
    own = ("monitor_notifications", None)
    scene.policy(rules(step(0, own), step(60, ("channel", SECOND_ONE))))
    scene.configure(notification_rules=[rule(mute=True)], notifications=[FIRST])
    incident = scene.open(monitor_key=scene.ground.monitor)
    assert scene.told(incident) == []
    assert scene.timers(incident) == [("step", 0, 1, 60 * SECOND)]


def test_an_incident_that_nobody_hears_of_says_so(scene: Scene) -> None:
    scene.policy(LADDER)
    heard = scene.open()
    disable(scene, FIRST, SECOND_ONE, THIRD)
    unheard = scene.open()
    quiet = scene.open(notify=False)
    shown = [scene.entries(incident, "triggered")[0] for incident in (heard, unheard, quiet)]
    assert [entry.get("nobody_told") for entry in shown] == [None, True, None]


def test_who_heard_of_an_earlier_outage_alone_hears_nothing_of_the_end_of_the_next(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()
    scene.sweep(T0 + 60_000)
    scene.move(incident, Move.RESOLVE, T0 + 70_000)
    scene.move(incident, Move.REOPEN, T0 + 80_000)
    scene.move(incident, Move.RESOLVE, T0 + 90_000)
    told = [(action, channel) for action, channel, at in scene.told(incident) if at > 60_000]
    assert told == [
        ("resolve", FIRST),
        ("resolve", SECOND_ONE),
        ("trigger", FIRST),
        ("resolve", FIRST),
    ]


def test_the_fallback_channel_hears_of_the_incident_and_in_it_of_the_channel(scene: Scene) -> None:
    scene.policy(rules(step(0, ("channel", FIRST))))
    scene.settings(fallback_channel=LAST)
    incident = scene.open()
    row = newest(scene, incident)[FIRST]

    def refuse(connection: Connection) -> None:
        failing = stored_channels.get(connection, TEAM, FIRST)
        assert failing is not None
        fallback.tell(connection, failing, row, "no_service", T0 + 1000)

    scene.ground.write(refuse)
    scene.settle(incident, "dead", FIRST)
    scene.ground.write(lambda connection: timers.hasten(connection, incident.id, T0 + 1000))
    scene.sweep(T0 + 1000)
    everything = select(rows.c.action, rows.c.body).where(rows.c.destination == LAST)
    [(action, body)] = scene.ground.read(lambda connection: list(connection.execute(everything)))
    assert (action, Message.of(json.loads(body)).facts.note) == ("trigger", f"Could not be told: {FIRST}.")
    scene.ground.write(refuse)
    assert len(scene.ground.read(lambda connection: list(connection.execute(everything)))) == 1


def test_a_longer_snooze_is_an_event(scene: Scene) -> None:
    scene.policy(LADDER)
    incident = scene.open()
    scene.move(incident, Move.ACKNOWLEDGE, T0 + 1000, until=T0 + 61_000)
    scene.move(incident, Move.NONE, T0 + 2000, until=T0 + 3_602_000)
    wanted = EventFilter(types=("incident.acknowledged",))
    found = scene.ground.read(
        lambda connection: events.page(connection, TEAM, wanted, after=None, descending=False, limit=9)
    )
    told = [json.loads(event.body)["data"] for event in found]
    assert [(one["previous_state"], one["ack_expires_at"]) for one in told] == [
        ("triggered", to_text(T0 + 61_000)),
        ("acknowledged", to_text(T0 + 3_602_000)),
    ]
    assert told[1]["time_to_acknowledge_seconds"] == 1.0


NIGHT = {"timezone": "Europe/Berlin", "days": list(DAYS), "from": "22:00", "to": "07:00"}
LATE, MORNING = from_text("2026-11-23T22:30:00Z"), from_text("2026-11-24T06:00:00Z")


def a_warning(scene: Scene, now: int, **members: Any) -> Incident:
    parts = {"severity": Severity.WARNING, "policy": None, "monitor_key": scene.ground.monitor, **members}
    return scene.open(now, **parts)


def heard(scene: Scene, incident: Incident) -> list[tuple[str, str]]:
    return [(action, channel) for action, channel, _ in scene.told(incident)]


def test_in_quiet_hours_people_are_told_in_the_morning_of_what_is_true_still(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, quiet_hours=NIGHT)])
    still, over = (a_warning(scene, LATE) for _ in range(2))
    assert (heard(scene, still), heard(scene, over)) == ([], [])
    assert scene.timers(still) == [("route", 0, 0, MORNING - T0)]
    scene.move(over, Move.RESOLVE, LATE + HOUR)
    scene.sweep(MORNING - 1)
    assert (heard(scene, still), heard(scene, over)) == ([], [])
    scene.sweep(MORNING)
    assert (heard(scene, still), heard(scene, over)) == ([("trigger", FIRST)], [])


def test_the_timeline_and_the_incident_tell_until_when_quiet_hours_keep_it(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, SECOND_ONE, quiet_hours=NIGHT)])
    incident = a_warning(scene, LATE)
    held = holds.document(scene.now(incident))
    assert held is not None
    assert (held["reason"], held["until"]) == ("quiet_hours", to_text(MORNING))
    told = {"quiet_hours": {"channels": [FIRST, SECOND_ONE], "until": to_text(MORNING)}}
    assert scene.entries(incident, "observation") == [told]
    scene.sweep(MORNING)
    assert holds.document(scene.now(incident)) is None


def test_who_is_told_at_once_is_kept_by_the_quiet_hours_of_no_other(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, quiet_hours=NIGHT), rule(SECOND_ONE)])
    incident = a_warning(scene, LATE)
    assert holds.document(scene.now(incident)) is None
    told = {"quiet_hours": {"channels": [FIRST], "until": to_text(MORNING)}}
    assert scene.entries(incident, "observation") == [told]


def test_what_is_critical_waits_for_no_hours(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, quiet_hours=NIGHT)])
    assert heard(scene, a_warning(scene, LATE, severity=Severity.CRITICAL)) == [("trigger", FIRST)]


def test_hours_without_a_zone_are_on_the_wall_of_the_team(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, quiet_hours={**NIGHT, "timezone": None})])
    assert heard(scene, a_warning(scene, MORNING + HOUR)) == [("trigger", FIRST)]
    scene.zone("America/New_York")
    there = a_warning(scene, MORNING + HOUR)
    assert heard(scene, there) == []
    scene.sweep(from_text("2026-11-24T12:00:00Z"))
    assert heard(scene, there) == [("trigger", FIRST)]


def test_a_reminder_waits_for_the_morning_and_so_does_the_end(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, repeat_seconds=3600, quiet_hours=NIGHT)])
    evening = from_text("2026-11-23T20:30:00Z")
    incident = a_warning(scene, evening)
    scene.settle(incident, "delivered")
    scene.sweep(evening + HOUR)
    assert heard(scene, incident) == [("trigger", FIRST)]
    assert ("route", 1, 0, MORNING - T0) in scene.timers(incident)
    scene.move(incident, Move.RESOLVE, LATE)
    assert heard(scene, incident) == [("trigger", FIRST), ("resolve", FIRST)]
    query = select(rows.c.next_attempt_at).where(rows.c.action == "resolve")
    assert scene.ground.read(lambda connection: connection.scalar(query)) == MORNING


def test_a_channel_with_a_route_outside_of_its_quiet_hours_hears_of_the_end_at_once(scene: Scene) -> None:
    scene.configure(notification_rules=[rule(FIRST, quiet_hours=NIGHT), rule(FIRST)])
    incident = a_warning(scene, LATE)
    scene.move(incident, Move.RESOLVE, LATE + HOUR)
    assert heard(scene, incident) == [("trigger", FIRST), ("resolve", FIRST)]
    query = select(rows.c.next_attempt_at).where(rows.c.action == "resolve")
    assert scene.ground.read(lambda connection: connection.scalar(query)) == LATE + HOUR
