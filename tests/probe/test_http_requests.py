"""What an HTTP check sends, which address and version it takes, and what becomes of it over redirects."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator

import pytest
import trustme

from statuspulse.domain.failure import FailureClass
from statuspulse.domain.result import Observation
from statuspulse.domain.specs.http import HttpSpec, TlsOptions
from statuspulse.egress.attempts import ATTEMPT
from statuspulse.probe.http import HttpCheck
from tests.targets import DnsTarget, HttpTarget, Target, http_answer


@pytest.fixture
def other() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


def ok(seen: Observation) -> None:
    assert seen.failure is None, seen.failure


def redirect(status: int, location: str) -> bytes:
    return http_answer(status, b"", f"Location: {location}")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_every_method_goes_out_as_it_is_called(check: HttpCheck, target: HttpTarget, method: str) -> None:
    if method == "HEAD":
        target.routes["/"] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    ok(await check.run(HttpSpec(url=target.url, method=method), timeout_ms=1000))
    (arrival,) = target.arrivals
    assert arrival.what == f"{method} / HTTP/1.1"
    assert arrival.body == b""


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_a_body_goes_out_whole_and_without_headers_of_our_own(
    check: HttpCheck, target: HttpTarget, method: str
) -> None:
    body = '{"größe": 1}' + "x" * 60_000
    ok(await check.run(HttpSpec(url=target.url, method=method, body=body), timeout_ms=1000))
    (arrival,) = target.arrivals
    assert arrival.body == body.encode()
    assert set(arrival.headers) == {"host", "user-agent", "accept", "content-length"}


async def test_headers_go_out_as_they_were_given(check: HttpCheck, target: HttpTarget) -> None:
    spec = HttpSpec(
        url=target.url,
        method="POST",
        body="{}",
        headers=(
            ("Host", "shop.internal"),
            ("Content-Type", "application/json"),
            ("X-Api-Key", "k-1234"),
            ("X-Empty", ""),
            ("User-Agent", "curl/8"),
            ("Accept", "application/json"),
        ),
        secret_headers=("x-api-key",),
        authorization="Basic bTpw",
    )
    ok(await check.run(spec, timeout_ms=1000))
    assert target.arrivals[0].headers == {
        "host": "shop.internal",
        "content-type": "application/json",
        "x-api-key": "k-1234",
        "x-empty": "",
        "user-agent": "curl/8",
        "accept": "application/json",
        "authorization": "Basic bTpw",
        "content-length": "2",
    }


async def test_credentials_take_the_place_of_a_header_of_the_same_name(check: HttpCheck, target: HttpTarget) -> None:
    spec = HttpSpec(url=target.url, headers=(("authorization", "Bearer old"),), authorization="Bearer new")
    ok(await check.run(spec, timeout_ms=1000))
    assert target.arrivals[0].headers["authorization"] == "Bearer new"


async def test_a_request_leaves_nothing_behind_for_the_next(check: HttpCheck, target: HttpTarget) -> None:
    spec = HttpSpec(url=target.url, method="POST", body="x", headers=(("X-Api-Key", "k"),), http_version="1.1")
    ok(await check.run(spec, timeout_ms=1000))
    ok(await check.run(HttpSpec(url=target.url), timeout_ms=1000))
    later = target.arrivals[1]
    assert later.what == "GET / HTTP/1.1"
    assert set(later.headers) == {"host", "user-agent", "accept"}


async def test_a_header_that_would_smuggle_in_another_is_our_fault(check: HttpCheck, target: HttpTarget) -> None:
    seen = await check.run(HttpSpec(url=target.url, headers=(("X-A", "1\r\nX-B: 2"),)), timeout_ms=1000)
    assert seen.failure is not None
    assert seen.failure.kind is FailureClass.PROBE_ERROR
    assert target.connections == 0


# --- redirects ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (303, "HEAD", "HEAD", False),
        (301, "PUT", "PUT", True),
        (302, "DELETE", "DELETE", True),
        (307, "POST", "POST", True),
        (308, "PATCH", "PATCH", True),
    ],
)
async def test_a_redirect_keeps_or_turns_the_request_as_browsers_do(
    check: HttpCheck, target: HttpTarget, status: int, method: str, then: str, keeps_body: bool
) -> None:
    target.routes["/"] = redirect(status, "/next")
    target.routes["/next"] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    spec = HttpSpec(
        url=target.url,
        method=method,
        body=None if method == "HEAD" else "ping",
        headers=(("Content-Type", "text/plain"), ("X-Kept", "1")),
    )
    ok(await check.run(spec, timeout_ms=2000))
    _, second = target.arrivals
    assert second.what == f"{then} /next HTTP/1.1"
    assert second.body == (b"ping" if keeps_body else b"")
    assert second.headers["x-kept"] == "1"
    assert ("content-type" in second.headers) is (keeps_body or method == "HEAD")


SECRETIVE = {
    "headers": (("X-Api-Key", "k-1234"), ("Cookie", "sid=1"), ("Host", "shop.internal"), ("X-Open", "1")),
    "secret_headers": ("x-api-key",),
    "authorization": "Bearer t-5678",
}


async def test_secrets_go_along_within_an_origin(check: HttpCheck, target: HttpTarget) -> None:
    target.routes["/"] = redirect(302, "/next")
    ok(await check.run(HttpSpec(url=target.url, **SECRETIVE), timeout_ms=2000))  # type: ignore[arg-type]
    headers = target.arrivals[1].headers
    assert headers["authorization"] == "Bearer t-5678"
    assert headers["x-api-key"] == "k-1234"
    assert headers["host"] == "shop.internal"


async def test_secrets_stay_behind_when_the_port_changes_and_do_not_come_back(
    check: HttpCheck, target: HttpTarget, other: HttpTarget
) -> None:
    target.routes["/"] = redirect(307, f"{other.url}/")
    other.routes["/"] = redirect(307, f"{target.url}/again")
    ok(await check.run(HttpSpec(url=target.url, **SECRETIVE), timeout_ms=2000))  # type: ignore[arg-type]
    for arrival in (other.arrivals[0], target.arrivals[1]):
        assert set(arrival.headers) == {"host", "user-agent", "accept", "x-open"}
    assert other.arrivals[0].headers["host"] == f"127.0.0.1:{other.port}"


async def test_secrets_stay_behind_when_the_host_changes(
    check: HttpCheck, target: HttpTarget, names: DnsTarget
) -> None:
    names.records("web.test", "A", "127.0.0.1")
    target.routes["/"] = redirect(302, f"http://web.test:{target.port}/next")
    ok(await check.run(HttpSpec(url=target.url, **SECRETIVE), timeout_ms=2000))  # type: ignore[arg-type]
    assert set(target.arrivals[1].headers) == {"host", "user-agent", "accept", "x-open"}


async def test_secrets_stay_behind_when_the_scheme_changes(
    check: HttpCheck, target: HttpTarget, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with HttpTarget(tls=context) as secure:
        secure.routes["/"] = redirect(302, f"{target.url}/")
        ok(await check.run(HttpSpec(url=secure.url, **SECRETIVE), timeout_ms=2000))  # type: ignore[arg-type]
    assert secure.arrivals[0].headers["authorization"] == "Bearer t-5678"
    assert set(target.arrivals[0].headers) == {"host", "user-agent", "accept", "x-open"}


# --- addresses ---------------------------------------------------------------------------------------------------


async def test_a_retry_dials_the_next_address(check: HttpCheck, target: HttpTarget, names: DnsTarget) -> None:
    names.records("half.test", "A", "127.0.0.2", "127.0.0.3")
    seen = []
    for attempt in (1, 2, 3):
        ATTEMPT.set(attempt)
        one = await check.run(HttpSpec(url=f"http://half.test:{target.port}/"), timeout_ms=1000)
        assert one.failure is not None
        assert one.evidence is not None
        seen.append(one.evidence["addresses"][0])
    assert seen[0] != seen[1]
    assert seen[0] == seen[2]


async def test_a_family_that_the_host_does_not_have_is_an_error_of_the_name(
    check: HttpCheck, target: HttpTarget, names: DnsTarget
) -> None:
    names.records("four.test", "A", "127.0.0.1")
    for name in ("127.0.0.1", "four.test"):
        seen = await check.run(HttpSpec(url=f"http://{name}:{target.port}/", ip_version="6"), timeout_ms=1000)
        assert seen.failure is not None
        assert seen.failure.kind is FailureClass.DNS_ERROR
        assert seen.failure.detail == f"no_address: {name} has no IPv6 address"


async def test_the_family_that_is_wanted_is_dialled(check: HttpCheck, target: HttpTarget) -> None:
    spec = HttpSpec(url=f"http://localhost:{target.port}/", ip_version="4")
    seen = await check.run(spec, timeout_ms=1000)
    ok(seen)
    assert seen.ip == "127.0.0.1"


# --- versions of HTTP --------------------------------------------------------------------------------------------


class Http2Target(Target):
    """Speaks as much HTTP/2 as a GET needs: every stream is answered with 200 and two bytes."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._tls = tls

    def _listening(self) -> dict[str, ssl.SSLContext]:
        return {} if self._tls is None else {"ssl": self._tls}

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        writer.write(_frame(4, 0, 0, b""))
        while True:
            head = await reader.readexactly(9)
            kind, stream = head[3], int.from_bytes(head[5:], "big")
            await reader.readexactly(int.from_bytes(head[:3], "big"))
            if kind == 4 and not head[4]:
                writer.write(_frame(4, 1, 0, b""))
            if kind == 1:
                writer.write(_frame(1, 4, stream, b"\x88") + _frame(0, 1, stream, b"ok"))
            await writer.drain()


def _frame(kind: int, flags: int, stream: int, content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + content


def served_over(authority: trustme.CA, *protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


@pytest.mark.parametrize("version", ["auto", "2"])
async def test_http_2_is_spoken_where_the_server_offers_it(
    check: HttpCheck, authority: trustme.CA, version: str
) -> None:
    with Http2Target(tls=served_over(authority, "h2")) as target:
        spec = HttpSpec(url=f"https://127.0.0.1:{target.port}/", http_version=version)  # type: ignore[arg-type]
        seen = await check.run(spec, timeout_ms=2000)
    ok(seen)
    assert (seen.status_code, seen.bytes_read) == (200, 2)


async def test_http_2_without_tls_is_spoken_from_the_first_byte(check: HttpCheck) -> None:
    with Http2Target() as target:
        ok(await check.run(HttpSpec(url=f"http://127.0.0.1:{target.port}/", http_version="2"), timeout_ms=2000))


async def test_a_server_without_http_2_fails_where_that_is_asked_for(check: HttpCheck, authority: trustme.CA) -> None:
    for tls in (None, served_over(authority), served_over(authority, "http/1.1")):
        with HttpTarget(tls=tls) as target:
            seen = await check.run(HttpSpec(url=target.url, http_version="2"), timeout_ms=2000)
        assert seen.failure is not None
        assert seen.failure.kind is FailureClass.PROTOCOL_ERROR
        assert "HTTP/2" in seen.failure.detail


async def test_http_1_1_is_all_that_is_offered_where_that_is_asked_for(check: HttpCheck, authority: trustme.CA) -> None:
    with HttpTarget(tls=served_over(authority, "h2", "http/1.1")) as target:
        ok(await check.run(HttpSpec(url=target.url, http_version="1.1"), timeout_ms=2000))
    assert target.arrivals[0].what == "GET / HTTP/1.1"


# --- the name for TLS --------------------------------------------------------------------------------------------


async def test_another_server_name_is_asked_for_and_the_host_stays(check: HttpCheck, authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.internal").configure_cert(context)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with HttpTarget(tls=context) as target:
        seen = await check.run(
            HttpSpec(url=f"{target.url}/health", tls=TlsOptions(server_name="shop.internal")), timeout_ms=2000
        )
        assert (await check.run(HttpSpec(url=target.url), timeout_ms=2000)).failure is not None
    ok(seen)
    assert seen.ip == "127.0.0.1"
    assert asked[0] == "shop.internal"
    assert target.arrivals[0].headers["host"] == f"127.0.0.1:{target.port}"
    assert target.arrivals[0].what == "GET /health HTTP/1.1"
