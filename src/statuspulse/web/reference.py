"""The reference of the API: an overview, and a page for each section of the OpenAPI document."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from statuspulse.api.markup import Html, joined, prose, tag
from statuspulse.web.schemas import Schema, Schemas, name_of

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"

_IN_PATH = re.compile(r"\{([a-z_]+)\}")
_TOKEN = "$STATUSPULSE_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the document; `told` is what the document tells of it."""

    method: str
    path: str
    told: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.told["operationId"])

    @property
    def summary(self) -> str:
        return str(self.told["summary"])

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The JSON body of the request: its schema and examples."""
        content = self.told.get("requestBody", {}).get("content", {})
        found: Mapping[str, Any] | None = content.get(_JSON)
        return found

    @property
    def answers(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The good answers with a body, by status."""
        for status, told in self.told["responses"].items():
            if int(status) < 300 and _JSON in told.get("content", {}):
                yield status, told["content"][_JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The operations under one tag."""

    name: str
    operations: Sequence[Operation]

    @property
    def path(self) -> str:
        return "/docs/" + re.sub(r"[^a-z]+", "-", self.name.lower())


def sections(document: Mapping[str, Any]) -> list[Section]:
    """The sections in the order of the document."""
    found: dict[str, list[Operation]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                operation = Operation(method=method.upper(), path=f"/v1{path}".rstrip("/"), told=item[method])
                found[operation.told["tags"][0]].append(operation)
    return [Section(name=name, operations=operations) for name, operations in found.items() if operations]


def overview(found: Sequence[Section], schemas: Schemas, public_url: str) -> Html:
    """The first page: how to call, and every operation."""
    first = next(one for section in found for one in section.operations if one.id == "listMonitors")
    return joined(
        tag("h1", "API reference"),
        tag("p", "Base URL ", tag("code", f"{public_url}/v1"), ". Every call carries a token, every answer is JSON:"),
        tag("pre", tag("code", _curl(first, public_url))),
        tag(
            "p",
            "Answers have the members of one envelope: ",
            *_listed("object", "request_id", "message", "warnings"),
            ". A refusal has ",
            tag("code", "error"),
            " with a code; ",
            tag("a", "all codes", href="/docs/errors"),
            " tells what each means and what to do.",
        ),
        filter_box("Filter by path, name or member"),
        *(_contents(section, schemas) for section in found),
    )


def section_page(section: Section, schemas: Schemas, public_url: str) -> Html:
    """Every operation of a section in full."""
    shown = _Shown(schemas)
    return joined(
        tag("h1", section.name),
        filter_box("Filter this page by path, name or member"),
        *(_operation(one, shown, public_url) for one in section.operations),
    )


def contents_of(section: Section) -> Html:
    """Links to the operations of a page."""
    links = (tag("li", tag("a", one.summary, href=f"#{one.id}")) for one in section.operations)
    return tag("nav", tag("h2", "On this page"), tag("ul", *links), aria_label="On this page")


def filter_box(label: str) -> Html:
    """A field that only shows where the script runs; without it everything stays visible."""
    return tag(
        "p",
        tag("label", label, for_="filter"),
        tag("input", type="search", id="filter", autocomplete="off", spellcheck="false"),
        tag("output", for_="filter"),
        class_="filter",
        hidden=True,
    )


def _contents(section: Section, schemas: Schemas) -> Html:
    rows = (
        tag(
            "li",
            tag(
                "a",
                _badge(one.method),
                " ",
                tag("code", _breakable(one.path)),
                " ",
                tag("span", one.summary),
                href=f"{section.path}#{one.id}",
            ),
            data_terms=_terms(one, schemas),
        )
        for one in section.operations
    )
    title = tag("h2", tag("a", section.name, href=section.path))
    return tag("section", title, tag("ul", *rows, class_="operations"), data_group=True)


@dataclass(slots=True)
class _Shown:
    """The tables of a page: each is shown once, and what has it again leads there."""

    schemas: Schemas
    anchors: dict[str, str] = field(default_factory=dict)

    def table(self, schema: Schema, anchor: str) -> Html:
        key = json.dumps(schema, sort_keys=True)
        if key in self.anchors:
            name = name_of(schema) if "$ref" in schema else "the same members"
            return tag("p", "Members: ", tag("a", name, href=f"#{self.anchors[key]}"), ", above.")
        self.anchors[key] = anchor
        return tag("div", self.schemas.table(schema), id=anchor)


def _operation(one: Operation, shown: _Shown, public_url: str) -> Html:
    return tag(
        "section",
        tag("h2", one.summary, " ", tag("a", "#", href=f"#{one.id}", class_="anchor", aria_label="Link to this")),
        tag("p", _badge(one.method), " ", tag("code", _breakable(one.path)), class_="route"),
        _scopes(one),
        tag("p", prose(str(one.told["description"]))) if "description" in one.told else None,
        _parameters(one, shown.schemas),
        _request(one, shown, public_url),
        *(_answer(one, shown, status, told) for status, told in one.answers),
        _refusals(one),
        id=one.id,
        class_="operation",
        data_terms=_terms(one, shown.schemas),
    )


def _scopes(one: Operation) -> Html:
    if not one.told["security"]:
        return tag("p", "Takes no token.")
    scopes = one.told.get("x-required-scopes", ())
    return tag("p", "Scope: ", *_listed(*scopes)) if scopes else tag("p", "Any token will do.")


def _parameters(one: Operation, schemas: Schemas) -> Html | None:
    rows = [
        tag(
            "tr",
            tag("td", tag("code", told["name"]), " ", tag("span", told["in"], class_="place")),
            tag("td", schemas.type_of(told["schema"], in_json=False)),
            tag("td", schemas.meaning({"description": told.get("description", ""), **told["schema"]})),
        )
        for told in one.told.get("parameters", ())
    ]
    if not rows:
        return None
    head = tag("tr", *(tag("th", text, scope="col") for text in ("Parameter", "Type", "Meaning")))
    return joined(tag("h3", "Parameters"), tag("table", tag("thead", head), tag("tbody", *rows), class_="members"))


def _request(one: Operation, shown: _Shown, public_url: str) -> Html:
    if one.body is None:
        return joined(tag("h3", "Request"), _example("curl", _curl(one, public_url), is_open=True))
    examples = {name: told["value"] for name, told in one.body.get("examples", {}).items()}
    lines = [
        _example(f"curl: {name}", _curl(one, public_url, value), is_open=place == 0)
        for place, (name, value) in enumerate(examples.items())
    ] or [_example("curl", _curl(one, public_url), is_open=True)]
    return joined(tag("h3", "Request"), shown.table(one.body["schema"], f"{one.id}-request"), *lines)


def _answer(one: Operation, shown: _Shown, status: str, told: Mapping[str, Any]) -> Html:
    examples = (
        _example(f"answer: {name}", json.dumps(example["value"], indent=2, ensure_ascii=False))
        for name, example in told.get("examples", {}).items()
    )
    return joined(tag("h3", f"Answer {status}"), shown.table(told["schema"], f"{one.id}-{status}"), *examples)


def _refusals(one: Operation) -> Html:
    rows = (
        tag("tr", tag("td", _to_codes(status)), tag("td", told["description"]))
        for status, told in one.told["responses"].items()
        if int(status) >= 300
    )
    return tag("details", tag("summary", "Other statuses"), tag("table", tag("tbody", *rows)))


def _to_codes(status: str) -> Html:
    return tag("a", status, href=f"/docs/errors#{status}") if int(status) >= 400 else joined(status)


def _example(title: str, text: str, *, is_open: bool = False) -> Html:
    return tag("details", tag("summary", title), tag("pre", tag("code", text)), open=is_open, class_="example")


def _curl(one: Operation, public_url: str, body: object = None) -> str:
    """The call as a line for a shell, with an example's body."""
    method = "" if one.method == "GET" else f"-X {one.method} "
    parts = [f"curl {method}{shlex.quote(public_url + _filled(one) + _query(one))}"]
    if one.told["security"]:
        parts.append(f'-H "Authorization: Bearer {_TOKEN}"')
    if body is not None:
        parts += ['-H "Content-Type: application/json"', f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}"]
    return " \\\n  ".join(parts)


def _filled(one: Operation) -> str:
    """The path with the ids of the examples."""
    shown = [example["value"] for _, told in one.answers for example in told.get("examples", {}).values()]

    def value(found: re.Match[str]) -> str:
        name = found[1]
        known = (answer.get(key) for answer in shown for key in (name, "id", name.removesuffix("_id"), "slug"))
        return str(next((one for one in known if isinstance(one, str)), name.upper()))

    return _IN_PATH.sub(value, one.path)


def _query(one: Operation) -> str:
    """The parameters of the query without which the call is refused."""
    needed = {
        told["name"]: told["schema"].get("default", "")
        for told in one.told.get("parameters", ())
        if told["in"] == "query" and told.get("required")
    }
    return f"?{urlencode(needed)}" if needed else ""


def _terms(one: Operation, schemas: Schemas) -> str:
    """What the filter looks for: names, path, scopes, parameters, and members of the request."""
    words = [one.id, one.method, one.path, one.summary, *one.told.get("x-required-scopes", ())]
    words += [told["name"] for told in one.told.get("parameters", ())]
    words += [] if one.body is None else schemas.names(one.body["schema"])
    return " ".join(dict.fromkeys(" ".join(words).lower().split()))


def _badge(method: str) -> Html:
    return tag("span", method, class_=f"method {method.lower()}")


def _listed(*names: str) -> Iterator[Html]:
    for place, name in enumerate(names):
        yield joined(", " if place else "", tag("code", name))


def _breakable(path: str) -> Html:
    """A path that may be broken before each slash."""
    return Html("<wbr>".join(joined(part) for part in re.split(r"(?=/)", path)))
