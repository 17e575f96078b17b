"""Every kind of channel over real sockets, against receivers that take only what the vendor's documents allow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from statuspulse.delivery.channel import Delivered, Outcome, Refused, Retry
from statuspulse.delivery.channels import discord, email, ntfy, pagerduty, slack, teams, telegram
from statuspulse.delivery.registry import channels
from statuspulse.delivery.vendors import Vendors
from statuspulse.domain.backoff import RetryAfter
from statuspulse.domain.channel_addresses import HttpsReceiver
from statuspulse.domain.message import Action, Facts, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.webhook import new_secret
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from tests.delivery import vendors
from tests.delivery.test_slack import ACKNOWLEDGED, DOWN, PUBLIC_URL, UP, about
from tests.delivery.vendors import Vendor
from tests.targets import Arrival, http_answer

TOKEN = "t0k3n-" * 5
KEY = "0123456789abcdef0123456789abcdef"
EVENT = "evt_01m83h82v9n9zddwg375pc8fqs"
TEST = Message.without_incident(Action.TEST, "Ops works", at=DOWN.at, actor="ops", note="Nothing is down.")
DIGEST = Message.without_incident(Action.DIGEST, "200 messages", at=DOWN.at, actor="x", note="DOWN: <@a> *b*\n" * 400)
UPDATE = replace(about(flapping=True), action=Action.UPDATE)
# What a target or a user could try: markup of every receiver, mentions, line ends, and very much of it.
NASTY = "@everyone <@1> <!channel> [x](https://evil.example) *b* _i_ `c` <b>&\r\nBcc: a@b.c\u202e" * 40
HOSTILE = replace(
    about(reason=NASTY, note=NASTY, failing_regions=(NASTY, "b")), title=NASTY, actor=NASTY, assignee=NASTY
)
MESSAGES = [DOWN, ACKNOWLEDGED, UP, UPDATE, TEST, DIGEST, HOSTILE]
KINDS: dict[str, tuple[Callable[[Arrival], bytes], str]] = {
    "pagerduty": (vendors.pagerduty, f"pagerduty://{KEY}"),
    "discord": (vendors.discord, f"discord://123456/{TOKEN}"),
    "telegram": (vendors.telegram, f"tgram://123456:{TOKEN}/-1001"),
    "teams": (vendors.teams, "teams+{url}/flow?sig=s3cret"),
    "ntfy": (vendors.ntfy, "ntfy://tk_abc@{host}/alerts"),
    "webhook": (vendors.webhook, "{url}/hook?key=s3cret"),
}


class Scene:
    """A channel of one kind and the vendor behind it."""

    def __init__(self, kind: str, vendor: Vendor, gate: Gate) -> None:
        self.kind = kind
        self.vendor = vendor
        own = Vendors(slack=vendor.url, discord=vendor.url, telegram=vendor.url, pagerduty=f"{vendor.url}/v2/enqueue")
        self._channel = channels(gate, public_url=PUBLIC_URL, now=lambda: DOWN.at, vendors=own)[kind]
        form = KINDS[kind][1]
        self.address = form.format(url=vendor.url, host=vendor.url.removeprefix("http://"))

    async def tell(self, message: Message = DOWN, *, address: str | None = None) -> Outcome:
        return await self._channel.hand_over(Secret(address or self.address), message, key=EVENT)


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    made = Gate(Policy.parse(probe_deny="", delivery_allow="127.0.0.0/8", operator_urls=()))
    yield made
    made.close()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture(params=list(KINDS))
def scene(request: pytest.FixtureRequest, stack: ExitStack, gate: Gate) -> Scene:
    return Scene(request.param, stack.enter_context(Vendor(KINDS[request.param][0])), gate)


def of_kind(kind: str, stack: ExitStack, gate: Gate) -> Scene:
    return Scene(kind, stack.enter_context(Vendor(KINDS[kind][0])), gate)


async def test_the_vendor_takes_every_kind_of_message(scene: Scene) -> None:
    for message in MESSAGES:
        assert isinstance(await scene.tell(message), Delivered), scene.vendor.refused
    assert scene.vendor.refused == []


async def test_refusals_for_good_and_for_now_are_told_apart(scene: Scene) -> None:
    for status in (400, 401, 403, 404, 410):
        scene.vendor.script.append(http_answer(status, b"{}"))
        assert await scene.tell() == Refused(error=f"http_{status}", status=status)
    for status in (302, 408, 500, 503):
        scene.vendor.script.append(http_answer(status, b"{}", "Location: /elsewhere"))
        assert await scene.tell() == Retry(error=f"http_{status}", status=status)
    scene.vendor.script.append(http_answer(429, b"{}", "Retry-After: 7"))
    outcome = await scene.tell()
    assert isinstance(outcome, Retry)
    assert outcome.retry_after is not None
    assert outcome.retry_after.text == "7"


async def test_an_address_of_another_kind_is_refused_unsent(scene: Scene) -> None:
    assert await scene.tell(address="slack://hooks/T0/B0/abc") == Refused(error="address_invalid")
    assert scene.vendor.arrivals == []


async def test_an_address_that_policy_denies_gets_nothing(stack: ExitStack) -> None:
    closed = Gate(Policy.parse(probe_deny="", delivery_allow="", operator_urls=()))
    for kind in KINDS:
        scene = of_kind(kind, stack, closed)
        assert await scene.tell() == Retry(error="blocked_by_policy"), kind
        assert scene.vendor.connections == 0, kind
    closed.close()


async def test_pagerduty_knows_all_of_an_incident_by_its_id(stack: ExitStack, gate: Gate) -> None:
    scene = of_kind("pagerduty", stack, gate)
    for message in (DOWN, UPDATE, ACKNOWLEDGED, UP):
        await scene.tell(message)
    taken = scene.vendor.taken
    assert [one["event_action"] for one in taken] == ["trigger", "trigger", "acknowledge", "resolve"]
    assert {one["dedup_key"] for one in taken} == {DOWN.incident_id}
    payload = taken[0]["payload"]
    assert payload["summary"] == "DOWN: Checkout Service Gateway (got 503, expected 200; 2 of 3 regions)"
    assert payload["custom_details"]["failing"] == "2 of 3 regions: us-east, eu-west"
    assert [link["text"] for link in taken[0]["links"]] == ["Runbook"]


async def test_a_trial_leaves_no_alert_open_at_pagerduty(stack: ExitStack, gate: Gate) -> None:
    scene = of_kind("pagerduty", stack, gate)
    assert await scene.tell(TEST) == Delivered(202)
    assert [(one["event_action"], one["dedup_key"]) for one in scene.vendor.taken] == [
        ("trigger", EVENT),
        ("resolve", EVENT),
    ]
    assert scene.vendor.taken[0]["payload"]["severity"] == "info"


@pytest.mark.parametrize(
    ("kind", "body", "seconds"),
    [
        ("discord", b'{"message":"You are being rate limited.","retry_after":0.65,"global":false}', "1"),
        ("telegram", b'{"ok":false,"error_code":429,"parameters":{"retry_after":14}}', "14"),
    ],
)
async def test_a_wait_that_stands_in_the_body_is_kept(
    stack: ExitStack, gate: Gate, kind: str, body: bytes, seconds: str
) -> None:
    scene = of_kind(kind, stack, gate)
    scene.vendor.script.append(http_answer(429, body))
    expected = Retry(error="http_429", status=429, retry_after=RetryAfter(text=seconds, answered=None))
    assert await scene.tell() == expected


async def test_telegram_has_to_say_ok(stack: ExitStack, gate: Gate) -> None:
    scene = of_kind("telegram", stack, gate)
    scene.vendor.script.append(http_answer(200, b'{"ok":false}'))
    assert await scene.tell() == Retry(error="unexpected_answer", status=200)


async def test_a_server_of_the_user_can_verify_what_it_gets_by_either_secret(stack: ExitStack, gate: Gate) -> None:
    scene = of_kind("webhook", stack, gate)
    new, old = new_secret(), new_secret()
    address = HttpsReceiver(scene.address, (new, old)).canonical
    assert await scene.tell(address=address) == Delivered(204)
    (arrival,) = scene.vendor.arrivals
    assert arrival.path == "/hook?key=s3cret"
    assert arrival.headers["webhook-id"] == EVENT
    for secret in (new, old):
        # The library holds the instant against its own clock; the signature is over ours.
        signature = Webhook(secret).sign(EVENT, _instant(arrival), arrival.body.decode())
        assert signature in arrival.headers["webhook-signature"].split(" ")
    document = json.loads(arrival.body)
    assert (document["type"], document["id"]) == ("incident.triggered", EVENT)
    assert document["data"]["incident"]["id"] == DOWN.incident_id
    assert document["data"]["failing_regions"] == ["us-east", "eu-west"]


def test_what_helps_at_night_stands_in_every_rendering() -> None:
    down = replace(DOWN, ack_key="once")
    renderings = {
        "slack": json.dumps(slack.render(down, PUBLIC_URL)),
        "pagerduty": json.dumps(pagerduty.render(down, KEY, EVENT, PUBLIC_URL)),
        "discord": json.dumps(discord.render(down, PUBLIC_URL)).replace("\\\\", ""),
        "telegram": json.dumps(telegram.render(down, "1", PUBLIC_URL), ensure_ascii=False).replace("\u2060", ""),
        "teams": json.dumps(teams.render(down, PUBLIC_URL)).replace("\\\\", ""),
        "ntfy": json.dumps(ntfy.render(down, "alerts", PUBLIC_URL)),
        "email": email.render(down, EVENT, "a@b.c", "d@e.f", PUBLIC_URL).get_body(("plain",)).get_content(),  # type: ignore[union-attr]
    }
    for kind, text in renderings.items():
        for said in (
            "Checkout Service Gateway",
            "got 503, expected 200",
            "2 of 3 regions",
            "us-east, eu-west",
            f"{PUBLIC_URL}/ack/once",
            "https://wiki.acme.example/checkout",
        ):
            assert said in text, (kind, said)


def test_nothing_from_outside_is_markup_anywhere() -> None:
    said = discord.render(HOSTILE, PUBLIC_URL)
    assert said["allowed_mentions"] == {"parse": []}
    for text in (said["content"], said["embeds"][0]["title"]):
        assert "<@1>" not in text
        assert "[x](" not in text
    card = json.dumps(teams.render(HOSTILE, PUBLIC_URL))
    assert "[x](" not in card
    assert "parse_mode" not in telegram.render(HOSTILE, "1", PUBLIC_URL)
    assert "@everyone" not in telegram.render(HOSTILE, "1", PUBLIC_URL)["text"]
    html = email.render(HOSTILE, EVENT, "a@b.c", "d@e.f", PUBLIC_URL).get_body(("html",))
    assert html is not None
    assert "<b>" not in html.get_content()


def test_a_message_without_facts_renders_everywhere() -> None:
    bare = replace(DOWN, facts=Facts())
    assert pagerduty.render(bare, KEY, EVENT, PUBLIC_URL)["payload"]["source"] == "StatusPulse"
    assert "TRIGGERED" in telegram.render(bare, "1", PUBLIC_URL)["text"]


def _instant(arrival: Arrival) -> datetime:
    return datetime.fromtimestamp(int(arrival.headers["webhook-timestamp"]), UTC)


async def test_a_state_that_is_no_outage_is_one_alert_until_the_monitor_is_up(stack: ExitStack, gate: Gate) -> None:
    scene = of_kind("pagerduty", stack, gate)
    degraded = replace(
        Message.without_incident(Action.NOTICE, "Shop is degraded", at=DOWN.at, actor="statuspulse"),
        state="degraded",
        severity="warning",
        facts=DOWN.facts,
    )
    await scene.tell(degraded)
    await scene.tell(replace(degraded, state="up"))
    first, last = scene.vendor.taken
    assert (first["event_action"], first["payload"]["severity"]) == ("trigger", "warning")
    assert (last["event_action"], last["dedup_key"]) == ("resolve", first["dedup_key"])
