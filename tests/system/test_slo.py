"""kill -9 between what an objective has to tell: it is told once, by whoever lives."""

from __future__ import annotations

from pathlib import Path

from tests.system.server import Server, eventually, server

# 8.64 s of a day.
_SLA = {"objective_pct": 99.99, "window": "24h"}


def _breaches(served: Server) -> list[str]:
    query = "SELECT id FROM events WHERE type = 'sla.breached'"
    return [event_id for (event_id,) in served.rows(query)]


def test_a_breach_is_told_once_whatever_is_killed(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.start()
        monitor_id = served.create(name="Shop", type="tcp", host="127.0.0.1", port=9, sla=_SLA)
        eventually(lambda: served.status(monitor_id)["state"] == "down")
        served.kill()
        assert _breaches(served) == []
        served.start()
        eventually(lambda: _breaches(served), seconds=120)
        assert served.status(monitor_id)["sla"]["status"] == "breached"
        served.kill()
        told = _breaches(served)
        served.start("--no-probe")
        before = served.value("SELECT touched FROM slos")
        served.call("PATCH", f"/monitors/{monitor_id}", {"description": "looked at once more"})
        eventually(lambda: served.value("SELECT touched FROM slos") >= before + 2)
        assert _breaches(served) == told
        assert len(told) == 1
