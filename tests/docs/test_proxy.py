"""The configurations in `docs/behind-a-proxy.md`, in nginx and in Caddy, in front of the API."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from statuspulse.domain.networks import parse_network
from tests.api.server import ADMIN, Api, running
from tests.peers.daemon import HOST, DaemonFailedError, free_port
from tests.peers.daemon import running as running_daemon
from tests.peers.debian import FetchError
from tests.peers.programs import ProgramMissingError, program

PAGE = Path(__file__).parents[2] / "docs" / "behind-a-proxy.md"
_FRAME = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{servers}
}}
"""


@dataclass
class Proxied:
    """The API and a port with TLS in front of it."""

    api: Api
    port: int
    context: ssl.SSLContext
    folder: Path
    events: list[asyncio.Event] = field(default_factory=list)

    def connection(self, source: str = HOST) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            HOST, self.port, timeout=20, context=self.context, source_address=(source, 0)
        )

    def call(
        self, method: str, path: str, body: Any = None, source: str = HOST, **headers: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = self.connection(source)
        sent = {"Authorization": f"Bearer {ADMIN}", "Content-Type": "application/json", **headers}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content  # type: ignore[return-value] # a message is a mapping


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder, authority = tmp_path_factory.mktemp("nginx"), trustme.CA()
    (text,) = re.findall(r"^```nginx\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    pair = authority.issue_cert("status.example.com", HOST)
    pair.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with running(tmp_path_factory.mktemp("api"), trusted_proxies=(parse_network("127.0.0.1/32"),)) as api:
        port = free_port()
        here = {
            "127.0.0.1:8080": api.url.removeprefix("http://"),
            "listen 443": f"listen {HOST}:{port}",
            "/etc/ssl/status.example.com.pem": str(folder / "both.pem"),
            "/etc/ssl/status.example.com.key": str(folder / "both.pem"),
        }
        for said, meant in here.items():
            assert said in text
            text = text.replace(said, meant)
        account = "user root;" if os.geteuid() == 0 else ""
        path = folder / "nginx.conf"
        path.write_text(account + _FRAME.format(folder=folder, servers=text))
        try:
            with running_daemon(program("nginx"), ["-p", folder, "-c", path], folder, port):
                yield Proxied(api, port, context, folder)
        except ProgramMissingError as error:
            pytest.skip(str(error))
        except (FetchError, DaemonFailedError) as error:
            pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def config(proxied: Proxied) -> str:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/"}
    status, _, content = proxied.call("POST", "/v1/monitors", body)
    assert status == 201
    return f"/v1/monitors/{json.loads(content)['id']}/config"


def test_the_caller_is_who_connects_to_the_proxy_whatever_he_says(proxied: Proxied) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
    _, _, content = proxied.call("GET", "/v1/me", source="127.0.0.9", **forged)
    assert json.loads(content)["ip"] == "127.0.0.9"


def test_the_id_of_the_proxy_is_echoed(proxied: Proxied) -> None:
    _, headers, content = proxied.call("GET", "/v1/me")
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])
    assert headers["Request-Id"] == json.loads(content)["request_id"]


def test_a_version_that_compression_has_weakened_is_a_good_one(proxied: Proxied, config: str) -> None:
    _, headers, _ = proxied.call("GET", config, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert headers["ETag"] == 'W/"1"'
    again = proxied.call("GET", config, **{"Accept-Encoding": "gzip", "If-None-Match": headers["ETag"]})
    assert again[0] == 304
    assert proxied.call("PUT", config, {"timeout_ms": 5000}, **{"If-Match": headers["ETag"]})[0] == 200
    assert proxied.call("PUT", config, {"timeout_ms": 6000}, **{"If-Match": headers["ETag"]})[0] == 412


def test_each_event_of_a_stream_comes_at_once(proxied: Proxied) -> None:
    """The second is only sent when the first has arrived."""
    arrived, loops = asyncio.Event(), []

    async def events(_request: Request) -> Response:
        async def lines() -> AsyncIterator[bytes]:
            loops.append(asyncio.get_running_loop())
            yield b"data: one\n\n"
            await arrived.wait()
            yield b"data: two\n\n"

        return StreamingResponse(lines(), media_type="text/event-stream")

    proxied.api.app.router.routes.insert(0, Route("/events-of-the-test", events))
    connection = proxied.connection()
    connection.request("GET", "/events-of-the-test", headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.readline() == b"data: one\n"
    loops[0].call_soon_threadsafe(arrived.set)
    assert answer.read() == b"\ndata: two\n\n"
    connection.close()


def test_keys_of_heartbeats_are_not_written_down(proxied: Proxied) -> None:
    proxied.call("GET", "/ping/hb_not-a-key-of-ours")
    proxied.call("GET", "/v1/me")
    log = (proxied.folder / "access.log").read_text()
    assert "/v1/me" in log
    assert "/ping/" not in log
