"""pydantic's errors in our own words: codes that callers know, paths into what was sent, and never a value of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from statuspulse.catalog.refusals import Detail, InvalidInputError, Path

Shape = TypeVar("Shape", bound=BaseModel)

# What a validator of ours raises under one of these names is passed on as it is.
OWN_CODES = frozenset(
    {
        "unknown_parameter",
        "parameter_missing",
        "parameter_invalid_type",
        "parameter_out_of_range",
        "parameter_invalid_format",
        "parameter_invalid_enum",
        "parameter_too_long",
        "parameter_too_many",
        "parameter_duplicate",
        "parameter_immutable",
        "parameter_conflict",
        "reference_not_found",
        "scheme_unsupported",
        "url_blocked",
        "timezone_unknown",
    }
)

_TYPES = {
    "string": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "true or false",
    "list": "an array",
    "dict": "an object",
    "model": "an object",
    "model_attributes": "an object",
    "none_required": "null",
    "datetime": "a time such as 2026-11-23T06:20:00Z",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "greater_than": ("gt", "must be greater than {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "less_than": ("lt", "must be less than {}"),
}
_MISSING = {"missing", "union_tag_not_found"}
_MAY_BE_ABSENT = {*_MISSING, "parameter_missing"}
# Names of the same thing that are not alike.
_KIN = {"interval_seconds": "period_seconds", "period_seconds": "interval_seconds"}
# How pydantic ends the location of what is wrong with the key of a member, not with its value.
_KEY = "[key]"
# Where constants are listed as Python writes them.
_JSON_WORDS = {"True": "true", "False": "false", "None": "null"}
_PYTHONS_WORD = re.compile(r"(?<!')\b(True|False|None)\b(?!')")
# Follows from another error on the same body.
_SILENT = {"default_factory_not_called"}


def read(shape: type[Shape], document: object) -> Shape:
    """The document as a value of the shape; raises InvalidInputError with everything that is wrong."""
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidInputError(details_of(found, document, names_of(shape))) from None


def names_of(shape: type[BaseModel]) -> tuple[str, ...]:
    """The members of a shape as callers write them."""
    return tuple(field.alias or name for name, field in shape.model_fields.items())


def details_of(errors: Iterable[Mapping[str, Any]], sent: Any, known: Sequence[str] = ()) -> list[Detail]:
    """One detail per member, in the order in which pydantic found them; `known` are the names at the top.

    They are suggested in place of unknown ones. Of a union only the complaint of its first branch is kept: the others
    repeat it about the same member.
    """
    details: dict[Path, Detail] = {}
    for error in errors:
        if error["type"] not in _SILENT:
            path = _path(_location(error), sent, may_be_absent=error["type"] in _MAY_BE_ABSENT)
            detail = _detail(error, path, known)
            if error["loc"][-1:] == (_KEY,):
                detail = replace(detail, message=f"is a key, which {detail.message}")
            details.setdefault(detail.path, detail)
    return list(details.values())


def _location(error: Mapping[str, Any]) -> Sequence[str | int]:
    """Where the member that tells the branches of a union apart is missing or unknown, it is that member."""
    location: Sequence[str | int] = error["loc"]
    if error["type"] not in {"union_tag_not_found", "union_tag_invalid"}:
        return location
    return (*location, error["ctx"]["discriminator"].strip("'"))


def _path(location: Sequence[str | int], sent: Any, *, may_be_absent: bool) -> Path:
    """The location without the names of union branches: only steps that lead into what was sent count."""
    path: list[str | int] = []
    here = sent
    for place, step in enumerate(location):
        last = place == len(location) - 1
        if isinstance(here, Mapping) and isinstance(step, str) and (step in here or (last and may_be_absent)):
            path.append(step)
            here = here.get(step)
        elif isinstance(here, Sequence) and not isinstance(here, str) and isinstance(step, int):
            path.append(step)
            here = here[step] if step < len(here) else None
    return tuple(path)


def _detail(error: Mapping[str, Any], path: Path, known: Sequence[str]) -> Detail:
    kind, context = error["type"], error.get("ctx") or {}
    if kind in OWN_CODES:
        extra = {name: context[name] for name in ("limit", "known") if name in context}
        return Detail(code=kind, path=path, message=error["msg"], extra=extra)
    if kind in _MISSING:
        return Detail(code="parameter_missing", path=path, message="is required")
    if kind == "extra_forbidden":
        return unknown(path, known if len(path) == 1 else ())
    return _choice(kind, path, context) or _size(kind, path, context) or _type(kind, path)


def _choice(kind: str, path: Path, context: Mapping[str, Any]) -> Detail | None:
    if kind == "union_tag_invalid":
        *others, last = context["expected_tags"].split(", ")
        context = {"expected": f"{', '.join(others)} or {last}"}
    if kind in {"literal_error", "enum", "union_tag_invalid"}:
        expected = context.get("expected") or "a known value"
        message = _PYTHONS_WORD.sub(lambda word: _JSON_WORDS[word[0]], f"must be {expected}").replace("'", '"')
        return Detail(code="parameter_invalid_enum", path=path, message=message)
    return None


def _size(kind: str, path: Path, context: Mapping[str, Any]) -> Detail | None:
    if kind in _BOUNDS:
        name, text = _BOUNDS[kind]
        limit = context[name]
        return Detail(code="parameter_out_of_range", path=path, message=text.format(limit), extra={"limit": limit})
    match kind:
        case "string_too_long":
            limit, code = context["max_length"], "parameter_too_long"
            message = f"must have at most {limit} characters"
        case "string_too_short":
            limit, code = context["min_length"], "parameter_out_of_range"
            message = "must not be empty" if limit == 1 else f"must have at least {limit} characters"
        case "too_long":
            limit, code = context["max_length"], "parameter_too_many"
            message = f"must have at most {limit} items"
        case "too_short":
            limit, code = context["min_length"], "parameter_out_of_range"
            message = "must not be empty" if limit == 1 else f"must have at least {limit} items"
        case _:
            return None
    return Detail(code=code, path=path, message=message, extra={"limit": limit})


def _type(kind: str, path: Path) -> Detail:
    for suffix in ("_type", "_parsing", "_from_float", "_parsing_size"):
        expected = _TYPES.get(kind.removesuffix(suffix))
        if kind.endswith(suffix) and expected is not None:
            return Detail(code="parameter_invalid_type", path=path, message=f"must be {expected}")
    if kind == "none_required":
        return Detail(code="parameter_invalid_type", path=path, message="must be null")
    return Detail(code="parameter_invalid_format", path=path, message="does not have the right form")


def unknown(path: Path, known: Sequence[str]) -> Detail:
    """A member that does not exist here, with the likely one that was meant."""
    name = str(path[-1])[:80]
    kin = _KIN.get(name)
    near = [kin] if kin in known else difflib.get_close_matches(name, known, n=1)
    message = f'is not known here; perhaps "{near[0]}" is meant' if near else "is not known here; leave it out"
    return Detail(code="unknown_parameter", path=path, message=message)
