"""Which failures our own network may have caused, and what proves that it did not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation
from statuspulse.probe.witness import Domain, Hearing, Proof, domain_of, domain_of_address, is_doubtful

_DOUBTFUL = {
    FailureClass.CONNECT_TIMEOUT,
    FailureClass.CONNECT_ERROR,
    FailureClass.TIMEOUT,
    FailureClass.DNS_ERROR,
}


@pytest.mark.parametrize("kind", FailureClass)
def test_only_what_brought_no_answer_is_doubtful(kind: FailureClass) -> None:
    assert is_doubtful(Failure(kind, "x")) == (kind in _DOUBTFUL)


@pytest.mark.parametrize(
    ("detail", "doubtful"), [("nxdomain: x", False), ("no_address: x", False), ("servfail: x", True)]
)
def test_a_name_server_that_says_there_is_nothing_has_answered(detail: str, *, doubtful: bool) -> None:
    assert is_doubtful(Failure(FailureClass.DNS_ERROR, detail)) is doubtful


@pytest.mark.parametrize(
    ("ip", "domain"),
    [
        ("8.8.8.8", Domain.PUBLIC),
        ("2001:4860:4860::8888", Domain.PUBLIC),
        ("10.0.0.1", Domain.PRIVATE),
        ("fd00::1", Domain.PRIVATE),
        ("::ffff:10.0.0.1", Domain.PRIVATE),
        ("127.0.0.53", None),
        ("::1", None),
    ],
)
def test_an_address_belongs_to_one_domain_and_loopback_to_none(ip: str, domain: Domain | None) -> None:
    assert domain_of_address(ip) is domain


@pytest.mark.parametrize(
    ("kind", "ip", "own", "domain"),
    [
        (FailureClass.DNS_ERROR, None, True, Domain.NAMES),
        (FailureClass.DNS_ERROR, "127.0.0.53", True, Domain.NAMES),  # our stub resolver is on loopback, its way is not
        (FailureClass.DNS_ERROR, "8.8.8.8", False, Domain.PUBLIC),  # a name server that is the target itself
        (FailureClass.TIMEOUT, "10.0.0.1", True, Domain.PRIVATE),
        (FailureClass.TIMEOUT, "127.0.0.1", True, None),
        (FailureClass.TIMEOUT, None, True, Domain.PUBLIC),
    ],
)
def test_where_an_attempt_failed(kind: FailureClass, ip: str | None, own: bool, domain: Domain | None) -> None:
    assert domain_of(Observation(failure=Failure(kind, "timeout"), ip=ip), asks_own_resolver=own) is domain


@given(
    some.lists(some.tuples(some.sampled_from("abc"), some.integers(1, 20)), max_size=12),
    some.sampled_from("abc"),
    some.integers(1, 20),
)
def test_a_success_of_another_host_since_then_proves_and_nothing_else_does(
    successes: list[tuple[str, int]], host: str, begun_at: int
) -> None:
    proof, successes = Proof(), sorted(successes, key=lambda one: one[1])
    for name, at in successes:
        proof.succeed(name, at)
    assert proof.proves(host, begun_at) == any(name != host and at >= begun_at for name, at in successes)


def test_a_witness_speaks_for_what_began_before_its_answer() -> None:
    proof = Proof()
    assert not proof.hear(Hearing.HEARD, 10)
    assert proof.proves("a", 10)
    assert not proof.proves("a", 11)


def test_silence_blinds_until_somebody_is_heard_and_nobody_to_ask_blinds_never() -> None:
    proof = Proof()
    assert not proof.hear(Hearing.NOBODY, 1)
    assert proof.hear(Hearing.SILENCE, 2)
    assert proof.is_blind
    assert not proof.hear(Hearing.SILENCE, 3)
    assert proof.hear(Hearing.HEARD, 4)
    assert not proof.is_blind
