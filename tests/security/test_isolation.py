"""What another team has is what does not exist: in paths, queries and bodies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.api.server import ADMIN, STRANGER, Api
from tests.security.operations import RANDOM_IDS, Called, operations

CHANNEL = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"
# Members of bodies and queries that name an object of a team; the value is how the object is named there.
REFERENCES = {
    "monitor_id": "{monitor_id}",
    "endpoint_ids": ["{webhook_id}"],
    "event_id": "{event_id}",
    "last_event_id": "{event_id}",
    "incident_id": "{incident_id}",
    "escalation_policy": "{slug}",
    "default_policy": "{slug}",
    "team_ids": ["{team_id}"],
    "notifications": ["{channel_id}"],
    "depends_on": ["{monitor_id}"],
    "notify": ["{channel_id}"],
    "notification_rules": [{"name": "Rule", "notify": ["{channel_id}"]}],
    "contacts": ["{channel_id}"],
    "steps": [
        {"targets": [{"type": "channel", "id": "{channel_id}"}]},
        {"targets": [{"type": "user", "id": "{user_id}"}]},
    ],
    "members": ["{email}"],
    "dedup_key": "{dedup_key}",
    "external_ids": {"jira": "{external_id}"},
    "external_id": "jira:{external_id}",
    "resource": "{monitor_id}",
    "assignee": "{email}",
    "monitors": {"ids": ["{monitor_id}"]},
    "maintenance_windows": ["{window_id}"],
    "tag": "{tag}",
    "q": "{tag}",
}
# Other names that look like one.
NAMES_A_REFERENCE = re.compile(
    r".*_ids?|.*policy.*|notifications|depends_on|maintenance_windows|.*channel.*|resource|contacts"
)
_MONITOR = {"name": "Theirs", "type": "http", "url": "https://theirs.example/", "escalation_policy": "theirs"}
_SLO = {"name": "Shop 99.9", "objective_pct": 99.9}
_HOOK = {"url": "https://theirs.example/hook", "events": ["incident.*"]}
_WINDOW = {
    "name": "Patching",
    "monitors": {"all": True},
    "starts_at": "2026-12-06T02:00:00",
    "timezone": "America/New_York",
    "duration_seconds": 7200,
    "rrule": "FREQ=WEEKLY",
}
# Probes serve every team and are nobody's own.
OF_THE_INSTANCE = {"probe_id"}


@dataclass(frozen=True)
class Ids:
    """What the first team has, and names of the same form that nobody has."""

    ours: Mapping[str, str]
    nobodys: Mapping[str, str]


@pytest.fixture(scope="module")
def ids(api: Api) -> Ids:
    body = {
        "name": "Ours",
        "type": "http",
        "url": "https://ours.example/",
        "escalation_policy": "ours-alone",
        "notifications": [CHANNEL],
        "tags": ["ours-tag"],
    }
    hook = {"url": "https://ours.example/hook", "events": ["*"]}
    webhook = api.call("POST", "/v1/webhooks", hook, token=ADMIN).json()
    monitor = api.call("POST", "/v1/monitors", body, token=ADMIN).json()
    incident = api.call(
        "POST",
        "/v1/incidents",
        {"title": "Ours", "dedup_key": "ours-key", "external_ids": {"jira": "OUR-1"}, "assignee": "ana@ours.example"},
        token=ADMIN,
    ).json()
    team_id = monitor["team_id"]
    member = api.call(
        "POST", f"/v1/teams/{team_id}/members", {"email": "ana@ours.example", "role": "owner"}, token=ADMIN
    ).json()
    deliveries = api.call("GET", f"/v1/webhooks/{webhook['id']}/deliveries", token=ADMIN).json()["data"]
    rota = {"name": "Ours", "members": ["ana@ours.example"]}
    schedule = api.call("POST", "/v1/schedules", rota, token=ADMIN).json()
    integration = api.call("POST", "/v1/integrations", {"kind": "alertmanager"}, token=ADMIN).json()
    slo = api.call("POST", "/v1/slos", {**_SLO, "monitor_id": monitor["id"]}, token=ADMIN).json()
    window = {**_WINDOW, "monitors": {"ids": [monitor["id"]]}}
    ours = {
        "integration_id": integration["id"],
        "slo_id": slo["id"],
        "window_id": api.call("POST", "/v1/maintenance-windows", window, token=ADMIN).json()["id"],
        "schedule_id": schedule["id"],
        "monitor_id": monitor["id"],
        "incident_id": incident["id"],
        "slug": "ours-alone",
        "token_id": api.call("GET", "/v1/me", token=ADMIN).json()["token_id"],
        "team_id": team_id,
        "user_id": member["id"],
        "probe_id": api.call("GET", "/v1/probes", token=ADMIN).json()["data"][0]["id"],
        "webhook_id": webhook["id"],
        "delivery_id": deliveries[0]["id"],
        "event_id": api.call("GET", "/v1/events", token=ADMIN).json()["data"][0]["id"],
        "channel_id": monitor["notifications"][0].rpartition("#")[2],
        "notification_id": _notification_of(api, monitor["id"]),
        "dedup_key": "ours-key",
        "external_id": "OUR-1",
        "email": "ana@ours.example",
        "tag": "ours-tag",
    }
    nobodys = {
        **RANDOM_IDS,
        "dedup_key": "nobodys-key",
        "external_id": "NOB-1",
        "email": "ana@nobody.example",
        "tag": "nobodys-tag",
    }
    return Ids(ours, nobodys)


@pytest.fixture(scope="module")
def called(api: Api) -> list[Called]:
    return [one for one in operations(api.contract.document) if not one.is_of_probes]


def seen(answer: requests.Response, ids: Mapping[str, str]) -> tuple[int, Any, str]:
    """Status, headers that tell, and body of an answer without the ids that it cannot share with another."""
    text = answer.text
    for name, value in ids.items():
        text = text.replace(value, f"<{name}>")
    text = re.sub(r"\b[a-z]{2,4}_[0-9a-hjkmnp-tv-z]{8,26}\b", "<id>", text)
    headers = (answer.headers.get("WWW-Authenticate"), answer.headers.get("ETag"))
    # A monitor's phase follows from its id.
    return answer.status_code, headers, re.sub(r"sk_live_\w+|\"(last4|number|next_probe_at)\":[^,}]+", "<new>", text)


def named(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: named(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [named(one, ids) for one in value]
    return value.format(**ids)


def test_an_id_in_a_path_is_as_good_as_a_random_one(api: Api, called: list[Called], ids: Ids) -> None:
    held = 0
    for one in called:
        if set(one.parameters) <= OF_THE_INSTANCE:
            continue
        assert set(one.parameters) <= ids.ours.keys(), f"{one.name}: say what the first team has of it"
        mine = {**ids.ours, "team_id": "other"} if "user_id" in one.parameters else ids.ours
        nobodys = {**ids.nobodys, "team_id": "other"} if "user_id" in one.parameters else ids.nobodys
        for foreign, random in ((ids.ours, ids.nobodys), (mine, nobodys)):
            answers = [
                seen(api.call(one.method, one.url(which), one.body, token=STRANGER), which)
                for which in (foreign, random)
            ]
            assert answers[0] == answers[1], one.name
            assert answers[0][0] == (401 if one.is_of_others else 404), one.name
            held += 1
    assert held >= 2 * 25


def test_the_owner_finds_what_is_foreign_to_others(api: Api, called: list[Called], ids: Ids) -> None:
    held = [one for one in called if one.method == "GET" and one.parameters]
    for one in held:
        assert api.call("GET", one.url(ids.ours), token=ADMIN).status_code == 200, one.name
    assert len(held) >= 10


def test_what_is_foreign_is_untouched_after_all_of_that(api: Api, ids: Ids) -> None:
    monitor = api.call("GET", f"/v1/monitors/{ids.ours['monitor_id']}", token=ADMIN).json()
    assert (monitor["name"], monitor["config_version"], monitor["paused"]) == ("Ours", 1, False)
    token = api.call("GET", f"/v1/tokens/{ids.ours['token_id']}", token=ADMIN).json()
    assert token["revoked_at"] is None


def test_an_id_in_a_query_is_as_good_as_a_random_one(api: Api, called: list[Called], ids: Ids) -> None:
    held = 0
    for one in called:
        for name in one.query:
            if name not in REFERENCES:
                assert NAMES_A_REFERENCE.fullmatch(name) is None, f"{one.name}: say how {name} names what"
                continue
            own = Own(api)
            answers = []
            for which in (ids.ours, ids.nobodys):
                value = named(REFERENCES[name], which)
                url = f"{one.url(own)}?{name}={value}"
                if one.is_stream:
                    answers.append(heard(api, url))
                else:
                    answers.append(seen(api.call(one.method, url, token=STRANGER), which))
            assert answers[0] == answers[1], f"{one.name} {name}"
            held += 1
    assert held >= 8


def test_an_id_in_a_body_is_as_good_as_a_random_one(api: Api, called: list[Called], ids: Ids) -> None:
    held = set()
    for one in called:
        for name in sorted(one.members):
            if name not in REFERENCES:
                known = NAMES_A_REFERENCE.fullmatch(name) is None
                assert known, f"{one.name}: say how {name} names what"
                continue
            answers = []
            for which in (ids.ours, ids.nobodys):
                own = Own(api)
                sent = {**_least(one), name: named(REFERENCES[name], which)}
                answer = seen(api.call(one.method, one.url(own), sent, token=STRANGER), which)
                # A team cannot be made anew for the second call: that finds the version that the first has made.
                answers.append(_without_version(answer) if one.name == "PATCH /teams/{team_id}" else answer)
            assert answers[0] == answers[1], f"{one.name} {name}"
            held.add((one.name, name))
    assert len(held) >= 15
    assert ("POST /tokens", "team_ids") in held
    assert ("POST /incidents", "incident_id") in held


def _without_version(answer: tuple[int, Any, str]) -> tuple[int, Any, str]:
    status, (challenge, _), text = answer
    return status, challenge, re.sub(r'"version":\d+', "<version>", text)


def test_an_id_in_the_team_header_is_as_good_as_a_random_one(api: Api, called: list[Called], ids: Ids) -> None:
    for one in called:
        if one.scope is None:
            continue
        answers = [
            seen(
                api.call(
                    one.method,
                    one.url(ids.nobodys),
                    one.body,
                    token=STRANGER,
                    headers={"StatusPulse-Team": which["team_id"]},
                ),
                ids.nobodys,
            )
            for which in (ids.ours, ids.nobodys)
        ]
        assert answers[0] == answers[1], one.name
        assert answers[0][0] == 400, one.name


def heard(api: Api, url: str) -> tuple[int, Any, str]:
    """The first frame of a stream; what follows is what the team itself does."""
    with api.session.get(
        api.url + url, headers={"Authorization": f"Bearer {STRANGER}"}, stream=True, timeout=30
    ) as answer:
        first = next(answer.iter_content(None)).decode()
    return answer.status_code, answer.headers["Content-Type"], re.sub(r"\bevt_\w+", "<id>", first)


def test_lists_of_another_team_hold_nothing_of_ours(api: Api, called: list[Called], ids: Ids) -> None:
    for one in called:
        if one.method == "GET" and not one.parameters and one.scope:
            text = api.call("GET", f"{one.url({})}?limit=100", token=STRANGER).text
            for name in ("monitor_id", "incident_id", "token_id", "team_id", "user_id", "channel_id", "integration_id"):
                assert ids.ours[name] not in text, one.name


class Own(Mapping[str, str]):
    """Objects of the other team by the name of their id, each made anew when it is first asked for.

    So the call before has left nothing in them, and what a call does not name is not made for it.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._made: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._made:
            self._made[name] = _OWN[name](self)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_OWN)

    def __len__(self) -> int:
        return len(_OWN)

    def answered(self, method: str, path: str, sent: Any = None) -> Any:
        return self._api.call(method, f"/v1{path}", sent, token=STRANGER).json()

    def made(self, path: str, sent: Any) -> str:
        """The id of what a call makes."""
        return str(self.answered("POST", path, sent)["id"])

    def first(self, path: str) -> str:
        """The id of what a list begins with."""
        return str(self.answered("GET", path)["data"][0]["id"])

    def slug(self) -> str:
        """That of a policy, which is there because a monitor names it."""
        assert self["monitor_id"]
        return "theirs"

    def user(self) -> str:
        self.answered("POST", "/teams/other/members", {"email": "bo@theirs.example", "role": "owner"})
        return self.first("/teams/other/members")

    def schedule(self) -> str:
        assert self["user_id"]
        number = self.answered("GET", "/schedules?include=total")["total"]
        return self.made("/schedules", {"name": f"Theirs {number}", "members": ["bo@theirs.example"]})

    def event(self) -> str:
        assert self["monitor_id"]
        return self.first("/events")


_OWN: dict[str, Callable[[Own], str]] = {
    "monitor_id": lambda own: own.made("/monitors", _MONITOR),
    "incident_id": lambda own: own.made("/incidents", {"title": "Theirs", "notify": False}),
    "slug": Own.slug,
    "token_id": lambda own: own.made("/tokens", {"name": "theirs", "scopes": ["read"]}),
    "team_id": lambda own: str(own.answered("GET", "/teams/other")["id"]),
    "user_id": Own.user,
    "schedule_id": Own.schedule,
    "integration_id": lambda own: own.made("/integrations", {"kind": "alertmanager"}),
    "slo_id": lambda own: own.made("/slos", {**_SLO, "monitor_id": own["monitor_id"]}),
    "window_id": lambda own: own.made("/maintenance-windows", _WINDOW),
    "webhook_id": lambda own: own.made("/webhooks", _HOOK),
    "channel_id": lambda own: own.made("/channels", {"url": CHANNEL}),
    "notification_id": lambda _: RANDOM_IDS["notification_id"],
    "delivery_id": lambda _: RANDOM_IDS["delivery_id"],
    "event_id": Own.event,
}


def _notification_of(api: Api, monitor_id: str) -> str:
    """What our channel is owed of an incident of our monitor."""
    body = {"monitor_id": monitor_id, "title": "Ours again"}
    incident = api.call("POST", "/v1/incidents", body, token=ADMIN).json()["id"]
    owed = api.call("GET", f"/v1/notifications?incident_id={incident}", token=ADMIN).json()["data"]
    return str(owed[0]["id"])


def _least(one: Called) -> dict[str, Any]:
    """A body of the operation that holds but for what is added."""
    if one.name == "POST /incidents":
        return {"title": "Theirs", "notify": False}
    if one.method in {"PATCH", "PUT"}:
        return {}
    return {name: value for name, value in (one.body or {}).items() if name not in REFERENCES}
