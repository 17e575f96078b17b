"""Looking once, now: the API, the engine and a real probe on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from sqlalchemy import Connection, func, select

from statuspulse.api.app import create_api
from statuspulse.app.connections import Bounds
from statuspulse.app.web_server import WebServer, base_url, bound, listen
from statuspulse.bus.bus import Topic
from statuspulse.bus.local import LocalBus
from statuspulse.domain.secret import Secret
from statuspulse.egress.policy import Policy
from statuspulse.engine.engine import Engine
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.probe import agent
from statuspulse.probe.agent import ProbeSettings
from statuspulse.storage import probes, schema
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.sealing import Keyring
from tests.api.contract import Contract
from tests.api.parts import parts_of
from tests.api.server import READER, STRANGER, WRITER, contract_of, make_tokens
from tests.targets import HttpTarget, Mood, TcpTarget, http_answer, until
from tests.targets import wall_ms as wall


@dataclass
class Plane:
    """A control plane in this loop, and the probe that works for it while `probing` lasts."""

    url: str
    database: Database
    keyring: Keyring
    jobs: Jobs
    liveness: Liveness
    probe_key: str
    folder: Path
    contract: Contract

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = WRITER, key: str | None = None
    ) -> requests.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key

        def send() -> requests.Response:
            return requests.request(method, self.url + path, json=body, headers=headers, timeout=30)

        answer = await asyncio.to_thread(send)
        self.contract.check(method, path, answer)
        return answer

    async def monitor(self, target: HttpTarget, **members: Any) -> str:
        body = {"name": "Shop", "type": "http", "url": target.url, "interval_seconds": 3600, **members}
        answer = await self.call("POST", "/v1/monitors", body)
        assert answer.status_code == 201, answer.text
        created: str = answer.json()["id"]
        return created

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        settings = ProbeSettings(
            server_url=self.url,
            key=Secret(self.probe_key),
            data_dir=self.folder / "probe",
            policy=Policy(),
            version="1.2.3",
            boot_id="boot_1",
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(agent.run(settings, wall=wall, monotonic=monotonic, stop=stop))
            try:
                await until(lambda: self.liveness.online(wall()))
                yield
            finally:
                stop.set()

    def rows(self, table: Any) -> int:
        return self.database.read_now(
            lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0
        )


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    database, keyring = Database(sqlite_url(tmp_path / "statuspulse.db")), Keyring(b"k" * 32)
    bus, metrics, liveness = LocalBus(), Metrics(), Liveness()
    jobs = Jobs(bus)

    def prepare(connection: Connection) -> str:
        schema.metadata.create_all(connection)
        key = make_tokens(connection, keyring)
        probes.ensure_region(connection, "eu-west", "Europe", wall())
        return key

    probe_key = await database.write(prepare)
    stop = asyncio.Event()
    parts = parts_of(database, keyring, bus, jobs, liveness, metrics, stop)
    server = WebServer(create_api(parts), Bounds())
    with bound("127.0.0.1", 0) as listening:
        listen(listening)
        async with asyncio.TaskGroup() as tasks:
            moving = Engine(database, bus, jobs, liveness, metrics, mutes_flapping=True, now=wall)
            engine = tasks.create_task(moving.run())
            tasks.create_task(server.run_on(listening))
            url = base_url(listening)
            contract = await asyncio.to_thread(contract_of, url)
            yield Plane(url, database, keyring, jobs, liveness, probe_key, tmp_path, contract)
            stop.set()
            jobs.close()
            bus.wake(Topic.CATALOG)
            server.should_exit = True
            engine.cancel()
    database.close()


@pytest.fixture
def target() -> Any:
    with HttpTarget() as made:
        yield made


async def test_a_look_answers_with_what_was_seen_and_counts_nowhere(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target, paused=True)
    async with plane.probing():
        begun = wall()
        run = await plane.call("POST", f"/v1/monitors/{monitor}/check")
        assert wall() - begun < 2000
    assert run.status_code == 200
    body = run.json()
    assert (body["object"], body["monitor_id"], body["message"]) == ("check_run", monitor, '"Shop" is ok.')
    assert body["id"].startswith("chk_")
    [result] = body["results"]
    assert (result["ok"], result["status_code"], result["kind"]) == (True, 200, "manual")
    assert (result["region"], result["monitor_id"], result["config_version"]) == ("local", monitor, 1)
    assert result["ip"] == "127.0.0.1"
    assert result["timings_ms"]["ttfb"] is not None
    assert result["probe_id"].startswith("prb_")
    assert result["id"].startswith("res_")
    assert plane.rows(schema.results) == 1
    assert len(target.arrivals) == 1
    status = (await plane.call("GET", f"/v1/status/{monitor}")).json()
    assert (status["health"], status["last_probe_at"], status["metrics"]["checks_total"]) == ("pending", None, 0)


async def test_a_look_tells_whether_a_window_holds(plane: Plane, target: HttpTarget) -> None:
    """Also of the region where nobody looked."""
    monitor = await plane.monitor(target, regions=["eu-west", "local"], paused=True)

    async def look() -> list[bool]:
        run = (await plane.call("POST", f"/v1/monitors/{monitor}/check")).json()
        return [result["in_maintenance"] for result in run["results"]]

    async with plane.probing():
        assert await look() == [False, False]
        begun = await plane.call("POST", f"/v1/monitors/{monitor}/maintenance", {"duration_seconds": 600})
        assert await look() == [True, True]
        await plane.call("POST", f"/v1/maintenance-windows/{begun.json()['id']}/end")
        assert await look() == [False, False]


async def test_a_look_names_the_redirect_that_the_policy_forbids(plane: Plane, target: HttpTarget) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: http://169.254.169.254/latest")
    body = {"name": "Shop", "type": "http", "url": target.url}
    async with plane.probing():
        run = (await plane.call("POST", "/v1/monitors/test", body)).json()
    said = "redirect 1 leads to http://169.254.169.254, and the address policy denies metadata addresses"
    assert run["message"] == f'"Shop" could not be looked at: {said}.'
    assert run["results"][0]["failure"] == {"class": "blocked_by_policy", "detail": said}
    assert run["results"][0]["evidence"]["error"] == said


async def test_a_failing_look_says_why_and_opens_no_incident(plane: Plane, target: HttpTarget) -> None:
    target.mood = Mood.WRONG
    monitor = await plane.monitor(target, paused=True, failure_threshold=1)
    async with plane.probing():
        body = (await plane.call("POST", f"/v1/monitors/{monitor}/check", {})).json()
    assert body["message"] == '"Shop" is not ok: got 503, expected 2xx.'
    assert body["results"][0]["failure"] == {"class": "status_mismatch", "detail": "got 503, expected 2xx"}
    assert plane.rows(schema.incidents) == 0
    assert len(target.arrivals) == 1


async def test_a_look_uses_the_configuration_of_the_moment(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target)
    async with plane.probing():
        await until(lambda: target.arrivals)
        await plane.call("PATCH", f"/v1/monitors/{monitor}", {"url": target.url + "/moved"})
        body = (await plane.call("POST", f"/v1/monitors/{monitor}/check")).json()
    assert body["results"][0]["config_version"] == 2
    assert [arrival.path for arrival in target.arrivals] == ["/", "/moved"]


async def test_a_region_without_a_live_probe_says_so_beside_the_others(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target, regions=["eu-west", "local"], paused=True)
    async with plane.probing():
        body = (await plane.call("POST", f"/v1/monitors/{monitor}/check")).json()
        only = (await plane.call("POST", f"/v1/monitors/{monitor}/check", {"regions": ["local"]})).json()
    away, seen = body["results"]
    assert (away["region"], away["ok"], away["probe_id"], away["id"]) == ("eu-west", None, None, None)
    assert away["failure"] == {"class": "missed", "detail": "probe_offline: no probe of region eu-west is heard"}
    assert (seen["region"], seen["ok"]) == ("local", True)
    assert body["message"].startswith('"Shop" is ok from 1 of 2 regions: probe_offline')
    assert [result["region"] for result in only["results"]] == ["local"]


async def test_without_any_probe_the_answer_comes_at_once(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target)
    begun = monotonic()
    run = await plane.call("POST", f"/v1/monitors/{monitor}/check")
    assert monotonic() - begun < 3
    assert run.status_code == 200
    assert run.json()["results"][0]["failure"]["class"] == "missed"


async def test_a_second_look_at_the_same_time_is_refused(plane: Plane, target: HttpTarget) -> None:
    target.delay_seconds = 0.8
    monitor = await plane.monitor(target, paused=True)
    other = await plane.monitor(target, paused=True)
    async with plane.probing(), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(plane.call("POST", f"/v1/monitors/{monitor}/check"))
        await until(lambda: target.arrivals)
        second = await plane.call("POST", f"/v1/monitors/{monitor}/check")
        elsewhere = tasks.create_task(plane.call("POST", f"/v1/monitors/{other}/check"))
        await asyncio.wait({first, elsewhere})
    assert (second.status_code, second.json()["error"]["code"]) == (409, "check_in_progress")
    assert (first.result().status_code, elsewhere.result().status_code) == (200, 200)
    assert len(plane.jobs) == 0


async def test_a_look_under_a_key_is_made_once(plane: Plane, target: HttpTarget) -> None:
    target.delay_seconds = 0.8
    monitor = await plane.monitor(target, paused=True)
    path = f"/v1/monitors/{monitor}/check"
    async with plane.probing(), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(plane.call("POST", path, key="k-1"))
        await until(lambda: target.arrivals)
        meanwhile = await plane.call("POST", path, key="k-1")
        await first
        again = await plane.call("POST", path, key="k-1")
    assert (meanwhile.status_code, meanwhile.json()["error"]["code"]) == (409, "idempotency_in_progress")
    assert meanwhile.headers["Retry-After"] == "1"
    assert (again.headers["Idempotent-Replayed"], again.content) == ("true", first.result().content)
    assert len(target.arrivals) == 1


async def test_a_monitor_that_is_being_checked_all_the_time_is_refused(plane: Plane, target: HttpTarget) -> None:
    target.mood = Mood.SILENT
    monitor = await plane.monitor(target, timeout_ms=9000)
    async with plane.probing():
        await until(lambda: target.arrivals)
        run = await plane.call("POST", f"/v1/monitors/{monitor}/check")
    assert (run.status_code, run.json()["error"]["code"]) == (409, "check_in_progress")
    assert len(target.arrivals) == 1


async def test_a_test_looks_and_stores_nothing(plane: Plane) -> None:
    with TcpTarget() as port:
        body = {
            "name": "New",
            "type": "tcp",
            "url": f"tcp://127.0.0.1:{port.port}",
            "escalation_policy": "nobody_knows",
            "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
        }
        tables = (schema.monitors, schema.channels, schema.escalation_policies, schema.results, schema.audit_entries)
        before = [plane.rows(table) for table in tables]
        async with plane.probing():
            run = (await plane.call("POST", "/v1/monitors/test", body)).json()
            port.mood = Mood.REFUSING
            refused = (await plane.call("POST", "/v1/monitors/test", body)).json()
    assert (run["monitor_id"], run["warnings"], run["message"]) == (None, [], '"New" is ok.')
    [result] = run["results"]
    assert (result["ok"], result["id"], result["monitor_id"], result["config_version"]) == (True, None, None, None)
    assert refused["results"][0]["failure"]["class"] == "connect_refused"
    assert [plane.rows(table) for table in tables] == before


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"url": "ftp://shop.example"}, "scheme_unsupported", "url"),
        ({"regions": ["atlantis"]}, "reference_not_found", "regions[0]"),
        ({"colour": "red"}, "unknown_parameter", "colour"),
        ({"notifications": ["nch_00000000"]}, "reference_not_found", "notifications[0]"),
        ({"url": "http://169.254.169.254/"}, "url_blocked", "url"),
    ],
)
async def test_a_test_is_validated_like_a_new_monitor(
    plane: Plane, members: dict[str, Any], code: str, param: str
) -> None:
    body = {"name": "New", "type": "http", "url": "http://shop.example/", **members}
    tested = await plane.call("POST", "/v1/monitors/test", body)
    created = await plane.call("POST", "/v1/monitors", body)
    assert tested.status_code == created.status_code == 422
    assert tested.json()["error"]["details"] == created.json()["error"]["details"]
    assert [(one["code"], one["param"]) for one in tested.json()["error"]["details"]] == [(code, param)]


async def test_only_regions_of_the_monitor_can_be_asked(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target)
    for regions in (["eu-west"], ["atlantis"]):
        run = await plane.call("POST", f"/v1/monitors/{monitor}/check", {"regions": regions})
        [detail] = run.json()["error"]["details"]
        assert (run.status_code, detail["code"], detail["known"]) == (422, "reference_not_found", ["local"])
    refused: list[Any] = [[], ["local", "local"], "local"]
    for regions in refused:
        assert (await plane.call("POST", f"/v1/monitors/{monitor}/check", {"regions": regions})).status_code == 422
    assert (await plane.call("POST", f"/v1/monitors/{monitor}/check", {"region": "local"})).status_code == 422


async def test_looking_needs_the_power_to_change_monitors(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target)
    body = {"name": "New", "type": "http", "url": target.url}
    for path, sent in ((f"/v1/monitors/{monitor}/check", None), ("/v1/monitors/test", body)):
        assert (await plane.call("POST", path, sent, token=None)).status_code == 401
        refused = await plane.call("POST", path, sent, token=READER)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_insufficient")
    assert (await plane.call("POST", f"/v1/monitors/{monitor}/check", token=STRANGER)).status_code == 404
    assert (await plane.call("POST", "/v1/monitors/mon_zzzzzzzz/check")).status_code == 404
    assert (await plane.call("GET", "/v1/monitors/test")).status_code == 405
    assert (await plane.call("GET", f"/v1/monitors/{monitor}/check")).status_code == 405


async def test_more_looks_than_can_be_served_are_refused(
    plane: Plane, target: HttpTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspulse.catalog.looks.MOST_WAITING", 0)
    run = await plane.call("POST", "/v1/monitors/test", {"name": "New", "type": "http", "url": target.url})
    assert (run.status_code, run.json()["error"]["code"]) == (429, "concurrency_limited")
    assert int(run.headers["Retry-After"]) >= 1


async def test_a_job_of_a_probe_that_falls_silent_ends_in_time(plane: Plane, target: HttpTarget) -> None:
    monitor = await plane.monitor(target, paused=True, timeout_ms=100)
    async with plane.probing():
        pass
    begun = monotonic()
    run = await plane.call("POST", f"/v1/monitors/{monitor}/check")
    assert monotonic() - begun < 8
    assert run.json()["results"][0]["failure"] == {
        "class": "missed",
        "detail": "probe_offline: no probe of region local answered in time",
    }
    assert run.json()["message"].startswith('"Shop" could not be looked at: probe_offline')
    assert len(plane.jobs) == 0
