"""What may become of an incident: every move from every state."""

from __future__ import annotations

import pytest

from statuspulse.domain.incident import (
    Asked,
    IncidentAlreadyResolvedError,
    IncidentState,
    Move,
    availability_key,
    move,
    owner_of_key,
)

TRIGGERED, ACKNOWLEDGED, RESOLVED = IncidentState


@pytest.mark.parametrize(
    ("current", "asked", "expected"),
    [
        (TRIGGERED, Asked(state=TRIGGERED, by_key=True), Move.DEDUPLICATE),
        (ACKNOWLEDGED, Asked(state=TRIGGERED, by_key=True), Move.DEDUPLICATE),
        (TRIGGERED, Asked(state=ACKNOWLEDGED), Move.ACKNOWLEDGE),
        (TRIGGERED, Asked(state=ACKNOWLEDGED, by_key=True), Move.ACKNOWLEDGE),
        (TRIGGERED, Asked(state=RESOLVED), Move.RESOLVE),
        (ACKNOWLEDGED, Asked(state=RESOLVED), Move.RESOLVE),
        (ACKNOWLEDGED, Asked(state=RESOLVED, by_key=True), Move.RESOLVE),
        (ACKNOWLEDGED, Asked(state=TRIGGERED), Move.UNACKNOWLEDGE),
        (TRIGGERED, Asked(state=TRIGGERED), Move.NONE),
        (ACKNOWLEDGED, Asked(state=ACKNOWLEDGED), Move.NONE),
        (RESOLVED, Asked(state=RESOLVED), Move.NONE),
        (RESOLVED, Asked(state=TRIGGERED, reopen=True), Move.REOPEN),
        (TRIGGERED, Asked(state=TRIGGERED, reopen=True), Move.NONE),
        *((current, Asked(state=None), Move.NONE) for current in IncidentState),
    ],
)
def test_a_request_means_the_move_of_the_table(current: IncidentState, asked: Asked, expected: Move) -> None:
    assert move(current, asked) is expected


@pytest.mark.parametrize(
    "asked",
    [
        Asked(state=ACKNOWLEDGED),
        Asked(state=ACKNOWLEDGED, reopen=True),
        Asked(state=TRIGGERED),
        Asked(state=TRIGGERED, by_key=True),
    ],
)
def test_a_resolved_incident_is_not_taken_up_again_by_accident(asked: Asked) -> None:
    with pytest.raises(IncidentAlreadyResolvedError):
        move(RESOLVED, asked)


def test_a_monitor_has_one_key_for_its_availability() -> None:
    assert availability_key("mon_9x2k4p7q") == "mon_9x2k4p7q/availability"


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        (availability_key("mon_9x2k4p7q"), "mon_9x2k4p7q"),
        ("mon_9x2k4p7q", None),
        ("mon_9x2k4p7q/availability/2", None),
        ("mon_9x2k4p7q/availability/availability", None),
        ("inc_9x2k4p7q/availability", None),
        ("shop/availability", None),
        ("/availability", None),
    ],
)
def test_only_the_key_of_a_monitor_tells_whose_it_is(key: str, owner: str | None) -> None:
    assert owner_of_key(key) == owner
