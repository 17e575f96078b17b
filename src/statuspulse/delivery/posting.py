"""One JSON document to a receiver over HTTP, and what its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.delivery.channel import ANSWER_BYTES, ATTEMPT_SECONDS, Delivered, Outcome, Refused, Retry
from statuspulse.domain.backoff import RetryAfter
from statuspulse.egress.http_client import Answer, HttpClient, Unreachable
from statuspulse.egress.policy import Purpose

# Statuses that no second try will change (`RELIABILITY.md` 2).
REFUSING = frozenset({400, 401, 403, 404, 410})


@dataclass(frozen=True, slots=True)
class Post:
    """One request, its body already in bytes, since a signature is over exactly these."""

    url: str
    body: bytes | None
    headers: Mapping[str, str]
    purpose: Purpose
    method: str = "POST"

    @classmethod
    def of(cls, url: str, document: Mapping[str, Any], purpose: Purpose) -> Post:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        return cls(url, json.dumps(document, ensure_ascii=False).encode(), headers, purpose)


async def send(
    client: HttpClient, post: Post, *, timeout_s: float = ATTEMPT_SECONDS, max_bytes: int = ANSWER_BYTES
) -> Answer | Retry:
    """The answer, whatever it says; a receiver that gives none is asked again."""
    answer = await client.request(
        method=post.method,
        url=post.url,
        headers=post.headers,
        body=post.body,
        purpose=post.purpose,
        timeout_s=timeout_s,
        max_bytes=max_bytes,
    )
    return Retry(error=answer.kind.value) if isinstance(answer, Unreachable) else answer


async def deliver(client: HttpClient, post: Post) -> Outcome:
    """For receivers whose status says all."""
    answer = await send(client, post)
    return answer if isinstance(answer, Retry) else judge(answer)


def judge(answer: Answer, retry_after: RetryAfter | None = None) -> Outcome:
    """What the status means; `retry_after` is what the receiver asks for elsewhere than in the header."""
    if 200 <= answer.status < 300:
        return Delivered(answer.status)
    error = f"http_{answer.status}"
    if answer.status in REFUSING:
        return Refused(error=error, status=answer.status)
    told = answer.headers.get("retry-after")
    if told is not None and retry_after is None:
        retry_after = RetryAfter(text=told, answered=answer.headers.get("date"))
    return Retry(error=error, status=answer.status, retry_after=retry_after)


def said(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer; empty where there is none."""
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def seconds(value: object) -> RetryAfter | None:
    """A wait that a receiver names in its body, in seconds or parts of one; rounded up."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        return None
    return RetryAfter(text=str(-int(-value // 1)), answered=None)
