"""What programs wrote is what they write now: the client cannot drift from the API, nor one kind from the other."""

from __future__ import annotations

from tests.client import write_answers, write_blocking


def test_the_types_of_answers_are_those_that_the_api_describes() -> None:
    assert write_answers.TARGET.read_text() == write_answers.written(), "run: python -m tests.client.write_answers"


def test_the_blocking_client_is_written_from_the_asynchronous_one() -> None:
    for path, text in write_blocking.files():
        assert path.read_text() == text, "run: python -m tests.client.write_blocking"
