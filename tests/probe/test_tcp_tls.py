"""TLS and STARTTLS of the TCP check, against servers that really go over."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate, Observation
from statuspulse.domain.specs.tcp import Starttls, Step, TcpSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.tcp import TcpCheck
from tests import certificates
from tests.postgres import listening_postgres
from tests.starttls_peers import DIALOGUES, SpeakingTarget, echo, smtp, wanting_a_certificate
from tests.targets import DnsTarget, Mood, TcpTarget

LATE = 2190


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
async def check(trusted: str) -> AsyncIterator[TcpCheck]:
    gate = Gate(Policy(), ca_file=trusted)
    yield TcpCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind
    return seen.failure.detail


def secure(tls: ssl.SSLContext) -> SpeakingTarget:
    return SpeakingTarget(echo, tls, from_the_start=True)


def spec(port: int, *steps: Step, **members: Any) -> TcpSpec:
    return TcpSpec(host="127.0.0.1", port=port, steps=steps, **members)


TALK = (Step(expect="hello\r\n"), Step(send="PING\n"), Step(expect="PING"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_script_runs_inside_tls(check: TcpCheck, authority: trustme.CA, version: ssl.TLSVersion) -> None:
    leaf = authority.issue_cert("127.0.0.1", not_after=certificates.year(LATE))
    with secure(certificates.context_of(leaf, version)) as target:
        seen = await check.run(spec(target.port, *TALK, tls=True), timeout_ms=2000)
    assert seen.failure is None
    name = "TLSv1.2" if version is ssl.TLSVersion.TLSv1_2 else "TLSv1.3"
    assert seen.certificate == Certificate(not_after=certificates.year_ms(LATE), tls_version=name)
    parts = (seen.phases.connect_us, seen.phases.tls_us, seen.phases.ttfb_us, seen.phases.transfer_us)
    assert all(part is not None for part in parts)
    assert seen.latency_us == sum(part or 0 for part in parts)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(
    run: Callable[[Coroutine[Any, Any, Observation]], Observation], authority: trustme.CA, trusted: str
) -> None:
    async def main() -> Observation:
        gate = Gate(Policy(), ca_file=trusted)
        try:
            return await TcpCheck(gate).run(spec(target.port, *TALK, tls=True), timeout_ms=2000)
        finally:
            gate.close()

    with secure(certificates.good(authority)) as target:
        assert run(main()).failure is None


async def test_without_a_script_a_handshake_is_enough(check: TcpCheck, authority: trustme.CA) -> None:
    with secure(certificates.good(authority)) as target:
        seen = await check.run(spec(target.port, tls=True), timeout_ms=2000)
    assert seen.failure is None
    assert seen.phases.ttfb_us is None
    assert seen.certificate is not None


async def test_the_first_end_of_the_chain_counts(check: TcpCheck, authority: trustme.CA) -> None:
    leaf = authority.create_child_ca().issue_cert("127.0.0.1", not_after=certificates.year(9000))
    with secure(certificates.context_of(leaf)) as target:
        seen = await check.run(spec(target.port, tls=True), timeout_ms=2000)
    assert seen.failure is None
    assert seen.certificate is not None
    assert seen.certificate.not_after < certificates.year_ms(9000)


async def test_an_expired_certificate_is_tls_expired_and_seen(check: TcpCheck, authority: trustme.CA) -> None:
    with secure(certificates.expired(authority)) as target:
        seen = await check.run(spec(target.port, *TALK, tls=True), timeout_ms=2000)
    assert seen.failure == Failure(FailureClass.TLS_EXPIRED, "a certificate of the chain expired on 2020-03-01")
    assert seen.certificate == Certificate(not_after=certificates.year_ms(2020), tls_version="TLSv1.3")
    assert seen.phases.tls_us is not None
    assert seen.phases.ttfb_us is None
    assert target.heard == []


async def test_every_fault_of_a_chain_has_its_words(check: TcpCheck, authority: trustme.CA, tmp_path: Path) -> None:
    incomplete = certificates.without_intermediate(authority)
    chains = {
        "the certificate is self-signed": certificates.self_signed(tmp_path, days=100),
        "the certificate is not for 127.0.0.1 but for other.example": certificates.good(authority, "other.example"),
        "the chain is incomplete or its issuer is not trusted: no certificate of ": incomplete,
    }
    for words, tls in chains.items():
        with secure(tls) as target:
            seen = await check.run(spec(target.port, *TALK, tls=True), timeout_ms=2000)
        assert failed(seen, FailureClass.TLS_ERROR).startswith(words)
        assert seen.certificate is not None
        assert seen.certificate.tls_version == "TLSv1.3"
    with secure(certificates.good(trustme.CA())) as target:
        failed(await check.run(spec(target.port, tls=True), timeout_ms=2000), FailureClass.TLS_ERROR)


async def test_without_verification_everything_is_taken_and_still_seen(
    check: TcpCheck, authority: trustme.CA, tmp_path: Path
) -> None:
    for tls in (certificates.self_signed(tmp_path, days=100), certificates.expired(authority)):
        with secure(tls) as target:
            seen = await check.run(spec(target.port, *TALK, tls=True, verify=False), timeout_ms=2000)
        assert seen.failure is None
        assert seen.certificate is not None


async def test_another_name_may_be_asked_for(check: TcpCheck, authority: trustme.CA) -> None:
    tls = certificates.good(authority, "mail.example")
    asked: list[str | None] = []
    tls.sni_callback = lambda _peer, name, _context: asked.append(name)
    with secure(tls) as target:
        seen = await check.run(spec(target.port, tls=True, server_name="mail.example"), timeout_ms=2000)
        assert seen.failure is None
        seen = await check.run(spec(target.port, tls=True, server_name="web.example"), timeout_ms=2000)
        assert failed(seen, FailureClass.TLS_ERROR) == "the certificate is not for web.example but for mail.example"
    assert asked == ["mail.example", "web.example"]


async def test_the_name_that_was_resolved_is_verified(authority: trustme.CA, trusted: str) -> None:
    with DnsTarget() as names, secure(certificates.good(authority, "mail.test")) as target:
        names.records("mail.test", "A", "127.0.0.1")
        gate = Gate(Policy(), nameservers=(names.address,), ca_file=trusted)
        try:
            seen = await TcpCheck(gate).run(TcpSpec(host="Mail.test.", port=target.port, tls=True), timeout_ms=2000)
        finally:
            gate.close()
    assert seen.failure is None


async def test_a_server_without_tls_is_a_tls_error(check: TcpCheck) -> None:
    with TcpTarget(banner=b"220 mail ready\r\n") as target:
        seen = await check.run(spec(target.port, tls=True), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_ERROR).startswith("TLS handshake failed: ")
    assert seen.certificate is None


async def test_a_server_that_closes_in_the_handshake_is_a_tls_error(check: TcpCheck) -> None:
    async def leave(_peer: SpeakingTarget, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    with SpeakingTarget(leave) as target:
        seen = await check.run(spec(target.port, tls=True), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_ERROR) == "the connection was closed during the TLS handshake"
    with TcpTarget(mood=Mood.CUTTING) as cutting:
        failed(await check.run(spec(cutting.port, tls=True), timeout_ms=2000), FailureClass.TLS_ERROR)


async def test_a_handshake_without_answer_is_a_time_out(check: TcpCheck) -> None:
    with TcpTarget(mood=Mood.SILENT) as target:
        seen = await check.run(spec(target.port, tls=True), timeout_ms=200)
    assert failed(seen, FailureClass.TIMEOUT) == "no TLS handshake within 200 ms"
    assert seen.phases.tls_us is not None
    assert 150_000 < seen.phases.tls_us < 450_000


async def test_silence_inside_tls_is_a_time_out_and_a_close_a_protocol_error(
    check: TcpCheck, authority: trustme.CA
) -> None:
    async def leave(_peer: SpeakingTarget, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.readline()

    tls = certificates.good(authority)
    with SpeakingTarget(leave, tls, from_the_start=True) as target:
        seen = await check.run(spec(target.port, Step(expect="x"), tls=True), timeout_ms=300)
        failed(seen, FailureClass.TIMEOUT)
        seen = await check.run(spec(target.port, Step(send="x\n"), Step(expect="x"), tls=True), timeout_ms=2000)
        failed(seen, FailureClass.PROTOCOL_ERROR)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_server_that_wants_a_certificate_of_ours_is_a_tls_error(
    check: TcpCheck, authority: trustme.CA, version: ssl.TLSVersion
) -> None:
    """Over TLS 1.3 it says so only after the handshake."""
    tls = certificates.context_of(authority.issue_cert("127.0.0.1"), version)
    with wanting_a_certificate(tls) as port:
        seen = await check.run(spec(port, Step(expect="hello"), tls=True), timeout_ms=2000)
    assert "alert" in failed(seen, FailureClass.TLS_ERROR)


@pytest.mark.parametrize("ca_file", ["missing.pem", "empty.pem"])
async def test_trusted_certificates_that_cannot_be_read_are_our_fault(
    authority: trustme.CA, tmp_path: Path, ca_file: str
) -> None:
    (tmp_path / "empty.pem").write_text("")
    gate = Gate(Policy(), ca_file=str(tmp_path / ca_file))
    try:
        with secure(certificates.good(authority)) as target:
            seen = await TcpCheck(gate).run(spec(target.port, tls=True), timeout_ms=2000)
            assert failed(seen, FailureClass.PROBE_ERROR).startswith("storage: ")
            seen = await TcpCheck(gate).run(spec(target.port, tls=True, verify=False), timeout_ms=2000)
            assert seen.failure is None
    finally:
        gate.close()


# --- STARTTLS ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Starttls)
async def test_each_protocol_goes_over_in_its_own_words(check: TcpCheck, authority: trustme.CA, kind: Starttls) -> None:
    with SpeakingTarget(DIALOGUES[kind], certificates.good(authority)) as target:
        seen = await check.run(spec(target.port, Step(starttls=kind)), timeout_ms=2000)
    assert seen.failure is None
    assert seen.certificate == Certificate(not_after=certificates.year_ms(LATE), tls_version="TLSv1.3")
    parts = (seen.phases.connect_us, seen.phases.tls_us, seen.phases.ttfb_us, seen.phases.transfer_us)
    assert all(part is not None for part in parts)
    assert seen.latency_us == sum(part or 0 for part in parts)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        # Steps before may end in the middle of a line or of an answer of several lines.
        (
            Starttls.SMTP,
            (Step(expect="220-"), Step(send="EHLO me.test\r\n"), Step(expect="250-START")),
            (Step(send="QUIT\r\n"), Step(expect="221 bye")),
        ),
        (Starttls.SMTP, (Step(expect="polite\r\n"),), (Step(send="EHLO me.test\r\n"), Step(expect="250 HELP"))),
        (Starttls.IMAP, (Step(expect="* OK"),), (Step(send="a NOOP\r\n"), Step(expect="a OK"))),
        (Starttls.POP3, (Step(expect="+OK"),), (Step(send="QUIT\r\n"), Step(expect="+OK done"))),
        (Starttls.LDAP, (), (Step(send="x"), Step(expect="x"))),
    ],
)
async def test_a_script_may_speak_before_and_after(
    check: TcpCheck, authority: trustme.CA, kind: Starttls, before: tuple[Step, ...], after: tuple[Step, ...]
) -> None:
    with SpeakingTarget(DIALOGUES[kind], certificates.good(authority)) as target:
        seen = await check.run(spec(target.port, *before, Step(starttls=kind), *after), timeout_ms=2000)
    assert seen.failure is None, seen


REFUSALS = {
    Starttls.SMTP: (b"454 not now\r\n", 'the server refuses STARTTLS: got "454 not now"'),
    Starttls.IMAP: (b"sp1 NO never\r\n", 'the server refuses STARTTLS: got "sp1 NO never"'),
    Starttls.POP3: (b"-ERR no\r\n", 'the server refuses STARTTLS: got "-ERR no"'),
    Starttls.LDAP: (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00", "result code 52"),
    Starttls.POSTGRES: (b"N", "the server does not offer TLS"),
}


@pytest.mark.parametrize("kind", Starttls)
async def test_a_server_that_will_not_go_over_fails_the_assertion(check: TcpCheck, kind: Starttls) -> None:
    refusal, words = REFUSALS[kind]
    with SpeakingTarget(DIALOGUES[kind], refuses=refusal) as target:
        seen = await check.run(spec(target.port, Step(starttls=kind)), timeout_ms=2000)
    assert words in failed(seen, FailureClass.ASSERTION_FAILED)
    assert seen.phases.tls_us is None


@pytest.mark.parametrize("kind", Starttls)
async def test_a_server_of_another_protocol_is_a_protocol_error(check: TcpCheck, kind: Starttls) -> None:
    with TcpTarget(banner=b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3) as target:
        seen = await check.run(spec(target.port, Step(starttls=kind)), timeout_ms=500)
    assert failed(seen, FailureClass.PROTOCOL_ERROR).startswith(f"the answer to STARTTLS is not that of {kind}: ")


@pytest.mark.parametrize("kind", Starttls)
async def test_silence_before_tls_is_a_time_out(check: TcpCheck, kind: Starttls) -> None:
    with SpeakingTarget(DIALOGUES[kind]) as target:
        target.mood = Mood.SILENT
        seen = await check.run(spec(target.port, Step(starttls=kind)), timeout_ms=200)
    assert failed(seen, FailureClass.TIMEOUT) == "no answer to STARTTLS within 200 ms"


async def test_a_close_before_tls_is_a_protocol_error(check: TcpCheck) -> None:
    async def leave(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        await reader.readline()

    with SpeakingTarget(leave) as target:
        seen = await check.run(spec(target.port, Step(starttls=Starttls.SMTP)), timeout_ms=2000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR).startswith("the connection was closed before TLS began")


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        ((b"554 full\r\n",), FailureClass.ASSERTION_FAILED, 'got "554 full"'),
        ((b"220 a\r\n", b"502 what\r\n"), FailureClass.ASSERTION_FAILED, 'got "502 what"'),
        ((b"220 a\r\n", b"250-b\r\n250 SIZE\r\n"), FailureClass.ASSERTION_FAILED, "does not offer STARTTLS"),
        ((b"220 a\r\n", b"250 STARTTLS\r\n", b"220 b\r\n250 evil\r\n"), FailureClass.PROTOCOL_ERROR, "in plain text"),
        ((b"220-" + b"a" * 5000,), FailureClass.PROTOCOL_ERROR, "more than 4096 bytes"),
    ],
)
async def test_a_mail_server_may_fail_at_every_line(
    check: TcpCheck, lines: tuple[bytes, ...], kind: FailureClass, words: str
) -> None:
    async def dialogue(_peer: SpeakingTarget, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
            await reader.readline()

    with SpeakingTarget(dialogue) as target:
        seen = await check.run(spec(target.port, Step(starttls=Starttls.SMTP)), timeout_ms=2000)
    assert words in failed(seen, kind)


async def test_an_expired_certificate_behind_starttls_is_seen(check: TcpCheck, authority: trustme.CA) -> None:
    with SpeakingTarget(smtp, certificates.expired(authority)) as target:
        steps = (Step(expect="220-"), Step(starttls=Starttls.SMTP), Step(send="QUIT\r\n"))
        seen = await check.run(spec(target.port, *steps), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_EXPIRED).startswith("step 2: a certificate of the chain expired on 2020-03-01")
    assert seen.certificate == Certificate(not_after=certificates.year_ms(2020), tls_version="TLSv1.3")
    assert seen.phases.tls_us is not None


async def test_a_real_postgresql_understands_the_question(check: TcpCheck) -> None:
    """Its build knows no TLS, so it says no; to anything but the question it would send an error."""
    with listening_postgres() as port:
        seen = await check.run(spec(port, Step(starttls=Starttls.POSTGRES)), timeout_ms=5000)
    assert failed(seen, FailureClass.ASSERTION_FAILED).startswith("the server does not offer TLS")
