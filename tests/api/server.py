"""The API on a real loopback server and a real SQLite file, with a client that holds every answer to the contract."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy import Connection

from statuspulse.api.app import ROUTERS, create_api
from statuspulse.api.dependencies import CheckOutcome, Dependencies
from statuspulse.api.overload import PLACES
from statuspulse.bus.local import LocalBus
from statuspulse.catalog import setup
from statuspulse.domain.throttle import DEFAULTS
from statuspulse.domain.times import from_text
from statuspulse.egress.policy import Policy
from statuspulse.engine.jobs import Jobs
from statuspulse.engine.liveness import Liveness
from statuspulse.metrics import Metrics
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.schema import metadata
from statuspulse.storage.sealing import Keyring
from tests.api.contract import Contract

ADMIN = "sk_live_0000111122223333"
WRITER = "sk_live_8f3a9c2d1e4b7f6a"
READER = "sk_live_4444555566667777"
STRANGER = "sk_live_8888999900001111"
NOW = from_text("2026-11-23T06:20:00.412Z")
PUBLIC_URL = "https://status.acme.example"
_USUAL: list[Contract] = []


@dataclass
class Clock:
    """Time that stands still until a test moves it."""

    at: int = NOW

    def __call__(self) -> int:
        return self.at


@dataclass
class Api:
    """A running API: the parts a test may look at, and calls with a token."""

    url: str
    app: FastAPI
    database: Database
    keyring: Keyring
    clock: Clock
    probe_key: str
    contract: Contract
    wakes: list[int] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = WRITER,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> requests.Response:
        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        answer = self.session.request(
            method, self.url + path, data=data, headers=sent, timeout=30, allow_redirects=False
        )
        if method != "HEAD":
            self.contract.check(method, path, answer)
        return answer

    def write(self, work: Any) -> Any:
        return self.database.submit(work).result(10)


def make_tokens(connection: Connection, keyring: Keyring) -> str:
    """Two teams, tokens of several powers, and the key of the local probe."""
    first = setup.set_up(connection, keyring, bootstrap_token=ADMIN, now=NOW)
    other = setup.new_team(connection, slug="other", name="Other", now=NOW + 1)
    for team_id, name, text, scopes in (
        (first.team_id, "writer", WRITER, ("write",)),
        (first.team_id, "reader", READER, ("read",)),
        (other.id, "stranger", STRANGER, ("admin",)),
    ):
        setup.new_token(
            connection, keyring, team_id=team_id, name=name, text=text, scopes=scopes, expires_at=None, now=NOW
        )
    assert first.local_probe_key is not None
    return first.local_probe_key.reveal()


async def _holds() -> CheckOutcome:
    return CheckOutcome(ok=True, value=None)


async def _series(team_id: str | None) -> str:
    return f"statuspulse_up 1\n# team {team_id}\n"


def contract_of(address: str, routers: Sequence[APIRouter] = ROUTERS) -> Contract:
    """What the API tells of itself. That takes it most of a second, so for the usual routers it is asked for once."""
    if routers is not ROUTERS:
        return Contract(requests.get(f"{address}/v1/openapi.json", timeout=30).json())
    if not _USUAL:
        _USUAL.append(Contract(requests.get(f"{address}/v1/openapi.json", timeout=30).json()))
    return _USUAL[0]


@contextmanager
def running(
    folder: Path, *, url: str | None = None, routers: Sequence[APIRouter] = ROUTERS, **changes: Any
) -> Iterator[Api]:
    """Starts the API on a free port, on the database of the URL or one of its own; ends it with everything it holds."""
    database = Database(url or sqlite_url(folder / "statuspulse.db"))
    keyring = Keyring(b"k" * 32)
    clock = Clock()
    wakes: list[int] = []

    def prepare(connection: Connection) -> str:
        metadata.create_all(connection)
        return make_tokens(connection, keyring)

    probe_key = database.submit(prepare).result(10)
    bus = LocalBus()
    parts: dict[str, Any] = {
        "database": database,
        "keyring": keyring,
        "policy": Policy(),
        "now": clock,
        "monotonic": lambda: clock.at / 1000,
        "public_url": PUBLIC_URL,
        "trusted_proxies": (),
        "min_interval_seconds": 10,
        "wake": lambda: wakes.append(clock.at),
        "checks": {"database": _holds},
        "series": _series,
        "bus": bus,
        "jobs": Jobs(bus),
        "liveness": Liveness(),
        "metrics": Metrics(),
        "is_stopping": lambda: False,
        "rate_limits": {"ping": DEFAULTS["ping"]},
        "places": PLACES,
        "mutes_flapping": True,
        "is_read_only": lambda: False,
    }
    app = create_api(Dependencies(**{**parts, **changes}), routers)
    with served(app) as address:
        contract = contract_of(address, routers)
        api = Api(address, app, database, keyring, clock, probe_key, contract, wakes)
        try:
            yield api
        finally:
            api.session.close()
            database.close()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application behind a real HTTP server on loopback."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", access_log=False, proxy_headers=False)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api-under-test")
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
