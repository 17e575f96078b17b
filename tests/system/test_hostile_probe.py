"""Somebody has the key of one probe of three: it tells only of what is its own, and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from statuspulse.domain.times import DAY, HOUR, SECOND, to_text
from tests.system.server import Server, eventually, now_ms, server

_URL = "http://192.0.2.1/"  # nobody checks it: what stands in results is all that there is


@dataclass
class Key:
    """A probe as whoever has its key can play it."""

    served: Server
    region: str
    key: str
    seq: int = 0
    receipts: list[Any] = field(default_factory=list)

    def post(self, path: str, document: Any, *, raw: bytes | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        url = f"{self.served.url}/v1{path}"
        return requests.post(url, json=document if raw is None else None, data=raw, headers=headers, timeout=20)

    def beat(self) -> None:
        document = {"clock": to_text(now_ms()), "boot_id": "boot_1", "version": "1"}
        assert self.post("/agent/heartbeat", document).status_code == 200

    def item(self, monitor: str, at: int, *, ok: bool = True, **members: Any) -> dict[str, Any]:
        self.seq += 1
        failure = None if ok else {"class": "connect_refused", "detail": "so it says"}
        times = {"scheduled_at": to_text(at), "observed_at": to_text(max(at, now_ms()))}
        result = {"seq": self.seq, "kind": "scheduled", "monitor_id": monitor, "config_version": 1, **times}
        return {**result, "ok": ok, "failure": failure, **members}

    def ship(self, *items: dict[str, Any]) -> Any:
        answer = self.post("/agent/results", {"sent_at": to_text(now_ms()), "results": list(items)})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("hostile")) as made:
        made.start("--no-probe")
        yield made


def probes_of(served: Server, *regions: str) -> list[Key]:
    made = [served.call("POST", "/probes", {"name": region, "region": region}).json() for region in regions]
    return [Key(served, one["region"], one["key"]) for one in made]


def state(served: Server, monitor: str) -> str:
    shown: str = served.status(monitor)["state"]
    return shown


def refusals(served: Server, region: str, code: str) -> int:
    """How many an operator sees."""
    series = re.compile(
        rf'^statuspulse_probe_refusals_total{{code="{code}",probe="[^"]*",region="{region}"}} ([0-9.]+)$', re.MULTILINE
    )
    return sum(int(float(count)) for count in series.findall(served.get_raw("/metrics").text))


def test_a_lying_region_of_three_changes_no_verdict(served: Server) -> None:
    honest, other, liar = probes_of(served, "ap", "eu", "us")
    monitor = served.create(name="Shop", type="http", url=_URL, regions=["ap", "eu", "us"])
    for probe in (honest, other, liar):
        probe.beat()
    begun = now_ms()
    for turn in range(8):
        at = begun + turn * 100
        honest.ship(honest.item(monitor, at))
        other.ship(other.item(monitor, at))
        liar.ship(liar.item(monitor, at, ok=False))
        assert state(served, monitor) in {"up", "degraded"}
    assert served.status(monitor)["failing_regions"] == ["us"]
    assert served.value("SELECT count(*) FROM incidents") == 0
    # An outage long ago, told by it alone, is history and none of its own.
    begun = now_ms() - HOUR
    past = [to_text(begun + turn * SECOND) for turn in range(50)]
    receipt = liar.ship(*(liar.item(monitor, begun, ok=False, scheduled_at=at, observed_at=at) for at in past))
    assert receipt["accepted"] == 50
    assert state(served, monitor) == "degraded"
    assert served.value("SELECT count(*) FROM transitions WHERE state = 'down'") == 0


def test_what_a_probe_has_no_say_in_is_refused(served: Server) -> None:
    ours, theirs = probes_of(served, "north", "south")
    mine = served.create(name="Ours", type="http", url=_URL, regions=["north"])
    foreign = served.create(name="Theirs", type="http", url=_URL, regions=["south"])
    ours.beat()
    theirs.beat()
    now = now_ms()
    theirs.ship(theirs.item(foreign, now - SECOND))
    eventually(lambda: state(served, foreign) == "up")
    told = ours.ship(
        ours.item(mine, now - SECOND),
        ours.item(foreign, now, ok=False),
        ours.item("mon_00000000", now, ok=False),
        ours.item(mine, now + DAY),
        ours.item(mine, now, region="south"),
        {
            "seq": ours.seq + 1,
            "kind": "gap",
            "monitor_id": foreign,
            "from": to_text(now),
            "to": to_text(now),
            "count": 1,
        }
        | {"reason": "restart"},
    )
    ours.seq += 1
    codes = [rejection["code"] for rejection in told["rejected"]]
    assert codes == ["not_assigned", "unknown_monitor", "in_the_future", "invalid", "not_assigned"]
    assert (told["accepted"], told["committed_through"]) == (1, ours.seq)
    assert state(served, foreign) == "up"
    stored = "SELECT count(*) FROM results JOIN monitors ON monitors.key = monitor_key WHERE monitors.id = ?"
    assert (served.value(stored, foreign), served.value(stored, mine)) == (1, 1)
    gaps = "SELECT count(*) FROM gap_records JOIN monitors ON monitors.key = monitor_key WHERE monitors.id = ?"
    assert served.value(gaps, foreign) == 0
    for code, count in (("not_assigned", 2), ("unknown_monitor", 1), ("in_the_future", 1), ("invalid", 1)):
        assert refusals(served, "north", code) == count


def test_repetitions_and_floods_change_nothing(served: Server) -> None:
    (ours,) = probes_of(served, "west")
    mine = served.create(name="Ours", type="http", url=_URL, regions=["west"])
    ours.beat()
    now = now_ms()
    items = [ours.item(mine, now - turn * SECOND) for turn in (3, 2, 1)]
    assert ours.ship(*items)["accepted"] == 3
    again = ours.ship(*items)
    assert (again["accepted"], again["duplicates"], again["committed_through"]) == (0, 3, 3)
    forged = ours.item(mine, now - SECOND, ok=False)
    assert ours.ship(forged)["duplicates"] == 1
    large = ours.post("/agent/results", None, raw=b'{"results": "' + b"x" * (10 << 20) + b'"}')
    assert large.status_code == 413
    many = {"sent_at": to_text(now), "results": [ours.item(mine, now + turn) for turn in range(1001)]}
    assert ours.post("/agent/results", many).status_code in {400, 413, 422}
    stored = "SELECT count(*) FROM results JOIN monitors ON monitors.key = monitor_key WHERE monitors.id = ?"
    assert served.value(stored, mine) == 3
    assert state(served, mine) == "up"
    assert refusals(served, "west", "payload_too_large") == 1
    assert refusals(served, "west", "validation_failed") == 1


def test_its_key_opens_nothing_else(served: Server) -> None:
    (ours,) = probes_of(served, "east")
    for method, path in (("GET", "/monitors"), ("POST", "/monitors"), ("GET", "/probes"), ("GET", "/status")):
        assert served.call(method, path, {}, token=ours.key).status_code == 403
    assert served.call("POST", "/agent/results", {"sent_at": to_text(now_ms()), "results": []}).status_code == 403
