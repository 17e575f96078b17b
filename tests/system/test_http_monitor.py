"""An HTTP monitor from its definition to the evidence of its failure, through the whole process."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.system.server import Server, eventually, server
from tests.targets import Arrival, HttpTarget, http_answer

_KEY = "hk-Jd6yF3gHe5Wq"
_PASSWORD = "pw-Qm7xT2vLc9Rz"
_PAIR = base64.b64encode(f"probe:{_PASSWORD}".encode()).decode()


def _echo(arrival: Arrival) -> bytes:
    """A target that gives back what it was sent, secrets included."""
    said = (
        f'{{"state": "broken", "key": "{arrival.headers["x-api-key"]}", "auth": "{arrival.headers["authorization"]}"}}'
    )
    return http_answer(200, said.encode(), "Content-Type: application/json")


def _failures(served: Server, monitor_id: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = served.get(f"/monitors/{monitor_id}/results?ok=false&order=asc")["data"]
    return found


def test_a_failed_assertion_leaves_evidence_without_the_secrets(tmp_path: Path) -> None:
    with HttpTarget() as target, server(tmp_path) as served:
        target.routes["/orders"] = http_answer(200, b'{"state": "open"}')
        served.start()
        monitor_id = served.create(
            name="Orders",
            type="http",
            url=f"{target.url}/orders",
            method="POST",
            headers=[{"name": "X-Api-Key", "value": _KEY, "secret": True}],
            body='{"limit": 1}',
            auth={"type": "basic", "username": "probe", "password": _PASSWORD},
            assertions=[{"source": "json", "property": "$.state", "operator": "matches", "value": "^(open|paid)$"}],
            retry={"count": 0},
        )
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        sent = target.arrivals[0]
        assert (sent.what.split(" ")[0], sent.body, sent.headers["x-api-key"]) == ("POST", b'{"limit": 1}', _KEY)
        assert sent.headers["authorization"] == f"Basic {_PAIR}"

        target.routes["/orders"] = _echo
        eventually(lambda: served.status(monitor_id)["state"] == "down")
        first = _failures(served, monitor_id)[0]
        assert first["failure"] == {
            "class": "assertion_failed",
            "detail": 'json $.state matches "^(open|paid)$" does not hold: it is "broken"',
        }
        assert isinstance(first["evidence"], dict)
        assert '"state": "broken", "key": "***"' in str(first["evidence"]["body"])
        told = str(_failures(served, monitor_id)) + str(served.status(monitor_id)) + str(served.get("/incidents"))
        assert [secret for secret in (_KEY, _PASSWORD, _PAIR) if secret in told] == []
        assert served.stop() == 0
        kept = b"".join(path.read_bytes() for path in served.data_dir.rglob("statuspulse.db*"))
        printed = served.run.said + served.run.complained
        assert [secret for secret in (_KEY, _PASSWORD, _PAIR) if secret.encode() in kept or secret in printed] == []
