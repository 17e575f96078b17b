"""The way of a user: three monitors, each broken and healed, with the messages that somebody gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.delivery.receiver import Receiver
from tests.system.server import Server, eventually, server
from tests.targets import DnsTarget, HttpTarget, TcpTarget

_SOON_SECONDS = 10.0


@dataclass(frozen=True)
class _Case:
    """One kind of monitor, how its target falls ill and gets well, and what is said of it meanwhile."""

    kind: str
    members: dict[str, Any]
    ruin: Callable[[], object]
    heal: Callable[[], object]
    failure: str

    @property
    def name(self) -> str:
        return f"Shop {self.kind}"

    def create(self, served: Server) -> str:
        hook = f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{self.kind}"
        return served.create(name=self.name, type=self.kind, notifications=[hook], **self.members)


@contextmanager
def _cases() -> Iterator[Sequence[_Case]]:
    with HttpTarget() as web, TcpTarget() as port, DnsTarget() as names:
        names.records("shop.test", "A", "192.0.2.7")
        web_members = {"url": f"{web.url}/health", "expected_status": 200}
        port_members = {"host": "127.0.0.1", "port": port.port}
        name_members = {"host": "shop.test", "resolver": names.address, "expected_values": ["192.0.2.7"]}
        yield (
            _Case("http", web_members, web.break_, web.heal, "status_mismatch"),
            _Case("tcp", port_members, port.break_, port.heal, "connect_refused"),
            _Case(
                "dns",
                name_members,
                lambda: names.records("shop.test", "A", "192.0.2.66"),
                lambda: names.records("shop.test", "A", "192.0.2.7"),
                "assertion_failed",
            ),
        )


def _outage(served: Server, monitor_id: str) -> tuple[Any, ...]:
    """The status and the open incident, once the monitor is down."""
    status = served.status(monitor_id)
    found = served.get(f"/incidents?monitor_id={monitor_id}&state=triggered")["data"]
    if status["state"] != "down" or not found:
        return ()
    assert len(found) == 1
    return status, found[0]


def _is_up(served: Server, monitor_id: str) -> bool:
    return bool(served.status(monitor_id)["state"] == "up")


def test_each_target_that_breaks_and_heals_is_told_of_once_each_way(tmp_path: Path) -> None:
    with Receiver() as slack, _cases() as cases, server(tmp_path, SLACK_BASE_URL=slack.url) as served:
        served.start()
        watched = [(case, case.create(served)) for case in cases]
        for _, monitor_id in watched:
            eventually(partial(_is_up, served, monitor_id), _SOON_SECONDS)

        for case, _ in watched:
            case.ruin()
        incidents = {}
        for case, monitor_id in watched:
            status, incident = eventually(partial(_outage, served, monitor_id), _SOON_SECONDS)
            assert [region["failure"]["class"] for region in status["regions"]] == [case.failure]
            assert status["active_incident"]["id"] == incident["id"]
            incidents[monitor_id] = incident["id"]

        for case, _ in watched:
            case.heal()
        for _, monitor_id in watched:
            eventually(partial(_is_up, served, monitor_id), _SOON_SECONDS)
            healed = served.get(f"/incidents/{incidents[monitor_id]}")
            assert (healed["state"], healed["resolve_reason"]) == ("resolved", "recovered")

        eventually(lambda: served.value("SELECT count(*) FROM outbox WHERE state = 'pending'") == 0)
        for case, monitor_id in watched:
            assert [arrival.path for arrival in slack._at(case.kind)] == [
                f"/services/T0A1B2C3D/B0X9Y8Z7W/{case.kind}"
            ] * 2
            opened, resolved = slack.texts(case.kind)
            assert opened.startswith(f"DOWN: {case.name} (")
            assert resolved.startswith(f"UP: {case.name} (down for ")
            assert served.rows(
                "SELECT action, state, attempts FROM outbox WHERE incident_id = ? ORDER BY seq", incidents[monitor_id]
            ) == [("trigger", "delivered", 1), ("resolve", "delivered", 1)]
        assert len(slack.arrivals) == 6
        assert served.stop() == 0
