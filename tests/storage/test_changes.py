"""Which commits a monitor that was read before has nothing to do with."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from sqlalchemy import select

from statuspulse.storage.changes import Changes
from statuspulse.storage.connect import sqlite_url
from statuspulse.storage.database import Database

ONE, OTHER = 1, 2


def test_nothing_holds_longer_than_the_next_commit_about_it() -> None:
    changes = Changes()
    mark = changes.mark()
    assert changes.none_since(mark, ONE)

    changes.note({OTHER})
    assert changes.none_since(mark, ONE)
    assert not changes.none_since(mark, OTHER)

    changes.note({ONE, OTHER})
    assert not changes.none_since(mark, ONE)
    assert changes.none_since(changes.mark(), ONE)


def test_a_commit_about_anything_is_about_every_monitor() -> None:
    changes = Changes()
    before = changes.mark()
    changes.note({ONE})
    between = changes.mark()
    changes.note(None)

    for mark in (before, between):
        assert not changes.none_since(mark, ONE)
        assert not changes.none_since(mark, OTHER)
    assert changes.none_since(changes.mark(), ONE)


def test_an_old_mark_is_not_good_again_when_single_monitors_are_forgotten() -> None:
    changes = Changes()
    changes.note({ONE})
    mark = changes.mark()
    changes.note({ONE})
    changes.note(None)

    assert not changes.none_since(mark, ONE)


@pytest.mark.parametrize(("about", "is_unchanged"), [((OTHER,), True), ((ONE,), False), ((), True), (None, False)])
def test_who_learns_of_his_write_finds_what_was_read_before_it_changed(
    tmp_path: Path, about: Collection[int] | None, is_unchanged: bool
) -> None:
    database = Database(sqlite_url(tmp_path / "statuspulse.db"))
    try:
        mark = database.mark()
        assert mark is not None

        database.submit(lambda connection: connection.scalar(select(1)), about=lambda _: about).result(20)

        assert database.is_unchanged(ONE, mark) is is_unchanged
    finally:
        database.close()


def test_a_write_that_does_not_say_what_it_is_about_may_have_changed_anything(tmp_path: Path) -> None:
    database = Database(sqlite_url(tmp_path / "statuspulse.db"))
    try:
        mark = database.mark()
        assert mark is not None

        database.submit(lambda connection: connection.scalar(select(1))).result(20)

        assert not database.is_unchanged(ONE, mark)
    finally:
        database.close()
