"""Places for checks: how many may be under way in all, of one kind and at one destination, and who waits for one."""

from __future__ import annotations

import resource
from collections import OrderedDict, deque
from typing import Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.registry import Spec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.egress.urls import endpoint_of

_MOST_PLACES = 1000
_RESERVED_FILES = 128
_FILES_PER_CHECK = 3
_ENOUGH_FILES = _RESERVED_FILES + _MOST_PLACES * _FILES_PER_CHECK
T = TypeVar("T")


def places_for(file_limit: int) -> int:
    """How many checks may run at once with so many descriptors (`RELIABILITY.md` 5)."""
    return max(1, min(_MOST_PLACES, (file_limit - _RESERVED_FILES) // _FILES_PER_CHECK))


def widened_file_limit() -> int:
    """The file limit of this process, raised to what the most places need as far as the host allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = _ENOUGH_FILES if hard == endless else min(_ENOUGH_FILES, hard)
    if soft == endless or soft >= wanted:
        return _ENOUGH_FILES if soft == endless else soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Team:
    """Whose monitors are checked; `used` counts the places that its checks hold."""

    __slots__ = ("__weakref__", "used")

    def __init__(self) -> None:
        self.used = 0


class Destination(Generic[T]):
    """An address and port that checks go to. `free` counts its places, `waiting` holds who waits, by pool and team."""

    __slots__ = ("__weakref__", "address", "free", "port", "waiting")

    def __init__(self, address: str, port: int, free: int) -> None:
        self.address = address
        self.port = port
        self.free = free
        self.waiting: dict[tuple[Pool[T], Team], deque[T]] = {}


class Pool(Generic[T]):
    """The places of one kind: `own` are always there for it, what it uses above that is shared.

    `hungry` are the destinations with room whose checks wait for this pool, by team, each once, served in turn.
    """

    __slots__ = ("hungry", "own", "used")

    def __init__(self, own: int) -> None:
        self.own = own
        self.used = 0
        self.hungry: OrderedDict[Team, OrderedDict[Destination[T], None]] = OrderedDict()


class Claim(NamedTuple, Generic[T]):
    """Where a monitor's checks need a place, and for whom."""

    pool: Pool[T]
    destination: Destination[T]
    team: Team


class Places(Generic[T]):
    """So many places in all. A quarter at most is for one destination; an eighth belongs to each kind alone.

    The kinds are HTTP, TCP, DNS and all others. Who waits is served in turn by team and by destination: a destination
    that holds all it may have makes only its own checks wait, and a team that holds more than a quarter is served
    after those that do not.
    """

    def __init__(self, total: int) -> None:
        self._each = self._fair = max(1, total // 4)
        own = total // 8
        self._others: Pool[T] = Pool(own)
        self._by_kind: dict[type[Spec], Pool[T]] = {kind: Pool(own) for kind in (HttpSpec, TcpSpec, DnsSpec)}
        self._pools = deque([*self._by_kind.values(), self._others])
        self._shared = total - own * len(self._pools)
        self._hungry = 0
        self._destinations: WeakValueDictionary[tuple[str, int], Destination[T]] = WeakValueDictionary()
        self._teams: WeakValueDictionary[str, Team] = WeakValueDictionary()

    def claim(self, spec: Spec, seen_at: str | None, team_id: str) -> Claim[T]:
        """Where checks of this specification go: to the address that the last one has seen, else to what is written.

        Many names may lead to one address, which only a check finds out.
        """
        host, port = _endpoint(spec)
        key = (seen_at or host, port)
        destination = self._destinations.get(key)
        if destination is None:
            destination = self._destinations[key] = Destination(*key, self._each)
        team = self._teams.get(team_id)
        if team is None:
            team = self._teams[team_id] = Team()
        return Claim(self._by_kind.get(type(spec), self._others), destination, team)

    def take(self, claim: Claim[T]) -> bool:
        """Takes a place; false if there is none."""
        pool, destination, team = claim
        if not destination.free:
            return False
        if pool.used >= pool.own:
            if not self._shared:
                return False
            self._shared -= 1
        pool.used += 1
        destination.free -= 1
        team.used += 1
        return True

    def give_back(self, claim: Claim[T]) -> None:
        pool, destination, team = claim
        if pool.used > pool.own:
            self._shared += 1
        pool.used -= 1
        destination.free += 1
        team.used -= 1
        if destination.free == 1:
            for (waiting_for, waiting_team), line in destination.waiting.items():
                if line:
                    self._queue(waiting_for, waiting_team, destination)

    def wait(self, claim: Claim[T], who: T) -> None:
        """Stands in line after `take` has found none."""
        pool, destination, team = claim
        destination.waiting.setdefault((pool, team), deque()).append(who)
        if destination.free:
            self._queue(pool, team, destination)

    def next_in_line(self) -> T | None:
        """Who may take a place now and leaves the line with that; None if nobody can."""
        while self._hungry:
            turn = self._turn()
            if turn is None:
                return None
            pool, team = turn
            destination = self._called(pool, team)
            line = destination.waiting[turn]
            # A destination that is full again comes back when it gets a place back.
            if destination.free and line:
                who = line.popleft()
                if line:
                    self._queue(pool, team, destination)
                else:
                    del destination.waiting[turn]
                self._pools.remove(pool)
                self._pools.append(pool)
                return who
        return None

    def _turn(self) -> tuple[Pool[T], Team] | None:
        """Whose turn it is: a team that holds less than its share before one that holds more."""
        first: tuple[Pool[T], Team] | None = None
        for pool in self._pools:
            if not self._has_room(pool):
                continue
            for team in pool.hungry:
                if team.used < self._fair:
                    return pool, team
                first = first or (pool, team)
        return first

    def _called(self, pool: Pool[T], team: Team) -> Destination[T]:
        """The destination of the team that waits longest; the team stands behind the others of its pool now."""
        hungry = pool.hungry.pop(team)
        destination, _ = hungry.popitem(last=False)
        self._hungry -= 1
        if hungry:
            pool.hungry[team] = hungry
        return destination

    def _has_room(self, pool: Pool[T]) -> bool:
        return pool.used < pool.own or self._shared > 0

    def _queue(self, pool: Pool[T], team: Team, destination: Destination[T]) -> None:
        hungry = pool.hungry.setdefault(team, OrderedDict())
        if destination not in hungry:
            hungry[destination] = None
            self._hungry += 1


def _endpoint(spec: Spec) -> tuple[str, int]:
    """Host and port as they are written; a kind that has no port has port 0."""
    match spec:
        case HttpSpec():
            try:
                return endpoint_of(spec.url)
            except ValueError:  # it will be told by the check
                return spec.url, 0
        case DnsSpec():
            return spec.resolver or "", 0
        case _:
            return str(getattr(spec, "host", "")), int(getattr(spec, "port", 0) or 0)
