"""Where secrets must not turn up: what the process prints, answers and measures, and what it keeps on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import requests

from tests.delivery.receiver import Receiver, Trick
from tests.emulators.pagerduty import API_TOKEN, ROUTING_KEY, SENDER, Fault, PagerDuty
from tests.system.server import TOKEN, Server, eventually, server
from tests.targets import HttpTarget, http_answer

_HOOK = "hK3wQzT7vYpL9mXe"
_MISTYPED = "sk_live_0000deadbeef0000"
# What the process is handed, and must never be seen again in clear.
_SECRETS = (TOKEN, _MISTYPED, _HOOK)
_URL = f"slack://hooks/T0A1B2C3D/B0X9Y8Z7W/{_HOOK}"


def _refusals(served: Server, monitor_id: str) -> Iterator[requests.Response]:
    """Errors of every kind, to calls that hold secrets wherever a call may; the path alone is repeated by contract."""
    call = served.call
    yield call("GET", "/monitors", token=_MISTYPED)
    yield call("GET", f"/monitors?q={_HOOK}&unknown={TOKEN}")
    yield call("GET", f"/monitors/mon_00000000?fields={_HOOK}")
    yield call(
        "POST",
        "/monitors",
        {"name": "x", "type": "http", "url": "https://shop.example", "notifications": [_URL + "/x"]},
    )
    yield call("POST", "/monitors", {"name": "x", "type": "http", "url": 1, "notifications": [_URL]})
    yield call("PUT", f"/monitors/{monitor_id}/config", {"notifications": [_URL], "interval_seconds": 0})
    yield call("POST", "/incidents", {"dedup_key": "x", "state": "resolved"}, headers={"X-Hook": _HOOK})
    yield served.session.post(
        f"{served.url}/v1/monitors",
        data=f'{{"notifications": ["{_URL}"',
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        timeout=10,
    )


def _kept_in_clear(folder: Path, secrets: Sequence[str] = _SECRETS) -> list[tuple[str, str]]:
    """Every (file, secret) of the data directory that holds one."""
    return [
        (path.name, secret)
        for path in folder.rglob("*")
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


def test_no_secret_is_printed_answered_measured_or_kept_in_clear(tmp_path: Path) -> None:
    with Receiver() as slack, HttpTarget() as target, server(tmp_path, SLACK_BASE_URL=slack.url) as served:
        echo = f"no {_HOOK} here".encode()
        away = f"Location: {slack.url}/{_HOOK}"
        slack.scripts |= {
            f"{_HOOK}1": [http_answer(500, echo, "Connection: close")],
            f"{_HOOK}2": [http_answer(302, echo, away, "Connection: close")],
            f"{_HOOK}3": [Trick.RESET],
            f"{_HOOK}4": [http_answer(404, echo, "Connection: close")],
        }
        served.start()
        hooks = [f"{_URL}{number}" for number in range(5)]
        retry = {"count": 0, "delay_ms": 1000}
        monitor_id = served.create(name="Shop", type="http", url=target.url, notifications=hooks, retry=retry)
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        target.break_()
        eventually(lambda: served.value("SELECT count(*) FROM delivery_attempts") >= len(hooks))
        outcomes = served.rows("SELECT outcome, count(*) FROM delivery_attempts GROUP BY outcome ORDER BY outcome")
        assert outcomes == [("delivered", 1), ("refused", 1), ("retry", 3)]

        answers = [*_refusals(served, monitor_id), served.get_raw("/metrics"), served.get_raw("/metrics", TOKEN)]
        answers += [served.get_raw(path) for path in ("/readyz", "/healthz", "/v1/openapi.json")]
        answers += [
            served.call("GET", path) for path in (f"/monitors/{monitor_id}", "/monitors", "/incidents", "/status")
        ]
        assert {answer.status_code for answer in answers} >= {200, 400, 401, 404, 422}
        told = "".join(answer.text + str(answer.headers) for answer in answers)
        assert [secret for secret in _SECRETS if secret in told] == []
        assert served.stop() == 0

        assert _kept_in_clear(served.data_dir) == []
        printed = served.run.said + served.run.complained
        assert [secret for secret in _SECRETS if secret in printed] == []


def test_no_secret_of_an_integration_is_printed_answered_or_kept_in_clear(tmp_path: Path) -> None:
    signing, jira = "wHs3cr3tOfTheWebhook", "jIr4T0kenOfTheProject"
    with PagerDuty(lambda: "2026-11-23T06:24:43.881Z") as pagerduty, server(tmp_path) as served:
        served.settings |= {"PAGERDUTY_EVENTS_URL": f"{pagerduty.url}/v2/enqueue", "PAGERDUTY_API_URL": pagerduty.url}
        served.start("--no-probe")
        faults: list[Fault | None] = [Fault.BROKEN, Fault.LOST]
        pagerduty.faults = lambda _arrival: faults.pop(0) if faults else None
        rest = {"api_token": API_TOKEN, "from_email": SENDER}
        body = {"kind": "pagerduty", "routing_key": ROUTING_KEY, "rest": rest, "webhook_secret": signing}
        project = {"kind": "jira", "base_url": "https://jira.example", "email": SENDER, "api_token": jira}
        bodies = [body, {**project, "project_key": "OPS", "issue_type": "1"}, {"kind": "alertmanager"}]
        made = [served.call("POST", "/integrations", one).json() for one in bodies]
        secrets = (ROUTING_KEY, API_TOKEN, signing, jira, made[-1].pop("secret"))

        incident = served.call("POST", "/incidents", {"title": "Down"}).json()
        eventually(lambda: pagerduty.of(incident["id"]))
        path = f"/integrations/{made[0]['id']}"
        answers = [
            served.call("POST", "/integrations", {**body, "webhook_secret": [signing]}),
            served.call("PATCH", path, {"routing_key": ROUTING_KEY + "x"}),
            served.call("POST", f"{path}/webhook", {"secret": signing}, headers={"X-PagerDuty-Signature": signing}),
            *(served.call("GET", one) for one in ("/integrations", path, f"{path}/sync-log", "/events", "/audit-log")),
            served.call("GET", f"/incidents/{incident['id']}/timeline"),
            served.get_raw("/metrics", TOKEN),
        ]
        assert {answer.status_code for answer in answers} == {200, 401, 422}
        told = str(made) + "".join(answer.text + str(answer.headers) for answer in answers)
        assert [secret for secret in secrets if secret in told] == []
        assert served.stop() == 0
        assert _kept_in_clear(served.data_dir, secrets) == []
        printed = served.run.said + served.run.complained
        assert [secret for secret in secrets if secret in printed] == []
