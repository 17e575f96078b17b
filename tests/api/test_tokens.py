"""Tokens: made, listed, rotated, revoked; and nothing is given away that the giver has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import pytest
import requests
from sqlalchemy import Connection

from statuspulse.domain.access import may_be_token
from statuspulse.domain.times import DAY, HOUR, MINUTE, SECOND, to_text
from statuspulse.storage import people, tokens
from statuspulse.storage.schema import metadata, token_secrets, token_teams
from tests.api.server import ADMIN, READER, STRANGER, WRITER, Api, running


def make(api: Api, token: str = ADMIN, **members: Any) -> requests.Response:
    return api.call("POST", "/v1/tokens", {"name": "made", "scopes": ["monitors:read"], **members}, token=token)


def made(api: Api, token: str = ADMIN, **members: Any) -> dict[str, Any]:
    answer = make(api, token, **members)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def detail(answer: requests.Response) -> tuple[int, str, str]:
    first = answer.json()["error"]["details"][0]
    return answer.status_code, first["code"], first["param"]


def code(api: Api, token: str, path: str = "/v1/me") -> str | None:
    found: str | None = api.call("GET", path, token=token).json().get("error", {}).get("code")
    return found


def me(api: Api, token: str) -> dict[str, Any]:
    document: dict[str, Any] = api.call("GET", "/v1/me", token=token).json()
    return document


@pytest.fixture
def proxied(tmp_path: Any) -> Iterator[Api]:
    """An API behind a proxy on this host."""
    with running(tmp_path, trusted_proxies=(ip_network("127.0.0.0/8"),)) as started:
        yield started


def test_a_token_is_shown_once_and_works_at_once(api: Api) -> None:
    answer = make(api, name="pipeline", scopes=["monitors:write", "incidents:read"])
    document = answer.json()
    text = document["token"]
    assert re.fullmatch(r"sk_live_[0-9A-Za-z]{38}", text)
    assert may_be_token(text)
    assert answer.headers["Location"] == f"/v1/tokens/{document['id']}"
    assert (document["prefix"], document["last4"]) == ("sk_live_", text[-4:])
    shown = api.call("GET", f"/v1/tokens/{document['id']}", token=ADMIN).json()
    assert shown.keys() == document.keys() - {"token"}
    assert me(api, text)["scopes"] == ["incidents:read", "monitors:read", "monitors:write", "status:read"]
    assert code(api, text, "/v1/escalation-policies") == "scope_insufficient"


def test_the_text_of_a_token_is_nowhere_in_the_database(api: Api) -> None:
    text = made(api)["token"]
    written = api.database.read_now(
        lambda connection: [str(row) for table in metadata.sorted_tables for row in connection.execute(table.select())]
    )
    assert any("made" in line for line in written)
    assert not [line for line in written if text in line or text[8:40] in line]


def test_whoever_calls_can_ask_who_he_is(api: Api) -> None:
    document = me(api, READER)
    assert (document["object"], document["name"], document["team_slug"]) == ("principal", "reader", "default")
    assert document["team_ids"] == [document["team_id"]]
    assert "monitors:write" not in document["scopes"]
    assert (document["expires_at"], document["ip"], document["rate_limits"]) == (None, "127.0.0.1", [])


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["monitors:admin"]}, "scopes[0]"),
        ({"scopes": ["read", "read"]}, "scopes"),
        ({"name": " "}, "name"),
        ({"expires_at": to_text(0)}, "expires_at"),
        ({"expires_at": "2027-12-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-11-24T00:00:00"}, "expires_at"),
        ({"ip_allowlist": ["192.0.2.7/24"]}, "ip_allowlist[0]"),
        ({"ip_allowlist": ["shop.example"]}, "ip_allowlist[0]"),
        ({"team_ids": []}, "team_ids"),
        ({"team_ids": ["team_zzzzzzzz"]}, "team_ids[0]"),
        ({"token": "sk_live_chosen_by_me_0001"}, "token"),
        ({"team_id": "team_zzzzzzzz"}, "team_id"),
    ],
)
def test_what_is_wrong_with_a_new_token_is_named(api: Api, members: dict[str, Any], expected: str) -> None:
    answer = api.call("POST", "/v1/tokens", {"name": "made", "scopes": ["monitors:read"], **members}, token=ADMIN)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, expected)


def test_an_unknown_scope_is_answered_with_those_there_are(api: Api) -> None:
    assert 'perhaps "monitors:read" is meant' in make(api, scopes=["monitor:read"]).json()["message"]
    assert "there are read, write, admin" in make(api, scopes=["0"]).json()["message"]


def test_a_token_gives_no_scope_that_it_lacks(api: Api) -> None:
    minter = made(api, scopes=["monitors:read", "tokens:write"])["token"]
    assert made(api, minter, scopes=["status:read"])["scopes"] == ["status:read"]
    for scopes in (["monitors:write"], ["read"], ["admin"], ["status:read", "probes:read"]):
        answer = make(api, minter, scopes=scopes)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "scope_insufficient")
        assert answer.json()["error"]["details"][0]["required_scope"] not in me(api, minter)["scopes"]
        assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def test_admin_of_another_team_is_admin_there_only(api: Api) -> None:
    theirs = made(api, STRANGER, scopes=["admin"])["token"]
    assert "probes:write" not in me(api, theirs)["scopes"]
    assert "probes:write" in me(api, made(api, scopes=["admin"])["token"])["scopes"]


def test_a_token_gives_no_longer_life_than_its_own(api: Api) -> None:
    end = api.clock() + DAY
    minter = made(api, scopes=["status:read", "tokens:write"], expires_at=to_text(end))["token"]
    assert made(api, minter, scopes=["status:read"])["expires_at"] == to_text(end)
    later = make(api, minter, scopes=["status:read"], expires_at=to_text(end + 1))
    assert detail(later) == (422, "parameter_out_of_range", "expires_at")


def test_a_token_gives_no_network_beyond_its_own(api: Api) -> None:
    minter = made(api, scopes=["status:read", "tokens:write"], ip_allowlist=["127.0.0.0/8"])["token"]
    assert made(api, minter, scopes=["status:read"])["ip_allowlist"] == ["127.0.0.0/8"]
    assert made(api, minter, scopes=["status:read"], ip_allowlist=["127.0.0.1"])["ip_allowlist"] == ["127.0.0.1/32"]
    wider = make(api, minter, scopes=["status:read"], ip_allowlist=["0.0.0.0/0"])
    assert detail(wider) == (422, "parameter_out_of_range", "ip_allowlist")


def test_a_token_ends_when_it_says(api: Api) -> None:
    before = api.clock.at
    token = made(api, expires_at=to_text(before + HOUR))["token"]
    api.clock.at = before + HOUR - 1
    assert code(api, token) is None
    api.clock.at = before + HOUR
    assert code(api, token) == "token_expired"
    api.clock.at = before


def test_a_revoked_token_ends_at_once_and_stays_readable(api: Api) -> None:
    document = made(api)
    path = f"/v1/tokens/{document['id']}"
    assert code(api, document["token"]) is None
    answer = api.call("DELETE", path, token=ADMIN)
    assert (answer.status_code, answer.json()["deleted"]) == (200, True)
    assert code(api, document["token"]) == "token_revoked"
    assert api.call("GET", path, token=ADMIN).json()["revoked_at"] == to_text(api.clock())
    again = api.call("DELETE", path, token=ADMIN)
    assert (again.status_code, again.json()["message"]) == (200, f"Token {document['id']} was already revoked.")


def test_a_token_may_revoke_itself_and_no_other(api: Api) -> None:
    mine, other = made(api), made(api)
    refused = api.call("DELETE", f"/v1/tokens/{other['id']}", token=mine["token"])
    assert refused.json()["error"]["code"] == "scope_insufficient"
    assert api.call("DELETE", f"/v1/tokens/{mine['id']}", token=mine["token"]).status_code == 200
    assert code(api, mine["token"]) == "token_revoked"
    assert code(api, other["token"]) is None


def test_a_token_ends_no_stronger_one(api: Api) -> None:
    minter, stronger = made(api, scopes=["tokens:write", "monitors:read"]), made(api, scopes=["admin"])
    refused = api.call("DELETE", f"/v1/tokens/{stronger['id']}", token=minter["token"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_insufficient")
    assert code(api, stronger["token"]) is None
    weaker = made(api)
    assert api.call("DELETE", f"/v1/tokens/{weaker['id']}", token=minter["token"]).status_code == 200
    assert api.call("DELETE", f"/v1/tokens/{minter['id']}", token=minter["token"]).status_code == 200


def test_the_last_token_that_can_make_others_stays(tmp_path: Any) -> None:
    with running(tmp_path) as alone:
        path = f"/v1/tokens/{me(alone, ADMIN)['token_id']}"
        passing = made(alone, scopes=["tokens:write"], expires_at=to_text(alone.clock() + HOUR))
        alone.clock.at += HOUR
        refused = alone.call("DELETE", path, token=ADMIN)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "resource_in_use")
        assert "make another with tokens:write first" in refused.json()["message"]
        assert alone.call("DELETE", f"/v1/tokens/{passing['id']}", token=ADMIN).status_code == 200
        made(alone, scopes=["tokens:write"])
        assert alone.call("DELETE", path, token=ADMIN).status_code == 200
        assert code(alone, ADMIN) == "token_revoked"


def test_rotation_gives_another_secret_and_lets_the_old_one_overlap(api: Api) -> None:
    before = api.clock.at
    document = made(api)
    path = f"/v1/tokens/{document['id']}/rotate"
    rotated = api.call("POST", path, {"overlap_seconds": 60}, token=ADMIN).json()
    assert rotated["id"] == document["id"]
    assert rotated["token"] != document["token"]
    assert rotated["last4"] == rotated["token"][-4:]
    api.clock.at = before + 60 * SECOND - 1
    assert (code(api, document["token"]), code(api, rotated["token"])) == (None, None)
    api.clock.at = before + 60 * SECOND
    assert (code(api, document["token"]), code(api, rotated["token"])) == ("token_expired", None)
    api.clock.at = before


def test_rotation_without_a_body_overlaps_for_an_hour_and_with_nought_not_at_all(api: Api) -> None:
    before = api.clock.at
    document = made(api)
    path = f"/v1/tokens/{document['id']}/rotate"
    second = api.call("POST", path, token=ADMIN).json()
    api.clock.at = before + HOUR - 1
    assert code(api, document["token"]) is None
    third = api.call("POST", path, {"overlap_seconds": 0}, token=ADMIN).json()
    assert third["message"].endswith("the secret of before has ended.")
    assert [code(api, one["token"]) for one in (document, second, third)] == ["token_expired", "token_expired", None]
    api.clock.at = before


def test_rotation_is_no_way_to_more(api: Api) -> None:
    minter = made(api, scopes=["tokens:write", "monitors:read"])
    stronger = made(api, scopes=["admin"])
    refused = api.call("POST", f"/v1/tokens/{stronger['id']}/rotate", token=minter["token"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "scope_insufficient")
    weaker = made(api)
    assert api.call("POST", f"/v1/tokens/{weaker['id']}/rotate", token=minter["token"]).status_code == 200
    assert api.call("POST", f"/v1/tokens/{minter['id']}/rotate", token=minter["token"]).status_code == 200


def test_what_has_ended_is_not_rotated(api: Api) -> None:
    document = made(api)
    api.call("DELETE", f"/v1/tokens/{document['id']}", token=ADMIN)
    refused = api.call("POST", f"/v1/tokens/{document['id']}/rotate", token=ADMIN)
    assert (refused.status_code, refused.json()["message"]) == (404, "The token has ended; make a new one.")


def test_overlap_has_bounds(api: Api) -> None:
    path = f"/v1/tokens/{made(api)['id']}/rotate"
    for seconds in (-1, 604_801, "60"):
        assert api.call("POST", path, {"overlap_seconds": seconds}, token=ADMIN).status_code == 422


def test_tokens_are_listed_newest_first_in_pages(api: Api) -> None:
    for number in range(3):
        api.clock.at += 1
        made(api, name=f"page {number}")
    first = api.call("GET", "/v1/tokens?limit=2&include=total", token=ADMIN).json()
    assert [item["name"] for item in first["data"]] == ["page 2", "page 1"]
    assert first["total"] > 3
    second = api.call("GET", f"/v1/tokens?limit=2&cursor={first['next_cursor']}", token=ADMIN).json()
    assert second["data"][0]["name"] == "page 0"
    assert "token" not in first["data"][0]


def test_the_last_use_is_told_to_the_minute(api: Api) -> None:
    document = made(api)
    path = f"/v1/tokens/{document['id']}"
    assert api.call("GET", path, token=ADMIN).json()["last_used_at"] is None
    used = api.clock.at
    for step in (0, MINUTE - SECOND, MINUTE):
        api.clock.at = used + step
        assert code(api, document["token"]) is None
        api.write(lambda _: None)  # the use is written behind the call
        shown = api.call("GET", path, token=ADMIN).json()
        assert shown["last_used_at"] == to_text(used + MINUTE if step == MINUTE else used)
        assert shown["last_used_ip"] == "127.0.0.1"


def test_a_token_may_be_bound_to_networks(api: Api) -> None:
    near, far = made(api, ip_allowlist=["127.0.0.1"]), made(api, ip_allowlist=["192.0.2.0/24", "2001:db8::/32"])
    assert code(api, near["token"]) is None
    refused = api.call("GET", "/v1/me", token=far["token"], headers={"X-Forwarded-For": "192.0.2.7"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "ip_not_allowed")
    assert api.call("GET", "/metrics", token=far["token"]).status_code == 403


def test_behind_a_trusted_proxy_the_address_is_that_of_the_caller(proxied: Api) -> None:
    token = made(proxied, ip_allowlist=["192.0.2.0/24"])["token"]
    for headers, expected in (
        ({"X-Forwarded-For": "192.0.2.7"}, None),
        ({"Forwarded": 'for="192.0.2.7:80"'}, None),
        ({"X-Forwarded-For": "192.0.2.7, 203.0.113.5"}, "ip_not_allowed"),
        ({"X-Forwarded-For": "203.0.113.5", "Forwarded": "for=192.0.2.7"}, "ip_not_allowed"),
        ({"X-Forwarded-For": "unknown"}, "ip_not_allowed"),
        ({}, "ip_not_allowed"),
    ):
        answer = proxied.call("GET", "/v1/me", token=token, headers=headers)
        assert answer.json().get("error", {}).get("code") == expected, headers


def _bind_to_both(api: Api, token_id: str) -> tuple[str, str]:
    """Binds a token to the other team, too, as the operator can; answers the ids of both teams."""
    ours, theirs = me(api, ADMIN)["team_id"], me(api, STRANGER)["team_id"]
    api.write(lambda connection: connection.execute(token_teams.insert().values(token_id=token_id, team_id=theirs)))
    return ours, theirs


def test_a_token_of_several_teams_has_to_say_which(api: Api) -> None:
    document = made(api, scopes=["admin"])
    ours, theirs = _bind_to_both(api, document["id"])
    token = document["token"]
    assert code(api, token) == "invalid_header"
    for named, expected in (("default", ours), (ours, ours), ("other", theirs), (theirs, theirs)):
        answer = api.call("GET", "/v1/me", token=token, headers={"StatusPulse-Team": named}).json()
        assert (answer["team_id"], set(answer["team_ids"])) == (expected, {ours, theirs})
        assert ("probes:write" in answer["scopes"]) is (expected == ours)
    assert api.call("GET", "/v1/me", token=token, headers={"StatusPulse-Team": "nobody"}).status_code == 400
    listed = api.call("GET", "/v1/teams?order=asc", token=token, headers={"StatusPulse-Team": "other"}).json()
    assert [item["id"] for item in listed["data"]] == [ours, theirs]


def test_each_team_sees_what_serves_it_and_may_end_it(api: Api) -> None:
    document = made(api, scopes=["admin"])
    ours, theirs = _bind_to_both(api, document["id"])
    path = f"/v1/tokens/{document['id']}"
    for token, team_id in ((ADMIN, ours), (STRANGER, theirs)):
        shown = api.call("GET", path, token=token).json()
        assert (shown["team_id"], shown["team_ids"]) == (team_id, [team_id])
    # Its secret would open the first team as well.
    assert api.call("POST", f"{path}/rotate", token=STRANGER).status_code == 403
    assert api.call("DELETE", path, token=STRANGER).status_code == 200
    assert code(api, document["token"]) == "token_revoked"


def test_a_token_of_several_teams_may_make_others_of_several(api: Api) -> None:
    document = made(api, scopes=["admin"])
    ours, theirs = _bind_to_both(api, document["id"])
    headers = {"StatusPulse-Team": "other"}
    body = {"name": "both", "scopes": ["read"], "team_ids": [ours, theirs]}
    answer = api.call("POST", "/v1/tokens", body, token=document["token"], headers=headers)
    assert (answer.status_code, answer.json()["team_ids"]) == (201, [ours, theirs])
    for token in (ADMIN, STRANGER):
        log = api.call("GET", f"/v1/audit-log?resource={answer.json()['id']}", token=token).json()["data"]
        assert [entry["action"] for entry in log] == ["token.created"]


def test_what_the_operator_gave_may_have_any_form(api: Api) -> None:
    assert code(api, WRITER) is None
    assert (me(api, WRITER)["token_id"])[:4] == "tok_"


def test_mutated_tokens_are_invalid_and_never_anonymous(api: Api) -> None:
    """One character changed, added or dropped, at every place: the checksum or the digest refuses all of them."""
    text = made(api)["token"]
    mutants = {text[:at] + other + text[at + 1 :] for at in range(len(text)) for other in "0zA_"} - {text}
    mutants |= {text[:at] + text[at + 1 :] for at in range(len(text))} | {text + "0", text.swapcase(), text * 2}
    refused_offline = [mutant for mutant in mutants if not may_be_token(mutant)]
    assert len(refused_offline) > 100
    for mutant in sorted(mutants)[::4]:
        assert code(api, mutant) == "token_invalid", mutant


def test_only_digests_are_kept(api: Api) -> None:
    document = made(api)

    def digests(connection: Connection) -> list[bytes]:
        query = token_secrets.select().where(token_secrets.c.token_id == document["id"])
        return [row.digest for row in connection.execute(query)]

    assert api.database.read_now(digests) == [api.keyring.digest("token", document["token"])]
    assert api.database.read_now(lambda connection: tokens.exists(connection, document["id"]))
    assert not api.database.read_now(lambda connection: people.user_exists(connection, document["id"]))
