"""The first word of a probe that knows nothing yet: whether its server and its key are right."""

from __future__ import annotations

import msgspec

from statuspulse.domain.times import to_datetime
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose
from statuspulse.probe.agent import ProbeSettings
from statuspulse.probe.link import MSGPACK
from statuspulse.protocol.documents import Heartbeat, HeartbeatAnswer

_ANSWER_SECONDS = 10
_MOST_BYTES = 64 << 10
_NO_KEY = frozenset({401, 403})
_NO_SERVER = frozenset({404, 405, 415})


class NotWelcomeError(Exception):
    """The server is not there, is none, or does not know the key: one line with the cure."""


async def greet(client: HttpClient, settings: ProbeSettings, now: int) -> None:
    """Sends a heartbeat; raises NotWelcomeError. A server that is only busy is one."""
    url = settings.server_url
    heartbeat = Heartbeat(clock=to_datetime(now), boot_id=settings.boot_id, version=settings.version)
    outcome = await client.request(
        method="POST",
        url=f"{url}/v1/agent/heartbeat",
        headers={"Authorization": f"Bearer {settings.key.reveal()}", "Accept": MSGPACK, "Content-Type": MSGPACK},
        body=msgspec.msgpack.encode(heartbeat),
        purpose=Purpose.CONTROL,
        timeout_s=_ANSWER_SECONDS,
        max_bytes=_MOST_BYTES,
    )
    if isinstance(outcome, Unreachable):
        raise NotWelcomeError(f"{url} cannot be reached: {outcome.text}; check --server and the way there")
    if outcome.status in _NO_KEY:
        raise NotWelcomeError(
            f"{url} does not know the probe's key (status {outcome.status}); create a probe or rotate its key there"
        )
    if _is_another(outcome):
        raise NotWelcomeError(f"{url} is no StatusPulse server (status {outcome.status}); check --server")


def _is_another(outcome: Answer) -> bool:
    """Whether something else answers there."""
    if outcome.status != 200:
        return outcome.status in _NO_SERVER or 300 <= outcome.status < 400
    try:
        msgspec.msgpack.decode(outcome.body, type=HeartbeatAnswer)
    except msgspec.DecodeError:
        return True
    return False
