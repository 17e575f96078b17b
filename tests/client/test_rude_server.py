"""The client against a server, and proxies, that do not behave."""

from __future__ import annotations

import socket
import ssl
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from statuspulse.client import (
    ApiError,
    Client,
    ConflictError,
    NotFoundError,
    RateLimitedError,
    Retries,
    StatusPulseError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from tests.api.server import ADMIN, Api
from tests.client.rude import TOKEN, Asked, Step, answer, ask, cut, page, refusal, rude

NOW = {"Retry-After": "0"}


def regions(client: Any) -> Any:
    return client.probes.regions()


def test_a_throttled_call_is_made_again(kind: str) -> None:
    with rude(
        refusal(429, "rate_limited", headers=NOW), refusal(503, "starting_up", headers=NOW), page(["a"])
    ) as server:
        assert [region.slug for region in ask(kind, server.url, regions)] == ["a"]
    assert [asked.path for asked in server.asked] == ["/v1/regions?limit=100"] * 3


def test_a_wait_that_does_not_fit_is_not_begun(kind: str) -> None:
    with (
        rude(refusal(429, "rate_limited", headers={"Retry-After": "3600"})) as server,
        pytest.raises(RateLimitedError) as raised,
    ):
        ask(kind, server.url, regions)
    assert (raised.value.retry_after_seconds, len(server.asked)) == (3600, 1)


def test_a_proxy_without_a_server_behind_it_is_asked_again_and_then_told_of(kind: str) -> None:
    with (
        rude(answer(502, raw=b"<h1>Bad Gateway</h1>", headers={"Content-Type": "text/html"})) as server,
        pytest.raises(UnexpectedAnswerError) as raised,
    ):
        ask(kind, server.url, regions)
    assert str(raised.value) == "something in front of StatusPulse answered 502 with text/html"
    assert (raised.value.status, len(server.asked)) == (502, 4)


def test_a_redirect_is_told_and_not_followed(kind: str) -> None:
    with rude(page([])) as elsewhere:
        moved = answer(308, headers={"Location": f"{elsewhere.url}/v1/regions?ticket=secret"})
        with rude(moved) as server, pytest.raises(UnexpectedAnswerError) as raised:
            ask(kind, server.url, regions)
        assert (len(server.asked), len(elsewhere.asked)) == (1, 0)
    assert "redirects to http://127.0.0.1/v1/regions, and redirects are not followed" in str(raised.value)
    assert "ticket" not in str(raised.value)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(cut, id="reset"),
        pytest.param(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: close\r\n\r\n{", id="cut short"),
        pytest.param(lambda _: b"SSH-2.0-OpenSSH_9.2\r\nConnection: close\r\n\r\n", id="no HTTP"),
    ],
)
def test_a_broken_answer_is_asked_for_again(kind: str, broken: Step) -> None:
    with rude(broken, page(["a"])) as server:
        assert len(ask(kind, server.url, regions)) == 1
    assert len(server.asked) == 2
    with rude(broken) as server, pytest.raises(UnreachableError, match="tried 4 times") as raised:
        ask(kind, server.url, regions)
    assert raised.value.may_be_done


@pytest.mark.parametrize(("kind_of_answer", "raw"), [("text/html", b"<p>Sign in"), ("text/csv", b"\xff")])
def test_a_table_is_no_page_of_somebody_else_s(kind: str, kind_of_answer: str, raw: bytes) -> None:
    said = answer(200, raw=raw, headers={"Content-Type": kind_of_answer})
    with rude(said) as server, pytest.raises(UnexpectedAnswerError, match=f"200 came with {kind_of_answer}"):
        ask(kind, server.url, lambda client: client.slos.report_table("slo_1"))


@pytest.mark.parametrize(
    "raw",
    [b'{"object": "list", "data": [{"slug"', b"[]", b"\xff", b'{"data": [{"slug": 1}]}', b'{"data": [{"slug": "a"}]}'],
    ids=["truncated", "no object", "no text", "wrong type", "member missing"],
)
def test_a_whole_answer_that_makes_no_sense_is_an_error_of_ours(kind: str, raw: bytes) -> None:
    with rude(answer(200, raw=raw)) as server, pytest.raises(UnexpectedAnswerError, match="200 came with"):
        ask(kind, server.url, regions)
    assert len(server.asked) == 1


def test_a_server_that_stays_silent_is_given_up_in_time(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="did not answer in time, tried 2 times") as raised:
            ask(kind, url, regions, attempt_seconds=0.05, retries=Retries(attempts=2, first_seconds=0.001))
    assert raised.value.may_be_done


def test_nobody_there_means_that_nothing_was_done(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(UnreachableError, match="refused the connection, tried 4 times") as raised:
        ask(kind, f"http://127.0.0.1:{port}", regions)
    assert not raised.value.may_be_done


def test_a_name_that_is_none_is_an_error_and_no_defect(kind: str) -> None:
    with pytest.raises(UnreachableError, match="cannot be reached"):
        ask(kind, f"http://{'x' * 80}.invalid", regions, retries=Retries(attempts=1))


def _behind(api: Api, broken: int) -> list[Step]:
    """Passes calls on to the API; of the first ones the answers are lost after they were carried out."""

    def passed_on(asked: Asked) -> bytes:
        headers = {name: value for name, value in asked.headers.items() if name not in {"host", "connection"}}
        came = requests.request(asked.method, api.url + asked.path, data=asked.body, headers=headers, timeout=20)
        found: bytes | None = answer(came.status_code, raw=came.content)(asked)
        assert found is not None
        return found

    def lost(asked: Asked) -> None:
        passed_on(asked)

    return [*([lost] * broken), passed_on]


def test_an_answer_that_is_lost_after_the_commit_makes_one_object(kind: str, api: Api) -> None:
    name = f"Lost {kind}"
    with rude(*_behind(api, 2)) as server:
        work = lambda client: client.monitors.create(name=name, type="http", url="https://a.example")  # noqa: E731
        created = ask(kind, server.url, work, token=ADMIN)
    keys = {asked.headers["idempotency-key"] for asked in server.asked}
    assert (len(server.asked), len(keys)) == (3, 1)
    listed = ask(kind, api.url, lambda client: client.monitors.list(q=name), token=ADMIN)
    assert [monitor.id for monitor in listed] == [created.id]


def test_two_calls_have_two_keys_and_a_caller_may_choose_one(kind: str) -> None:
    with rude(answer(201, {})) as server:
        for key in (None, None, "deploy-42"):
            with pytest.raises(UnexpectedAnswerError):
                ask(kind, server.url, partial(_triggered, key))
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert (len(set(keys)), keys[2], len(keys[0])) == (3, "deploy-42", 32)


def _triggered(key: str | None, client: Any) -> Any:
    return client.incidents.trigger(title="x", idempotency_key=key)


def test_what_a_lost_call_has_deleted_is_deleted(kind: str) -> None:
    gone = refusal(404, "resource_missing")
    with rude(cut, gone) as server:
        assert ask(kind, server.url, lambda client: client.monitors.delete("mon_00000000")) is None
    with rude(gone) as server, pytest.raises(NotFoundError):
        ask(kind, server.url, lambda client: client.monitors.delete("mon_00000000"))


def test_a_call_in_work_is_waited_for_and_another_conflict_is_not(kind: str) -> None:
    done = answer(200, {"object": "x"})
    with rude(refusal(409, "idempotency_in_progress", headers=NOW), done) as server:
        assert ask(kind, server.url, lambda client: client.call("POST", "x")) == {"object": "x"}
    assert len(server.asked) == 2
    with rude(refusal(409, "check_in_progress", headers=NOW)) as server, pytest.raises(ConflictError):
        ask(kind, server.url, lambda client: client.call("POST", "x"))
    assert len(server.asked) == 1


def test_a_refusal_says_all_that_the_api_says(kind: str) -> None:
    details = [{"code": "parameter_out_of_range", "param": "interval_seconds", "limit": 10}]
    with (
        rude(refusal(422, "validation_failed", param="interval_seconds", details=details)) as server,
        pytest.raises(ApiError) as raised,
    ):
        ask(kind, server.url, lambda client: client.monitors.create(name="x"))
    error = raised.value
    assert str(error) == "It is validation_failed. (validation_failed, member interval_seconds, request req_1)"
    assert (error.status, error.code, error.param, error.request_id) == (422, "validation_failed", error.param, "req_1")
    assert (error.doc_url, error.details) == ("https://docs.example/validation_failed", tuple(details))


def test_a_defect_of_the_server_is_not_repeated(kind: str) -> None:
    with rude(refusal(500, "internal_error")) as server, pytest.raises(UnavailableError):
        ask(kind, server.url, regions)
    assert len(server.asked) == 1


def test_pages_are_asked_for_as_they_are_wanted(kind: str) -> None:
    with rude(page(["a", "b"], "next&page"), page(["c"])) as server:
        assert [region.slug for region in ask(kind, server.url, regions)] == ["a", "b", "c"]
    assert server.asked[1].path == "/v1/regions?limit=100&cursor=next%26page"


def test_connections_are_kept_and_those_that_were_closed_are_not_used(kind: str) -> None:
    with rude(page([])) as server:
        assert ask(kind, server.url, _three_times(kind)) == 3
    assert server.connections == 1
    with rude(lambda asked: page([])(asked).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)) as server:  # type: ignore[union-attr]
        assert ask(kind, server.url, _three_times(kind)) == 3
    assert (server.connections, len(server.asked)) == (3, 3)


def _three_times(kind: str) -> Any:
    async def asynchronous(client: Any) -> int:
        for _ in range(3):
            assert [region async for region in client.probes.regions()] == []
        return 3

    def blocking(client: Any) -> int:
        for _ in range(3):
            assert list(client.probes.regions()) == []
        return 3

    return blocking if kind == "blocking" else asynchronous


def test_members_to_come_are_left_aside_and_kept_in_the_document(kind: str) -> None:
    with rude(page(["a"])) as server:
        (region,) = ask(kind, server.url, regions)
    assert region.document["member_to_come"] == [1]


def test_nothing_shows_the_token(kind: str) -> None:
    seen: list[str] = []

    def asked_who(client: Any) -> Any:
        seen.append(repr(client))
        return client.me()

    with rude(refusal(401, "token_invalid")) as server:
        for url in (server.url, "http://127.0.0.1:9"):
            with pytest.raises(StatusPulseError) as raised:
                ask(kind, url, asked_who)
            seen += [str(raised.value), repr(raised.value)]
    assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert not [text for text in seen if TOKEN in text or "Bearer" in text]


def test_tls_is_verified_and_a_wrong_certificate_is_not_tried_twice(kind: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(trust)
    known = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(known))
    with rude(page(["a"]), trust=trust) as server:
        with pytest.raises(UnreachableError, match=r"certificate that is not trusted: [^,]*$") as raised:
            ask(kind, server.url, regions)
        assert not raised.value.may_be_done
        assert server.connections == 1
        assert len(ask(kind, server.url, regions, ca_file=known)) == 1


def test_closing_a_client_ends_its_wait() -> None:
    """Of a thread; a task is cancelled."""
    waits = threading.Event()

    def told(asked: Asked) -> bytes | None:
        waits.set()
        return refusal(429, "rate_limited", headers={"Retry-After": "15"})(asked)

    with rude(told) as server:
        client = Client(server.url, TOKEN, retries=Retries(attempts=2), call_seconds=60)
        ended: list[Exception] = []

        def call() -> None:
            try:
                client.me()
            except StatusPulseError as error:
                ended.append(error)

        thread = threading.Thread(target=call)
        thread.start()
        assert waits.wait(20)
        client.close()
        thread.join(10)
        assert not thread.is_alive()
    assert isinstance(ended[0], RateLimitedError)
