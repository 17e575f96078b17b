"""The live probes of a region: who belongs to the set, and when it is another one."""

from __future__ import annotations

from statuspulse.domain.times import SECOND, to_datetime
from statuspulse.engine.liveness import Liveness
from statuspulse.engine.membership import UNKNOWN, Members, Membership
from statuspulse.protocol.documents import Heartbeat

BEGUN = 1_795_414_800_000
READY = BEGUN + 15 * SECOND
ONE, TWO, THREE = "prb_00000001", "prb_00000002", "prb_00000003"
STAYING = {ONE: False, TWO: False}


def beat(liveness: Liveness, now: int, *probe_ids: str, region: str = "local") -> None:
    for probe_id in probe_ids:
        liveness.hear(probe_id, region, Heartbeat(clock=to_datetime(now), boot_id="boot", version="1"), now)


def test_after_a_start_nobody_is_called_absent_who_had_no_time_to_be_heard() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, READY - 1, ONE)
    assert membership.of("local", STAYING, READY - 1) == UNKNOWN
    assert membership.changes_at("local", BEGUN + 1) == READY
    assert membership.of("local", STAYING, READY).probe_ids == (ONE,)


def test_once_all_were_heard_there_is_nothing_to_wait_for() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, BEGUN + 1, ONE, TWO)
    assert membership.of("local", STAYING, BEGUN + 1) == Members(BEGUN + 1, (ONE, TWO))


def test_a_silent_probe_leaves_the_set_after_fifteen_seconds() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, READY, TWO, ONE)
    both = membership.of("local", STAYING, READY)
    assert both == Members(READY, (ONE, TWO))
    beat(liveness, READY + 10 * SECOND, ONE)
    assert membership.of("local", STAYING, READY + 15 * SECOND - 1) == both
    assert membership.changes_at("local", READY + 10 * SECOND) == READY + 15 * SECOND
    alone = membership.of("local", STAYING, READY + 15 * SECOND)
    assert alone.probe_ids == (ONE,)
    assert alone.epoch > both.epoch


def test_a_set_that_comes_back_has_a_higher_number_even_within_a_millisecond() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, READY, ONE, TWO)
    sets = [
        membership.of("local", {ONE: False, TWO: drains}, READY).epoch for drains in (False, True, False, False, True)
    ]
    assert sets == [READY, READY + 1, READY + 2, READY + 2, READY + 3]


def test_who_drains_shares_nothing_unless_nobody_else_is_there() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, READY, ONE, TWO)
    assert membership.of("local", {ONE: True, TWO: False}, READY).probe_ids == (TWO,)
    assert membership.of("local", {ONE: True, TWO: True}, READY).probe_ids == (ONE, TWO)
    assert membership.of("local", {ONE: True}, READY).probe_ids == (ONE,)


def test_probes_of_other_regions_and_deleted_ones_are_no_members() -> None:
    liveness = Liveness()
    membership = Membership(liveness, BEGUN)
    beat(liveness, READY, ONE, TWO)
    beat(liveness, READY, THREE, region="eu-west")
    assert membership.of("local", {TWO: False}, READY).probe_ids == (TWO,)
    assert membership.of("eu-west", {THREE: False}, READY).probe_ids == (THREE,)
    assert membership.of("ap-south", {}, READY) == UNKNOWN
    assert membership.changes_at("ap-south", READY) is None
