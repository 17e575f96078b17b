"""Objects with given ids."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from statuspulse.catalog.instance import Instance
from statuspulse.catalog.seed import Seeded, SeedError, seed
from statuspulse.domain.times import from_text
from statuspulse.egress.policy import Policy
from statuspulse.storage import audit, monitors, results, rollups, states, teams
from statuspulse.storage.schema import metadata
from tests.api.server import NOW, Api, running

TOKEN = "sk_live_seed9c2d1e4b7f6a"
FILE: dict[str, Any] = {
    "team": {"name": "Acme", "slug": "acme"},
    "tokens": [{"name": "api reference", "token": TOKEN, "scopes": ["write"]}],
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
                        "scheduled_at": "2026-11-23T06:19:30Z",
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


def run(api: Api, file: object) -> Seeded:
    instance = Instance(keyring=api.keyring, policy=Policy(), min_interval_seconds=10)
    seeded: Seeded = api.write(lambda connection: seed(connection, instance, file, NOW))
    return seeded


def rows(api: Api) -> dict[str, int]:
    """How many rows each table has."""
    return api.database.read_now(
        lambda connection: {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }
    )


def changed(path: str, value: Any) -> dict[str, Any]:
    """The file with one value replaced, at a path such as `monitors.0.id`."""
    file = copy.deepcopy(FILE)
    file["monitors"][0]["id"] = file["incidents"][0]["monitor_id"] = "mon_changed1"
    file["incidents"][0]["id"] = "inc_changed1"
    node: Any = file
    *way, last = (int(step) if step.isdecimal() else step for step in path.split("."))
    for step in way:
        node = node[step]
    node[last] = value
    return file


def test_the_file_of_the_contract_makes_what_it_names(tmp_path: Path) -> None:
    with running(tmp_path) as api:
        seeded = run(api, FILE)
        document = api.call("GET", "/v1/monitors/mon_9x2k4p7q", token=TOKEN).json()
    assert seeded.lines == (
        "team acme: created",
        'token "api reference": created',
        "monitor mon_9x2k4p7q: created",
        "incident inc_4m8n2v5w: created",
    )
    assert (document["state"], document["health"], document["state_since"]) == ("up", "up", "2026-11-16T00:00:00.000Z")
    assert (document["created_at"], document["last_probe_at"]) == (
        "2026-11-16T00:00:00.000Z",
        "2026-11-23T06:19:30.182Z",
    )
    assert document["expected_status"] == 200


def test_the_past_is_told_as_intervals_and_results(api: Api) -> None:
    run(api, FILE)
    team = api.database.read_now(lambda connection: teams.by_slug(connection, "acme"))
    assert team is not None

    def read(connection: Any) -> None:
        monitor = monitors.get(connection, team.id, "mon_9x2k4p7q")
        assert monitor is not None
        born = from_text("2026-11-16T00:00:00Z")
        told = states.intervals_between(connection, monitor.key, born, NOW)
        assert [(one.start, one.end, one.state) for one in told] == [(born, NOW, "up")]
        regions = rollups.region_keys(connection)
        found = list(results.verdicts_between(connection, [monitor.key], regions, born, NOW))
        assert [(at, verdict, latency) for _, _, at, verdict, latency in found] == [
            (from_text("2026-11-23T06:19:30Z"), "ok", 182_400)
        ]
        assert states.state_of(connection, monitor.key).votes_from == NOW
        entries = audit.entries(connection, team.id, 10)
        assert [entry.actor.label for entry in entries if entry.action == "instance.seeded"] == [
            "statuspulse admin seed"
        ]

    api.database.read_now(read)


def test_seeding_twice_changes_nothing(api: Api) -> None:
    run(api, FILE)
    before = rows(api)
    seeded = run(api, FILE)
    assert {line.rpartition(": ")[2] for line in seeded.lines} == {"exists, left as it is"}
    assert rows(api) == before


def test_without_a_past_a_monitor_is_pending_since_its_creation(api: Api) -> None:
    file = copy.deepcopy(FILE)
    file["monitors"] = [
        {"id": "mon_pending01", "name": "New", "type": "tcp", "url": "tcp://a.example:1", "paused": False}
    ]
    file["incidents"] = []
    run(api, file)
    document = api.call("GET", "/v1/monitors/mon_pending01", token=TOKEN).json()
    assert (document["state"], document["state_since"]) == ("pending", "2026-11-23T06:20:00.412Z")


def test_a_state_that_ended_is_unknown_since(api: Api) -> None:
    file = changed(
        "monitors.0.status.states",
        [
            {"state": "up", "from": "2026-11-16T00:00:00Z", "to": "2026-11-17T00:00:00Z"},
            {"state": "down", "from": "2026-11-17T00:00:00Z", "to": "2026-11-18T00:00:00Z"},
        ],
    )
    file["monitors"][0]["id"] = "mon_ended0001"
    file["incidents"] = []
    run(api, file)
    document = api.call("GET", "/v1/monitors/mon_ended0001", token=TOKEN).json()
    assert (document["state"], document["state_since"]) == ("unknown", "2026-11-18T00:00:00.000Z")


def test_the_key_of_a_new_probe_is_told_once_and_apart_from_the_lines(api: Api) -> None:
    file = {**FILE, "probes": [{"id": "prb_2d4f6h8j", "name": "Frankfurt", "region": "eu-west"}]}
    seeded = run(api, file)
    key = seeded.probe_keys["prb_2d4f6h8j"].reveal()
    assert key.startswith("prb_live_")
    assert key not in str(seeded.lines) + repr(seeded)
    assert "probe prb_2d4f6h8j: created" in seeded.lines
    assert run(api, file).probe_keys == {}


def test_no_line_shows_a_secret(api: Api) -> None:
    assert TOKEN not in str(run(api, FILE).lines)


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("colour", "red", "colour is not known here; leave it out."),
        ("channels", [{"url": "https://x"}], "channels is not supported by this version; leave it out or send []."),
        ("team", None, "team must be an object."),
        (
            "team.slug",
            "Acme Corp",
            "team.slug must be 1 to 63 lower-case letters, digits and _ -, with a letter or digit first.",
        ),
        ("tokens.0.token", "short", "tokens[0].token needs 16 to 255 printable ASCII characters without spaces."),
        (
            "tokens.0.scopes",
            ["all"],
            "tokens[0].scopes[0] is no scope and no bundle of scopes; there are read, write, admin",
        ),
        (
            "tokens.0.expires_at",
            "tomorrow",
            "tokens[0].expires_at must be a time with offset such as 2026-11-23T06:20:00Z.",
        ),
        ("monitors.0.id", "mon_UPPER01", "monitors[0].id must be mon_ and 6 to 32 of [0-9a-z]."),
        ("monitors.0.id", "inc_9x2k4p7q", "monitors[0].id must be mon_ and 6 to 32 of [0-9a-z]."),
        ("monitors.0.url", "ftp://x", "monitors[0].url has to begin with http:// or https://."),
        ("monitors.0.interval_seconds", 1, "monitors[0].interval_seconds must be between 10 and 86400."),
        ("monitors.0.regions", ["mars"], "monitors[0].regions[0] is no region here; there are "),
        (
            "monitors.0.created_at",
            "2026-11-17T00:00:00Z",
            "monitors[0].status.states[0].from must lie between created_at and now.",
        ),
        ("monitors.0.status.states.0.state", "paused", 'monitors[0].status.states[0].state must be "pending"'),
        (
            "monitors.0.status.states.0.to",
            "2026-11-15T00:00:00Z",
            'monitors[0].status.states[0].to must lie between "from" and now.',
        ),
        (
            "monitors.0.status.results.0.region",
            "mars",
            "monitors[0].status.results[0].region is no region of the monitor.",
        ),
        (
            "monitors.0.status.results.0.ok",
            False,
            "monitors[0].status.results[0].failure belongs to every result that is not ok",
        ),
        (
            "monitors.0.status.results.0.scheduled_at",
            "2027-01-01T00:00:00Z",
            "monitors[0].status.results[0].scheduled_at lies in the future.",
        ),
        ("incidents", [{"title": "x"}], "incidents[0].id is required."),
        ("incidents.0.id", "mon_4m8n2v5w", "incidents[0].id must be inc_ and 6 to 32 of [0-9a-z]."),
        ("incidents.0.title", "", "incidents[0].title must not be empty."),
        ("incidents.0.monitor_id", "mon_nobody01", "incidents[0].monitor_id names no monitor of this team."),
        ("incidents.0.escalation_policy", "x", "incidents[0].escalation_policy names no escalation policy"),
        ("incidents.0.state", "open", 'incidents[0].state must be "triggered"'),
        (
            "incidents.0.incident_id",
            "inc_4m8n2v5w",
            'incidents[0].incident_id has no place here; the id stands in "id".',
        ),
        ("incidents.0.reopen", True, "incidents[0].reopen has no place here; send the state that holds."),
        ("incidents.0.number", 0, "incidents[0].number must be at least 1."),
        ("incidents.0.colour", "red", "incidents[0].colour is not known here; leave it out."),
        ("incidents.0.triggered_at", "soon", "incidents[0].triggered_at must be a time with offset such as"),
        ("incidents.0.triggered_at", "2027-01-01T00:00:00Z", "incidents[0].triggered_at must not lie after now."),
        ("incidents.0.occurred_at", "2026-01-01T00:00:00Z", "incidents[0].occurred_at must be at most 7 days ago"),
        (
            "incidents.0.acknowledged_at",
            "2026-11-23T06:00:00Z",
            "incidents[0].acknowledged_at needs the state acknowledged or resolved.",
        ),
        ("incidents.0.resolved_at", "2026-11-23T06:00:00Z", "incidents[0].resolved_at needs the state resolved."),
        ("incidents", [{"id": "inc_changed1"}], "incidents[0].title is required without monitor_id."),
        (
            "incidents",
            [{"id": f"inc_changed{place}", "title": "x", "number": 77} for place in (1, 2)],
            "incidents[1].number is the number of another incident of the team.",
        ),
        (
            "incidents",
            [{"id": f"inc_changed{place}", "title": "x", "dedup_key": "k"} for place in (1, 2)],
            "incidents[1].dedup_key is the key of another open incident.",
        ),
        (
            "incidents",
            [
                {
                    "id": "inc_changed1",
                    "title": "x",
                    "state": "resolved",
                    "acknowledged_at": "2026-11-23T06:00:00Z",
                    "resolved_at": "2026-11-23T05:59:00Z",
                }
            ],
            "incidents[0].acknowledged_at must not lie after resolved_at.",
        ),
        (
            "incidents",
            [
                {
                    "id": "inc_changed1",
                    "title": "x",
                    "triggered_at": "2026-11-23T06:00:00Z",
                    "occurred_at": "2026-11-23T06:00:00Z",
                }
            ],
            "incidents[0].occurred_at says the same as triggered_at; send one of the two.",
        ),
    ],
)
def test_any_mistake_is_one_line_and_stores_nothing(api: Api, path: str, value: Any, line: str) -> None:
    before = rows(api)
    with pytest.raises(SeedError) as caught:
        run(api, changed(path, value))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert rows(api) == before


def test_an_open_incident_of_the_file_is_acknowledged_by_the_third_example(tmp_path: Path) -> None:
    body = {"incident_id": "inc_4m8n2v5w", "state": "acknowledged", "assignee": "maya.rodriguez@acmecorp.com"}
    with running(tmp_path) as api:
        run(api, FILE)
        seeded = api.call("GET", "/v1/incidents/inc_4m8n2v5w", token=TOKEN).json()
        answer = api.call("POST", "/v1/incidents", body, token=TOKEN)
    assert (seeded["state"], seeded["title"], seeded["severity"], seeded["monitor_id"], seeded["dedup_key"]) == (
        "triggered",
        "Redis connections exhausted",
        "critical",
        "mon_9x2k4p7q",
        None,
    )
    assert (seeded["triggered_by"]["label"], seeded["number"], seeded["version"]) == ("statuspulse admin seed", 1, 1)
    assert answer.json()["message"] == "Incident inc_4m8n2v5w acknowledged and assigned to maya.rodriguez@acmecorp.com."


def test_a_past_incident_keeps_its_times_and_its_number(api: Api) -> None:
    past = {
        "id": "inc_past00001",
        "title": "Disk full",
        "state": "resolved",
        "number": 4711,
        "triggered_at": "2026-10-01T10:00:00Z",
        "acknowledged_at": "2026-10-01T10:05:00Z",
        "resolved_at": "2026-10-01T11:00:00Z",
        "notes": "cleaned",
        "external_ids": {"jira": "OPS-1"},
    }
    run(api, {**FILE, "incidents": [past]})
    document = api.call("GET", "/v1/incidents/inc_past00001", token=TOKEN).json()
    assert (document["state"], document["number"], document["resolve_reason"]) == ("resolved", 4711, "manual")
    times = ("created_at", "triggered_at", "acknowledged_at", "resolved_at", "updated_at")
    assert [document[name][11:19] for name in times] == ["10:00:00", "10:00:00", "10:05:00", "11:00:00", "11:00:00"]
    entries = api.call("GET", "/v1/incidents/inc_past00001/timeline", token=TOKEN).json()["data"]
    assert [(entry["at"][11:19], entry["type"]) for entry in entries] == [
        ("10:00:00", "triggered"),
        ("10:00:00", "linked"),
        ("10:00:00", "note"),
        ("10:05:00", "state_changed"),
        ("11:00:00", "state_changed"),
    ]
    later = api.call("POST", "/v1/incidents", {"title": "x"}, token=TOKEN).json()
    assert later["number"] == 4712


def test_an_incident_of_the_file_is_no_younger_than_what_happened_to_it(api: Api) -> None:
    entry = {"id": "inc_young0001", "title": "x", "state": "acknowledged", "acknowledged_at": "2026-11-23T06:00:00Z"}
    run(api, {**FILE, "incidents": [entry]})
    document = api.call("GET", "/v1/incidents/inc_young0001", token=TOKEN).json()
    assert document["triggered_at"] == document["acknowledged_at"] == "2026-11-23T06:00:00.000Z"


@pytest.mark.parametrize(("members", "told"), [({}, 0), ({"notify": False}, 0), ({"notify": True}, 1)])
def test_an_incident_of_the_file_is_quiet_unless_it_says_otherwise(
    tmp_path: Path, members: dict[str, Any], told: int
) -> None:
    file = copy.deepcopy(FILE)
    file["monitors"][0]["notifications"] = ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"]
    file["incidents"][0] |= members
    with running(tmp_path) as api:
        run(api, file)
        assert rows(api)["outbox"] == told


def test_an_entry_that_exists_is_validated_all_the_same(api: Api) -> None:
    run(api, FILE)
    file = copy.deepcopy(FILE)
    file["incidents"][0]["severity"] = "fatal"
    with pytest.raises(SeedError, match=r"incidents\[0\]\.severity must be"):
        run(api, file)


def test_a_file_that_is_no_object_is_a_mistake(api: Api) -> None:
    with pytest.raises(SeedError, match="must be an object"):
        run(api, [])
