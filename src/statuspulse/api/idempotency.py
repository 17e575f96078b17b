"""A POST that is sent again under the same `Idempotency-Key` does nothing again and is answered alike.

A keyed endpoint runs as a whole inside one transaction of the writer, and its answer is stored there: whatever ends
the process, either both are there or neither. One that waits for something cannot do so. It changes nothing by itself,
runs as ever, and its answer is stored behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.requests import HTTPConnection
from starlette.responses import Response

from statuspulse.api.dependencies import Call, Services
from statuspulse.api.envelope import refusal
from statuspulse.api.errors import ApiError
from statuspulse.api.translate import TRANSLATED, translate
from statuspulse.domain.access import Principal
from statuspulse.storage import idempotency
from statuspulse.storage.idempotency import Record
from statuspulse.storage.sealing import Keyring, Place
from statuspulse.storage.transaction import Transaction

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_KEY = re.compile(r"[ -~]{1,255}")
_KEPT_HEADERS = ("content-type", "etag", "location")
_REUSED = "The Idempotency-Key was used for another call; take a new key for every call that is meant to be made."
# What may be otherwise the next time is not kept.
_PASSING = frozenset({"check_in_progress", "delivery_in_progress", "idempotency_in_progress"})

Endpoint = Callable[..., Coroutine[Any, Any, Response]]


class _Answer(msgspec.Struct, frozen=True):
    """What is kept of an answer."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A call under a key: where its answer is kept, and what it asks for."""

    keyring: Keyring
    team_id: str
    digest: bytes
    fingerprint: bytes
    now: int

    def found(self, connection: Connection) -> Response | None:
        """The answer that was given under the key; raises 422 where it was given to something else."""
        record = idempotency.find(connection, self.team_id, self.digest, self.now - idempotency.KEPT)
        return None if record is None else self._replay(record)

    def claim(self, connection: Connection) -> bool:
        return idempotency.claim(
            connection,
            self.team_id,
            self.digest,
            fingerprint=self.fingerprint,
            now=self.now,
            since=self.now - idempotency.KEPT,
        )

    def settle(self, connection: Connection, response: Response) -> None:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        answer = _Answer(response.status_code, headers, bytes(response.body).decode())
        sealed = self.keyring.seal(self._place, msgspec.json.encode(answer).decode())
        idempotency.settle(connection, self.team_id, self.digest, sealed)

    def _replay(self, record: Record) -> Response:
        if record.fingerprint != self.fingerprint:
            raise ApiError("idempotency_key_reused", _REUSED, param=HEADER)
        text = self.keyring.open(self._place, record.answer).reveal()
        answer = msgspec.json.decode(text, type=_Answer)
        return Response(answer.body, answer.status, {**answer.headers, REPLAYED: "true"})

    @property
    def _place(self) -> Place:
        return Place("idempotency_records", self.digest.hex(), "answer", self.team_id)


def given_key(request: HTTPConnection) -> str | None:
    """The key of a call, None for one without; raises 400 for what is no key."""
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    key = given[0]
    if len(key) > 1 and key[0] == key[-1] == '"':  # the IETF draft quotes it, others do not
        key = key[1:-1]
    if len(given) > 1 or _KEY.fullmatch(key) is None:
        message = f"{HEADER} must be one text of 1 to 255 printable ASCII characters."
        raise ApiError("invalid_header", message, param=HEADER)
    return key


def keyed_call(request: HTTPConnection, services: Services, caller: Principal, body: Any) -> Keyed | None:
    """The call with its key, None for one without; raises 400 for what is no key."""
    key = given_key(request)
    if key is None:
        return None
    keyring, scope = services.parts.keyring, request.scope
    asked = json.dumps([scope["query_string"].decode("latin-1"), body], sort_keys=True)
    return Keyed(
        keyring=keyring,
        team_id=caller.team_id,
        digest=keyring.digest("idempotency-key", "\0".join((caller.token_id, scope["method"], scope["path"], key))),
        fingerprint=keyring.digest("idempotency-body", asked),
        now=services.parts.now(),
    )


def once(endpoint: Endpoint, *, waits: bool) -> Endpoint:
    """The endpoint, which under a key is run once; `waits` tells that it waits for more than the database."""

    @wraps(endpoint)
    async def run(**values: Any) -> Response:
        call = values.get("call")
        keyed = None if call is None else call.request.scope["state"].get("keyed")
        if call is None or keyed is None:
            return await endpoint(**values)
        if waits:
            return await _waited(endpoint, values, call, keyed)
        return await _in_one_transaction(endpoint, values, call, keyed)

    return run


async def _in_one_transaction(endpoint: Endpoint, values: dict[str, Any], call: Call, keyed: Keyed) -> Response:
    wakes: list[Callable[[], None]] = []

    def work(connection: Connection) -> Response:
        if not keyed.claim(connection):
            return _given(keyed, connection)
        services = call.services
        # Nobody is woken for what is not committed yet, and never from the writer's thread.
        parts = replace(services.parts, wake=lambda: wakes.append(services.parts.wake))
        inner = replace(call, services=replace(services, parts=parts), transaction=Transaction(connection))
        response = _decided(call, lambda: _at_once(connection, endpoint(**{**values, "call": inner})))
        keyed.settle(connection, response)
        return response

    response = await call.services.parts.database.write(work)
    for wake in wakes:
        wake()
    return response


async def _waited(endpoint: Endpoint, values: dict[str, Any], call: Call, keyed: Keyed) -> Response:
    database = call.services.parts.database

    def store(connection: Connection) -> None:
        if keyed.claim(connection):
            keyed.settle(connection, response)

    with call.services.running.alone(keyed.digest):
        found = await database.read(keyed.found)
        if found is not None:
            return found
        try:
            response = await endpoint(**values)
        except TRANSLATED as error:
            response = _refused(call, error)
        await database.write(store)
    return response


def _given(keyed: Keyed, connection: Connection) -> Response:
    """What the call that was faster has been answered."""
    found = keyed.found(connection)
    if found is None:
        raise RuntimeError("a key is taken and has no answer")
    return found


def _decided(call: Call, answered: Callable[[], Response]) -> Response:
    """The answer, or a refusal that would be the same at every repetition; any other is raised."""
    try:
        return answered()
    except TRANSLATED as error:
        return _refused(call, error)


def _refused(call: Call, error: Exception) -> Response:
    refused = translate(call.request, error)
    if not _is_decision(refused):
        raise error
    return refusal(call.request, refused, call.services.parts.public_url)


def _is_decision(error: ApiError) -> bool:
    """404, 409 of a state that stays, and 422 on references alone: what is refused before has decided nothing."""
    if error.code == "validation_failed":
        return all(detail.code == "reference_not_found" for detail in error.details)
    return error.kind.status in {404, 409} and error.code not in _PASSING


def _at_once(connection: Connection, coroutine: Coroutine[Any, Any, Response]) -> Response:
    """Runs a coroutine to its end in the writer's thread; what it wrote is undone where it raises."""
    with connection.begin_nested():
        try:
            coroutine.send(None)
        except StopIteration as done:
            answer: Response = done.value
            return answer
        finally:
            coroutine.close()
        raise RuntimeError("the endpoint waits for more than its transaction; its operation has to say so (waits)")
