"""What the client decides without a network: addresses, calls, retries and how long a call goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.client import Client, RateLimitedError, Retries, UnreachableError, UsageError
from statuspulse.client.address import address_of
from statuspulse.client.calls import get, path_of, post
from statuspulse.client.conversation import Patience, Send, Wait, conversation
from statuspulse.client.refusals import retry_after
from statuspulse.client.replies import Fault, Reply
from statuspulse.client.retries import wait_before_next

LOST = Fault(text="x cut the connection", may_have_arrived=True)
CALL = get(path_of("me"))


def reply(status: int, **headers: str) -> Reply:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    body = b'{"error": {"code": "rate_limited"}, "message": "Too many."}'
    return Reply(status=status, headers=named, body=body)


@pytest.mark.parametrize(
    ("text", "read", "authority"),
    [
        ("https://status.example.com", "https://status.example.com", "status.example.com"),
        (" HTTP://Status.Example.com:8080/v1/ ", "http://status.example.com:8080", "status.example.com:8080"),
        ("https://example.com/pulse/v1", "https://example.com/pulse", "example.com"),
        ("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, read: str, authority: str) -> None:
    assert (str(address_of(text)), address_of(text).authority) == (read, authority)


@pytest.mark.parametrize(
    "text",
    ["status.example.com", "ftp://a", "https://", "https://me:secret@a", "https://a?x=1", "https://a:x", "https://[a",
     "https://a/ä", "https://ä.example", "https://a/b c"],
)  # fmt: skip
def test_an_address_that_would_mislead_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="the server") as raised:
        address_of(text)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_token_that_no_header_can_carry_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(UsageError, match="printable ASCII") as raised:
        Client("http://127.0.0.1", token)
    assert not token or token not in str(raised.value)


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    assert path_of("monitors", "../tokens?x#y") == "/v1/monitors/..%2Ftokens%3Fx%23y"
    assert path_of("monitors", "..") == "/v1/monitors/%2E%2E"
    with pytest.raises(UsageError, match="empty"):
        path_of("monitors", "")


def test_a_client_that_is_closed_makes_no_call() -> None:
    client = Client("http://127.0.0.1:9", "token")
    client.close()
    with pytest.raises(UsageError, match="the client is closed"):
        client.me()
    with pytest.raises(UsageError, match="empty"):
        client.monitors.get("")


def test_a_query_has_only_what_is_given() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    query = {"a": None, "tag": ("x", "y"), "paused": True, "from": at, "empty": ()}
    assert get("/v1/x", query).path == "/v1/x?tag=x&tag=y&paused=true&from=2026-11-23T00%3A00%3A00%2B00%3A00"
    with pytest.raises(UsageError, match="time zone"):
        get("/v1/x", {"from": at.replace(tzinfo=None)})


@pytest.mark.parametrize("key", ["", "two\nlines", "ü"])
def test_a_key_that_no_header_can_carry_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="idempotency_key"):
        post("/v1/x", key=key)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "Mon, 23 Nov 2026 06:20:30 GMT", "date": "Mon, 23 Nov 2026 06:20:00 GMT"}, 30.0),
        ({"retry_after": "Mon, 23 Nov 2026 06:20:00 GMT", "date": "Mon, 23 Nov 2026 06:21:00 GMT"}, 0.0),
        ({"retry_after": "Mon, 23 Nov 2026 06:20:30 GMT"}, None),
        ({"retry_after": "-3"}, None),
        ({"retry_after": "²"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_of_the_servers_clock(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(reply(429, **headers)) == seconds


@given(attempt=st.integers(1, 200), draw=st.floats(0, 0.999), asked=st.integers(0, 10_000))
def test_a_wait_is_never_shorter_than_what_was_asked_for(attempt: int, draw: float, asked: int) -> None:
    found = wait_before_next(
        reply(429, retry_after=str(asked)), attempt=attempt, draw=draw, retries=Retries(attempts=1000)
    )
    assert found is not None
    assert asked <= found <= asked * 1.1


@given(attempt=st.integers(1, 5000), draw=st.floats(0, 0.999))
def test_waits_grow_up_to_a_bound(attempt: int, draw: float) -> None:
    retries = Retries(attempts=10_000, first_seconds=0.5, longest_seconds=8)
    found = wait_before_next(LOST, attempt=attempt, draw=draw, retries=retries)
    assert found is not None
    assert 0 <= found <= min(8, 0.5 * 2 ** min(attempt - 1, 10))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 500])
def test_what_another_attempt_would_not_change_is_not_tried_again(status: int) -> None:
    assert wait_before_next(reply(status, retry_after="1"), attempt=1, draw=0, retries=Retries()) is None


class Clock:
    """Time that moves as the conversation waits."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def outcomes(clock: Clock, answers: Iterator[Reply | Fault], *, takes: float = 0.0, **patience: Any) -> list[float]:
    """When each attempt began; raises what the conversation raises."""
    words: dict[str, Any] = {"attempt_seconds": 10.0, "call_seconds": 60.0, "retries": Retries(attempts=1000)}
    talk = conversation(CALL, Patience(**{**words, **patience}, monotonic=clock, draw=lambda: 0.5))
    begun: list[float] = []
    outcome: Reply | Fault | None = None
    while True:
        try:
            step = talk.send(outcome)
        except StopIteration:
            return begun
        if isinstance(step, Wait):
            clock.at += step.seconds
            outcome = None
            continue
        assert isinstance(step, Send)
        begun.append(clock.at)
        clock.at += min(takes, step.seconds)
        outcome = next(answers)


def test_a_call_waits_between_attempts_and_ends_with_the_good_answer() -> None:
    clock = Clock()
    begun = outcomes(clock, iter([reply(429, retry_after="4"), LOST, reply(200)]))
    assert [after - before for before, after in pairwise(begun)] == [pytest.approx(4.2), pytest.approx(0.2)]


def test_a_call_ends_in_time_however_often_it_fails() -> None:
    clock = Clock()
    with pytest.raises(UnreachableError, match=r"tried \d+ times"):
        outcomes(clock, iter(lambda: LOST, None), takes=10)
    assert 1050 < clock.at <= 1060


def test_an_attempt_gets_no_more_time_than_is_left() -> None:
    clock, given_seconds = Clock(), []
    talk = conversation(
        CALL,
        Patience(attempt_seconds=40, call_seconds=60, retries=Retries(), monotonic=clock, draw=lambda: 0.0),
    )
    step = next(talk)
    for _ in range(2):
        assert isinstance(step, Send)
        given_seconds.append(step.seconds)
        clock.at += step.seconds
        try:
            step = talk.send(LOST)
            step = talk.send(None)
        except UnreachableError:
            break
    assert given_seconds == [40, 20]


def test_no_wait_is_begun_that_outlasts_the_call() -> None:
    clock = Clock()
    with pytest.raises(RateLimitedError) as raised:
        outcomes(clock, iter([reply(429, retry_after="61")]))
    assert (clock.at, raised.value.retry_after_seconds) == (1000.0, 61)


def test_a_single_attempt_may_take_longer_than_a_usual_call() -> None:
    look = post("/v1/x", seconds=75)
    talk = conversation(
        look, Patience(attempt_seconds=1, call_seconds=2, retries=Retries(), monotonic=Clock(), draw=lambda: 0.0)
    )
    step = next(talk)
    assert isinstance(step, Send)
    assert step.seconds == 75
