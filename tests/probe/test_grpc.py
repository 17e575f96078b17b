"""The gRPC check against real servers of grpcio, and against servers that speak something else."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent import futures
from time import monotonic
from typing import Any

import grpc
import pytest
import trustme
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Verdict
from statuspulse.domain.specs.grpc import GrpcSpec
from statuspulse.egress.gate import Gate
from statuspulse.egress.h2_client import H2Answer
from statuspulse.egress.policy import Policy
from statuspulse.egress.transfer import Exchange, Times
from statuspulse.probe.grpc import GrpcCheck
from statuspulse.probe.grpc_health import judge, request_frame
from tests.targets import HttpTarget, Mood, Target, TcpTarget

STATUSES = {
    "shop": health_pb2.HealthCheckResponse.SERVING,
    "bäckerei": health_pb2.HealthCheckResponse.SERVING,
    "database": health_pb2.HealthCheckResponse.NOT_SERVING,
    "cold": health_pb2.HealthCheckResponse.UNKNOWN,
    "gone": health_pb2.HealthCheckResponse.SERVICE_UNKNOWN,
}


class Ward(health.HealthServicer):  # type: ignore[misc]  # grpcio comes without types
    """The health service of grpcio, with services that are slow or that refuse."""

    def __init__(self) -> None:
        super().__init__()
        self.finished = threading.Event()
        self.deadlines: list[float] = []
        for service, status in STATUSES.items():
            self.set(service, status)

    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name is that of the protocol
        self.deadlines.append(context.time_remaining())
        if request.service == "slow":
            self.finished.wait(5)
        if request.service == "forbidden":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "no entry: \n\x1b[31mücretsiz 100%")
        return super().Check(request, context)


class Clinic:
    """A gRPC server on loopback with a port in the clear and one with TLS."""

    def __init__(self, leaf: trustme.LeafCert) -> None:
        self.ward = Ward()
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        health_pb2_grpc.add_HealthServicer_to_server(self.ward, self._server)
        chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        credentials = grpc.ssl_server_credentials([(leaf.private_key_pem.bytes(), chain)])
        self.tls_port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self._server.start()

    def stop(self) -> None:
        self.ward.finished.set()
        self._server.stop(None).wait()


class CancellingTarget(Target):
    """Speaks just enough HTTP/2 to reset the first call after a while (RFC 9113, 6.4)."""

    def __init__(self, after_seconds: float) -> None:
        super().__init__()
        self._after_seconds = after_seconds

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings, settings_ack = b"\0\0\0\x04\0\0\0\0\0", b"\0\0\0\x04\x01\0\0\0\0"
        cancel = b"\0\0\x04\x03\0\0\0\0\x01" + b"\0\0\0\x08"
        writer.write(settings)
        await reader.readuntil(b"\0\0\x05\0\x01\0\0\0\x01")  # the frame with the message, and the end of the call
        await asyncio.sleep(self._after_seconds)
        writer.write(settings_ack + cancel)
        await self._stay_silent(reader)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def clinic(authority: trustme.CA) -> Iterator[Clinic]:
    made = Clinic(authority.issue_cert("grpc.example"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
async def check(ca_file: str) -> AsyncIterator[GrpcCheck]:
    gate = Gate(Policy(), ca_file=ca_file)
    yield GrpcCheck(gate)
    gate.close()


def failed(seen: Observation, kind: FailureClass) -> str:
    assert seen.failure is not None, seen
    assert seen.failure.kind is kind, seen
    return seen.failure.detail


@pytest.mark.parametrize("service", ["", "shop", "bäckerei"])
async def test_a_serving_service_is_ok(check: GrpcCheck, clinic: Clinic, service: str) -> None:
    seen = await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port, service=service), timeout_ms=2000)
    assert (seen.failure, seen.verdict, seen.ip, seen.bytes_read) == (None, Verdict.OK, "127.0.0.1", 7)
    assert seen.phases.tls_us is None
    assert seen.phases.ttfb_us is not None
    assert seen.latency_us is not None
    assert 0 < seen.phases.ttfb_us <= seen.latency_us


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_it_works_on_both_kinds_of_loop(
    run: Callable[[Coroutine[Any, Any, Observation]], Observation], clinic: Clinic
) -> None:
    async def main() -> Observation:
        gate = Gate(Policy())
        try:
            return await GrpcCheck(gate).run(GrpcSpec(host="localhost", port=clinic.port), timeout_ms=2000)
        finally:
            gate.close()

    assert run(main()).failure is None


@pytest.mark.parametrize(
    ("service", "status"), [("database", "NOT_SERVING"), ("cold", "UNKNOWN"), ("gone", "SERVICE_UNKNOWN")]
)
async def test_any_other_status_is_a_mismatch(check: GrpcCheck, clinic: Clinic, service: str, status: str) -> None:
    seen = await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port, service=service), timeout_ms=2000)
    assert failed(seen, FailureClass.STATUS_MISMATCH) == f"got {status}, expected SERVING"


async def test_a_service_that_the_server_does_not_know_is_a_mismatch(check: GrpcCheck, clinic: Clinic) -> None:
    seen = await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port, service="nobody"), timeout_ms=2000)
    assert failed(seen, FailureClass.STATUS_MISMATCH) == "grpc-status 5 (NOT_FOUND)"


async def test_the_message_of_a_refusal_is_decoded_and_harmless(check: GrpcCheck, clinic: Clinic) -> None:
    seen = await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port, service="forbidden"), timeout_ms=2000)
    detail = failed(seen, FailureClass.STATUS_MISMATCH)
    assert detail == "grpc-status 7 (PERMISSION_DENIED): no entry:   [31mücretsiz 100%"


async def test_a_slow_handler_is_a_time_out_in_time(check: GrpcCheck, clinic: Clinic) -> None:
    for _ in range(5):
        begun = monotonic()
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port, service="slow"), timeout_ms=200)
        assert monotonic() - begun < 2
        failed(seen, FailureClass.TIMEOUT)


@pytest.mark.parametrize(("after_seconds", "kind"), [(0.0, FailureClass.PROTOCOL_ERROR), (0.295, FailureClass.TIMEOUT)])
async def test_a_call_that_is_cancelled_at_its_deadline_is_a_time_out(
    check: GrpcCheck, after_seconds: float, kind: FailureClass
) -> None:
    with CancellingTarget(after_seconds) as target:
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=target.port), timeout_ms=300)
    failed(seen, kind)


async def test_the_server_is_told_the_deadline(check: GrpcCheck, clinic: Clinic) -> None:
    clinic.ward.deadlines.clear()
    await check.run(GrpcSpec(host="127.0.0.1", port=clinic.port), timeout_ms=5000)
    assert 3 < clinic.ward.deadlines[0] <= 5


async def test_over_tls_the_certificate_is_verified_and_told(check: GrpcCheck, clinic: Clinic) -> None:
    spec = GrpcSpec(host="127.0.0.1", port=clinic.tls_port, service="shop", tls=True, server_name="grpc.example")
    seen = await check.run(spec, timeout_ms=2000)
    assert seen.failure is None
    assert seen.certificate is not None
    assert seen.phases.tls_us is not None


async def test_a_certificate_for_somebody_else_is_a_tls_error_unless_anyone_is_trusted(
    check: GrpcCheck, clinic: Clinic
) -> None:
    seen = await check.run(GrpcSpec(host="localhost", port=clinic.tls_port, tls=True), timeout_ms=2000)
    assert failed(seen, FailureClass.TLS_ERROR) == "the certificate is not for localhost but for grpc.example"
    lenient = GrpcSpec(host="localhost", port=clinic.tls_port, tls=True, verify=False)
    assert (await check.run(lenient, timeout_ms=2000)).failure is None


async def test_a_server_of_http_1_is_no_grpc(check: GrpcCheck) -> None:
    with HttpTarget() as target:
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=target.port), timeout_ms=2000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the server does not speak HTTP/2, or breaks its rules"


async def test_a_server_of_http_1_behind_tls_is_no_grpc(check: GrpcCheck, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HttpTarget(tls=context) as target:
        seen = await check.run(GrpcSpec(host="localhost", port=target.port, tls=True), timeout_ms=2000)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the server does not speak HTTP/2"


async def test_a_banner_of_another_protocol_is_no_grpc(check: GrpcCheck) -> None:
    with TcpTarget(banner=b"220 mail.example ESMTP\r\n") as target:
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=target.port), timeout_ms=300)
    assert failed(seen, FailureClass.PROTOCOL_ERROR) == "the server does not speak HTTP/2, or breaks its rules"


async def test_a_silent_server_is_a_time_out_in_time(check: GrpcCheck) -> None:
    with TcpTarget() as target:
        begun = monotonic()
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=target.port), timeout_ms=300)
    assert monotonic() - begun < 2
    failed(seen, FailureClass.TIMEOUT)


async def test_a_refused_port_is_connect_refused(check: GrpcCheck) -> None:
    with TcpTarget(mood=Mood.REFUSING) as target:
        seen = await check.run(GrpcSpec(host="127.0.0.1", port=target.port), timeout_ms=1000)
    failed(seen, FailureClass.CONNECT_REFUSED)


async def test_a_denied_target_sees_no_packet() -> None:
    gate = Gate(Policy.parse(probe_deny="loopback", delivery_allow="", operator_urls=()))
    try:
        with TcpTarget() as target:
            for host in ("127.0.0.1", "localhost"):
                seen = await GrpcCheck(gate).run(GrpcSpec(host=host, port=target.port), timeout_ms=1000)
                failed(seen, FailureClass.BLOCKED_BY_POLICY)
            assert target.connections == 0
    finally:
        gate.close()


@pytest.mark.parametrize("host", ["", "a b", "1.2.3.4.5"])
async def test_a_host_that_is_none_is_our_fault(check: GrpcCheck, host: str) -> None:
    seen = await check.run(GrpcSpec(host=host, port=1), timeout_ms=1000)
    assert failed(seen, FailureClass.PROBE_ERROR).startswith("assertion_invalid: ")


# --- the bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", ["", "a", "x" * 127, "x" * 128, "ü" * 200])
def test_the_request_is_what_protobuf_would_write(service: str) -> None:
    frame = request_frame(service)
    assert (frame[0], int.from_bytes(frame[1:5], "big")) == (0, len(frame) - 5)
    assert frame[5:] == health_pb2.HealthCheckRequest(service=service).SerializeToString()


REST: dict[str, Any] = {"head": [], "beginning": [], "body": None, "chain": ()}


def answer(body: bytes, **fields: str) -> H2Answer:
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    times = Times(0, 0, 0, 0, 0, 0)
    exchange = Exchange(
        None, "127.0.0.1", 200, times, len(body), truncated=False, location=None, certificate=None, **REST
    )
    fields = {"content-type": "application/grpc+proto", "grpc-status": "0", **named}
    return H2Answer(exchange=exchange, fields=fields, body=body)


def frame(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        (b"", "got UNKNOWN, expected SERVING"),
        (b"\x08\x01", None),
        (b"\x08\x02\x08\x01", None),
        (b"\x08\x07", "got 7, expected SERVING"),
        (b"\x12\x03abc\x1912345678\x251234\x30\x05\x08\x01", None),
        (b"\x0a\x01\x01", "got UNKNOWN, expected SERVING"),
    ],
)
def test_fields_that_are_not_known_are_passed_over(message: bytes, detail: str | None) -> None:
    expected = None if detail is None else Failure(FailureClass.STATUS_MISMATCH, detail)
    assert judge(answer(frame(message))) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\0\x02\x08",
        frame(b"\x08\x01")[:-1],
        frame(b"\x08\x01") + b"x",
        b"\x01" + frame(b"\x08\x01")[1:],
        frame(b"\x08"),
        frame(b"\x08" + b"\xff" * 10 + b"\x01"),
        frame(b"\x12\x09ab"),
        frame(b"\x0b"),
        frame(b"\x19123"),
    ],
)
def test_a_body_that_is_cut_or_malformed_is_a_protocol_error(body: bytes) -> None:
    expected = Failure(FailureClass.PROTOCOL_ERROR, "the answer holds no message of the health check")
    assert judge(answer(body)) == expected


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        (
            {"content_type": "text/html"},
            FailureClass.PROTOCOL_ERROR,
            "the answer is no gRPC: status 200, content type text/html",
        ),
        ({"grpc_status": ""}, FailureClass.PROTOCOL_ERROR, "the answer ends without a grpc-status"),
        ({"grpc_status": "²"}, FailureClass.PROTOCOL_ERROR, "the answer ends without a grpc-status"),
        ({"grpc_status": "14"}, FailureClass.STATUS_MISMATCH, "grpc-status 14 (UNAVAILABLE)"),
        ({"grpc_status": "99"}, FailureClass.STATUS_MISMATCH, "grpc-status 99 (unknown code)"),
        ({"grpc_status": "4"}, FailureClass.TIMEOUT, "grpc-status 4 (DEADLINE_EXCEEDED)"),
        (
            {"grpc_status": "2", "grpc_message": "a%0Ab%ZZ%FF"},
            FailureClass.STATUS_MISMATCH,
            "grpc-status 2 (UNKNOWN): a b%ZZ\N{REPLACEMENT CHARACTER}",
        ),
    ],
)
def test_what_stands_in_headers_and_trailers_decides_first(
    fields: dict[str, str], kind: FailureClass, detail: str
) -> None:
    assert judge(answer(b"", **fields)) == Failure(kind, detail)


def test_a_long_message_of_a_refusal_is_cut() -> None:
    failure = judge(answer(b"", grpc_status="13", grpc_message="x" * 10_000))
    assert failure is not None
    assert len(failure.detail) == 500
