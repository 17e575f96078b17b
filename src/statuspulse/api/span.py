"""The stretch of time that a call asks for with `from` and `to`."""

from __future__ import annotations

from statuspulse.api.errors import invalid
from statuspulse.catalog.refusals import Detail, SoftProblem
from statuspulse.domain.times import DAY, from_text

_EXAMPLE = "2026-11-23T06:20:00Z"


def span(begin: str | None, end: str | None, now: int, *, usual: int, longest: int | None) -> tuple[int, int]:
    """[from, to) in ms: `to` is now by default and at the latest, `from` is `usual` before it.

    Raises 422 for what is no such stretch.
    """
    wrong: list[Detail] = []
    times = read_times(wrong, begin=begin, end=end)
    if wrong:
        raise invalid(wrong)
    until = min(times.get("to", now), now)
    if until <= 0:  # so that everything before it, in any zone, is a date
        raise invalid([in_query("parameter_out_of_range", "to", "must be later than 1970-01-01T00:00:00Z")])
    since = times.get("from", until - usual)
    if since >= until:
        latest = "now" if "to" in times else "to, which is now unless it is given"
        raise invalid([in_query("parameter_conflict", "from", f"must be earlier than {latest}")])
    if longest is not None and until - since > longest:
        raise invalid([in_query("parameter_out_of_range", "from", f"must be at most {longest // DAY} days before to")])
    return since, until


def cut_warnings(end: str | None, now: int) -> tuple[SoftProblem, ...]:
    """Told where `to`, which can be read, lies ahead."""
    if end is None or from_text(end) <= now:
        return ()
    return (SoftProblem(code="window_cut", message="to lies ahead; the window ends now.", param="to"),)


def bounds(begin: str | None, end: str | None) -> tuple[int | None, int | None]:
    """`from` and `to` in ms where neither has a default. Raises 422 for what is no time and for an empty stretch."""
    wrong: list[Detail] = []
    times = read_times(wrong, begin=begin, end=end)
    if wrong:
        raise invalid(wrong)
    return times.get("from"), times.get("to")


def read_times(wrong: list[Detail], *, begin: str | None, end: str | None) -> dict[str, int]:
    """The instants of the members that were sent; complaints, also about an empty stretch, go to the others."""
    sent = (("from", begin), ("to", end))
    times = {name: at for name, text in sent if text is not None and (at := read_time(wrong, name, text)) is not None}
    if len(times) == len(sent) and times["from"] >= times["to"]:
        wrong.append(in_query("parameter_conflict", "from", "must be earlier than to"))
    return times


def read_time(wrong: list[Detail], name: str, text: str) -> int | None:
    """The instant; for what is none a complaint among the others."""
    try:
        return from_text(text)
    except (ValueError, OverflowError):
        wrong.append(in_query("parameter_invalid_format", name, _cure(text)))
        return None


def in_query(code: str, name: str, message: str) -> Detail:
    """One thing that is wrong with a member of the query."""
    return Detail(code=code, path=(name,), message=message, in_body=False)


def _cure(text: str) -> str:
    if " " in text and _is_time(text.replace(" ", "+")):
        return f"must be a time such as {_EXAMPLE}; a + in a query is written %2B"
    if _is_time(f"{text}Z"):
        return f"needs an offset, as in {_EXAMPLE}"
    return f"must be a time such as {_EXAMPLE}"


def _is_time(text: str) -> bool:
    try:
        from_text(text)
    except (ValueError, OverflowError):
        return False
    return True
