"""The gRPC check: one call of the standard health service."""

from __future__ import annotations

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Observation, Phases
from statuspulse.domain.specs.grpc import GrpcSpec
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.gate import Gate
from statuspulse.egress.h2_client import H2Answer, H2Request, post
from statuspulse.egress.policy import Purpose
from statuspulse.egress.urls import Url, bracketed, parse_url
from statuspulse.probe.grpc_health import ANSWER_LIMIT, CONTENT_TYPE, PATH, judge, request_frame
from statuspulse.probe.target import find
from statuspulse.probe.timers import phases_of

# Servers cancel a call at the deadline that they were told, which may be a moment before it is over here.
_CANCELLED = "CANCEL"
_MOMENT_SECONDS = 0.01


class GrpcCheck:
    """Runs gRPC specifications through one gate. The server is told the deadline, so that it can give up, too."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def run(self, spec: GrpcSpec, *, timeout_ms: int) -> Observation:
        deadline = Deadline.after(timeout_ms)
        try:
            url = _url(spec)
            target = await find(self._gate, spec.host, spec.port, Purpose.CHECK_TCP, deadline)
        except ValueError as error:
            return Observation(failure=Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}"))
        if isinstance(target.located, Failure):
            phases = Phases(dns_us=target.dns_us)
            return Observation(failure=target.located, latency_us=target.dns_us, phases=phases)
        answer = await post(self._gate, _request(spec, url, deadline), target.located, deadline)
        exchange = answer.exchange
        return Observation(
            failure=_failure(answer, deadline),
            latency_us=target.dns_us + exchange.times.total,
            phases=phases_of(exchange.times, secure=spec.tls, dns_us=target.dns_us),
            bytes_read=exchange.received,
            ip=exchange.ip,
            certificate=exchange.certificate,
        )


def _url(spec: GrpcSpec) -> Url:
    """The host of it is the name that is asked for and verified; what is dialled is told apart from it."""
    name = spec.server_name if spec.tls and spec.server_name else spec.host
    return parse_url(f"{'https' if spec.tls else 'http'}://{bracketed(name.strip('[]'))}:{spec.port}{PATH}")


def _failure(answer: H2Answer, deadline: Deadline) -> Failure | None:
    failure = answer.exchange.failure
    if failure is None:
        return judge(answer)
    is_cancelled = failure.kind is FailureClass.PROTOCOL_ERROR and _CANCELLED in failure.detail
    if is_cancelled and deadline.rest_seconds() < _MOMENT_SECONDS:
        return Failure(FailureClass.TIMEOUT, f"the server gave up after {deadline.timeout_ms} ms")
    return failure


def _request(spec: GrpcSpec, url: Url, deadline: Deadline) -> H2Request:
    return H2Request(
        url=url,
        lines=(
            f"Content-Type: {CONTENT_TYPE}".encode(),
            b"TE: trailers",
            f"grpc-timeout: {deadline.rest_ms()}m".encode(),
        ),
        body=request_frame(spec.service),
        verify=spec.verify,
        limit=ANSWER_LIMIT,
    )
