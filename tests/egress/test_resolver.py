"""Names to addresses against a scripted name server on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import monotonic

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.hosts import Hosts
from statuspulse.egress.resolver import Resolution, Resolver
from tests.targets import DnsTarget, Mood


@pytest.fixture
def server() -> Iterator[DnsTarget]:
    with DnsTarget() as target:
        target.records("a.test", "A", "127.0.0.7")
        yield target


@pytest.fixture
async def resolver(server: DnsTarget) -> AsyncIterator[Resolver]:
    made = Resolver(nameservers=lambda: (server.address,), hosts=Hosts(Path("/etc/hosts")))
    yield made
    made.close()


def addresses(outcome: Resolution | Failure) -> tuple[str, ...]:
    assert isinstance(outcome, Resolution), outcome
    return outcome.addresses


def reason(outcome: Resolution | Failure) -> str:
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureClass.DNS_ERROR
    return outcome.detail.partition(":")[0]


async def test_both_families_are_asked_for(resolver: Resolver, server: DnsTarget) -> None:
    server.records("dual.test", "A", "127.0.0.7", "127.0.0.8")
    server.records("dual.test", "AAAA", "::1")
    assert set(addresses(await resolver.resolve("dual.test", 2.0))) == {"127.0.0.7", "127.0.0.8", "::1"}


async def test_localhost_asks_nobody(resolver: Resolver, server: DnsTarget) -> None:
    assert "127.0.0.1" in addresses(await resolver.resolve("localhost", 2.0))
    assert server.asked == []


async def test_names_are_absolute(resolver: Resolver, server: DnsTarget) -> None:
    assert reason(await resolver.resolve("db", 2.0)) == "nxdomain"
    assert set(server.asked) == {"db. A", "db. AAAA"}


async def test_an_answer_is_kept_for_its_time(resolver: Resolver, server: DnsTarget) -> None:
    for _ in range(3):
        assert addresses(await resolver.resolve("a.test", 2.0)) == ("127.0.0.7",)
    assert server.asked.count("a.test. A") == 1


async def test_an_answer_without_time_is_asked_for_again(resolver: Resolver, server: DnsTarget) -> None:
    server.script("b.test", "A", ("127.0.0.1",), ("127.0.0.2",), ttl=0)
    assert addresses(await resolver.resolve("b.test", 2.0)) == ("127.0.0.1",)
    assert addresses(await resolver.resolve("b.test", 2.0)) == ("127.0.0.2",)


async def test_equal_questions_are_asked_once(resolver: Resolver, server: DnsTarget) -> None:
    server.delay_seconds = 0.05
    outcomes = await asyncio.gather(*(resolver.resolve("a.test", 2.0) for _ in range(20)))
    assert {addresses(outcome) for outcome in outcomes} == {("127.0.0.7",)}
    assert server.asked.count("a.test. A") == 1


@pytest.mark.parametrize(
    ("name", "expected"), [("nobody.test", "nxdomain"), ("empty.test", "no_address"), ("x" * 64 + ".test", "nxdomain")]
)
async def test_a_name_without_address_says_why(resolver: Resolver, server: DnsTarget, name: str, expected: str) -> None:
    server.records("empty.test", "TXT", '"no address"')
    assert reason(await resolver.resolve(name, 2.0)) == expected


async def test_a_failing_name_server_is_servfail(resolver: Resolver, server: DnsTarget) -> None:
    server.mood = Mood.WRONG
    assert reason(await resolver.resolve("a.test", 2.0)) == "servfail"


async def test_a_silent_name_server_is_a_timeout_at_the_deadline(resolver: Resolver, server: DnsTarget) -> None:
    server.mood = Mood.SILENT
    begun = monotonic()
    assert reason(await resolver.resolve("a.test", 0.3)) == "timeout"
    assert 0.25 < monotonic() - begun < 2


async def test_a_name_gets_two_seconds_at_most(resolver: Resolver, server: DnsTarget) -> None:
    server.silence("mute.test")
    begun = monotonic()
    assert reason(await resolver.resolve("mute.test", 30.0)) == "timeout"
    assert 1.75 < monotonic() - begun < 4


async def test_a_missing_name_is_believed_for_seconds_only(
    resolver: Resolver, server: DnsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The server says so for 300 s, and c-ares would believe it; an empty answer even for an hour.
    monkeypatch.setattr("statuspulse.egress.resolver._NEGATIVE_SECONDS", 0.1)
    server.records("empty.test", "TXT", '"no address"')
    for name in ("new.test", "empty.test"):
        assert isinstance(await resolver.resolve(name, 2.0), Failure)
        server.records(name, "A", "127.0.0.9")
        assert isinstance(await resolver.resolve(name, 2.0), Failure)
        await asyncio.sleep(0.12)
        assert addresses(await resolver.resolve(name, 2.0)) == ("127.0.0.9",)


async def test_silence_is_not_remembered(resolver: Resolver, server: DnsTarget) -> None:
    server.mood = Mood.SILENT
    assert reason(await resolver.resolve("a.test", 0.05)) == "timeout"
    server.heal()
    assert addresses(await resolver.resolve("a.test", 2.0)) == ("127.0.0.7",)


async def test_an_answer_too_large_for_a_datagram_comes_over_tcp(resolver: Resolver, server: DnsTarget) -> None:
    server.records("many.test", "A", *(f"127.0.1.{number}" for number in range(200)))
    server.truncates = True
    assert len(addresses(await resolver.resolve("many.test", 2.0))) == 16
    assert server.connections >= 1


async def test_aliases_are_followed_up_to_eight(resolver: Resolver, server: DnsTarget) -> None:
    for number in range(12):
        server.alias(f"c{number}.test", f"c{number + 1}.test")
    server.records("c12.test", "A", "127.0.0.9")
    assert addresses(await resolver.resolve("c4.test", 2.0)) == ("127.0.0.9",)
    assert reason(await resolver.resolve("c3.test", 2.0)) == "servfail"


async def test_a_loop_of_aliases_ends(resolver: Resolver, server: DnsTarget) -> None:
    server.alias("one.test", "two.test")
    server.alias("two.test", "one.test")
    assert reason(await resolver.resolve("one.test", 2.0)) in {"no_address", "servfail"}


async def test_garbage_is_no_answer(resolver: Resolver, server: DnsTarget) -> None:
    server.garbles = True
    assert reason(await resolver.resolve("a.test", 1.0)) in {"servfail", "timeout"}


async def test_silent_names_do_not_delay_good_ones(resolver: Resolver, server: DnsTarget) -> None:
    for number in range(50):
        server.silence(f"mute{number}.test")
    silent = [asyncio.ensure_future(resolver.resolve(f"mute{number}.test", 0.5)) for number in range(50)]
    assert addresses(await resolver.resolve("a.test", 2.0)) == ("127.0.0.7",)
    assert not any(outcome.done() for outcome in silent)
    assert {reason(outcome) for outcome in await asyncio.gather(*silent)} == {"timeout"}


async def test_what_does_not_fit_in_flight_waits_and_is_our_fault_if_it_waits_too_long(
    resolver: Resolver, server: DnsTarget
) -> None:
    server.mood = Mood.SILENT
    outcomes = await asyncio.gather(*(resolver.resolve(f"n{number}.test", 0.3) for number in range(70)))
    kinds = [outcome.kind for outcome in outcomes if isinstance(outcome, Failure)]
    assert kinds.count(FailureClass.DNS_ERROR) == 64
    assert kinds.count(FailureClass.PROBE_ERROR) == 6
    assert len({question.partition(" ")[0] for question in server.asked}) == 64


async def test_who_waited_is_asked_for_when_a_place_is_free(resolver: Resolver, server: DnsTarget) -> None:
    server.delay_seconds = 0.05
    names = [f"w{number}.test" for number in range(100)]
    for name in names:
        server.records(name, "A", "127.0.0.3")
    outcomes = await asyncio.gather(*(resolver.resolve(name, 2.0) for name in names))
    assert {addresses(outcome) for outcome in outcomes} == {("127.0.0.3",)}


async def test_closing_answers_who_waits(server: DnsTarget) -> None:
    server.mood = Mood.SILENT
    resolver = Resolver(nameservers=lambda: (server.address,), hosts=Hosts(Path("/etc/hosts")))
    waiting = asyncio.ensure_future(resolver.resolve("a.test", 2.0))
    await asyncio.sleep(0.05)
    resolver.close()
    outcome = await asyncio.wait_for(waiting, 1.0)
    assert outcome == Failure(FailureClass.PROBE_ERROR, "internal: the resolver is closed")


async def test_questions_need_no_threads(resolver: Resolver, server: DnsTarget) -> None:
    before = threading.active_count()
    server.mood = Mood.SILENT
    await asyncio.gather(*(resolver.resolve(f"t{number}.test", 0.1) for number in range(64)))
    assert threading.active_count() <= before


async def test_the_memory_is_bounded(resolver: Resolver, server: DnsTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspulse.egress.resolver._REMEMBERED", 2)
    for name in ("one.test", "two.test", "three.test"):
        server.records(name, "A", "127.0.0.3")
        await resolver.resolve(name, 2.0)
    assert len(resolver._cache) == 1


async def test_who_waited_too_long_for_a_place_is_not_asked_for_any_more(
    resolver: Resolver, server: DnsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspulse.egress.resolver._IN_FLIGHT", 1)
    monkeypatch.setattr("statuspulse.egress.resolver.LIMIT_SECONDS", 0.1)
    server.delay_seconds = 0.15
    await asyncio.gather(resolver.resolve("a.test", 2.0), resolver.resolve("late.test", 2.0))
    server.delay_seconds = 0
    await asyncio.sleep(0.2)
    assert set(server.asked) == {"a.test. A", "a.test. AAAA"}


async def test_closing_takes_its_sockets_from_the_loop(server: DnsTarget) -> None:
    resolver = Resolver(nameservers=lambda: (server.address,), hosts=Hosts(Path("/etc/hosts")))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        resolver._watch(ours.fileno(), readable=True, writable=True)
        resolver.close()
        loop = asyncio.get_running_loop()
        assert (loop.remove_reader(ours), loop.remove_writer(ours)) == (False, False)


async def test_a_question_that_nobody_waits_for_any_more_holds_no_place(
    resolver: Resolver, server: DnsTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspulse.egress.resolver._IN_FLIGHT", 1)
    server.silence("mute.test")
    assert reason(await resolver.resolve("mute.test", 2.0)) == "timeout"
    begun = monotonic()
    assert addresses(await resolver.resolve("a.test", 2.0)) == ("127.0.0.7",)
    assert monotonic() - begun < 1.9


async def test_an_answer_of_absurd_size_is_kept_although_it_asks_to_be_forgotten(
    resolver: Resolver, server: DnsTarget
) -> None:
    crowd = [f"127.0.{number // 250}.{number % 250 + 1}" for number in range(300)]
    server.records("crowd.test", "A", *crowd, ttl=0)
    first = addresses(await resolver.resolve("crowd.test", 2.0))
    assert len(first) == 16
    asked = len(server.asked)
    assert addresses(await resolver.resolve("crowd.test", 2.0)) == first
    assert len(server.asked) == asked
