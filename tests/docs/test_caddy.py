"""The configuration of Caddy in `docs/behind-a-proxy.md`, in Caddy, in front of the API."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trustme
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from statuspulse.api.resources.agent import BODY_LIMIT
from statuspulse.domain.networks import parse_network
from tests.api.server import running
from tests.docs.test_proxy import PAGE, Proxied
from tests.peers.daemon import HOST, DaemonFailedError, free_port
from tests.peers.daemon import running as running_daemon
from tests.peers.debian import FetchError
from tests.peers.programs import ProgramMissingError, program

_FRAME = "{{\n  admin off\n  auto_https off\n}}\n{site}"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder, authority = tmp_path_factory.mktemp("caddy"), trustme.CA()
    (text,) = re.findall(r"^```caddy\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    authority.issue_cert("status.example.com", HOST).private_key_and_cert_chain_pem.write_to_path(
        str(folder / "both.pem")
    )
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with running(tmp_path_factory.mktemp("api"), trusted_proxies=(parse_network("127.0.0.1/32"),)) as api:
        port, pair = free_port(), folder / "both.pem"
        here = {
            "127.0.0.1:8080": api.url.removeprefix("http://"),
            "status.example.com {\n": f":{port} {{\n  bind {HOST}\n  tls {pair} {pair}\n",
        }
        for said, meant in here.items():
            assert said in text
            text = text.replace(said, meant)
        (folder / "Caddyfile").write_text(_FRAME.format(site=text))
        command: list[str | Path] = ["run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
        try:
            with pytest.MonkeyPatch.context() as environment:
                for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):  # it keeps what it was told, and certificates
                    environment.setenv(name, str(folder))
                with running_daemon(program("caddy"), command, folder, port):
                    yield Proxied(api, port, context, folder)
        except ProgramMissingError as error:
            pytest.skip(str(error))
        except (FetchError, DaemonFailedError) as error:
            pytest.fail(str(error), pytrace=False)


def test_the_caller_is_who_connects_to_the_proxy_whatever_he_says(proxied: Proxied) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
    _, _, content = proxied.call("GET", "/v1/me", source="127.0.0.9", **forged)
    assert json.loads(content)["ip"] == "127.0.0.9"


def test_versions_outlive_compression(proxied: Proxied) -> None:
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/"}
    config = f"/v1/monitors/{json.loads(proxied.call('POST', '/v1/monitors', body)[2])['id']}/config"
    _, headers, _ = proxied.call("GET", config, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    tag = headers["ETag"]
    assert proxied.call("GET", config, **{"Accept-Encoding": "gzip", "If-None-Match": tag})[0] == 304
    assert proxied.call("PUT", config, {"timeout_ms": 5000}, **{"If-Match": tag})[0] == 200
    assert proxied.call("PUT", config, {"timeout_ms": 6000}, **{"If-Match": tag})[0] == 412


def test_the_largest_batch_of_a_probe_comes_through(proxied: Proxied) -> None:
    """Too large is what the API says is too large: it answers 422 to so much of nothing."""
    key = {"Authorization": f"Bearer {proxied.api.probe_key}"}
    status, _, content = proxied.call("POST", "/v1/agent/results", {"padding": "x" * (BODY_LIMIT - 20)}, **key)
    assert (status, json.loads(content)["error"]["code"]) == (422, "validation_failed")


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
