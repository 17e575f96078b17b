"""The long tail of receivers: Apprise words the request, and it leaves by our own gate (`docs/decisions/0019`).

The package is an extra and is imported when a channel needs it. Its plugins send by the functions of `requests`; in
their place each finds ours, so that no plugin opens a connection, follows a redirect, chooses how long to wait or
whether to believe a certificate, and what a provider answered is known.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

from statuspulse.delivery import posting
from statuspulse.delivery.channel import ANSWER_BYTES, ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.delivery.wording import details, headline, line, links, remarks, summary
from statuspulse.domain.apprise_schemes import PLUGINS
from statuspulse.domain.channel_addresses import AppriseUrl, ChannelUrlError
from statuspulse.domain.message import Action, Message
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose

# Few channels are of this kind, and each waits for its receiver only.
_THREADS = 8
_TITLE_LIMIT = 250
_TEXT_LIMIT = 1000
_KINDS = {Action.TRIGGER: "failure", Action.RESOLVE: "success", Action.UPDATE: "warning", Action.NOTICE: "warning"}
# Of `requests` a plugin may use its words for statuses and errors.
_SHARED = frozenset(
    {"codes", "exceptions", "auth", "RequestException", "ConnectionError", "HTTPError", "Timeout", "TooManyRedirects"}
)
_BY_GATE = frozenset({"content-length", "connection", "accept-encoding", "host"})


def is_installed() -> bool:
    return find_spec("apprise") is not None


def is_readable(url: str) -> bool:
    """Whether the plugin of its scheme can make anything of the URL."""
    return _plugin(url, "") is not None


class AppriseChannel:
    """Lets a plugin say what is to be sent, in a thread, and sends it; messages link to pages below `public_url`."""

    spacing_ms = SECOND
    groups = True

    def __init__(self, client: HttpClient, *, public_url: str) -> None:
        self._client = client
        self._public_url = public_url.rstrip("/")
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="apprise")

    async def hand_over(self, address: Secret, message: Message, *, key: str) -> Outcome:  # noqa: ARG002
        """No plugin knows keys: a copy is a second message."""
        try:
            url = AppriseUrl.of(address.reveal())
        except ChannelUrlError:
            return Refused(error="address_invalid")
        loop = asyncio.get_running_loop()
        errand = _Errand(self._client, loop, loop.time() + ATTEMPT_SECONDS)
        try:
            taken = await loop.run_in_executor(self._threads, _say, errand, url.url, message, self._public_url)
        except asyncio.CancelledError:
            errand.give_up()
            raise
        return errand.outcome(taken=taken)


@dataclass(slots=True)
class _Errand:
    """The requests of one delivery, made in a thread and sent from the loop; they share its time."""

    client: HttpClient
    loop: asyncio.AbstractEventLoop
    until: float
    answers: list[Answer | Unreachable] = field(default_factory=list)
    _pending: Future[Answer | Unreachable] | None = None
    _is_over: bool = False

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Answer | Unreachable:
        rest = self.until - self.loop.time()
        if self._is_over or rest <= 0:
            raise TimeoutError
        sent = self.client.request(
            method=method,
            url=url,
            headers=headers,
            body=body,
            purpose=Purpose.DELIVERY_APPRISE,
            timeout_s=rest,
            max_bytes=ANSWER_BYTES,
        )
        self._pending = asyncio.run_coroutine_threadsafe(sent, self.loop)
        answer = self._pending.result()
        self.answers.append(answer)
        return answer

    def give_up(self) -> None:
        """Nobody waits for it any more."""
        self._is_over = True
        if self._pending is not None:
            self._pending.cancel()

    def outcome(self, *, taken: bool) -> Outcome:
        """What the provider said counts, where it said anything; else what the plugin made of it."""
        if not self.answers:
            return Refused(error="address_invalid")
        for answer in self.answers:
            if isinstance(answer, Unreachable):
                return Retry(error=answer.kind.value)
            judged = posting.judge(answer)
            if not taken and not isinstance(judged, Delivered):
                return judged
        last = self.answers[-1]
        status = last.status if isinstance(last, Answer) else None
        return Delivered(status or 200) if taken else Retry(error="unexpected_answer", status=status)


_running = threading.local()


def _say(errand: _Errand, url: str, message: Message, public_url: str) -> bool:
    """Runs in a thread of its own kind; whatever a plugin raises is a failure of this delivery alone."""
    plugin = _plugin(url, public_url)
    if plugin is None:
        return False
    _running.errand = errand
    try:
        title, text = line(headline(message), _TITLE_LIMIT), "\n".join(_lines(message, public_url))
        return bool(plugin.notify(body=text, title=title, notify_type=_KINDS.get(message.action, "info")))
    finally:
        _running.errand = None


def _lines(message: Message, public_url: str) -> Iterator[str]:
    yield line(summary(message), _TEXT_LIMIT)
    yield from (f"{name}: {line(text, _TEXT_LIMIT)}" for name, text in details(message))
    yield from (text[:_TEXT_LIMIT] for text in remarks(message))
    yield from (f"{label}: {url}" for label, url in links(message, public_url))


def _plugin(url: str, public_url: str) -> Any:
    """One object per message, so that no pace of theirs is kept between two; None for what is no URL of the kind."""
    kind = _class_of(url.partition("://")[0])
    parsed = kind.parse_url(url)
    if not parsed:
        return None
    asset = importlib.import_module("apprise").AppriseAsset(
        app_id="StatusPulse", app_desc="StatusPulse", app_url=public_url, http_redirects=False, async_mode=False
    )
    try:
        plugin = kind(**{**parsed, "asset": asset})
    except (TypeError, ValueError):  # what a plugin raises for members that it cannot use
        return None
    plugin.request_rate_per_sec = 0
    plugin.include_image = False
    return plugin


@cache
def _class_of(scheme: str) -> Any:
    """The plugin of a scheme, whose every request is ours from now on."""
    logging.getLogger("apprise").disabled = True  # its lines may hold URLs
    module = importlib.import_module(f"apprise.plugins.{PLUGINS[scheme]}")
    base = importlib.import_module("apprise.plugins.base").NotifyBase
    vars(module)["requests"] = _Requests(importlib.import_module("requests"))
    for kind in vars(module).values():
        if inspect.isclass(kind) and issubclass(kind, base) and scheme in _schemes(kind):
            return kind
    raise LookupError(scheme)


def _schemes(kind: Any) -> tuple[str, ...]:
    found: list[str] = []
    for given in (kind.protocol, kind.secure_protocol):
        found += [given] if isinstance(given, str) else (given or ())
    return tuple(found)


class _Requests:
    """Stands in a plugin where it expects the module `requests`."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        if name in _SHARED:
            return getattr(self._real, name)
        if name in {"get", "post", "put", "patch", "delete"}:
            return lambda url, *args, **given: self.request(name, url, *args, **given)
        raise AttributeError(name)

    def request(self, method: str, url: str, data: Any = None, **given: Any) -> Any:
        """As `requests.request`; of what concerns the connection (`verify`, `timeout`, `allow_redirects`) we decide."""
        wanted = {name: given[name] for name in ("headers", "json", "params", "auth", "files") if name in given}
        prepared = self._real.Request(method.upper(), url, data=data, **wanted).prepare()
        headers = {name: str(value) for name, value in prepared.headers.items() if name.lower() not in _BY_GATE}
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body
        errand: _Errand | None = getattr(_running, "errand", None)
        if errand is None:  # a plugin that would send while it is made
            raise self._real.ConnectionError("not now")
        try:
            answer = errand.send(prepared.method, prepared.url, headers, body)
        except TimeoutError:
            raise self._real.Timeout("out of time") from None
        if isinstance(answer, Unreachable):
            raise self._real.ConnectionError(answer.kind.value)
        return self._response(answer, prepared.url)

    def _response(self, answer: Answer, url: str) -> Any:
        response = self._real.Response()
        response.status_code, response._content, response.url = answer.status, answer.body, url  # noqa: SLF001
        response.headers.update(answer.headers)
        response.encoding = "utf-8"
        return response
