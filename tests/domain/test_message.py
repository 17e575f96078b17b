"""Messages as the outbox keeps them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.message import Action, Facts, Message, Subject

TEXTS = st.text(max_size=20)
INSTANTS = st.integers(0, 2**48)
SUBJECTS = st.builds(Subject, id=TEXTS, name=TEXTS, type=TEXTS, target=TEXTS, runbook_url=st.none() | TEXTS)
FACTS = st.builds(
    Facts,
    subject=st.none() | SUBJECTS,
    since=st.none() | INSTANTS,
    reason=st.none() | TEXTS,
    failing_regions=st.lists(TEXTS, max_size=3).map(tuple),
    region_count=st.integers(0, 20),
    downtime_ms=st.none() | INSTANTS,
    note=st.none() | TEXTS,
)
MESSAGES = st.builds(
    Message,
    action=st.sampled_from(Action),
    at=INSTANTS,
    incident_id=TEXTS,
    number=st.integers(1),
    title=TEXTS,
    severity=TEXTS,
    state=TEXTS,
    actor=TEXTS,
    assignee=st.none() | TEXTS,
    facts=FACTS,
)


@given(message=MESSAGES)
def test_a_message_survives_its_way_through_the_outbox(message: Message) -> None:
    assert Message.of(json.loads(json.dumps(message.document()))) == message


def test_a_document_that_is_none_is_refused() -> None:
    with pytest.raises(KeyError):
        Message.of({})
