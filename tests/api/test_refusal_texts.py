"""What refusals tell people: the member, what is wrong with it, and the cure."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.server import Api

TCP = {"name": "Mail", "type": "tcp", "host": "mail.example", "port": 587}
FORM = "lower-case letters, digits and {}, with a letter or digit first."
MASKED = "notifications[0] is masked, and no channel of this team is shown like that; send back what an answer shows"


def first(answer: Any, status: int = 422) -> tuple[str, str | None, str]:
    """Code, pointer and the sentence of the first problem."""
    assert answer.status_code == status, answer.text
    document = answer.json()
    detail = document["error"]["details"][0]
    return detail["code"], detail["pointer"], document["message"]


@pytest.mark.parametrize(
    "step",
    [{"send": "x", "expect": "y"}, {"starttls": "smtp", "send": "x"}, {"expect": "x", "starttls": "smtp"}, {}, "x"],
)
def test_a_step_has_one_of_three_members(api: Api, step: Any) -> None:
    answer = api.call("POST", "/v1/monitors", {**TCP, "steps": [step]})
    text = 'steps[0] has to be an object with exactly one of "expect", "send" and "starttls".'
    assert first(answer) == ("parameter_invalid_format", "/steps/0", text)


@pytest.mark.parametrize("kind", ["digest", "", 5, None])
def test_an_unknown_kind_of_credentials_is_answered_with_the_known_ones(
    api: Api, body: dict[str, Any], kind: Any
) -> None:
    answer = api.call("POST", "/v1/monitors", {**body, "auth": {"type": kind, "token": "x"}})
    assert first(answer) == ("parameter_invalid_enum", "/auth/type", 'auth.type must be "basic" or "bearer".')


@pytest.mark.parametrize(
    "text", ["***", "***#nch_zzz", "***#nch_zzzzzzzz", "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***", "slack://***"]
)
def test_a_masked_url_that_stands_for_nothing_says_what_a_mask_is_for(
    api: Api, body: dict[str, Any], text: str
) -> None:
    code, pointer, message = first(api.call("POST", "/v1/monitors", {**body, "notifications": [text]}))
    assert (code, pointer) == ("reference_not_found", "/notifications/0")
    assert message.startswith(MASKED)
    assert text not in message


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"escalation_policy": ""}, f"escalation_policy must be 1 to 63 {FORM.format('_ -')}"),
        ({"escalation_policy": "On call"}, f"escalation_policy must be 1 to 63 {FORM.format('_ -')}"),
        ({"regions": ["eu_west"]}, f"regions[0] must be 1 to 32 {FORM.format('-')}"),
        ({"tags": ["a", "Prod"]}, f"tags[1] must be 1 to 64 {FORM.format(': . _ / -')}"),
        ({"tags": ["a\n"]}, f"tags[0] must be 1 to 64 {FORM.format(': . _ / -')}"),
        ({"tags": ["x" * 65]}, f"tags[0] must be 1 to 64 {FORM.format(': . _ / -')}"),
    ],
)
def test_the_form_of_a_name_is_told_in_words(
    api: Api, body: dict[str, Any], members: dict[str, Any], message: str
) -> None:
    assert first(api.call("POST", "/v1/monitors", {**body, **members}))[2] == message


def test_the_longest_names_are_taken(api: Api, body: dict[str, Any]) -> None:
    document = api.call("POST", "/v1/monitors", {**body, "tags": ["x" * 64, "0:._/-"]}).json()
    assert document["tags"] == ["x" * 64, "0:._/-"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2026-11-23T06:20:00Z&to=2026-11-23T06:00:00Z", "from must be earlier than to."),
        ("from=2027-11-23T06:20:00Z", "from must be earlier than to, which is now unless it is given."),
    ],
)
def test_a_stretch_of_results_that_ends_before_it_begins_names_both_ends(
    api: Api, body: dict[str, Any], query: str, message: str
) -> None:
    made = api.call("POST", "/v1/monitors", body).json()
    code, pointer, text = first(api.call("GET", f"/v1/monitors/{made['id']}/results?{query}"))
    assert (code, pointer, text) == ("parameter_conflict", None, message)


def test_a_stretch_of_incidents_that_ends_before_it_begins_names_both_ends(api: Api) -> None:
    answer = api.call("GET", "/v1/incidents?from=2026-11-23T06:20:00Z&to=2026-11-23T06:20:00Z")
    assert first(answer) == ("parameter_conflict", None, "from must be earlier than to.")


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        ({}, ["type", "name"]),
        ({"name": "Shop"}, ["type"]),
        ({"url": "https://a.example/"}, ["type", "name"]),
        ({"type": "gopher"}, ["type", "name"]),
        ({"type": "http"}, ["url", "name"]),
        ({"type": "tcp"}, ["host", "port", "name"]),
        ({"type": "dns"}, ["host", "name"]),
    ],
)
def test_everything_that_is_surely_required_is_told_at_once(api: Api, sent: dict[str, Any], missing: list[str]) -> None:
    details = api.call("POST", "/v1/monitors", sent).json()["error"]["details"]
    assert sorted(detail["param"] for detail in details) == sorted(missing)


def test_a_byte_order_mark_is_told_in_our_words(api: Api) -> None:
    raw = b"\xef\xbb\xbf{}"
    answer = api.call("POST", "/v1/monitors", raw=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["message"] == (
        "The body is not valid JSON: it begins with a byte order mark (EF BB BF); save it as UTF-8 without one."
    )


def test_constants_are_written_as_json_has_them(api: Api) -> None:
    window = {"name": "W", "starts_at": "2027-01-01T00:00:00Z", "duration_seconds": 60, "monitors": {"all": False}}
    answer = api.call("POST", "/v1/maintenance-windows", window)
    assert first(answer) == ("parameter_invalid_enum", "/monitors/all", "monitors.all must be true.")


def test_a_key_that_is_wrong_is_not_taken_for_its_value(api: Api) -> None:
    keyed = {"kind": "pagerduty", "routing_key": "R" * 32, "severity_map": {"page": "critical"}}
    code, pointer, message = first(api.call("POST", "/v1/integrations", keyed))
    assert (code, pointer) == ("parameter_invalid_enum", "/severity_map/page")
    assert message.startswith('severity_map.page is a key, which must be "critical"')


@pytest.mark.parametrize("text", ["nch_nope", "nch_zzzzzzzz"])
def test_a_mistyped_channel_is_no_url(api: Api, body: dict[str, Any], text: str) -> None:
    told = first(api.call("POST", "/v1/monitors", {**body, "notifications": [text]}))
    assert told == ("reference_not_found", "/notifications/0", "notifications[0] names no channel of this team.")
