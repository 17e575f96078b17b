"""`statuspulse admin seed`: objects with chosen ids in the data directory of a server that is stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.times import HOUR, to_text
from tests.system.server import Server, now_ms, server

_TOKEN = "sk_live_8f3a9c2d1e4b7f6a"
_SEED: dict[str, Any] = {
    "team": {"name": "Acme", "slug": "acme"},
    "tokens": [{"name": "api reference", "token": _TOKEN, "scopes": ["write"]}],
    "monitors": [
        {
            "id": "mon_9x2k4p7q",
            "name": "Checkout Service Gateway",
            "type": "http",
            "url": "https://api.acmecorp.com/v2/health",
            "interval_seconds": 30,
            "expected_status": 200,
            "created_at": "2026-11-16T00:00:00Z",
            "status": {
                "states": [{"state": "up", "from": "2026-11-16T00:00:00Z", "to": None}],
                "results": [
                    {
                        "scheduled_at": to_text(now_ms() - 3 * HOUR),
                        "region": "local",
                        "ok": True,
                        "status_code": 200,
                        "latency_ms": 182.4,
                    }
                ],
            },
        }
    ],
    "incidents": [
        {
            "id": "inc_4m8n2v5w",
            "monitor_id": "mon_9x2k4p7q",
            "title": "Redis connections exhausted",
            "state": "triggered",
            "severity": "critical",
        }
    ],
}
_TABLES = ("teams", "tokens", "monitors", "incidents", "results", "state_intervals", "audit_entries")


@pytest.fixture
def stopped(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path, BOOTSTRAP_TOKEN="") as served:
        yield served


def _seed(served: Server, document: object, *words: str) -> tuple[int, str, str]:
    """Exit status, data and talk; log lines of the program are JSON and left out."""
    sent = document if isinstance(document, bytes) else json.dumps(document).encode()
    done = served.command("admin", "seed", *(words or ("--file", "-")), sent=sent)
    talk = "".join(line + "\n" for line in done.stderr.splitlines() if not line.startswith("{"))
    return done.returncode, done.stdout, talk


def _counts(served: Server) -> dict[str, int]:
    return {table: served.value(f"SELECT count(*) FROM {table}") for table in _TABLES}


def test_what_is_seeded_is_served_under_the_chosen_ids_and_token(stopped: Server) -> None:
    status, told, talk = _seed(stopped, _SEED)
    assert (status, talk) == (0, "")
    assert told.splitlines() == [
        "team acme: created",
        'token "api reference": created',
        "monitor mon_9x2k4p7q: created",
        "incident inc_4m8n2v5w: created",
    ]
    stopped.start("--no-probe")
    assert stopped.status("mon_9x2k4p7q")["metrics"]["p95_latency_ms"] == pytest.approx(182.4, rel=0.01)
    assert stopped.get("/incidents/inc_4m8n2v5w")["state"] == "triggered"


def test_seeding_twice_changes_nothing(stopped: Server) -> None:
    file = stopped.folder / "seed.json"
    file.write_text(json.dumps(_SEED))
    assert _seed(stopped, b"", "--file", str(file))[0] == 0
    before = _counts(stopped)
    status, told, _ = _seed(stopped, b"", "--file", str(file))
    assert status == 0
    assert told.count("exists, left as it is") == 4
    assert _counts(stopped) == before


def test_beside_a_running_server_it_is_one_line_and_status_one(stopped: Server) -> None:
    stopped.start("--no-probe")
    before = _counts(stopped)
    status, told, talk = _seed(stopped, _SEED)
    assert (status, told) == (1, "")
    assert talk == f"statuspulse: a running StatusPulse uses {stopped.data_dir}; stop it first\n"
    assert _counts(stopped) == before


@pytest.mark.parametrize(
    "document",
    [
        b"no json at all",
        b'{"team": {"name": "Acme", "slug": "acme"}, "team": {}}',
        {**_SEED, "incidents": [{**_SEED["incidents"][0], "monitor_id": "mon_00000000"}]},
        {**_SEED, "incidents": [{**_SEED["incidents"][0], "id": "4m8n2v5w"}]},
    ],
    ids=["no json", "a member twice", "a reference to nothing", "an id without prefix"],
)
def test_bad_input_is_one_line_and_status_two_and_nothing_is_stored(stopped: Server, document: object) -> None:
    assert _seed(stopped, {"team": {"name": "First", "slug": "first"}})[0] == 0
    before = _counts(stopped)
    status, told, talk = _seed(stopped, document)
    assert (status, told) == (2, "")
    assert talk.startswith("statuspulse: ")
    assert talk.count("\n") == 1
    assert _TOKEN not in talk
    assert _counts(stopped) == before


def test_a_file_that_is_not_there_is_a_usage_error(stopped: Server) -> None:
    status, _, talk = _seed(stopped, b"", "--file", "nowhere.json")
    assert status == 2
    assert "nowhere.json" in talk
    assert "Traceback" not in talk
