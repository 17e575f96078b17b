"""Failures wait for a witness; what they wait for is scripted, and time is virtual."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases, Result, ResultKind
from statuspulse.probe.docket import Docket
from statuspulse.probe.witness import Domain, Hearing

pytestmark = pytest.mark.virtual_time

TIMEOUT = Failure(FailureClass.TIMEOUT, "no answer")
WRONG = Failure(FailureClass.STATUS_MISMATCH, "got 503")
NO_ROUTE = Failure(FailureClass.PROBE_ERROR, "no_route: network is unreachable")
UNRESOLVED = Failure(FailureClass.DNS_ERROR, "timeout: no answer about x")


@dataclass
class Bench:
    """A docket whose witnesses say what `answers` holds; every round is noted."""

    now: Callable[[], int]
    answers: dict[Domain, Hearing] = field(default_factory=lambda: dict.fromkeys(Domain, Hearing.HEARD))
    rounds: list[tuple[int, Domain]] = field(default_factory=list)
    told: list[Result] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        self.docket = Docket(ask=self._ask, changed=self._change, now=self.now)

    async def _ask(self, domain: Domain) -> Hearing:
        self.rounds.append((self.now(), domain))
        await asyncio.sleep(0.1)
        return self.answers[domain]

    def _change(self) -> None:
        self.changes += 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.docket.run())
            yield
            task.cancel()

    def see(self, failure: Failure | None, ip: str | None, monitor: str = "mon_1", took_ms: int = 50) -> None:
        now = self.now()
        result = Result(
            monitor_id=monitor,
            region="local",
            scheduled_at=now - took_ms,
            kind=ResultKind.SCHEDULED,
            round=1,
            lag_us=0,
            observed_at=now,
            attempt=1,
            config_version=1,
            observation=Observation(failure=failure, ip=ip, phases=Phases(dns_us=10) if failure is None else Phases()),
        )
        if failure is None:
            self.docket.note(result)
            self.told.append(result)
        else:
            self.docket.take(result, 10_000, self.told.append, asks_own_resolver=True)

    def kinds(self) -> list[str]:
        return ["ok" if (seen := one.observation.failure) is None else seen.kind.value for one in self.told]


@pytest.fixture
def bench(now: Callable[[], int]) -> Bench:
    return Bench(now)


async def test_while_all_is_well_nobody_is_asked(bench: Bench) -> None:
    async with bench.running():
        for number in range(20):
            bench.see(None, f"8.8.8.{number}")
            bench.see(WRONG, "9.9.9.9")
            bench.see(TIMEOUT, "127.0.0.1")
            await asyncio.sleep(1)
    assert bench.rounds == []
    assert bench.kinds() == ["ok", "status_mismatch", "timeout"] * 20


async def test_a_failure_counts_at_once_where_another_host_of_its_class_worked_meanwhile(bench: Bench) -> None:
    async with bench.running():
        bench.see(None, "8.8.8.8")
        await asyncio.sleep(0.02)
        bench.see(TIMEOUT, "9.9.9.9")
        assert bench.kinds() == ["ok", "timeout"]
        bench.see(TIMEOUT, "8.8.8.8")  # the host itself is no witness
        bench.see(TIMEOUT, "192.168.1.1")  # a public answer came through the gateway
        assert bench.kinds() == ["ok", "timeout", "timeout"]
        await asyncio.sleep(2)
    assert bench.kinds() == ["ok", "timeout", "timeout", "timeout"]
    assert [domain for _, domain in bench.rounds] == [Domain.PUBLIC]


async def test_a_private_neighbour_proves_nothing_of_public_addresses(bench: Bench) -> None:
    async with bench.running():
        bench.see(None, "10.0.0.1")
        bench.see(TIMEOUT, "9.9.9.9")
        await asyncio.sleep(2)
    assert [domain for _, domain in bench.rounds] == [Domain.PUBLIC]


async def test_without_a_witness_the_probe_is_blind_until_one_answers(bench: Bench) -> None:
    bench.answers[Domain.PUBLIC] = Hearing.SILENCE
    async with bench.running():
        bench.see(TIMEOUT, "9.9.9.9")
        assert bench.kinds() == []
        await asyncio.sleep(1)
        assert (bench.kinds(), bench.docket.blind, bench.changes) == (["probe_blind"], ["public"], 1)
        bench.see(TIMEOUT, "9.9.9.9")
        bench.see(NO_ROUTE, "8.8.8.8")
        assert bench.kinds() == ["probe_blind"] * 3
        bench.see(None, "10.0.0.1")
        bench.see(TIMEOUT, "127.0.0.1")
        assert bench.kinds()[3:] == ["ok", "timeout"]
        await asyncio.sleep(60)
        assert 9 <= len(bench.rounds) <= 12
        bench.answers[Domain.PUBLIC] = Hearing.HEARD
        await asyncio.sleep(7)
        assert (bench.docket.blind, bench.changes) == ([], 2)
        asked = len(bench.rounds)
        await asyncio.sleep(60)
        assert len(bench.rounds) == asked


async def test_a_check_that_began_while_the_probe_was_blind_is_no_verdict(bench: Bench) -> None:
    bench.answers[Domain.PUBLIC] = Hearing.SILENCE
    async with bench.running():
        bench.see(TIMEOUT, "9.9.9.9")
        await asyncio.sleep(1)
        bench.see(None, "8.8.8.8")
        await asyncio.sleep(0.01)
        bench.see(TIMEOUT, "9.9.9.9", took_ms=50)
        await asyncio.sleep(0.1)
        bench.see(None, "8.8.8.8")
        bench.see(TIMEOUT, "9.9.9.9", took_ms=50)
    assert bench.kinds() == ["probe_blind", "ok", "probe_blind", "ok", "timeout"]


async def test_a_success_ends_the_blindness(bench: Bench) -> None:
    bench.answers[Domain.PRIVATE] = Hearing.SILENCE
    async with bench.running():
        bench.see(TIMEOUT, "10.0.0.1")
        await asyncio.sleep(1)
        assert bench.docket.blind == ["private"]
        bench.see(None, "10.0.0.1")
        assert bench.docket.blind == []


async def test_a_check_that_goes_well_while_nobody_answers_is_a_witness(bench: Bench) -> None:
    bench.answers[Domain.PUBLIC] = Hearing.SILENCE
    async with bench.running():
        bench.see(TIMEOUT, "9.9.9.9")
        await asyncio.sleep(0.05)
        bench.see(None, "8.8.8.8")
        await asyncio.sleep(1)
    assert (bench.kinds(), bench.docket.blind) == (["ok", "timeout"], [])


async def test_where_there_is_nobody_to_ask_failures_count(bench: Bench) -> None:
    bench.answers = dict.fromkeys(Domain, Hearing.NOBODY)
    async with bench.running():
        bench.see(TIMEOUT, "10.0.0.1")
        bench.see(UNRESOLVED, None)
        await asyncio.sleep(1)
    assert sorted(bench.kinds()) == ["dns_error", "timeout"]
    assert bench.docket.blind == []


async def test_a_resolver_that_is_gone_is_nobodys_outage_and_no_class_of_addresses_is_lost(bench: Bench) -> None:
    bench.answers[Domain.NAMES] = Hearing.SILENCE
    async with bench.running():
        bench.see(UNRESOLVED, None)
        await asyncio.sleep(1)
        assert (bench.kinds(), bench.docket.blind) == (["probe_blind"], [])
        bench.see(None, "8.8.8.8", monitor="mon_2")
        await asyncio.sleep(0.1)
        bench.see(None, "8.8.8.8", monitor="mon_2")  # another name was resolved
        bench.see(UNRESOLVED, None)
        assert bench.kinds() == ["probe_blind", "ok", "ok", "dns_error"]


async def test_a_fault_of_ours_stays_one_when_a_witness_answers(bench: Bench) -> None:
    async with bench.running():
        bench.see(NO_ROUTE, "2001:db8::1")
        await asyncio.sleep(1)
    assert bench.kinds() == ["probe_error"]


async def test_many_failures_cost_one_round_a_second(bench: Bench) -> None:
    async with bench.running():
        for number in range(100):
            bench.see(TIMEOUT, f"9.9.9.{number}")
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
    assert bench.kinds() == ["timeout"] * 100
    assert len(bench.rounds) <= 13


async def test_an_end_leaves_no_failure_that_nobody_has_proved(bench: Bench) -> None:
    bench.see(TIMEOUT, "9.9.9.9")
    bench.docket.close()
    assert bench.kinds() == ["probe_blind"]


# --- the blackout brake ---------------------------------------------------------------------------------------


def fail_all(bench: Bench, failure: Failure) -> None:
    for number in range(12):
        bench.see(None, f"8.8.8.{number}", monitor=f"mon_{number}")
    for number in range(12):
        bench.see(failure, f"8.8.8.{number}", monitor=f"mon_{number}")


async def test_when_most_monitors_fail_at_once_their_failures_wait_and_count_after_thirty_seconds(bench: Bench) -> None:
    async with bench.running():
        fail_all(bench, WRONG)
        assert bench.kinds()[12:] == ["status_mismatch"] * 6
        await asyncio.sleep(29.5)
        assert len(bench.kinds()) == 18
        await asyncio.sleep(2)
        assert bench.kinds()[12:] == ["status_mismatch"] * 12
        assert 4 <= len(bench.rounds) <= 8
        fail_all(bench, WRONG)  # once in ten minutes at most
        assert bench.kinds()[24 + 12 :] == ["status_mismatch"] * 12


async def test_a_suspect_probe_that_hears_nobody_is_blind_and_its_failures_are_void(bench: Bench) -> None:
    async with bench.running():
        fail_all(bench, WRONG)
        await asyncio.sleep(0.5)
        bench.answers[Domain.PUBLIC] = Hearing.SILENCE
        await asyncio.sleep(10)
        assert bench.kinds()[18:] == ["probe_blind"] * 6
        assert bench.docket.blind == ["public"]


async def test_loopback_has_no_part_in_a_blackout(bench: Bench) -> None:
    async with bench.running():
        for number in range(12):
            bench.see(None, "127.0.0.1", monitor=f"mon_{number}")
        for number in range(12):
            bench.see(WRONG, "127.0.0.1", monitor=f"mon_{number}")
    assert bench.kinds()[12:] == ["status_mismatch"] * 12
