"""JSON Schemas of the OpenAPI document as tables of members that people read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statuspulse.api.markup import Html, joined, prose, tag

Schema = Mapping[str, Any]

_REFERENCE = "#/components/schemas/"
_DEEPEST = 6
_TELLING = "type"
_ALTERNATIVES = ("oneOf", "anyOf")


@dataclass(frozen=True, slots=True)
class Schemas:
    """The components of the document, by name."""

    components: Mapping[str, Schema]

    def resolved(self, schema: Schema) -> Schema:
        """The schema that a reference leads to; members beside the reference hold as well."""
        if "$ref" not in schema:
            return schema
        found = self.resolved(self.components[name_of(schema)])
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}

    def alternatives(self, schema: Schema) -> list[Schema]:
        """The schemas of which one holds, without null; the schema itself where there is no choice."""
        whole = self.resolved(schema)
        for word in _ALTERNATIVES:
            # Requirements alone are no alternative: `_either_way` of the document adds them to an object.
            if word in whole and "properties" not in whole:
                found = [one for each in whole[word] for one in self.alternatives(each)]
                return [one for one in found if self.resolved(one).get("type") != "null"]
        return [schema]

    def objects(self, schema: Schema) -> list[Schema]:
        """The objects with members that a value of the schema is or holds, resolved."""
        found = []
        for one in map(self.resolved, self.alternatives(schema)):
            if "properties" in one:
                found.append(one)
            elif isinstance(one.get("items"), Mapping):
                found += self.objects(one["items"])
        return found

    def table(self, schema: Schema, depth: int = 0) -> Html:
        """The members of an object; of several kinds first what all have, then what each has beside that."""
        kinds = self.objects(schema)
        if len(kinds) <= 1:
            return joined(*(self._rows(kind, kind["properties"], depth) for kind in kinds))
        shared = _shared(kinds)
        parts = [self._rows(kinds[0], shared, depth)] if shared else []
        for place, kind in enumerate(kinds):
            own = {name: told for name, told in kind["properties"].items() if name not in shared}
            if own:
                parts.append(_folded(_kind_name(kind, place), self._rows(kind, own, depth)))
        return joined(*parts)

    def names(self, schema: Schema) -> list[str]:
        """The members that a value of the schema may have, at its top."""
        return list(dict.fromkeys(name for kind in self.objects(schema) for name in kind["properties"]))

    def _rows(self, owner: Schema, members: Mapping[str, Schema], depth: int) -> Html:
        required = owner.get("required", ())
        ordered = sorted(members, key=lambda name: name not in required)
        rows = (self._row(name, members[name], depth, is_required=name in required) for name in ordered)
        head = tag("tr", *(tag("th", text, scope="col") for text in ("Member", "Type", "Meaning")))
        return tag("table", tag("thead", head), tag("tbody", *rows), class_="members")

    def _row(self, name: str, schema: Schema, depth: int, *, is_required: bool) -> Html:
        needed = tag("span", "required", class_="required") if is_required else None
        nested = self.table(schema, depth + 1) if depth < _DEEPEST and self.objects(schema) else None
        return tag(
            "tr",
            tag("td", tag("code", name), " ", needed),
            tag("td", self.type_of(schema)),
            tag("td", self.meaning(schema), _folded("members", nested) if nested else None),
        )

    def meaning(self, schema: Schema) -> Html:
        """Description, limits and default."""
        whole = self.resolved(schema)
        limits = [text for one in self.alternatives(schema) for text in _limits(self.resolved(one))]
        parts = [prose(whole["description"])] if "description" in whole else []
        if limits:
            parts.append(tag("span", "; ".join(dict.fromkeys(limits)), class_="limits"))
        if "default" in whole:
            parts.append(tag("span", "default ", tag("code", _literal(whole["default"])), class_="limits"))
        if whole.get("readOnly"):
            parts.append(tag("span", "may be sent back and changes nothing", class_="limits"))
        return joined(*(joined(part, " ") for part in parts))

    def type_of(self, schema: Schema, *, in_json: bool = True) -> Html:
        """The type in words: "string or null"; outside of JSON, as in a query, there is no null."""
        words = list(dict.fromkeys(self._word(one, in_json=in_json) for one in self.alternatives(schema)))
        if in_json and self._may_be_null(schema):
            words.append(Html("null"))
        return Html(" or ".join(words)) if words else Html("any")

    def _word(self, schema: Schema, *, in_json: bool) -> Html:
        whole = self.resolved(schema)
        values = [whole["const"]] if "const" in whole else whole.get("enum")
        if values is not None:
            return Html(" | ".join(tag("code", _literal(value) if in_json else str(value)) for value in values))
        if whole.get("type") == "array":
            items = whole.get("items")
            return joined("array of ", self.type_of(items)) if items else Html("array")
        if isinstance(whole.get("additionalProperties"), Mapping) and "properties" not in whole:
            return joined("object of ", self.type_of(whole["additionalProperties"]))
        kind = whole.get("type", "object" if "properties" in whole else "any")
        return joined(" or ".join(kind) if isinstance(kind, list) else str(kind))

    def _may_be_null(self, schema: Schema) -> bool:
        whole = self.resolved(schema)
        choices = [one for word in _ALTERNATIVES for one in whole.get(word, ()) if "properties" not in whole]
        return any(self.resolved(one).get("type") == "null" or self._may_be_null(one) for one in choices)


def name_of(schema: Schema) -> str:
    """The name of the component that a reference leads to."""
    return str(schema["$ref"]).removeprefix(_REFERENCE)


def _shared(kinds: Sequence[Schema]) -> dict[str, Schema]:
    """The members that every kind has in the same form, and the one that tells them apart."""
    first, *others = (kind["properties"] for kind in kinds)
    values = [told.get(_TELLING, {}).get("const") for told in (first, *others)]
    telling = {_TELLING: {"enum": list(dict.fromkeys(values))}} if all(values) else {}
    return telling | {name: told for name, told in first.items() if all(other.get(name) == told for other in others)}


def _kind_name(kind: Schema, place: int) -> Html:
    """What tells the kind from the others: its type, else its number and first members."""
    own = kind["properties"].get(_TELLING, {}).get("const")
    if own is not None:
        return joined(f"with {_TELLING} ", tag("code", _literal(own)))
    names = [name for name in kind["properties"] if name in kind.get("required", ())] or list(kind["properties"])
    return joined(f"form {place + 1}: ", tag("code", ", ".join(names[:3])))


def _folded(summary: str, content: Html) -> Html:
    return tag("details", tag("summary", summary), content, class_="nested")


def _limits(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None or high is not None:
        yield f"at least {low}" if high is None else f"at most {high}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']} items" if schema["maxItems"] else "empty in this version"
    if "pattern" in schema:
        yield f"matches {schema['pattern']}"
    if "format" in schema:
        yield str(schema["format"])


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
