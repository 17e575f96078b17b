"""Looks at an objective, and writes down what that tells: events and messages in the transaction of the look."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.domain.actor import SYSTEM
from statuspulse.domain.event import Event
from statuspulse.domain.message import Action, Message
from statuspulse.domain.slo_course import Judgement, News, judge, projected_exhaustion
from statuspulse.engine import receivers, slo_events, slo_words
from statuspulse.engine.slo_members import certain, gather_beside_burns
from statuspulse.storage import events, incidents, outbox, slos
from statuspulse.storage.monitors import Monitor
from statuspulse.storage.outbox import Debt
from statuspulse.storage.slos import Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at an objective has found; nothing of it is stored yet."""

    slo: Slo
    judgement: Judgement
    monitor: Monitor | None
    incident_ids: tuple[str, ...]


def look(connection: Connection, slo: Slo, now: int) -> Look:
    """Reads everything that the objective is about, and changes nothing."""
    period = slo.terms.period_at(now)
    gathered = certain(connection, gather_beside_burns(connection, slo, now), slo, now)
    judgement = judge(slo.terms, gathered.members, slo.course, gathered.pace, now)
    found: tuple[str, ...] = ()
    if News.BREACHED in judgement.news:
        keys = [monitor.key for monitor in gathered.monitors]
        found = tuple(one.id for one in incidents.of_outages(connection, slo.team_id, keys, period.start, now))
    alone = slo.monitor_key is not None and len(gathered.monitors) == 1
    return Look(
        slo=slo,
        judgement=judgement,
        monitor=gathered.monitors[0] if alone else None,
        incident_ids=found,
    )


def settle(connection: Connection, seen: Look, now: int) -> bool:
    """Stores what the look has found, and tells it. False where something has happened meanwhile: look again."""
    slo, judgement = seen.slo, seen.judgement
    if not slos.settle(connection, slo, judgement.course, judgement.due_at):
        return False
    for news in judgement.news:
        event, (title, note) = _told(seen, news, now)
        logged = events.record(connection, event)
        _owe(connection, slo, logged.id, title, note, now)
    return True


def _told(seen: Look, news: News, now: int) -> tuple[Event, tuple[str, str]]:
    slo, monitor, judgement = seen.slo, seen.monitor, seen.judgement
    held, period, burn = judgement.account, judgement.period, judgement.burn
    if news is News.AT_RISK and burn is not None:
        ends_at = projected_exhaustion(held, burn, period, slo.terms, now)
        event = slo_events.at_risk(slo, monitor, held, period, burn, ends_at, now)
        return event, slo_words.at_risk(slo, monitor, held, burn, ends_at)
    if news is News.RECOVERED:
        began = slo.course.breached_at or now
        event = slo_events.recovered(slo, monitor, held, period, began, now)
        return event, slo_words.recovered(slo, monitor, held)
    event = slo_events.breached(slo, monitor, held, period, seen.incident_ids, now)
    return event, slo_words.breached(slo, monitor, held)


def _owe(connection: Connection, slo: Slo, event_id: str, title: str, note: str, now: int) -> None:
    message = Message.without_incident(Action.NOTICE, title, at=now, actor=SYSTEM.label, note=note)
    debts = [
        Debt(
            team_id=slo.team_id,
            event_id=event_id,
            incident_id=None,
            destination=channel_id,
            action=Action.NOTICE.value,
            dedup_key=event_id,
            body=message.document(),
        )
        for channel_id in receivers.enabled(connection, slo.team_id, slo.notify)
    ]
    outbox.owe(connection, debts, now)
