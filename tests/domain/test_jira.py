"""Texts and transitions of Jira, without one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.jira import adf, workflow
from statuspulse.domain.jira.labels import incident_of, label_of
from statuspulse.domain.jira.workflow import Status, Transition
from tests.emulators.jira import _is_adf


@given(st.text(max_size=300))
def test_any_text_makes_a_valid_document(text: str) -> None:
    assert _is_adf(adf.document(adf.paragraph(text), adf.facts([("Reason", text), ("x", "")])))


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1, max_size=4))
def test_what_is_written_is_read_again(lines: list[str]) -> None:
    assert adf.text_of(adf.document(adf.paragraph("\n".join(lines)))) == "\n".join(lines).strip()


def test_a_label_names_its_incident() -> None:
    assert label_of("inc_4m8n2v5w") == "sp-inc-4m8n2v5w"
    assert incident_of(["statuspulse", 7, label_of("inc_4m8n2v5w")]) == "inc_4m8n2v5w"
    assert incident_of(["statuspulse"]) is None


def a_way(id_: str, to: str, category: str, name: str = "", **fields: Any) -> dict[str, Any]:
    return {
        "id": id_, "name": name or f"to {to}", "to": {"name": to, "statusCategory": {"key": category}},
        "fields": fields,
    }  # fmt: skip


def chosen(wanted: str, *ways: dict[str, Any], now: Status | None = None) -> str | None:
    read = workflow.transitions_of({"transitions": list(ways)})
    found = workflow.choose(read, now or Status("Open", "new"), wanted)
    return None if found is None else found.id


CLOSE, BEGIN = a_way("9", "Closed", "done"), a_way("5", "Doing", "indeterminate")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("done", "9"), ("indeterminate", "5"), ("closed", "9"), ("TO DOING", "5"), ("new", "5")],
)
def test_a_way_is_found_by_category_then_by_status_then_by_its_own_name(wanted: str, expected: str | None) -> None:
    assert chosen(wanted, BEGIN, CLOSE) == expected


def test_what_is_begun_is_not_begun_once_more_on_the_way_to_its_end() -> None:
    assert chosen("done", BEGIN, now=Status("Doing", "indeterminate")) is None
    assert chosen("done", BEGIN) == "5"


def test_a_way_that_asks_for_what_nobody_told_us_is_none() -> None:
    asking = a_way("1", "Fixed", "done", root_cause={"required": True, "hasDefaultValue": False})
    assert chosen("done", asking, CLOSE) == "9"
    assert chosen("done", asking, now=Status("Doing", "indeterminate")) is None


def test_what_has_a_default_need_not_be_said() -> None:
    assert chosen("done", a_way("1", "Fixed", "done", root_cause={"required": True, "hasDefaultValue": True})) == "1"


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [([{"name": "Won't Do"}, {"name": "done"}], "done"), ([{"name": "Fixed"}], "Fixed"), ([], "Done"), (None, "Done")],
)
def test_a_resolution_that_is_asked_for_is_one_that_is_allowed(allowed: Any, expected: str) -> None:
    way = a_way("1", "Done", "done", resolution={"required": True, "allowedValues": allowed})
    (read,) = workflow.transitions_of({"transitions": [way]})
    assert read.document() == {"transition": {"id": "1"}, "fields": {"resolution": {"name": expected}}}


@pytest.mark.parametrize("answer", [{}, {"transitions": 7}, {"transitions": [7, {}, {"id": 1, "name": "x", "to": {}}]}])
def test_what_cannot_be_read_is_no_way(answer: dict[str, Any]) -> None:
    assert workflow.transitions_of(answer) == list[Transition]()
