"""What a change made of a document."""

from __future__ import annotations

from statuspulse.domain.difference import Difference, differences


def test_only_what_differs_is_told_member_by_member() -> None:
    before = {"name": "a", "retry": {"count": 1, "delay": 5}, "tags": ["x"], "gone": 1, "same": None}
    after = {"name": "b", "retry": {"count": 2, "delay": 5}, "tags": ["x", "y"], "same": None, "a/b~c": True}
    assert list(differences(before, after)) == [
        Difference("/name", "a", "b"),
        Difference("/retry/count", 1, 2),
        Difference("/tags", ["x"], ["x", "y"]),
        Difference("/a~1b~0c", None, True),
        Difference("/gone", 1, None),
    ]


def test_equal_documents_have_no_difference() -> None:
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 1}})) == []
