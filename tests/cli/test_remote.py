"""Commands that call a server, as processes against the real one, and their exit statuses."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from statuspulse.cli.remote import percent
from statuspulse.cli.tables import Column, pairs, table
from tests import forks
from tests.client.rude import refusal, rude
from tests.system.server import TOKEN, Server, eventually, server
from tests.targets import HttpTarget


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("cli"), DELIVERY_ALLOW="127.0.0.0/8") as running:
        running.start()
        yield running


def run(url: str, *words: str, token: str = TOKEN, sent: str = "") -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**kept, "STATUSPULSE_PUBLIC_URL": url, "STATUSPULSE_TOKEN": token, "PYTHONIOENCODING": "utf-8"}
    return forks.run(words, environment, Path.cwd(), sent)


def test_a_monitor_is_made_watched_changed_and_deleted(served: Server) -> None:
    with HttpTarget() as target:
        made = run(served.url, "monitors", "create", "--name", "Shop", "--tag", "prod", "-o", "json", target.url)
        assert made.returncode == 0, made.stderr
        monitor = json.loads(made.stdout)
        assert (monitor["name"], monitor["tags"], monitor["url"]) == ("Shop", ["prod"], target.url)
        looked = run(served.url, "monitors", "check", "Shop")
        assert (looked.returncode, "local" in looked.stdout, "up" in looked.stdout) == (0, True, True), looked.stderr
    assert run(served.url, "monitors", "check", "Shop").returncode == 1
    listed = run(served.url, "monitors", "list", "-o", "csv", "--tag", "prod")
    assert [row["name"] for row in csv.DictReader(io.StringIO(listed.stdout))] == ["Shop"]
    dry = run(served.url, "monitors", "update", "--dry-run", "--set", "failure_threshold=5", "-o", "json", "Shop")
    assert json.loads(dry.stdout)["failure_threshold"] == 5
    stale = run(served.url, "monitors", "update", "--if-version", "9", "--interval", "60", "Shop")
    assert (stale.returncode, stale.stdout, "monitors get" in stale.stderr) == (5, "", True)
    assert "Shop" in run(served.url, "monitors", "explain", "Shop").stdout
    assert run(served.url, "status", "--exit-status", "Shop").returncode in {0, 1}
    assert "state" in run(served.url, "monitors", "pause", "Shop").stdout
    assert run(served.url, "status", "--exit-status", "Shop").returncode == 1
    assert run(served.url, "monitors", "resume", monitor["id"]).returncode == 0
    assert run(served.url, "monitors", "delete", "Shop").returncode == 0
    gone = run(served.url, "monitors", "get", "Shop")
    assert (gone.returncode, "monitors list" in gone.stderr, gone.stderr.count("\n")) == (3, True, 1)


def test_a_name_that_several_have_is_not_guessed(served: Server) -> None:
    body = json.dumps({"name": "Twin", "type": "http", "url": "http://127.0.0.1:9/", "paused": True})
    ids = [json.loads(run(served.url, "monitors", "create", "--file", "-", "-o", "json", sent=body).stdout)["id"]]
    ids.append(json.loads(run(served.url, "monitors", "create", "--file", "-", "-o", "json", sent=body).stdout)["id"])
    told = run(served.url, "monitors", "delete", "Twin")
    assert (told.returncode, all(found in told.stderr for found in ids)) == (2, True)


def test_maintenance_is_begun_ended_planned_and_cancelled(served: Server) -> None:
    served.create(name="Deployed", type="http", url="http://127.0.0.1:9/", paused=True)
    begun = run(served.url, "maintenance", "start", "--for", "30m", "--reason", "Deploy 42", "-o", "json", "Deployed")
    assert begun.returncode == 0, begun.stderr
    window = json.loads(begun.stdout)
    assert (window["name"], window["duration_seconds"], window["status"]) == ("Deploy 42", 1800, "active")
    words = ("maintenance", "list", "--status", "active", "--monitor", "Deployed", "-o", "csv")
    assert [row["id"] for row in csv.DictReader(io.StringIO(run(served.url, *words).stdout))] == [window["id"]]
    assert run(served.url, "maintenance", "end", window["id"]).returncode == 0
    plan = ("create", "--name", "Patching", "--at", "2027-01-03T02:00:00", "--for", "1h", "--timezone", "Europe/Berlin")
    planned = run(served.url, "maintenance", *plan, "--rrule", "FREQ=WEEKLY;BYDAY=SU", "--tag", "prod", "-o", "json")
    assert (planned.returncode, json.loads(planned.stdout)["monitors"]) == (0, {"tags": ["prod"]}), planned.stderr
    assert "cancelled" in run(served.url, "maintenance", "cancel", json.loads(planned.stdout)["id"]).stdout
    for wrong in (["--for", "1h"], ["--for", "1h", "--all", "--tag", "prod"], ["--for", "soon", "--all"]):
        told = run(served.url, "maintenance", "create", "--name", "x", "--at", "2027-01-03T02:00:00Z", *wrong)
        assert (told.returncode, told.stdout) == (2, "")


def test_an_objective_and_its_days_are_told(served: Server) -> None:
    monitor_id = served.create(name="Promised", type="http", url="http://127.0.0.1:9/", paused=True)
    body = {"name": "Promise", "monitor_id": monitor_id, "objective_pct": 99.9}
    slo = served.call("POST", "/slos", body).json()["id"]
    listed = run(served.url, "slos", "list", "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(listed.stdout))
    assert (row["id"], row["over"], row["objective"], row["observed"]) == (slo, monitor_id, "99.90 %", "-")
    shown = run(served.url, "slos", "get", slo)
    assert (shown.returncode, "99.90 %" in shown.stdout) == (0, True), shown.stderr
    days = run(served.url, "slos", "report", "-o", "csv", slo)
    assert next(iter(csv.DictReader(io.StringIO(days.stdout)))).keys() == {
        "day",
        "observed",
        "spent",
        "maintenance",
        "unknown",
    }
    gone = run(served.url, "slos", "report", "--period", "2026-11", "slo_00000000")
    assert (gone.returncode, gone.stdout, "statuspulse slos list" in gone.stderr) == (3, "", True)


def test_an_object_is_named_by_its_name_as_well(served: Server) -> None:
    monitor = served.create(name="Named", type="http", url="https://shop.example/", paused=True)
    body = {"name": "Named", "monitor_id": monitor, "objective_pct": 99.9}
    for name in ("Named", "Twin", "Twin"):
        assert served.call("POST", "/slos", {**body, "name": name}).status_code == 201
    assert json.loads(run(served.url, "slos", "get", "-o", "json", "Named").stdout)["name"] == "Named"
    assert run(served.url, "slos", "report", "Named").returncode == 0
    twin = run(served.url, "slos", "get", "Twin")
    assert (twin.returncode, "name the objective by its id" in twin.stderr) == (2, True)
    none = run(served.url, "slos", "get", "Nobody")
    assert none.stderr == 'statuspulse: no objective is called "Nobody"; see statuspulse slos list\n'
    assert none.returncode == 3
    assert run(served.url, "probes", "create", "--region", "eu-north", "osl-1").returncode == 0
    assert run(served.url, "probes", "delete", "osl-1").returncode == 0
    assert run(served.url, "maintenance", "start", "--for", "30m", "--reason", "Work", "Named").returncode == 0
    assert run(served.url, "maintenance", "end", "Work").returncode == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            ["slos", "get", "inc_4m8n2v5w"],
            "an incident and not an objective; see: statuspulse incidents get inc_4",
        ),
        (["monitors", "get", "slo_3c5e7g9j"], "an objective and not a monitor; see: statuspulse slos get slo_3c5e7g9j"),
        (
            ["incidents", "ack", "mon_9x2k4p7q"],
            "a monitor and not an incident; see: statuspulse monitors get mon_9",
        ),
        (["maintenance", "end", "prb_9x2k4p7q"], "a probe and not a maintenance window; see: statuspulse probes list"),
        (
            ["webhooks", "test", "int_4f6h8k2m"],
            "an integration and not a webhook endpoint; see: statuspulse int",
        ),
        (["tokens", "revoke", "whk_8p2r4t6w"], "a webhook endpoint and not a token; see: statuspulse webhooks"),
    ],
)
def test_an_id_of_another_kind_is_answered_with_its_command(words: list[str], hint: str) -> None:
    told = run("http://127.0.0.1:9", *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert hint in told.stderr


def test_a_key_in_the_place_of_a_name_is_not_repeated() -> None:
    for words in (["tokens", "revoke", "sk_live_s3cr3t"], ["probes", "delete", "prb_live_s3cr3t"]):
        told = run("http://127.0.0.1:9", *words)
        assert (told.returncode, "s3cr3t" in told.stderr) == (2, False)


def test_what_an_endpoint_was_sent_is_told_and_sent_again(served: Server) -> None:
    with HttpTarget() as receiver:
        made = served.call("POST", "/webhooks", {"url": receiver.url, "events": ["monitor.*"]})
        webhook = made.json()["id"]
        tried = run(served.url, "webhooks", "test", "-o", "json", webhook)
        assert tried.returncode == 0, tried.stderr
        delivery = json.loads(tried.stdout)["id"]
        listed = run(served.url, "webhooks", "deliveries", "--status", "succeeded", "-o", "csv", webhook)
        (row,) = csv.DictReader(io.StringIO(listed.stdout))
        assert (row["id"], row["answer"]) == (delivery, "200")
        assert run(served.url, "webhooks", "redeliver", webhook, delivery).returncode == 0
        eventually(lambda: len(receiver.arrivals) == 2)
    assert run(served.url, "webhooks", "test", webhook).returncode == 1
    assert webhook in run(served.url, "webhooks", "list").stdout


def test_an_integration_and_its_health_are_told(served: Server) -> None:
    made = served.call("POST", "/integrations", {"kind": "alertmanager", "name": "Cluster"})
    integration = made.json()["id"]
    listed = run(served.url, "integrations", "list", "-o", "csv")
    assert [(row["id"], row["kind"]) for row in csv.DictReader(io.StringIO(listed.stdout))] == [
        (integration, "alertmanager")
    ]
    logged = run(served.url, "integrations", "log", integration)
    assert (logged.returncode, logged.stdout) == (0, "")
    tried = run(served.url, "integrations", "test", integration)
    assert (tried.returncode, "no" in tried.stdout) == (1, True)


def test_a_simulation_stands_beside_what_happened(served: Server) -> None:
    with HttpTarget() as target:
        monitor_id = served.create(name="Simulated", type="http", url=target.url)
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        told = run(served.url, "monitors", "simulate", "--failures", "3", "Simulated")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[2].split() == ["ACTUAL", "SIMULATED", "DIFFERENCE"]
    assert lines[3].split() == ["pages", "0", "0", "="]


def test_an_incident_is_opened_acknowledged_noted_and_resolved(served: Server) -> None:
    opened = run(served.url, "incidents", "trigger", "--quiet", "--severity", "error", "-o", "json", "Redis is full")
    incident = json.loads(opened.stdout)["id"]
    assert "Redis is full" in run(served.url, "incidents", "list").stdout
    assert "acknowledged" in run(served.url, "incidents", "ack", "--assignee", "maya", incident).stdout
    assert run(served.url, "incidents", "note", incident, "Scaling it.").returncode == 0
    assert "resolved" in run(served.url, "incidents", "resolve", incident).stdout
    again = run(served.url, "incidents", "ack", incident)
    assert (again.returncode, again.stdout) == (5, "")


def test_a_key_is_alone_on_standard_output(served: Server, tmp_path: Path) -> None:
    made = run(served.url, "tokens", "create", "--scope", "read", "grafana")
    token = made.stdout.strip()
    assert (token[:8], made.stdout.count("\n"), token in made.stderr) == ("sk_live_", 1, False)
    file = tmp_path / "token"
    file.write_text(made.stdout)
    assert run(served.url, "monitors", "list", "--token-file", str(file), token="").returncode == 0
    refused = run(served.url, "tokens", "list", "--token-file", str(file))
    assert (refused.returncode, "scope_insufficient" in refused.stderr) == (4, True)
    assert token not in refused.stderr
    probe = run(served.url, "probes", "create", "--region", "eu-west", "fra-1")
    assert probe.stdout.startswith("prb_live_")
    assert "fra-1" in run(served.url, "probes", "list").stdout


def settle(served: Server, *, wants: bool) -> int:
    """Whether the team wants versions from now on; answers the status."""
    settings = {"settings": {"require_preconditions": wants}}
    return served.call("PATCH", "/teams/default", settings, headers={"If-Match": "*"}).status_code


def test_a_team_that_wants_versions_is_served_too(served: Server) -> None:
    """A refusal tells where the version is found and how it is named."""
    probe = run(served.url, "probes", "create", "--region", "eu-north", "-o", "json", "osl-1")
    window = ("maintenance", "create", "--name", "Move", "--at", "2035-01-07T02:00:00Z", "--for", "4h", "--all")
    planned = json.loads(run(served.url, *window, "-o", "json").stdout)
    monitor = served.create(name="Careful", type="http", url="http://127.0.0.1:9/", paused=True)
    assert settle(served, wants=True) == 200
    for words, looking in (
        (("monitors", "delete", monitor), "monitors get"),
        (("maintenance", "cancel", planned["id"]), "maintenance list"),
        (("probes", "delete", json.loads(probe.stdout)["id"]), "probes list"),
    ):
        refused = run(served.url, *words)
        assert (refused.returncode, refused.stdout) == (5, "")
        assert (
            f"look at its version: statuspulse {looking} -o json; then name that with --if-version N" in refused.stderr
        )
        assert run(served.url, *words, "--if-version", "9").returncode == 5
        assert run(served.url, *words, "--if-version", "1").returncode == 0
    assert settle(served, wants=False) == 200


def test_the_description_and_the_health_need_no_token(served: Server) -> None:
    assert json.loads(run(served.url, "openapi", token="").stdout)["openapi"] == "3.1.0"
    assert run(served.url, "healthcheck", token="").returncode == 0


@pytest.mark.parametrize(
    ("status", "code", "exit_status"),
    [(401, "token_invalid", 4), (403, "ip_not_allowed", 4), (404, "resource_missing", 3), (409, "in_use", 5),
     (412, "precondition_failed", 5), (422, "validation_failed", 2), (500, "internal_error", 69)],
)  # fmt: skip
def test_every_refusal_is_one_line_a_status_and_the_next_command(status: int, code: str, exit_status: int) -> None:
    with rude(refusal(status, code)) as strange:
        told = run(strange.url, "monitors", "get", "mon_00000000")
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (exit_status, "", 1)
    assert code in told.stderr
    assert TOKEN not in told.stderr


def test_nobody_there_no_token_and_nonsense_are_told_apart() -> None:
    away = run("http://127.0.0.1:9", "monitors", "list")
    assert (away.returncode, "statuspulse healthcheck" in away.stderr) == (69, True)
    health = run("http://127.0.0.1:9", "healthcheck", token="")
    assert (health.returncode, "start it with statuspulse serve" in health.stderr) == (69, True)
    assert "healthcheck" not in health.stderr
    assert run("http://127.0.0.1:9", "monitors", "list", token="").returncode == 2
    for words in (["create", "ftp://x"], ["create", "--set", "x"], ["create"], ["create", "tcp://x:y"]):
        told = run("http://127.0.0.1:9", "monitors", *words)
        assert (told.returncode, "Traceback" in told.stderr) == (2, False), told.stderr


def test_a_table_keeps_to_its_window_and_cuts_only_what_may_shrink() -> None:
    columns = (Column("ID"), Column("NAME", shrinks=True), Column("EVERY", is_figure=True))
    rows = [["mon_1", "x" * 60, "30 s"], ["mon_2", "東京" * 20, "5 s"]]
    lines = table(columns, rows, 40, lambda text, _: text)
    assert lines[0] == "ID     NAME                        EVERY"
    assert lines[1] == f"mon_1  {'x' * 25}…   30 s"
    assert lines[2].startswith("mon_2  東京東京")
    assert lines[2].endswith("…     5 s")
    assert "x" * 60 in table(columns, rows, None, lambda text, _: text)[1]


def test_words_of_state_are_coloured_and_nothing_else() -> None:
    assert pairs([("state", "down"), ("name", "x")], lambda text, colour: f"<{colour} {text}>") == [
        "state  <red down>",
        "name   x",
    ]


def test_a_cell_is_one_line_and_gives_no_orders_to_the_terminal() -> None:
    (_, line) = table((Column("NOTE"),), [["a\x1b]0;title\x07b\nc"]], None, lambda text, _: text)
    assert line == "a ]0;title b c"
    assert pairs([("note", "a\x1b[2Jb")], lambda text, _: text) == ["note  a [2Jb"]


@pytest.mark.parametrize(("value", "shown"), [(100.0, "100.00 %"), (99.9999, "99.99 %"), (1.15, "1.15 %"), (None, "-")])
def test_a_percentage_is_rounded_down(value: float | None, shown: str) -> None:
    assert percent(value) == shown
