"""Every series that StatusPulse tells of itself; names and labels of all of them stand here and nowhere else."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from statuspulse import __version__

_PROBE = ("region", "probe")
_LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_CHECK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_API_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The series of one process. Labels hold routes, types and classes, never names, tokens or URLs."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._gauge("build_info", "The running version.", ("version",)).labels(__version__).set(1)
        self.part_failures = self._counter(
            "part_failures_total", "Parts of the process that had to begin again.", ("part",)
        )
        self.probe_rounds = self._counter("probe_rounds_total", "Results committed.", ("type", "result"))
        self.schedule_lag = self._spread(
            "probe_schedule_lag_seconds", "How late checks started after their slot.", _LAG_BUCKETS
        )
        self.check_duration = self._histogram(
            "check_duration_seconds", "How long the deciding attempt took.", _CHECK_BUCKETS, ("type",)
        )
        self.slots_missed = self._counter("slots_missed_total", "Slots that were not run.", ("region", "reason"))
        self.intake_results = self._counter("intake_results_total", "Items of batches from probes.", ("outcome",))
        self.probe_refusals = self._counter(
            "probe_refusals_total", "Items and calls of probes that were refused.", ("region", "probe", "code")
        )
        self.result_delay = self._spread(
            "result_delay_seconds", "From the end of a check to its commit.", _CHECK_BUCKETS
        )
        self.rechecks = self._counter(
            "rechecks_total", "Extra checks that doubts asked for, by how they ended.", ("outcome",)
        )
        self.transitions = self._counter("state_changes_total", "Changes of monitors' states.", ("state",))
        self.probe_last_seen = self._gauge("probe_last_seen_timestamp_seconds", "When a probe was heard last.", _PROBE)
        self.checks_in_flight = self._gauge("checks_in_flight", "Checks under way, by probe.", _PROBE)
        self.loop_lag = self._gauge(
            "loop_lag_seconds", "How late a probe's loop woke up, 99th percentile between heartbeats.", _PROBE
        )
        self.probe_cpu = self._gauge("probe_cpu_ratio", "CPU time of a probe's process per second.", _PROBE)
        self.probe_blind = self._gauge(
            "probe_blind", "1 while a probe's own network reaches no address of the class.", (*_PROBE, "class")
        )
        self.spool_results = self._gauge("spool_results", "Results that a probe still holds.", _PROBE)
        self.spool_oldest = self._gauge("spool_oldest_seconds", "Age of the oldest result that a probe holds.", _PROBE)
        self.spool_dropped = SpoolDropped()
        self.registry.register(self.spool_dropped)
        self.notifications = self._counter("notifications_total", "Ends of notifications.", ("channel", "result"))
        self.delivery_attempts = self._counter(
            "delivery_attempts_total", "Attempts to hand a notification over.", ("channel", "outcome")
        )
        self.webhook_deliveries = self._counter(
            "webhook_deliveries_total", "Attempts to send an event to a webhook endpoint.", ("result",)
        )
        self.pings = self._counter("pings_total", "Calls of ping URLs.", ("outcome",))
        self.outgoing_heartbeats = self._counter(
            "outgoing_heartbeats_total",
            "Heartbeats to the address that watches us, by what came of them.",
            ("outcome",),
        )
        self.outgoing_heartbeat_sent = self._gauge(
            "outgoing_heartbeat_last_sent_timestamp_seconds", "When the last one was taken there; 0 for none yet."
        )
        self.escalation_lag = self._histogram(
            "escalation_timer_lag_seconds", "How late timers of incidents fired.", _LAG_BUCKETS
        )
        self.outbox_pending = self._gauge("outbox_pending", "Messages that are still owed.")
        self.outbox_oldest = self._gauge("outbox_oldest_seconds", "Age of the oldest message that is owed.")
        self.api_requests = self._counter("api_requests_total", "Calls of the API.", ("route", "code"))
        self.api_duration = self._histogram(
            "api_request_duration_seconds", "How long calls of the API took.", _API_BUCKETS
        )

    def text(self, series: Iterable[str] = ()) -> str:
        """Everything in the Prometheus text format; `series` are ready lines of one team."""
        return generate_latest(self.registry).decode() + "".join(f"{line}\n" for line in series)

    def _counter(self, name: str, told: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"statuspulse_{name}", told, labels, registry=self.registry)

    def _gauge(self, name: str, told: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"statuspulse_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: tuple[float, ...], labels: tuple[str, ...] = ()) -> Histogram:
        return Histogram(f"statuspulse_{name}", told, labels, buckets=buckets, registry=self.registry)

    def _spread(self, name: str, told: str, buckets: tuple[float, ...]) -> Spread:
        spread = Spread(f"statuspulse_{name}", told, buckets)
        self.registry.register(spread)
        return spread


class Spread(Collector):
    """A histogram that takes the values of a whole batch; the client library's own takes two locks for each."""

    def __init__(self, name: str, told: str, bounds: tuple[float, ...]) -> None:
        self._name = name
        self._told = told
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, values: Sequence[float]) -> None:
        """Counts each where it is the first bound that is not below it; used by one thread alone."""
        for value in values:
            self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += sum(values)

    def collect(self) -> Iterable[Metric]:
        names = [*map(floatToGoString, self._bounds), "+Inf"]
        family = HistogramMetricFamily(self._name, self._told)
        family.add_metric([], list(zip(names, accumulate(self._counts), strict=True)), self._sum)
        return [family]


class SpoolDropped(Collector):
    """What probes count themselves, each from its own start; the sums are theirs and are passed on as they are."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], int] = {}

    def tell(self, region: str, probe_id: str, dropped: int) -> None:
        self._sums[region, probe_id] = dropped

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(
            "statuspulse_spool_dropped", "Results that a probe had to drop since its start.", labels=_PROBE
        )
        for labels, dropped in self._sums.items():
            family.add_metric(labels, dropped)
        return [family]


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    """One line of the text format."""
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"statuspulse_{name}{{{inner}}} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
