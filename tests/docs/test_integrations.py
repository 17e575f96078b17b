"""What `docs/integrations.md` shows works as it stands: every call is made, and an alert becomes an incident."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.emulators.jira import EMAIL, JiraCloud
from tests.emulators.jira import TOKEN as JIRA_TOKEN
from tests.emulators.pagerduty import API_TOKEN, SENDER, PagerDuty
from tests.system.server import TOKEN, eventually, server

_PAGE = Path(__file__).parents[2] / "docs" / "integrations.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)


def run(call: str, url: str, **environment: str) -> Any:
    """What the call answers, None where that is nothing."""
    written = call.replace("http://127.0.0.1:8080", url).replace("sk_live_…", TOKEN)
    words = ["bash", "-c", written]
    env = {"PATH": "/usr/bin:/bin", **environment}
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60, env=env)
    return json.loads(done.stdout) if done.stdout else None


def test_every_call_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    with server(tmp_path) as served, PagerDuty(lambda: "2026-11-23T06:24:43.881Z") as pagerduty:
        served.settings |= {
            "PAGERDUTY_EVENTS_URL": f"{pagerduty.url}/v2/enqueue",
            "PAGERDUTY_API_URL": pagerduty.url,
        }
        served.start("--no-probe")
        new_pagerduty, secret_of_it, _, new_alertmanager, linking = blocks("sh")
        made = run(new_pagerduty.replace("u+example-token", API_TOKEN), served.url)
        assert (made["kind"], made["rest"], made["direction"]) == ("pagerduty", {"from_email": SENDER}, "both")
        stored = run(secret_of_it.replace("int_4f6h8k2m", made["id"]), served.url)
        assert stored["secret_names"] == ["api_token", "routing_key", "webhook_secret"]
        tried = run(_call(f"/v1/integrations/{made['id']}/test"), served.url)
        assert tried["ok"] is True, tried

        sender = run(new_alertmanager, served.url)
        assert sender["secret"].startswith("amsec_")
        (alert,) = blocks("bash")
        assert run(alert, served.url, SECRET=sender["secret"]) is None
        eventually(lambda: served.get("/incidents?source=integration")["data"])
        (incident,) = served.get("/incidents?source=integration")["data"]
        assert (incident["title"], incident["severity"]) == ("Checkout is slow", "critical")
        assert incident["dedup_key"].startswith("am:")
        eventually(lambda: pagerduty.of(incident["id"]))

        linked = run(linking, served.url)
        assert [(one["provider"], one["status"]) for one in linked["sync"]] == [("pagerduty", "synced")]
        again = run(_call(f"/v1/incidents/{linked['id']}/sync"), served.url)
        assert again["count"] == 0
        log = served.get(f"/integrations/{made['id']}/sync-log")["data"]
        assert {entry["what"] for entry in log} == {"test", "trigger"}
        assert pagerduty.refused == []


def test_an_issue_is_made_as_the_page_says(tmp_path: Path) -> None:
    with server(tmp_path) as served, JiraCloud() as jira:
        served.settings["DELIVERY_ALLOW"] = "127.0.0.0/8"
        served.start("--no-probe")
        call = blocks("sh")[2].replace("https://acme.atlassian.net", jira.url).replace("example-token", JIRA_TOKEN)
        made = run(call.replace("statuspulse@acme.example", EMAIL), served.url)
        assert (made["kind"], made["secret_names"]) == ("jira", ["api_token", "webhook_secret"])
        tried = run(_call(f"/v1/integrations/{made['id']}/test"), served.url)
        assert tried["ok"] is True, tried
        served.call("POST", "/incidents", {"title": "Checkout is down", "severity": "critical"})
        eventually(lambda: jira.issues)
        assert jira.issues["OPS-1"].fields["priority"] == {"name": "Highest"}
        assert jira.refused == []


def test_the_configurations_name_the_paths_that_there_are() -> None:
    alertmanager, prometheus = blocks("yaml")
    assert "/v1/integrations/int_4f6h8k2m/webhook" in alertmanager
    assert "alertmanagers:" in prometheus


def _call(path: str) -> str:
    return f'curl -sS -X POST "http://127.0.0.1:8080{path}" -H "Authorization: Bearer sk_live_…"'
