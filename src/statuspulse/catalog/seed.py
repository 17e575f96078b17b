"""Objects with ids that the operator gives, for demos, migrations and the examples of the reference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import merging, monitor_input, monitors, references, seed_history, setup
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.monitors import Birth
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import InvalidInputError
from statuspulse.catalog.seed_file import IncidentHead, MonitorHead, ProbeEntry, SeedFile, TeamEntry, TokenEntry
from statuspulse.catalog.seed_incidents import seed_incident
from statuspulse.catalog.validation import Shape, read
from statuspulse.domain.actor import Actor
from statuspulse.domain.secret import Secret
from statuspulse.storage import audit, probes, teams
from statuspulse.storage import monitors as stored_monitors

OPERATOR = Actor("system", None, "statuspulse admin seed")

_KEPT = "exists, left as it is"
_CREATED = "created"


class SeedError(Exception):
    """Something is wrong with the file: one line; nothing was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What was done, one line per object, and the keys of new probes by their ids, which are shown once."""

    lines: tuple[str, ...]
    probe_keys: Mapping[str, Secret]


def seed(connection: Connection, instance: Instance, document: object, now: int) -> Seeded:
    """Stores what does not exist yet; raises SeedError, after which the transaction has to be rolled back."""
    try:
        return _Seeding(connection, instance, now).run(read(SeedFile, document))
    except InvalidInputError as error:
        raise SeedError(error.details[0].sentence) from None


class _Seeding:
    """One run over a file."""

    def __init__(self, connection: Connection, instance: Instance, now: int) -> None:
        self._connection = connection
        self._instance = instance
        self._now = now
        self._lines: list[str] = []
        self._keys: dict[str, Secret] = {}
        self._made = 0

    def run(self, file: SeedFile) -> Seeded:
        setup.ensure_local_region(self._connection, self._now)
        team_id = self._team(file.team)
        for token in file.tokens:
            self._token(team_id, token)
        for probe in file.probes:
            self._probe(probe)
        change = Change(team_id=team_id, actor=OPERATOR, now=self._now, strict=False)
        for place, monitor in enumerate(file.monitors):
            with _inside("monitors", place):
                self._monitor(change, monitor)
        for place, incident in enumerate(file.incidents):
            with _inside("incidents", place):
                self._incident(change, incident)
        if self._made:
            action = "instance.seeded"
            audit.record(self._connection, team_id, at=self._now, actor=OPERATOR, action=action, resource=team_id)
        return Seeded(lines=tuple(self._lines), probe_keys=self._keys)

    def _team(self, entry: TeamEntry) -> str:
        team = teams.by_slug(self._connection, entry.slug)
        self._tell(f"team {entry.slug}", created=team is None)
        if team is None:
            team = setup.new_team(self._connection, slug=entry.slug, name=entry.name, now=self._now)
        return team.id

    def _token(self, team_id: str, entry: TokenEntry) -> None:
        created = setup.new_token(
            self._connection,
            self._instance.keyring,
            team_id=team_id,
            name=entry.name,
            text=entry.token,
            scopes=tuple(entry.scopes),
            expires_at=entry.expires_at,
            now=self._now,
        )
        self._tell(f'token "{entry.name}"', created=created)

    def _probe(self, entry: ProbeEntry) -> None:
        created = not probes.exists(self._connection, entry.id)
        self._tell(f"probe {entry.id}", created=created)
        if created:
            name = entry.region_name or entry.region
            region_key = probes.ensure_region(self._connection, entry.region, name, self._now)
            self._keys[entry.id] = setup.new_probe(
                self._connection,
                self._instance.keyring,
                probe_id=entry.id,
                region_key=region_key,
                name=entry.name,
                now=self._now,
            )

    def _monitor(self, change: Change, document: Mapping[str, Any]) -> None:
        head, body = _head_and_body(MonitorHead, document)
        created = not stored_monitors.exists(self._connection, head.id)
        self._tell(f"monitor {head.id}", created=created)
        # An object that exists is left alone, and yet a mistake in its entry is a mistake of the file.
        given = monitor_input.parse(
            merging.under_one_name(body, body.get("type")),
            self._instance.policy,
            shortest_interval=self._instance.min_interval_seconds,
        )
        if not created:
            return
        config = references.resolve(self._connection, self._instance, change, given).config
        birth = Birth(id=head.id, created_at=head.created_at or self._now, votes_from=self._now)
        monitor = monitors.bring_up(self._connection, self._instance, change, config, birth)
        if head.status is not None:
            seed_history.tell(self._connection, monitor, head.status, self._now)

    def _incident(self, change: Change, document: Mapping[str, Any]) -> None:
        head, body = _head_and_body(IncidentHead, document)
        self._tell(f"incident {head.id}", created=seed_incident(self._connection, change, head, body))

    def _tell(self, what: str, *, created: bool) -> None:
        self._made += created
        self._lines.append(f"{what}: {_CREATED if created else _KEPT}")


def _head_and_body(shape: type[Shape], document: Mapping[str, Any]) -> tuple[Shape, dict[str, Any]]:
    """What only the file says of an object, and the body of its POST."""
    head = read(shape, {name: document[name] for name in shape.model_fields if name in document})
    return head, {name: value for name, value in document.items() if name not in shape.model_fields}


@contextmanager
def _inside(*path: str | int) -> Iterator[None]:
    """Puts the place in the file before the paths of what goes wrong inside."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError([detail.below(path) for detail in error.details]) from None
