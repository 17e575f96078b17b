"""A job that calls, in a world on either database; time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from statuspulse.bus.local import LocalBus
from statuspulse.catalog import monitors as catalog
from statuspulse.catalog import setup
from statuspulse.catalog.heartbeats import key_of
from statuspulse.catalog.instance import Instance
from statuspulse.domain.access import PING_KEY_PURPOSE
from statuspulse.domain.heartbeat import Signal
from statuspulse.domain.times import SECOND
from statuspulse.domain.uptime import Sums
from statuspulse.egress.policy import Policy
from statuspulse.engine import figures, heartbeats
from statuspulse.engine.closed_checks import ClosedChecks
from statuspulse.engine.heartbeat_watch import HeartbeatWatch
from statuspulse.engine.heartbeats import Ping, Taken
from statuspulse.engine.sight import Sight, sights_of
from statuspulse.storage import monitors, states
from statuspulse.storage.database import Database
from statuspulse.storage.schema import failure_details, results
from statuspulse.storage.sealing import Keyring
from tests.engine.world import SLACK, START, World


def begin(database: Database) -> World:
    """A team in an empty database."""
    instance = Instance(keyring=Keyring(b"k" * 32), policy=Policy(), min_interval_seconds=1)

    def prepare(connection: Connection) -> str:
        return setup.set_up(connection, instance.keyring, bootstrap_token="sk_live_0000111122223333", now=START).team_id

    return World(database, instance, database.submit(prepare).result(60))


@dataclass
class Job:
    """A monitor of type heartbeat, what calls it, and the watch over it. `at` counts seconds from START."""

    world: World
    id: str
    watch: HeartbeatWatch = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    @classmethod
    def of(cls, world: World, at: float = 0, **members: Any) -> Job:
        body = {"name": "Backup", "type": "heartbeat", "grace_seconds": 30, "notifications": [SLACK], **members}
        if "cron" not in members:
            body.setdefault("period_seconds", 60)
        change = world.change_at(moment(at))
        outcome = world.write(lambda connection: catalog.create(connection, world.instance, change, body))
        return cls(world, outcome.view.monitor.id)

    def restart(self) -> None:
        """The memory of the watch is gone; the rows are what is left."""
        self.watch = HeartbeatWatch(self.world.database, LocalBus(), mutes_flapping=True, now=lambda: START)

    def ping(self, at: float, signal: Signal = Signal.SUCCESS, **members: Any) -> Taken:
        told = Ping(digest=self.digest, signal=signal, at=moment(at), **members)
        taken, _ = self.world.write(
            lambda connection: heartbeats.take(connection, [told], moment(at), mutes_flapping=True)
        )
        return taken[0]  # type: ignore[no-any-return]

    def look(self, at: float) -> int:
        """One look of the watch; answers how many changes of health it brought."""
        swept = self.world.write(lambda connection: self.watch.sweep(connection, moment(at)))
        self.watch._listened_until = moment(at)
        return int(swept.transitions)

    def listen(self, since: float, until: float) -> None:
        """Looks as often as the watch does."""
        at = since
        while at <= until:
            self.look(at)
            at += 1

    @property
    def digest(self) -> bytes:
        view = self.world.database.read_now(
            lambda connection: catalog.get(connection, self.world.team_id, self.id, START)
        )
        assert view.line is not None
        keyring = self.world.instance.keyring
        return keyring.digest(PING_KEY_PURPOSE, key_of(keyring, view.monitor, view.line.key_sealed).reveal())

    @property
    def state(self) -> str:
        return self.world.state(self.id).state.value

    def sight(self, at: float) -> Sight:
        return self._seen(at)[0]

    def sums(self, at: float) -> Sums:
        """The sums of the last 24 hours."""
        return self._seen(at)[1]

    def told(self) -> list[tuple[float, str, str | None]]:
        """(seconds from START, verdict, detail of the failure) of every result, in their order."""
        key = self.world.key_of(self.id)
        query = (
            select(results.c.scheduled_at, results.c.verdict, failure_details.c.detail)
            .outerjoin(failure_details, results.c.scheduled_at == failure_details.c.scheduled_at)
            .where(results.c.monitor_key == key)
            .order_by(results.c.scheduled_at)
        )
        rows = self.world.database.read_now(lambda connection: connection.execute(query).all())
        return [((row[0] - START) / SECOND, ("ok", "failed", "void")[row[1]], row[2]) for row in rows]

    def _seen(self, at: float) -> tuple[Sight, Sums]:
        def read(connection: Connection) -> tuple[Sight, Sums]:
            monitor = monitors.get(connection, self.world.team_id, self.id)
            assert monitor is not None
            found = [(monitor, states.state_of(connection, monitor.key))]
            sight = sights_of(connection, found, moment(at))[monitor.key]
            shown = figures.figures_of(
                connection, self.world.team_id, [(monitor, sight)], "24h", moment(at), ClosedChecks(8)
            )
            return sight, shown[monitor.key].in_window

        return self.world.database.read_now(read)


def moment(at: float) -> int:
    return START + round(at * SECOND)
