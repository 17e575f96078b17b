"""What a change of health means for the incident of a monitor."""

from __future__ import annotations

import pytest

from statuspulse.domain.health import Health
from statuspulse.domain.paging import REOPEN_WINDOW, Step, after_change, after_flapping, may_reopen


@pytest.mark.parametrize("health", list(Health))
def test_only_down_opens_an_incident(health: Health) -> None:
    for muted in (False, True):
        step = after_change(health, is_open=False, begins_to_flap=muted, is_muted=muted)
        assert step is (Step.OPEN if health is Health.DOWN else Step.NOTHING)


@pytest.mark.parametrize("health", list(Health))
def test_what_is_open_ends_with_what_is_well_unless_it_flaps(health: Health) -> None:
    is_well = health in (Health.UP, Health.DEGRADED)
    calm = after_change(health, is_open=True, begins_to_flap=False, is_muted=False)
    assert calm is (Step.RESOLVE if is_well else Step.NOTHING)
    assert after_change(health, is_open=True, begins_to_flap=False, is_muted=True) is Step.NOTHING
    assert after_change(health, is_open=True, begins_to_flap=True, is_muted=True) is Step.UPDATE


def test_when_flapping_ends_what_is_open_is_told_as_it_is() -> None:
    steps = {health: after_flapping(health, is_open=True) for health in Health}
    assert steps == {
        Health.UP: Step.RESOLVE,
        Health.DEGRADED: Step.RESOLVE,
        Health.DOWN: Step.UPDATE,
        Health.UNKNOWN: Step.NOTHING,
        Health.PENDING: Step.NOTHING,
    }
    assert {after_flapping(health, is_open=False) for health in Health} == {Step.NOTHING}


def test_an_outage_soon_after_another_goes_on_with_its_incident() -> None:
    assert may_reopen(1000, 1000 + REOPEN_WINDOW - 1)
    assert not may_reopen(1000, 1000 + REOPEN_WINDOW)
