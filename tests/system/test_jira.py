"""An incident and its issue, kept in step both ways by the real server and a site that plays Jira Cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.emulators.jira import EMAIL, SECRET, TOKEN, Hook, JiraCloud
from tests.system.server import Server, eventually, server


def _integrate(served: Server, jira: JiraCloud) -> str:
    """The id of the integration, tried out."""
    members = {
        "kind": "jira", "base_url": jira.url, "email": EMAIL, "api_token": TOKEN, "project_key": "OPS",
        "issue_type": "Bug", "create_on": ["critical"], "priority_map": {"critical": "Highest"},
        "direction": "both", "webhook_secret": SECRET,
    }  # fmt: skip
    made = served.call("POST", "/integrations", members)
    assert made.status_code == 201, made.text
    tried = served.call("POST", f"/integrations/{made.json()['id']}/test")
    assert (tried.status_code, tried.json()["ok"]) == (200, True), tried.text
    return str(made.json()["id"])


def _trigger(served: Server, **members: Any) -> str:
    made = served.call("POST", "/incidents", {"title": "Checkout is down", "severity": "critical", **members})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def _sync(served: Server, incident_id: str) -> dict[str, Any]:
    (sync,) = served.get(f"/incidents/{incident_id}")["sync"]
    return dict(sync)


def _heard(served: Server, integration_id: str) -> int:
    """How many messages of Jira are worked off."""
    query = f"SELECT count(*) FROM inbound_messages WHERE state = 'done' AND integration_id = '{integration_id}'"
    return int(served.value(query))


def test_an_issue_follows_its_incident_and_the_incident_its_issue_each_once(tmp_path: Path) -> None:
    with JiraCloud() as jira, server(tmp_path) as served:
        served.settings["DELIVERY_ALLOW"] = "127.0.0.0/8"
        served.start("--no-probe")
        integration_id = _integrate(served, jira)
        way_in = f"{served.url}/v1/integrations/{integration_id}/webhook"
        sent: list[Hook] = []

        def tell(*hooks: Hook) -> None:
            """As Jira does: now and then twice."""
            for hook in hooks:
                assert (hook.send(way_in), hook.send(way_in)) == (202, 202)
                sent.append(hook)
            eventually(lambda: _heard(served, integration_id) == len(sent))

        incident_id = _trigger(served)
        sync = eventually(lambda: (found := _sync(served, incident_id))["status"] == "synced" and found)
        (issue,) = jira.issues.values()
        assert (sync["external_id"], sync["url"]) == (issue.key, f"{jira.url}/browse/{issue.key}")
        assert served.get(f"/incidents/{incident_id}")["external_ids"] == {"jira": issue.key}

        tell(jira.move(issue.key, "In Progress"), jira.write(issue.key, "Redis is full."))
        acknowledged = served.get(f"/incidents/{incident_id}")
        assert (acknowledged["state"], acknowledged["acknowledged_by"]["label"]) == ("acknowledged", "Maya Rodriguez")

        served.call("POST", "/incidents", {"incident_id": incident_id, "state": "resolved", "notes": "Scaled."})
        eventually(lambda: issue.status == "Done" and _sync(served, incident_id)["status"] == "synced")
        assert [hook for hook in jira.hooks if hook not in sent]
        tell(*[hook for hook in jira.hooks if hook not in sent])
        tell(jira.move(issue.key, "In Progress"))

        assert served.get(f"/incidents/{incident_id}")["state"] == "resolved"
        timeline = served.get(f"/incidents/{incident_id}/timeline?limit=100")["data"]
        states = [entry["detail"]["state"] for entry in timeline if entry["type"] == "state_changed"]
        notes = [entry["detail"]["text"] for entry in timeline if entry["type"] == "note"]
        assert (states, notes) == (["acknowledged", "resolved"], ["Redis is full.", "Scaled."])
        assert issue.moves == ["In Progress", "Done", "In Progress"]
        assert not jira.refused

        forged = Hook({**sent[0].headers, "X-Hub-Signature": "sha256=" + 64 * "0"}, sent[0].body)
        assert forged.send(way_in) == 401


def test_an_issue_that_is_named_stands_for_the_incident_and_a_missing_one_is_told(tmp_path: Path) -> None:
    with JiraCloud() as jira, server(tmp_path) as served:
        served.settings["DELIVERY_ALLOW"] = "127.0.0.0/8"
        served.start("--no-probe")
        _integrate(served, jira)
        made = jira.add()
        bound = _trigger(served, external_ids={"jira": made.key})
        missing = _trigger(served, severity="warning", external_ids={"jira": "OPS-999"})
        _trigger(served, severity="warning")

        eventually(lambda: _sync(served, bound)["status"] == "synced")
        failed = eventually(lambda: (found := _sync(served, missing))["status"] == "failed" and found)
        assert failed["last_error"]["code"] == "http_404"
        events = served.get("/events?type=incident.sync_failed")["data"]
        assert [event["data"]["incident"]["id"] for event in events] == [missing]

        right = served.call("PATCH", f"/incidents/{missing}", {"external_ids": {"jira": jira.add().key}})
        assert right.status_code == 200, right.text
        eventually(lambda: _sync(served, missing)["status"] == "synced")
        assert len(jira.issues) == 2
        assert len(made.comments) == 1
