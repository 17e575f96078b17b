"""What people do with probes: create, change, give a new key, delete, each in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog import setup
from statuspulse.catalog.identifiers import fresh_id
from statuspulse.catalog.members.probe import ProbeEdit, ProbeRequest
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import SoftProblem, as_expected, existing
from statuspulse.domain.access import PROBE_KEY_PREFIX, PROBE_KEY_PURPOSE, make_token
from statuspulse.domain.actor import Actor
from statuspulse.domain.secret import Secret
from statuspulse.domain.times import SECOND
from statuspulse.storage import audit, probes, teams, watch
from statuspulse.storage.probes import Probe
from statuspulse.storage.sealing import Keyring


class RegionInUseError(Exception):
    """The probe is the last one of a region that monitors name; nothing was deleted."""

    def __init__(self, region: str, monitor_ids: list[str]) -> None:
        super().__init__(f"{len(monitor_ids)} monitors are checked from {region}")
        self.region = region
        self.monitor_ids = monitor_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyed:
    """A probe with its new key, which nobody can read again."""

    probe: Probe
    key: Secret
    warnings: tuple[SoftProblem, ...] = ()


def create(connection: Connection, keyring: Keyring, change: Change, sent: ProbeRequest) -> Keyed:
    """A new probe, and its region where there was none."""
    known = probes.region(connection, sent.region)
    name = sent.region_name or sent.region
    region_key = known.key if known is not None else probes.ensure_region(connection, sent.region, name, change.now)
    if known is None:
        _record(connection, change, "region.created", sent.region)
    probe_id = fresh_id(connection, "prb", probes.exists)
    key = setup.new_probe(connection, keyring, probe_id=probe_id, region_key=region_key, name=sent.name, now=change.now)
    _record(connection, change, "probe.created", probe_id)
    warnings: tuple[SoftProblem, ...] = ()
    if known is not None and sent.region_name not in (None, known.name):
        warnings = (_keeps_its_name(known.slug, known.name),)
    return Keyed(probe=get(connection, probe_id), key=key, warnings=warnings)


def get(connection: Connection, probe_id: str) -> Probe:
    """Raises MissingError."""
    return existing(probes.by_id(connection, probe_id))


def edit(
    connection: Connection, change: Change, probe_id: str, sent: ProbeEdit, if_match: frozenset[str] | None = None
) -> Probe:
    """What is not sent stays; raises MissingError, PreconditionFailedError, RefusedError."""
    stored = _to_change(connection, change, probe_id, if_match)
    name = stored.name if sent.name is None else sent.name
    draining = stored.draining if sent.draining is None else sent.draining
    if (name, draining) == (stored.name, stored.draining):
        return stored
    probes.save(connection, probe_id, name=name, draining=draining, now=change.now)
    _record(connection, change, "probe.updated", probe_id)
    return get(connection, probe_id)


def remove(connection: Connection, change: Change, probe_id: str, if_match: frozenset[str] | None = None) -> Probe:
    """The probe's keys end, and the region goes with its last probe.

    Raises MissingError, PreconditionFailedError, RefusedError, RegionInUseError.
    """
    probe = _to_change(connection, change, probe_id, if_match)
    is_last = len(probes.of_region(connection, probe.region_key)) == 1
    if is_last and (naming := _monitors_in(connection, probe.region)):
        raise RegionInUseError(probe.region, naming)
    probes.delete(connection, probe_id, change.now)
    _record(connection, change, "probe.deleted", probe_id)
    if is_last:
        probes.delete_region(connection, probe.region_key, change.now)
        _record(connection, change, "region.deleted", probe.region)
    return probe


def rotate_key(connection: Connection, keyring: Keyring, change: Change, probe_id: str, overlap_seconds: int) -> Keyed:
    """A new key; the one of now is good for the overlap, and one from before that ends. Raises MissingError."""
    get(connection, probe_id)
    key, digest = _new_key(keyring)
    until = change.now + overlap_seconds * SECOND if overlap_seconds else None
    probes.rotate_key(connection, probe_id, digest, until=until, now=change.now)
    _record(connection, change, "probe.key_rotated", probe_id)
    return Keyed(probe=get(connection, probe_id), key=key)


def exchange_key(connection: Connection, keyring: Keyring, probe: Probe, used: str, now: int) -> Secret:
    """A new key that the probe asked for itself; the one it has used ends with the first use of the new one."""
    key, digest = _new_key(keyring)
    used_digest = keyring.digest(PROBE_KEY_PURPOSE, used)
    probes.exchange_key(connection, probe.id, digest, used=used_digest, now=now)
    team = teams.first(connection)
    if team is not None:
        actor = Actor("probe", probe.id, probe.name)
        audit.record(connection, team.id, at=now, actor=actor, action="probe.key_exchanged", resource=probe.id)
    return key


def _to_change(connection: Connection, change: Change, probe_id: str, if_match: frozenset[str] | None) -> Probe:
    """The probe in a version that the caller expects; nobody else changes it before the transaction ends."""
    found = probes.by_id_to_change(connection, probe_id)
    return as_expected(found, if_match, is_needed=change.needs_precondition)


def _new_key(keyring: Keyring) -> tuple[Secret, bytes]:
    key = make_token(PROBE_KEY_PREFIX)
    return Secret(key), keyring.digest(PROBE_KEY_PURPOSE, key)


def _monitors_in(connection: Connection, region: str) -> list[str]:
    """Every monitor that names the region, paused ones and those of other teams included."""
    return [monitor.id for monitor in watch.changed_since(connection, 0) if region in monitor.config["regions"]]


def _keeps_its_name(slug: str, name: str) -> SoftProblem:
    message = f'Region {slug} exists and keeps its name "{name}".'
    return SoftProblem(code="region_exists", message=message, param="region_name")


def _record(connection: Connection, change: Change, action: str, resource: str) -> None:
    audit.record(connection, change.team_id, at=change.now, actor=change.actor, action=action, resource=resource)
