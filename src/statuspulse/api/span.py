"""The stretch of time that a call asks for with `from` and `to`."""

from __future__ import annotations

from statuspulse.api.errors import invalid
from statuspulse.catalog.refusals import Detail
from statuspulse.domain.times import DAY, from_text


def span(begin: str | None, end: str | None, now: int, *, usual: int, longest: int | None) -> tuple[int, int]:
    """[from, to) in ms: `to` is now by default, `from` is `usual` before it. Raises 422 for what is no such stretch."""
    wrong: list[Detail] = []
    times = {name: _time(name, text, wrong) for name, text in (("from", begin), ("to", end)) if text is not None}
    if wrong:
        raise invalid(wrong)
    until = times.get("to", now)
    since = times.get("from", until - usual)
    if since >= until:
        raise invalid([in_query("parameter_conflict", "from", "must be earlier than to, which is now by default")])
    if longest is not None and until - since > longest:
        raise invalid([in_query("parameter_out_of_range", "from", f"must be at most {longest // DAY} days before to")])
    return since, until


def optional_time(name: str, text: str | None) -> int | None:
    """The instant (ms) of a member of the query. Raises 422 for what is no time."""
    wrong: list[Detail] = []
    at = None if text is None else _time(name, text, wrong)
    if wrong:
        raise invalid(wrong)
    return at


def _time(name: str, text: str, wrong: list[Detail]) -> int:
    """The instant; for what is none a complaint among the others."""
    try:
        return from_text(text)
    except (ValueError, OverflowError):
        wrong.append(in_query("parameter_invalid_format", name, "must be a time such as 2026-11-23T06:20:00Z"))
        return 0


def in_query(code: str, name: str, message: str) -> Detail:
    """One thing that is wrong with a member of the query."""
    return Detail(code=code, path=(name,), message=message, in_body=False)
