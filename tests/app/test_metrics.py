"""Series as they are told, where the client library's own counting is not used."""

from __future__ import annotations

from statuspulse.metrics import Metrics


def told(name: str, metrics: Metrics) -> dict[str, float]:
    """The lines of one series, without its name."""
    lines = [line.removeprefix(name) for line in metrics.text().splitlines() if line.startswith(name)]
    return {line.partition(" ")[0]: float(line.partition(" ")[2]) for line in lines}


def test_the_values_of_a_batch_are_counted_up_to_the_bound_that_they_reach() -> None:
    metrics = Metrics()
    metrics.schedule_lag.observe([0.001, 0.005, 0.0051])
    metrics.schedule_lag.observe([7.0])
    lag = told("statuspulse_probe_schedule_lag_seconds", metrics)
    assert lag['_bucket{le="0.005"}'] == 2
    assert lag['_bucket{le="0.01"}'] == 3
    assert lag['_bucket{le="5.0"}'] == 3
    assert lag['_bucket{le="+Inf"}'] == lag["_count"] == 4
    assert abs(lag["_sum"] - 7.0111) < 1e-9


def test_a_series_without_values_is_told_as_zeros() -> None:
    delay = told("statuspulse_result_delay_seconds", Metrics())
    assert delay["_count"] == delay["_sum"] == 0
