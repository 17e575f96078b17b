"""Apprise words the request and our own gate sends it: no plugin opens a connection of its own."""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import threading
from collections.abc import AsyncIterator, Iterator
from time import monotonic

import pytest

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels import apprise
from statuspulse.delivery.channels.apprise import AppriseChannel
from statuspulse.domain.apprise_schemes import PLUGINS, chosen
from statuspulse.domain.secret import Secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.http_client import HttpClient
from statuspulse.egress.policy import Policy
from tests.delivery.test_slack import DOWN, PUBLIC_URL
from tests.targets import HttpTarget, Mood, http_answer

# The ways out of a process that a module of Python may have.
_CONNECTS = {
    "socket", "ssl", "http", "urllib.request", "smtplib", "ftplib", "subprocess", "asyncio", "httpx", "urllib3",
    "paho", "slixmpp",
}  # fmt: skip
_URLS = [
    "gotifys://push.example/AbCdEfGhIjKlMnO",
    "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "mmosts://chat.example/abcdefghijklmnopqrstuvwxyz",
    "zulip://bot@org/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "opsgenie://11111111-1111-1111-1111-111111111111",
    "pbul://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]


@pytest.fixture
def receiver() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        made.routes["/message"] = http_answer(200, b'{"id":1}', "Content-Type: application/json")
        yield made


@pytest.fixture
async def channel() -> AsyncIterator[AppriseChannel]:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield AppriseChannel(HttpClient(gate), public_url=PUBLIC_URL)
    gate.close()


async def hand_over(channel: AppriseChannel, receiver: HttpTarget, query: str = "") -> Outcome:
    address = Secret(f"gotify://127.0.0.1:{receiver.port}/AbCdEfGhIjKlMnO{query}")
    return await channel.hand_over(address, DOWN, key="evt_1")


@pytest.mark.parametrize("scheme", sorted(PLUGINS))
def test_a_plugin_has_no_way_out_but_ours(scheme: str) -> None:
    kind = apprise._class_of(scheme)
    module = inspect.getmodule(kind)
    assert module is not None
    assert isinstance(vars(module)["requests"], apprise._Requests)
    tree = ast.parse(inspect.getsource(module))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    assert not {name for name in imported if name in _CONNECTS or name.partition(".")[0] in _CONNECTS}
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "requests"
    }
    assert asked <= apprise._SHARED | {"get", "post", "put", "patch", "delete", "request"}


@pytest.mark.parametrize("url", _URLS)
def test_a_url_is_read_by_its_plugin(url: str) -> None:
    assert apprise.is_readable(url)


def test_a_url_that_its_plugin_cannot_use_is_none() -> None:
    assert not apprise.is_readable("pover://nobody")


async def test_a_message_is_what_a_plugin_says_and_leaves_by_our_gate(
    channel: AppriseChannel, receiver: HttpTarget
) -> None:
    assert await hand_over(channel, receiver) == Delivered(200)
    [arrival] = receiver.arrivals
    assert arrival.what == "POST /message HTTP/1.1"
    assert arrival.headers["x-gotify-key"] == "AbCdEfGhIjKlMnO"
    document = json.loads(arrival.body)
    assert document["title"] == "DOWN: Checkout Service Gateway"
    assert "Reason: got 503, expected 200" in document["message"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Refused(error="http_401", status=401)),
        (404, Refused(error="http_404", status=404)),
        (503, Retry(error="http_503", status=503)),
    ],
)
async def test_what_the_provider_answered_is_known(
    channel: AppriseChannel, receiver: HttpTarget, status: int, expected: Outcome
) -> None:
    receiver.routes["/message"] = http_answer(status, b"no")
    assert await hand_over(channel, receiver) == expected


async def test_a_wish_to_wait_is_kept(channel: AppriseChannel, receiver: HttpTarget) -> None:
    receiver.routes["/message"] = http_answer(429, b"", "Retry-After: 7")
    outcome = await hand_over(channel, receiver)
    assert isinstance(outcome, Retry)
    assert outcome.retry_after is not None
    assert outcome.retry_after.text == "7"


async def test_no_wish_in_the_url_changes_how_we_send(channel: AppriseChannel, receiver: HttpTarget) -> None:
    receiver.routes["/message"] = http_answer(302, b"", f"Location: {receiver.url}/elsewhere")
    outcome = await hand_over(channel, receiver, "?redirect=yes&verify=no&retry=5&wait=1&cto=900&rto=900")
    assert outcome == Retry(error="http_302", status=302)
    assert [arrival.path for arrival in receiver.arrivals] == ["/message"]


async def test_an_address_that_policy_denies_gets_nothing(receiver: HttpTarget) -> None:
    gate = Gate(Policy.parse(probe_deny="", delivery_allow="", operator_urls=()))
    outcome = await hand_over(AppriseChannel(HttpClient(gate), public_url=PUBLIC_URL), receiver)
    assert outcome == Retry(error="blocked_by_policy")
    assert receiver.connections == 0
    gate.close()


async def test_whoever_is_cancelled_leaves_no_thread_waiting(channel: AppriseChannel, receiver: HttpTarget) -> None:
    receiver.mood = Mood.SILENT
    begun = monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await hand_over(channel, receiver)
    receiver.mood = Mood.HEALTHY
    assert await hand_over(channel, receiver) == Delivered(200)
    assert monotonic() - begun < 5
    assert not [one for one in threading.enumerate() if one.name.startswith("apprise") and not one.is_alive()]


def test_a_setting_names_what_may_be_used() -> None:
    assert chosen("off") == frozenset()
    assert chosen("all") == PLUGINS.keys()
    assert chosen("gotifys, Pover") == {"gotifys", "pover"}
    with pytest.raises(ValueError, match="'json' is no scheme; there are all, off, bark"):
        chosen("gotify,json")
