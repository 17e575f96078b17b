"""The series that probes feed: what their heartbeats say is what `/metrics` shows."""

from __future__ import annotations

from pathlib import Path

from statuspulse.app import series
from statuspulse.app.slo_series import SloSeries
from statuspulse.catalog import slos as catalog
from statuspulse.domain.times import from_text, to_datetime
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.slo_reports import stand
from statuspulse.metrics import Metrics
from statuspulse.protocol.documents import Heartbeat, Load, SpoolState
from statuspulse.storage.database import Database
from tests.engine.world import REFUSED, START, World, result

NOW = from_text("2026-11-23T06:20:00.000Z")


def a_heartbeat(*, oldest_at: int | None = None, dropped: int = 0) -> Heartbeat:
    return Heartbeat(
        clock=to_datetime(NOW),
        boot_id="boot_1",
        version="1",
        load=Load(due=3, in_flight=17, lag_p99_ms=2.5, loop_lag_p99_ms=12.5, cpu_pct=40.0),
        spool=SpoolState(
            depth=9, oldest_at=None if oldest_at is None else to_datetime(oldest_at), dropped_total=dropped
        ),
    )


async def told(database: Database, metrics: Metrics, liveness: Liveness) -> list[str]:
    objectives = SloSeries(database, now=lambda: NOW)
    return (await series.text(database, metrics, liveness, lambda: NOW, objectives, None)).splitlines()


async def test_what_a_probe_says_of_itself_is_shown_with_its_region(sqlite_database: Database) -> None:
    liveness = Liveness()
    liveness.hear("prb_2d4f6h8j", "local", a_heartbeat(oldest_at=NOW - 4500, dropped=6), NOW - 1000)
    lines = await told(sqlite_database, Metrics(), liveness)
    labels = '{probe="prb_2d4f6h8j",region="local"}'
    for line in (
        f"statuspulse_checks_in_flight{labels} 17.0",
        f"statuspulse_loop_lag_seconds{labels} 0.0125",
        f"statuspulse_probe_cpu_ratio{labels} 0.4",
        f"statuspulse_spool_results{labels} 9.0",
        f"statuspulse_spool_oldest_seconds{labels} 4.5",
        f"statuspulse_spool_dropped_total{labels} 6.0",
    ):
        assert line in {sorted_labels(shown) for shown in lines}
    assert "# TYPE statuspulse_spool_dropped_total counter" in lines


async def test_a_probe_that_starts_anew_counts_anew(sqlite_database: Database) -> None:
    metrics, liveness = Metrics(), Liveness()
    for dropped in (6, 0):
        liveness.hear("prb_2d4f6h8j", "local", a_heartbeat(dropped=dropped), NOW)
        lines = [line for line in await told(sqlite_database, metrics, liveness) if "dropped_total{" in line]
        assert [line.rpartition(" ")[2] for line in lines] == [f"{dropped:.1f}"]
    assert [line for line in await told(sqlite_database, metrics, liveness) if "spool_oldest_seconds{" in line] == [
        'statuspulse_spool_oldest_seconds{probe="prb_2d4f6h8j",region="local"} 0.0'
    ]


def sorted_labels(line: str) -> str:
    name, brace, rest = line.partition("{")
    labels, closing, value = rest.rpartition("}")
    return name + brace + ",".join(sorted(labels.split(","))) + closing + value


async def test_objectives_are_told_in_figures_and_worked_out_once_a_minute(tmp_path: Path) -> None:
    world = World.begin(tmp_path)
    monitor = world.monitor()
    slots = [START + slot * 10_000 for slot in range(120)]
    for place, slot in enumerate(slots):
        world.ship(world.items(result(monitor, slot, REFUSED if 60 <= place < 75 else None)), slot + 100)
    now = START + 1_200_000
    change = world.change_at(now)
    body = {
        "name": 'Shop "99.9"',
        "objective_pct": 99.0,
        "window": "24h",
        "monitor_id": monitor,
        "alerting": {"slow": None, "ticket": {"burn_rate": 1, "long": 5400, "short": 600}},
    }
    made = world.write(lambda connection: catalog.create(connection, world.instance, change, body))
    clock = [now]
    objectives = SloSeries(world.database, now=lambda: clock[0])
    held = world.database.read_now(lambda connection: stand(connection, made, now)).account
    told = await objectives.lines(made.team_id)
    labels = f'slo="{made.id}",name="Shop \\"99.9\\""'
    assert held.remaining_pct is not None
    assert told[0] == f"statuspulse_slo_error_budget_remaining_ratio{{{labels}}} {held.remaining_pct / 100:g}"
    # Of two and a half minutes that were bad, one percent may be in each window.
    rates = {"5m": "0", "10m": "25", "1h": "4.16", "90m": "2.77"}
    assert told[1:] == [
        f'statuspulse_slo_burn_rate{{{labels},window="{window}"}} {rate}' for window, rate in rates.items()
    ]
    assert await objectives.lines("team_zzzzzzzz") == []
    clock[0] += 59_999
    assert await objectives.lines(made.team_id) is told
    clock[0] += 1
    assert await objectives.lines(made.team_id) is not told
    world.database.close()
