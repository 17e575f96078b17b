"""When something fails on our side: an envelope, no cause, no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response
from structlog.testing import capture_logs

from statuspulse.api.app import ROUTERS
from statuspulse.api.route import CheckedRoute
from tests.api.server import WRITER, Api, running

broken = APIRouter(route_class=CheckedRoute)


@broken.get("/broken", openapi_extra={"x-required-scopes": ["monitors:read"]}, responses={})
async def _break(secret: str = "hunter2") -> Response:
    raise RuntimeError(f"the password is {secret}")


def test_a_defect_answers_500_and_logs_its_place_without_its_text(tmp_path: Path) -> None:
    with running(tmp_path, routers=(*ROUTERS, broken)) as api, capture_logs() as logs:
        answer = api.session.get(f"{api.url}/v1/broken", headers={"Authorization": f"Bearer {WRITER}"}, timeout=10)
        assert api.call("GET", "/v1").status_code == 200
    document = answer.json()
    assert (answer.status_code, document["error"]["code"]) == (500, "internal_error")
    assert document["message"] == f"Something failed on our side; quote {answer.headers['Request-Id']}."
    line = next(entry for entry in logs if entry["event"] == "api.internal_error")
    assert (line["request_id"], line["error"]) == (answer.headers["Request-Id"], "RuntimeError")
    assert line["at"].startswith("test_faults.py:")
    assert "hunter2" not in answer.text + str(logs)


def test_a_full_disk_answers_503_read_only(api: Api, body: dict[str, Any]) -> None:
    api.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1"))
    try:
        answers = [
            api.call("POST", "/v1/monitors", {**body, "metadata": {str(number): "x" * 500 for number in range(50)}})
            for _ in range(3)
        ]
        assert api.call("GET", "/v1/monitors").status_code == 200
    finally:
        api.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 1000000"))
    refused = answers[-1]
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "read_only")
    assert int(refused.headers["Retry-After"]) == refused.json()["error"]["retry_after_seconds"] >= 1


def test_a_database_that_is_gone_answers_503_overloaded(tmp_path: Path, body: dict[str, Any]) -> None:
    with running(tmp_path) as api:
        assert api.call("POST", "/v1/monitors", body).status_code == 201
        api.database.close()
        answer = api.call("POST", "/v1/monitors", body)
        api.database = type(api.database)("sqlite://")
    document = answer.json()
    assert (answer.status_code, document["error"]["code"]) == (503, "overloaded")
    assert document["type"].startswith("https://iana.org/assignments/http-problem-types#")
    assert document["violated-policies"] == []
