"""A world for the engine: a real SQLite file, monitors in it, and batches as probes ship them; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, func, select

from statuspulse.bus.bus import Batch
from statuspulse.catalog import monitors as catalog
from statuspulse.catalog import setup
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.monitors import Edit, Way
from statuspulse.catalog.references import Change
from statuspulse.domain.actor import Actor
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.health import State
from statuspulse.domain.result import Observation, Result, ResultKind
from statuspulse.domain.times import SECOND, from_text, to_datetime
from statuspulse.egress.policy import Policy
from statuspulse.engine import intake
from statuspulse.engine.intake import Tally
from statuspulse.engine.silence import SilenceWatch
from statuspulse.engine.watchlist import Watchlist
from statuspulse.protocol.conversion import item_of
from statuspulse.protocol.documents import Item, Receipt, Results
from statuspulse.storage import incidents, maintenance, probes, states
from statuspulse.storage.connect import open_engines, sqlite_url
from statuspulse.storage.database import Database
from statuspulse.storage.incidents import Incident, IncidentFilter
from statuspulse.storage.schema import incidents as incidents_table
from statuspulse.storage.schema import metadata, outbox, results, transitions
from statuspulse.storage.sealing import Keyring
from statuspulse.storage.states import MonitorState

START = from_text("2026-11-23T06:24:00Z")
OPS = Actor("token", "tok_00000001", "ops")
REGIONS = ["us-east", "eu-west", "ap-south"]
SLACK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"
REFUSED = Failure(FailureClass.CONNECT_REFUSED, "connection refused by 192.0.2.1:80")


@dataclass
class World:
    """One team, one region with one probe, and the engine's own view of them."""

    database: Database
    instance: Instance
    team_id: str
    watchlist: Watchlist = field(default_factory=Watchlist)
    seqs: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begin(cls, folder: Path, kind: type[Database] = Database) -> World:
        path = folder / "world.db"
        path.write_bytes(_file_with_tables())
        database = kind(sqlite_url(path))
        instance = Instance(keyring=Keyring(b"k" * 32), policy=Policy(), min_interval_seconds=1)

        def prepare(connection: Connection) -> str:
            first = setup.set_up(connection, instance.keyring, bootstrap_token="sk_live_0000111122223333", now=START)
            return first.team_id

        return cls(database, instance, database.submit(prepare).result(60))

    def write(self, work: Any) -> Any:
        return self.database.submit(work).result(60)

    def change_at(self, now: int) -> Change:
        return Change(team_id=self.team_id, actor=OPS, now=now, strict=False)

    def monitor(self, now: int = START, **members: Any) -> str:
        """A new monitor every 10 s that notifies one Slack hook; answers its id."""
        body = {
            "name": "Shop",
            "type": "http",
            "url": "http://192.0.2.1/health",
            "interval_seconds": 10,
            "notifications": [SLACK],
            **members,
        }
        outcome = self.write(lambda connection: catalog.create(connection, self.instance, self.change_at(now), body))
        return str(outcome.view.monitor.id)

    def edit(self, monitor_id: str, now: int, **members: Any) -> None:
        edit = Edit(sent=members, way=Way.MERGE, if_match=None, dry_run=False)
        self.write(lambda connection: catalog.update(connection, self.instance, self.change_at(now), monitor_id, edit))

    def inline_window(self, monitor_id: str) -> str:
        """The id of the window that is a part of the monitor and not over."""
        key = self.key_of(monitor_id)
        found = self.database.read_now(lambda connection: maintenance.of_monitor(connection, self.team_id, key))
        return found[-1].id

    def pause(self, monitor_id: str, now: int) -> None:
        self.write(lambda connection: catalog.pause(connection, self.change_at(now), monitor_id))

    def resume(self, monitor_id: str, now: int) -> None:
        self.write(lambda connection: catalog.resume(connection, self.change_at(now), monitor_id))

    def delete(self, monitor_id: str, now: int) -> None:
        self.write(lambda connection: catalog.remove(connection, self.change_at(now), monitor_id, None))

    def region(self, slug: str, now: int) -> None:
        """One more region with a probe."""

        def make(connection: Connection) -> None:
            key = probes.ensure_region(connection, slug, slug, now)
            setup.new_probe(connection, self.instance.keyring, probe_id=None, region_key=key, name=slug, now=now)

        self.write(make)

    def items(self, *found: Result, probe: str = "local") -> list[Item]:
        """The results as the probe numbers them."""
        numbered = []
        for result in found:
            self.seqs[probe] = self.seqs.get(probe, 0) + 1
            numbered.append(item_of(self.seqs[probe], result))
        return numbered

    def batch(self, items: list[Item], now: int, *, dropped_through: int | None = None, region: str = "local") -> Batch:
        """The items as the probe of the region ships them."""
        probe = self.database.read_now(lambda connection: probes.first_of_region(connection, region))
        assert probe is not None
        return Batch(
            probe_key=probe.key,
            probe_id=probe.id,
            region_key=probe.region_key,
            region=region,
            results=Results(sent_at=to_datetime(now), dropped_through=dropped_through, results=items),
        )

    def ship(
        self, items: list[Item], now: int, *, dropped_through: int | None = None, region: str = "local"
    ) -> tuple[Receipt, Tally]:
        """Commits a batch as the engine does."""
        batch = self.batch(items, now, dropped_through=dropped_through, region=region)
        receipt: tuple[Receipt, Tally] = self.write(
            lambda connection: intake.commit(connection, self.watchlist, batch, now)
        )
        return receipt

    def see(self, *found: Result) -> Receipt:
        """Ships results one by one, each a fifth of a second after its end."""
        receipt = None
        for result in found:
            receipt, _ = self.ship(
                self.items(result, probe=result.region), result.observed_at + 200, region=result.region
            )
        assert receipt is not None
        return receipt

    def sweep(self, now: int) -> int:
        silence = SilenceWatch(self.watchlist)
        changed: int = self.write(lambda connection: silence.sweep(connection, now))
        if changed == 0:
            # The first sweep admits what is there with the instant at which each could be silent.
            changed = self.write(lambda connection: silence.sweep(connection, now + SECOND))
        return changed

    def restart(self) -> None:
        """The engine's memory is gone; the rows are what is left."""
        self.watchlist = Watchlist()

    def key_of(self, monitor_id: str) -> int:
        return self.database.read_now(
            lambda connection: catalog.get(connection, self.team_id, monitor_id, START)
        ).monitor.key

    def state(self, monitor_id: str) -> MonitorState:
        key = self.key_of(monitor_id)
        return self.database.read_now(lambda connection: states.state_of(connection, key))

    def history(self, monitor_id: str, end: int) -> list[tuple[State, int, int]]:
        """(state, start, end) of every interval up to the instant."""
        key = self.key_of(monitor_id)
        found = self.database.read_now(lambda connection: states.intervals_between(connection, key, 0, end))
        return [(interval.state, interval.start, interval.end) for interval in found]

    def transitions(self, monitor_id: str) -> list[Any]:
        key = self.key_of(monitor_id)
        query = select(transitions).where(transitions.c.monitor_key == key).order_by(transitions.c.state_seq)
        return self.database.read_now(lambda connection: list(connection.execute(query)))

    def incidents(self) -> list[Incident]:
        """Every incident, the oldest first."""
        return self.database.read_now(
            lambda connection: list(
                incidents.listed(connection, self.team_id, IncidentFilter(), after=None, descending=False)
            )
        )

    def owed(self) -> list[tuple[str, int]]:
        """(action, seq) of everything in the outbox, in the order in which it was written."""
        query = select(outbox.c.action, outbox.c.seq).order_by(outbox.c.id)
        return self.database.read_now(lambda connection: [(row.action, row.seq) for row in connection.execute(query)])

    def messages_of(self, monitor_id: str) -> list[tuple[str, int]]:
        """(action, instant) of what is owed about the monitor's incidents, in order."""
        query = (
            select(outbox.c.action, outbox.c.created_at)
            .join(incidents_table, incidents_table.c.id == outbox.c.incident_id)
            .where(incidents_table.c.monitor_key == self.key_of(monitor_id))
            .order_by(outbox.c.id)
        )
        return self.database.read_now(
            lambda connection: [(row.action, row.created_at) for row in connection.execute(query)]
        )

    def stored(self, monitor_id: str) -> int:
        key = self.key_of(monitor_id)
        query = select(func.count()).select_from(results).where(results.c.monitor_key == key)
        return self.database.read_now(lambda connection: connection.scalar(query) or 0)


@cache
def _file_with_tables() -> bytes:
    """To make all tables takes longer than most tests."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        engines = open_engines(sqlite_url(path))
        metadata.create_all(engines.writer)
        engines.dispose()
        return path.read_bytes()


def result(
    monitor_id: str,
    at: int,
    failure: Failure | None = None,
    *,
    region: str = "local",
    version: int = 1,
    kind: ResultKind = ResultKind.SCHEDULED,
) -> Result:
    """What a check found whose slot is `at`; it took 12 ms."""
    return Result(
        monitor_id=monitor_id,
        region=region,
        scheduled_at=at,
        kind=kind,
        round=at // 10_000,
        lag_us=800,
        observed_at=at + 12,
        attempt=1,
        config_version=version,
        observation=Observation(failure=failure, latency_us=12_000, status_code=None if failure else 200),
    )
