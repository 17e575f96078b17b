"""Seeded worlds against the real engine: whatever fails on the way, every invariant holds and the end is the truth.

`python -m pytest tests/simulation --seed N` plays one seed, `make faults ARGS=tests/simulation` three hundred, and
with `ARGS="tests/simulation -n 2"` on two cores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from statuspulse.engine import availability, covering, evaluation, intake, silence, transitions
from statuspulse.engine.incidents import change
from statuspulse.engine.watchlist import Sight, Watched, Watchlist
from statuspulse.storage import positions, states
from tests.simulation.simulation import BrokenError, simulate

# Seeds in portions, so that workers share them.
SHORT = tuple(range(first, first + 8) for first in range(0, 16, 8))
LONG = tuple(range(first, first + 30) for first in range(0, 300, 30))
ENOUGH = range(30)  # seeds within which a planted bug must be found


def seeds(config: pytest.Config, wanted: range) -> list[int]:
    chosen = config.getoption("--seed", default=None)
    return list(wanted) if chosen is None else [chosen]


def play(config: pytest.Config, wanted: range, folder: Path) -> None:
    play_all(seeds(config, wanted), folder)


def play_all(chosen: Iterable[int], folder: Path) -> None:
    for seed in chosen:
        simulate(seed, new_folder(folder, seed))


def new_folder(folder: Path, seed: int) -> Path:
    made = folder / str(seed)
    made.mkdir()
    return made


@pytest.mark.parametrize("portion", SHORT, ids=str)
def test_some_seeds_hold(portion: range, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    play(pytestconfig, portion, tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(600)
@pytest.mark.parametrize("portion", LONG, ids=str)
def test_three_hundred_seeds_hold(portion: range, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    play(pytestconfig, portion, tmp_path)


def test_one_seed_has_one_trace(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    (seed,) = seeds(pytestconfig, range(7, 8))
    traces = [simulate(seed, new_folder(tmp_path, run)) for run in range(2)]
    assert traces[0].lines == traces[1].lines
    assert traces[0].digest == traces[1].digest
    assert simulate(seed + 1, new_folder(tmp_path, 2)).digest != traces[0].digest


def always(value: Any) -> Callable[..., Any]:
    """What answers this whatever it is asked."""

    def answer(*_args: Any) -> Any:
        return value

    return answer


Plant = Callable[[pytest.MonkeyPatch], None]


def quorum_one_short(patch: pytest.MonkeyPatch) -> None:
    """One failing region fewer than the quorum wants is enough."""
    patch.setattr("statuspulse.domain.health.bounds", lambda _quorum, eligible: (max(1, eligible // 2), 1))


def holes_are_not_noted(patch: pytest.MonkeyPatch) -> None:
    """A gap between two looks of a region counts as seen."""
    see = evaluation._see

    def see_all(*args: Any) -> tuple[()]:
        see(*args)
        return ()

    patch.setattr(evaluation, "_see", see_all)


def silence_is_not_noticed(patch: pytest.MonkeyPatch) -> None:
    """What was up stays up, though nobody looks any more."""
    patch.setattr(silence.SilenceWatch, "_is_silent", always(False))


def a_recovery_is_told_twice(patch: pytest.MonkeyPatch) -> None:
    """The message about the end of an incident is owed two times."""

    def change_twice(connection: Any, incident: Any, move: Any, actor: Any, now: int, **rest: Any) -> Any:
        after = change(connection, incident, move, actor, now, **rest)
        if move == "resolve":
            change(connection, replace(incident, version=after.version), move, actor, now, **rest)
        return after

    patch.setattr(availability, "change", change_twice)


def an_incident_stays_open(patch: pytest.MonkeyPatch) -> None:
    """The monitor recovers, and its incident does not end."""
    patch.setattr(availability, "_resolve", always(None))


def a_result_too_many_is_acknowledged(patch: pytest.MonkeyPatch) -> None:
    """The probe forgets a result that was never stored."""
    advance = positions.advance
    patch.setattr(
        positions, "advance", lambda connection, key, through, now: advance(connection, key, through + 1, now)
    )


def a_copy_counts_again(patch: pytest.MonkeyPatch) -> None:
    """What has been taken in is taken in once more when the answer was lost, as if its place were free."""
    patch.setattr(positions, "committed_through", always(0))
    patch.setattr(intake, "_known", always(False))


def the_cache_outlives_a_failed_write(patch: pytest.MonkeyPatch) -> None:
    """The rows were rolled back, and what the engine believes was not."""
    patch.setattr(Watchlist, "forget", always(None))


def silent_regions_vote(patch: pytest.MonkeyPatch) -> None:
    """A region whose probe is heard no more has its say all the same."""
    eligible = evaluation.eligible
    patch.setattr(evaluation, "eligible", lambda watched, _silent, now: eligible(watched, frozenset(), now))


def late_results_vote(patch: pytest.MonkeyPatch) -> None:
    """What a region found long ago, and kept while it was cut off, counts as if it were fresh."""
    patch.setattr(evaluation, "is_live", always(True))


def streaks_outlive_lost_sight(patch: pytest.MonkeyPatch) -> None:
    """Nobody sees the monitor, and what its regions thought before is not forgotten."""
    kept = SimpleNamespace(**{**vars(states), "drop_standings": always(None)})
    patch.setattr(transitions, "states", kept)
    apply = transitions.apply

    def keep(connection: Any, watched: Any, decision: Any, now: int) -> None:
        before = dict(watched.standings)
        apply(connection, watched, decision, now)
        watched.standings.update(before)

    patch.setattr(transitions, "apply", keep)


def an_old_vote_counts(patch: pytest.MonkeyPatch) -> None:
    """A region whose probe lives and tells nothing goes on voting as it did when it last told something."""
    may_vote = evaluation._may_vote
    patch.setattr(evaluation, "_may_vote", lambda watched, key, _oldest: may_vote(watched, key, 0))


def absence_is_forgiven(patch: pytest.MonkeyPatch) -> None:
    """A region that was away for long goes on where it stood."""
    patch.setattr(evaluation, "_was_away", always(False))


def late_results_keep_a_vote(patch: pytest.MonkeyPatch) -> None:
    """A region that was cut off for long ships what it kept, and votes as it did before."""

    def was_away(sight: Sight, watched: Watched, now: int) -> bool:
        return sight.counted is not None and now - sight.counted > watched.rules.longest_absence

    patch.setattr(evaluation, "_was_away", was_away)


def windows_suppress_nothing(patch: pytest.MonkeyPatch) -> None:
    """People are told of an outage inside a window that suppresses that."""
    patch.setattr(availability, "_is_suppressed", always(False))


def streaks_go_on_behind_a_window(patch: pytest.MonkeyPatch) -> None:
    """What was seen in a window that suppressed alerts counts behind its end."""
    patch.setattr(covering, "_begin_streaks", always(None))


def an_outage_of_a_window_is_never_told(patch: pytest.MonkeyPatch) -> None:
    """What broke inside stays broken behind the end, and nobody hears of it."""
    patch.setattr(availability, "make_up_for", always(False))


def windows_count_where_they_were_noticed(patch: pytest.MonkeyPatch) -> None:
    """A window covers a monitor from when the engine came to it, and not from its beginning."""
    wanted = covering._wanted

    def wanted_from_now(monitor: Any, holding: Any, now: int, since: int) -> Any:
        return wanted(monitor, holding, now, max(since, now))

    patch.setattr(covering, "_wanted", wanted_from_now)


# Each with the seed that finds it first, which is played before the others.
PLANTED: dict[Plant, int] = {
    quorum_one_short: 0,
    holes_are_not_noted: 0,
    silence_is_not_noticed: 1,
    a_recovery_is_told_twice: 0,
    an_incident_stays_open: 0,
    a_result_too_many_is_acknowledged: 0,
    a_copy_counts_again: 0,
    the_cache_outlives_a_failed_write: 3,
    late_results_vote: 3,
    streaks_outlive_lost_sight: 1,
    absence_is_forgiven: 4,
    an_old_vote_counts: 5,
    silent_regions_vote: 4,
    late_results_keep_a_vote: 16,
    windows_suppress_nothing: 5,
    streaks_go_on_behind_a_window: 9,
    an_outage_of_a_window_is_never_told: 11,
    windows_count_where_they_were_noticed: 15,
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    first = PLANTED[plant]
    with pytest.raises(BrokenError, match=r"pytest tests/simulation --seed \d+\n"):
        play_all([first, *(seed for seed in ENOUGH if seed != first)], tmp_path)
