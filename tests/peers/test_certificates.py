"""Certificates as nginx shows them: every kind of check names the same fault, and what is still good passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import time_ns

import pytest
from cryptography import x509

from statuspulse.domain.assertion import Assertion, Operator, Source
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.domain.specs.tls import TlsSpec
from statuspulse.domain.times import from_datetime, to_text
from statuspulse.egress.gate import Gate
from statuspulse.probe.http import HttpCheck
from statuspulse.probe.tcp import TcpCheck
from statuspulse.probe.tls import TlsCheck
from tests.peers.conftest import ALONE, GOOD, HALF, NAMES, OTHER, PAST, SOON, SOON_DAYS
from tests.peers.nginx import Web
from tests.peers.pki import Pair

Look = Callable[[str], Awaitable[Observation]]


@pytest.fixture(params=["http", "tls", "tcp"])
def look(request: pytest.FixtureRequest, gate: Gate, web: Web) -> Look:
    """A look at nginx under a name, with each kind of check that reads certificates."""

    async def by_http(name: str) -> Observation:
        return await HttpCheck(gate, now).run(HttpSpec(url=web.url_of(name) + "/page"), timeout_ms=5000)

    async def by_tls(name: str) -> Observation:
        return await TlsCheck(gate, now).run(TlsSpec(host=name, port=web.tls_port), timeout_ms=5000)

    async def by_tcp(name: str) -> Observation:
        return await TcpCheck(gate).run(TcpSpec(host=name, port=web.tls_port, tls=True), timeout_ms=5000)

    return {"http": by_http, "tls": by_tls, "tcp": by_tcp}[request.param]


def now() -> int:
    return time_ns() // 1_000_000


def failed(seen: Observation, kind: FailureClass = FailureClass.TLS_ERROR) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen
    return seen.failure.detail


def end_of(pair: Pair) -> int:
    chain = x509.load_pem_x509_certificates(pair.chain.read_bytes())
    return min(from_datetime(one.not_valid_after_utc) for one in chain)


@pytest.mark.parametrize("name", NAMES)
async def test_the_end_of_every_certificate_is_told(look: Look, pairs: Mapping[str, Pair], name: str) -> None:
    seen = await look(name)
    assert seen.certificate is not None
    assert (seen.certificate.not_after, seen.certificate.tls_version) == (end_of(pairs[name]), "TLSv1.3")


@pytest.mark.parametrize("name", [GOOD, SOON])
async def test_a_certificate_is_good_to_its_last_day(look: Look, name: str) -> None:
    assert (await look(name)).failure is None


async def test_a_self_signed_certificate_is_called_so(look: Look) -> None:
    assert failed(await look(ALONE)) == "the certificate is self-signed"


async def test_a_wrong_host_name_is_told_with_the_right_ones(look: Look) -> None:
    expected = "the certificate is not for other.test but for elsewhere.test, www.elsewhere.test"
    assert failed(await look(OTHER)) == expected


async def test_a_chain_without_its_middle_names_what_is_missing(look: Look) -> None:
    detail = failed(await look(HALF))
    assert detail.startswith("the chain is incomplete or its issuer is not trusted: no certificate of ")
    assert detail.endswith(" was sent or is known")
    assert "trustme" in detail


async def test_an_expired_certificate_is_told_with_its_day(look: Look, pairs: Mapping[str, Pair]) -> None:
    detail = failed(await look(PAST), FailureClass.TLS_EXPIRED)
    assert detail == f"a certificate of the chain expired on {to_text(end_of(pairs[PAST]))[:10]}"


async def test_five_days_are_less_than_a_week(gate: Gate, web: Web) -> None:
    tls = TlsCheck(gate, now)
    late = await tls.run(TlsSpec(host=SOON, port=web.tls_port, min_days_left=7), timeout_ms=5000)
    enough = await tls.run(TlsSpec(host=SOON, port=web.tls_port, min_days_left=SOON_DAYS), timeout_ms=5000)
    rule = Assertion(Source.TLS_DAYS_LEFT, None, Operator.GTE, 7)
    spec = HttpSpec(url=web.url_of(SOON) + "/page", assertions=(rule,))
    by_rule = await HttpCheck(gate, now).run(spec, timeout_ms=5000)
    words = "5 days left until a certificate of the chain ends, expected at least 7"
    assert failed(late, FailureClass.ASSERTION_FAILED) == words
    assert enough.failure is None
    assert failed(by_rule, FailureClass.ASSERTION_FAILED) == "tls_days_left gte 7 does not hold: it is 5"
