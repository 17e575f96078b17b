"""The TCP check goes over to TLS with the servers that people run."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.specs.tcp import Starttls, Step, TcpSpec
from statuspulse.egress.gate import Gate
from statuspulse.probe.tcp import TcpCheck
from tests.peers import postgresql, slapd
from tests.peers.conftest import GOOD, OTHER, wanted
from tests.peers.daemon import HOST, free_port
from tests.peers.pki import Pair

# What each of nginx's mail servers can be asked once the session is encrypted.
_AFTERWARDS = {
    "smtp": (Step(send="EHLO me.test\r\n"), Step(expect="250 AUTH PLAIN"), Step(send="QUIT\r\n"), Step(expect="221 ")),
    "imap": (Step(send="a CAPABILITY\r\n"), Step(expect="AUTH=PLAIN"), Step(expect="a OK")),
    "pop3": (Step(send="CAPA\r\n"), Step(expect="SASL PLAIN"), Step(send="QUIT\r\n"), Step(expect="+OK")),
}


@pytest.fixture
def check(gate: Gate) -> TcpCheck:
    return TcpCheck(gate)


@pytest.fixture
def smtp(pairs: Mapping[str, Pair]) -> Iterator[int]:
    """The port of aiosmtpd, which takes no mail before TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pairs[GOOD].chain, pairs[GOOD].key)
    port = free_port()
    controller = Controller(Sink(), hostname=HOST, port=port, tls_context=context, require_starttls=True)
    controller.start()
    yield port
    controller.stop()


@pytest.fixture(scope="module")
def directory(pairs: Mapping[str, Pair], folder: Callable[[str], Path]) -> Iterator[int]:
    with wanted(lambda: slapd.slapd(folder("slapd"), pairs[GOOD])) as port:
        yield port


@pytest.fixture(scope="module")
def database_port(pairs: Mapping[str, Pair]) -> Iterator[int]:
    with wanted(lambda: postgresql.postgresql(pairs[GOOD])) as port:
        yield port


def spec(port: int, kind: str, *steps: Step, host: str = GOOD) -> TcpSpec:
    return TcpSpec(host=host, port=port, steps=(Step(starttls=Starttls(kind)), *steps))


@pytest.mark.parametrize("protocol", _AFTERWARDS)
async def test_the_mail_servers_of_nginx_go_over_and_go_on(
    check: TcpCheck, mail: Mapping[str, int], protocol: str
) -> None:
    seen = await check.run(spec(mail[protocol], protocol, *_AFTERWARDS[protocol]), timeout_ms=5000)
    assert seen.failure is None, seen
    assert seen.certificate is not None
    assert seen.certificate.tls_version == "TLSv1.3"
    assert seen.phases.tls_us is not None


@pytest.mark.parametrize("protocol", _AFTERWARDS)
async def test_behind_starttls_the_name_is_verified(check: TcpCheck, mail: Mapping[str, int], protocol: str) -> None:
    seen = await check.run(spec(mail[protocol], protocol, host=OTHER), timeout_ms=5000)
    assert seen.failure is not None
    assert seen.failure.kind is FailureClass.TLS_ERROR
    assert "the certificate is not for other.test but for good.test" in seen.failure.detail


async def test_aiosmtpd_goes_over_and_takes_mail(check: TcpCheck, smtp: int) -> None:
    greeted = (Step(expect="220 "), Step(send="EHLO me.test\r\n"), Step(expect="250 HELP"))
    mail = (Step(send="MAIL FROM:<a@me.test>\r\n"), Step(expect="250 OK"))
    secured = await check.run(spec(smtp, "smtp", *greeted[1:], *mail), timeout_ms=5000)
    assert secured.failure is None, secured
    later = TcpSpec(host=GOOD, port=smtp, steps=(*greeted, Step(starttls=Starttls.SMTP), *greeted[1:], *mail))
    assert (await check.run(later, timeout_ms=5000)).failure is None
    refusal = Step(expect="530 Must issue a STARTTLS command first")
    plain = TcpSpec(host=GOOD, port=smtp, steps=(*greeted, mail[0], refusal))
    assert (await check.run(plain, timeout_ms=5000)).failure is None


async def test_openldap_goes_over(check: TcpCheck, directory: int) -> None:
    seen = await check.run(spec(directory, "ldap"), timeout_ms=5000)
    assert seen.failure is None, seen
    assert seen.certificate is not None
    assert seen.certificate.tls_version == "TLSv1.3"


async def test_postgresql_goes_over(check: TcpCheck, database_port: int) -> None:
    seen = await check.run(spec(database_port, "postgres"), timeout_ms=5000)
    assert seen.failure is None, seen
    assert seen.certificate is not None
    assert seen.certificate.tls_version == "TLSv1.3"
    wrong = await check.run(spec(database_port, "postgres", host=OTHER), timeout_ms=5000)
    assert wrong.failure is not None
    assert wrong.failure.kind is FailureClass.TLS_ERROR
