"""Witnesses on loopback: anchors that answer, refuse and stay silent, and the hosts that a probe would ask."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from statuspulse.egress.addresses import AddressClass
from statuspulse.egress.anchors import parse_anchors, root_servers
from statuspulse.egress.endpoints import Endpoint
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.anchors import Anchors
from statuspulse.probe.witness import Domain, Hearing, domain_of_address
from tests.targets import Mood, TcpTarget, until

NO_ROUTES = Path("/nowhere/route")


@pytest.fixture
def target() -> Iterator[TcpTarget]:
    with TcpTarget() as made:
        yield made


def at(target: TcpTarget) -> tuple[Endpoint, ...]:
    return (Endpoint("127.0.0.1", target.port, is_address=True),)


class Making(Protocol):
    def __call__(
        self, named: tuple[Endpoint, ...], *, policy: Policy | None = None, routes: Path = NO_ROUTES
    ) -> Anchors: ...


@pytest.fixture
async def anchors() -> AsyncIterator[Making]:
    with contextlib.ExitStack() as closing:

        def make(named: tuple[Endpoint, ...], *, policy: Policy | None = None, routes: Path = NO_ROUTES) -> Anchors:
            gate = Gate(policy or Policy(), nameservers=())
            closing.callback(gate.close)
            return Anchors(gate, named, routes=routes)

        yield make


async def test_an_anchor_that_takes_a_connection_is_heard(anchors: Making, target: TcpTarget) -> None:
    assert await anchors(at(target)).ask(Domain.PUBLIC) is Hearing.HEARD


async def test_a_refusal_is_an_answer(anchors: Making, target: TcpTarget) -> None:
    target.mood = Mood.REFUSING
    assert await anchors(at(target)).ask(Domain.PUBLIC) is Hearing.HEARD


async def test_the_next_anchor_is_asked_where_one_cannot_be_reached(anchors: Making, target: TcpTarget) -> None:
    unreachable = Endpoint("224.0.0.1", 443, is_address=True)
    assert await anchors((unreachable, *at(target))).ask(Domain.PUBLIC) is Hearing.HEARD
    await until(lambda: target.connections == 1)


async def test_an_anchor_that_the_guard_refuses_is_never_dialled(anchors: Making, target: TcpTarget) -> None:
    protecting = Policy(protected=frozenset({("127.0.0.1", target.port)}))
    assert await anchors(at(target), policy=protecting).ask(Domain.PUBLIC) is Hearing.SILENCE
    assert target.connections == 0


async def test_without_anchors_resolvers_and_gateway_there_is_nobody_to_ask(anchors: Making) -> None:
    for domain in Domain:
        assert await anchors(()).ask(domain) is Hearing.NOBODY


async def test_the_gateway_is_a_witness_of_private_addresses_and_stays_one_when_its_route_is_gone(
    anchors: Making, tmp_path: Path
) -> None:
    routes = tmp_path / "route"
    head = "Iface\tDestination\tGateway\tFlags\n"
    routes.write_text(f"{head}lo\t00000000\t0100007F\t0003\neth0\t0000000A\t00000000\t0001\n")
    asked = anchors((), routes=routes)
    # 127.0.0.1 as a gateway: nothing listens at its port 53 here, or something does; both are answers.
    assert await asked.ask(Domain.PRIVATE) is Hearing.HEARD
    routes.write_text(head)
    assert await asked.ask(Domain.PRIVATE) is Hearing.HEARD
    assert await asked.ask(Domain.PUBLIC) is Hearing.NOBODY


def test_anchors_are_addresses_with_ports() -> None:
    assert [anchor.text for anchor in parse_anchors("10.0.0.1:443, [fd00::1]:53")] == ["10.0.0.1:443", "[fd00::1]:53"]


@pytest.mark.parametrize("text", ["10.0.0.1", "anchor.example.com:443", "10.0.0.1:0", "10.0.0.1:443,x", "fd00::1"])
def test_what_is_no_anchor_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|ADDRESS:PORT"):
        parse_anchors(text)


def test_the_anchors_of_whoever_names_none_are_public_name_servers() -> None:
    assert len(root_servers()) >= 3
    assert {(domain_of_address(anchor.host), anchor.port) for anchor in root_servers()} == {(Domain.PUBLIC, 53)}
    assert AddressClass.PUBLIC.value == Domain.PUBLIC.value  # the engine compares what heartbeats say with its classes
