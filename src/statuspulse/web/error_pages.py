"""What `doc_url` leads to: a page for each code of a refusal, and a list of all."""

from __future__ import annotations

from statuspulse.api.errors import KINDS
from statuspulse.api.markup import Html, joined, prose, tag
from statuspulse.api.meanings import DETAIL_MEANINGS, MEANINGS
from statuspulse.web.reference import filter_box

PATH = "/docs/errors"


def error_list() -> Html:
    """Every code, by status."""
    by_status: dict[int, list[str]] = {}
    for code, kind in KINDS.items():
        by_status.setdefault(kind.status, []).append(code)
    return joined(
        tag("h1", "Errors"),
        tag("p", prose("A refusal has `error.code`; programs should decide by that, and by the status. ")),
        tag("p", prose("Repeat a call after 429 and 503, as `Retry-After` says, and after a lost connection.")),
        filter_box("Filter by code or meaning"),
        *(_status(status, codes) for status, codes in sorted(by_status.items())),
    )


def error_page(code: str) -> Html:
    """One code in full."""
    meaning, kind = MEANINGS[code], KINDS[code]
    return joined(
        tag("h1", tag("code", code)),
        tag("p", prose(meaning.what), class_="lead"),
        tag("p", "HTTP status ", tag("code", str(kind.status)), ", class ", tag("code", kind.type), "."),
        tag("h2", "Usual causes"),
        tag("ul", *(tag("li", prose(cause)) for cause in meaning.causes)),
        tag("h2", "What to do"),
        tag("p", prose(meaning.cure)),
        _details() if code == "validation_failed" else None,
        tag("p", tag("a", "All codes", href=PATH)),
    )


def missing_page() -> Html:
    """For a path under /docs that leads nowhere."""
    return joined(
        tag("h1", "There is no such page"),
        tag("p", tag("a", "API reference", href="/docs"), " · ", tag("a", "Errors", href=PATH)),
    )


def _status(status: int, codes: list[str]) -> Html:
    rows = (
        tag(
            "li",
            tag("a", tag("code", code), " ", tag("span", prose(MEANINGS[code].what)), href=f"{PATH}/{code}"),
            data_terms=f"{code} {status} {MEANINGS[code].what.lower()}",
        )
        for code in codes
    )
    return tag(
        "section", tag("h2", str(status)), tag("ul", *rows, class_="operations"), id=str(status), data_group=True
    )


def _details() -> Html:
    rows = (
        tag("tr", tag("td", tag("code", code)), tag("td", prose(text)), id=code)
        for code, text in DETAIL_MEANINGS.items()
    )
    head = tag("tr", tag("th", "Code", scope="col"), tag("th", "Meaning", scope="col"))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return joined(tag("h2", prose("Codes in `error.details`")), table)
