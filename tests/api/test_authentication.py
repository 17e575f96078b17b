"""Credentials, scopes, teams."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from statuspulse.catalog import setup
from statuspulse.domain.access import make_token
from statuspulse.storage import teams, tokens
from statuspulse.storage.schema import tokens as token_rows
from tests.api.server import ADMIN, READER, STRANGER, WRITER, Api

REALM = 'Bearer realm="statuspulse"'


def refusal(answer: Any) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["error"]["code"], answer.headers.get("WWW-Authenticate", "")


def raw_call(api: Api, *authorization: bytes) -> tuple[int, dict[str, Any], str]:
    """A call with header lines that a well-behaved client cannot send."""
    connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=10)
    connection.putrequest("GET", "/v1/monitors")
    for value in authorization:
        connection.putheader("Authorization", value)
    connection.endheaders()
    answer = connection.getresponse()
    document = json.loads(answer.read())
    connection.close()
    return answer.status, document, answer.headers.get("WWW-Authenticate", "")


@pytest.fixture
def own_token(api: Api) -> str:
    """A token of the first team that a test may end."""
    text = make_token()

    def make(connection: Any) -> None:
        team = teams.first(connection)
        assert team is not None
        setup.new_token(
            connection,
            api.keyring,
            team_id=team.id,
            name="short-lived",
            text=text,
            scopes=("monitors:read",),
            expires_at=None,
            now=api.clock(),
        )

    api.write(make)
    return text


def found(api: Api, text: str) -> tokens.FoundToken:
    digest = api.keyring.digest("token", text)
    token = api.database.read_now(lambda connection: tokens.by_digest(connection, digest))
    assert token is not None
    return token


def test_without_a_credential_the_challenge_names_no_error(api: Api) -> None:
    assert refusal(api.call("GET", "/v1/monitors", token=None)) == (401, "token_missing", REALM)


def test_another_scheme_counts_as_none(api: Api) -> None:
    answer = api.call("GET", "/v1/monitors", headers={"Authorization": "Basic dXNlcjpwYXNz"})
    assert refusal(answer) == (401, "token_missing", REALM)


@pytest.mark.parametrize(
    "value",
    [
        b"Bearer sk_live_0000000000000000",
        b"Bearer",
        b"Bearer ",
        b"Bearer two words",
        b"Bearer \xff\xfe\x80",
        b"Bearer " + b"x" * 5000,
        b"Bearer 'or 1=1 --",
        b"Bearer sk_live_" + b"x" * 38,
        b"Bearer prb_live_" + b"x" * 20,
        b"Bearer " + WRITER.encode() + b"," + WRITER.encode(),
    ],
)
def test_a_bearer_that_is_no_live_token_is_invalid_however_odd(api: Api, value: bytes) -> None:
    status, document, challenge = raw_call(api, value)
    assert (status, document["error"]["code"]) == (401, "token_invalid")
    assert challenge == f'{REALM}, error="invalid_token"'


def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    assert raw_call(api, b"bearer " + WRITER.encode())[0] == 200
    assert raw_call(api, b"BEARER  " + WRITER.encode())[0] == 200


def test_two_credentials_are_400(api: Api) -> None:
    status, document, challenge = raw_call(api, b"Bearer " + WRITER.encode(), b"Bearer " + READER.encode())
    assert (status, document["error"]["code"]) == (400, "invalid_request")
    assert challenge == f'{REALM}, error="invalid_request"'


def test_a_token_in_the_query_is_never_read(api: Api) -> None:
    answer = api.call("GET", f"/v1/monitors?access_token={WRITER}", token=None)
    assert answer.status_code == 401
    assert WRITER not in answer.text


def test_a_missing_scope_is_403_and_named(api: Api, body: dict[str, Any]) -> None:
    answer = api.call("POST", "/v1/monitors", body, token=READER)
    expected = f'{REALM}, error="insufficient_scope", scope="monitors:write"'
    assert refusal(answer) == (403, "scope_insufficient", expected)
    assert answer.json()["error"]["details"][0]["required_scope"] == "monitors:write"


def test_403_does_not_depend_on_existence(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body).json()["id"]
    for monitor_id in (made, "mon_zzzzzzzz"):
        assert api.call("DELETE", f"/v1/monitors/{monitor_id}", token=READER).status_code == 403


def test_an_expired_token_says_so_only_for_the_right_text(api: Api, own_token: str) -> None:
    expire = update(token_rows).where(token_rows.c.id == found(api, own_token).token.id)
    api.write(lambda connection: connection.execute(expire.values(expires_at=api.clock())))
    assert refusal(api.call("GET", "/v1/monitors", token=own_token))[:2] == (401, "token_expired")


def test_a_revoked_token_ends_within_a_second(api: Api, own_token: str) -> None:
    assert api.call("GET", "/v1/monitors", token=own_token).status_code == 200
    token = found(api, own_token).token
    api.write(lambda connection: tokens.revoke(connection, token.team_ids[0], token.id, api.clock()))
    api.clock.at += 1000
    assert refusal(api.call("GET", "/v1/monitors", token=own_token))[:2] == (401, "token_revoked")


def test_a_token_keeps_to_its_scopes(api: Api, own_token: str) -> None:
    assert api.call("GET", "/v1/monitors", token=own_token).status_code == 200
    assert api.call("GET", "/v1/escalation-policies", token=own_token).status_code == 403


def test_the_key_of_a_probe_opens_nothing_here(api: Api) -> None:
    answer = api.call("GET", "/v1/monitors", token=api.probe_key)
    assert refusal(answer)[:2] == (403, "scope_insufficient")


def test_the_team_header_has_to_name_the_team_of_the_token(api: Api) -> None:
    assert api.call("GET", "/v1/monitors", headers={"StatusPulse-Team": "default"}).status_code == 200
    for slug in ("other", "no-such-team"):
        answer = api.call("GET", "/v1/monitors", headers={"StatusPulse-Team": slug})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_header")


def test_foreign_and_random_ids_answer_byte_for_byte_alike(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body).json()["id"]
    random_id = "mon_0a1b2c3d"
    for method, path, sent in (
        ("GET", "/v1/monitors/{}", None),
        ("PATCH", "/v1/monitors/{}", {"name": "Mine"}),
        ("DELETE", "/v1/monitors/{}", None),
        ("GET", "/v1/monitors/{}/config", None),
        ("PUT", "/v1/monitors/{}/config", {"name": "Mine"}),
        ("PATCH", "/v1/monitors/{}/config", {"name": "Mine"}),
        ("POST", "/v1/monitors/{}/pause", None),
        ("POST", "/v1/monitors/{}/resume", None),
    ):
        texts = set()
        for monitor_id in (made, random_id):
            answer = api.call(method, path.format(monitor_id), sent, token=STRANGER)
            assert answer.status_code == 404
            request_id = answer.headers["Request-Id"]
            texts.add(answer.text.replace(request_id, "REQUEST").replace(monitor_id, "ID"))
        assert len(texts) == 1
    assert api.call("GET", f"/v1/monitors/{made}").json()["name"] == body["name"]


@pytest.mark.parametrize(
    "odd", ["mon_", "mon_UPPERCASE", "inc_12345678", "x", "mon_%00abcdefg", "mon_..%2f..", "%ff%fe"]
)
def test_what_is_no_id_is_not_found(api: Api, odd: str) -> None:
    assert api.call("GET", f"/v1/monitors/{odd}").status_code == 404


def test_a_foreign_policy_is_not_found(api: Api, body: dict[str, Any]) -> None:
    api.call("POST", "/v1/monitors", {**body, "escalation_policy": "ours-alone"})
    assert api.call("GET", "/v1/escalation-policies/ours-alone").status_code == 200
    assert api.call("GET", "/v1/escalation-policies/ours-alone", token=STRANGER).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "token", "headers", "raw", "expected"),
    [
        ("POST", "/v1/nothing", None, {}, b"x" * 300_000, (404, "route_not_found")),
        ("PUT", "/v1/monitors", None, {}, b"x" * 300_000, (405, "method_not_allowed")),
        ("POST", "/v1/monitors", None, {}, b"x" * 300_000, (413, "payload_too_large")),
        ("POST", "/v1/monitors", None, {"Content-Type": "text/plain"}, b"x", (401, "token_missing")),
        ("POST", "/v1/monitors", READER, {"Content-Type": "text/plain"}, b"x", (403, "scope_insufficient")),
        ("POST", "/v1/monitors?x=1", WRITER, {"Content-Type": "text/plain"}, b"x", (415, "unsupported_media_type")),
        ("POST", "/v1/monitors?x=1", WRITER, {"Content-Type": "application/json"}, b"x", (400, "invalid_json")),
        ("POST", "/v1/monitors?x=1", WRITER, {"Content-Type": "application/json"}, b"{}", (422, "validation_failed")),
        (
            "PATCH",
            "/v1/monitors/mon_zzzzzzzz?x=1",
            WRITER,
            {"Content-Type": "application/json"},
            b"{}",
            (422, "validation_failed"),
        ),
        (
            "PATCH",
            "/v1/monitors/mon_zzzzzzzz",
            WRITER,
            {"Content-Type": "application/json", "If-Match": '"9"'},
            b'{"regions": ["nowhere"]}',
            (404, "resource_missing"),
        ),
    ],
)
def test_a_call_fails_at_the_first_step_that_it_does_not_pass(
    api: Api,
    method: str,
    path: str,
    token: str | None,
    headers: dict[str, str],
    raw: bytes,
    expected: tuple[int, str],
) -> None:
    answer = api.call(method, path, token=token, headers=headers, raw=raw)
    assert (answer.status_code, answer.json()["error"]["code"]) == expected


def test_references_are_judged_before_preconditions(api: Api, body: dict[str, Any]) -> None:
    made = api.call("POST", "/v1/monitors", body).json()["id"]
    answer = api.call("PATCH", f"/v1/monitors/{made}", {"regions": ["nowhere"]}, headers={"If-Match": '"9"'})
    assert answer.json()["error"]["details"][0]["code"] == "reference_not_found"


def test_the_admin_of_another_team_sees_only_its_own(api: Api, body: dict[str, Any]) -> None:
    api.call("POST", "/v1/monitors", body)
    api.call("POST", "/v1/monitors", {**body, "name": "Theirs"}, token=STRANGER)
    names = [item["name"] for item in api.call("GET", "/v1/monitors", token=STRANGER).json()["data"]]
    assert set(names) == {"Theirs"}
    assert "Theirs" not in [item["name"] for item in api.call("GET", "/v1/monitors", token=ADMIN).json()["data"]]
