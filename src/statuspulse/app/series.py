"""The text of `/metrics`: gauges are read when they are asked for, a team's own series only for its token."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from statuspulse.app.slo_series import SloSeries
from statuspulse.domain.health import State
from statuspulse.domain.times import SECOND, from_datetime
from statuspulse.engine.liveness import Liveness, Pulse
from statuspulse.metrics import Metrics, sample
from statuspulse.storage import incidents, monitors, outbox
from statuspulse.storage.database import Database


async def text(
    database: Database,
    metrics: Metrics,
    liveness: Liveness,
    now: Callable[[], int],
    objectives: SloSeries,
    team_id: str | None,
) -> str:
    """Everything of the process, and the series of the team where one is given."""
    for pulse in liveness.pulses():
        _tell(metrics, pulse, now())
    metrics.outbox_pending.set((await database.read(outbox.counts))[outbox.State.PENDING])
    oldest = await database.read(outbox.oldest_pending_at)
    metrics.outbox_oldest.set(0 if oldest is None else max(0, now() - oldest) / SECOND)
    if team_id is None:
        return metrics.text()
    lines = await database.read(lambda connection: _team_series(connection, team_id))
    return metrics.text([*lines, *await objectives.lines(team_id)])


def _tell(metrics: Metrics, pulse: Pulse, now: int) -> None:
    """What a probe says of itself in its heartbeats."""
    labels = (pulse.region, pulse.probe_id)
    load, spool = pulse.heartbeat.load, pulse.heartbeat.spool
    oldest_at = None if spool.oldest_at is None else from_datetime(spool.oldest_at)
    metrics.probe_last_seen.labels(*labels).set(pulse.heard_at / SECOND)
    metrics.checks_in_flight.labels(*labels).set(load.in_flight)
    metrics.loop_lag.labels(*labels).set(load.loop_lag_p99_ms / SECOND)
    for address_class in ("public", "private"):
        metrics.probe_blind.labels(*labels, address_class).set(address_class in pulse.heartbeat.blind)
    metrics.probe_cpu.labels(*labels).set(load.cpu_pct / 100)
    metrics.spool_results.labels(*labels).set(spool.depth)
    metrics.spool_oldest.labels(*labels).set(0 if oldest_at is None else max(0, now - oldest_at) / SECOND)
    metrics.spool_dropped.tell(*labels, spool.dropped_total)


def _team_series(connection: Connection, team_id: str) -> list[str]:
    lines = []
    for monitor_id, name, state in monitors.names_and_states(connection, team_id):
        labels = {"monitor": monitor_id, "name": name}
        lines += [sample("monitor_state", {**labels, "state": each}, each is state) for each in State]
        lines.append(sample("monitor_up", labels, state in (State.UP, State.DEGRADED)))
    for severity, count in incidents.open_by_severity(connection, team_id).items():
        lines.append(sample("incidents_open", {"severity": severity}, count))
    return lines
