"""Which incident a body means, and what else it names; references that disagree are refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from statuspulse.catalog.members.incident import IncidentRequest
from statuspulse.catalog.refusals import Detail, InvalidInputError, MissingError
from statuspulse.domain.incident import owner_of_key
from statuspulse.storage import incidents, monitors, policies
from statuspulse.storage.incidents import Incident
from statuspulse.storage.monitors import Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What a body refers to; `by_key` tells that its dedup key led to the incident."""

    incident: Incident | None
    monitor: Monitor | None
    by_key: bool = False


def meant(connection: Connection, team_id: str, request: IncidentRequest) -> Meant:
    """Finds everything that is named.

    Raises MissingError for an incident by id, InvalidInputError for everything else that does not exist or disagrees.
    """
    named = None
    if request.incident_id is not None:
        named = incidents.get(connection, team_id, request.incident_id)
        if named is None:
            raise MissingError
    if named is not None:
        monitor = _monitor_named(connection, team_id, request.monitor_id)
        check_policy(connection, team_id, request.escalation_policy)
        _check_agreement(named, request)
        return Meant(incident=named, monitor=monitor)
    monitor = monitor_meant(connection, team_id, request)
    check_policy(connection, team_id, request.escalation_policy)
    by_key = request.dedup_key is not None
    return Meant(incident=_referred(connection, team_id, request, monitor), monitor=monitor, by_key=by_key)


def monitor_meant(connection: Connection, team_id: str, request: IncidentRequest) -> Monitor | None:
    """The monitor of a body: the one that it names, else the one whose own key it carries.

    Without the second an incident by hand would stand beside the one that the monitor opens, both with one key. A key
    of nobody here is a text like any other. Raises InvalidInputError where none has the id, and where the two differ.
    """
    named = _monitor_named(connection, team_id, request.monitor_id)
    owner_id = None if request.dedup_key is None else owner_of_key(request.dedup_key)
    owner = None if owner_id is None else monitors.get(connection, team_id, owner_id)
    if named is not None and owner is not None and named.key != owner.key:
        raise _wrong("parameter_conflict", "dedup_key", "is the key of another monitor than monitor_id names")
    return named or owner


def _monitor_named(connection: Connection, team_id: str, monitor_id: str | None) -> Monitor | None:
    if monitor_id is None:
        return None
    monitor = monitors.get(connection, team_id, monitor_id)
    if monitor is None:
        raise _wrong("reference_not_found", "monitor_id", "names no monitor of this team")
    return monitor


def check_policy(connection: Connection, team_id: str, slug: str | None) -> None:
    """Unlike a monitor, an incident makes no policy: nobody would look at it before the next page."""
    if slug is not None and policies.get(connection, team_id, slug) is None:
        raise _wrong("reference_not_found", "escalation_policy", "names no escalation policy of this team")


def check_alone(connection: Connection, resolved: Incident) -> None:
    """Before a reopening: only one incident with a key may be open."""
    if resolved.dedup_key is None:
        return
    others = incidents.open_with_key(connection, resolved.team_id, resolved.dedup_key, resolved.monitor_key)
    if any(other.monitor_key == resolved.monitor_key for other in others):
        raise _wrong("parameter_conflict", "reopen", "is not possible while another incident with its key is open")


def _referred(
    connection: Connection, team_id: str, request: IncidentRequest, monitor: Monitor | None
) -> Incident | None:
    """The incident that key or external ids mean; raises InvalidInputError where they mean several."""
    if request.dedup_key is not None:
        key = None if monitor is None else monitor.key
        return _only("dedup_key", incidents.open_with_key(connection, team_id, request.dedup_key, key))
    found = {
        incident.id: incident
        for provider, link in request.external_ids.given().items()
        for incident in incidents.with_external_id(connection, team_id, provider, link.id)
        if monitor is None or incident.monitor_key == monitor.key
    }
    meant = _only("external_ids", [incident for incident in found.values() if incident.is_open])
    if meant is None and request.state in {"acknowledged", "resolved"}:
        # What the ticket stood for is over: that is a better answer than "there is no such object".
        return max(found.values(), key=lambda incident: incident.triggered_at, default=None)
    return meant


def _only(name: str, found: Sequence[Incident]) -> Incident | None:
    if len(found) > 1:
        raise _wrong("parameter_conflict", name, "fits several open incidents; name one by incident_id")
    return found[0] if found else None


def _check_agreement(named: Incident, request: IncidentRequest) -> None:
    for name, said, holds in (
        ("dedup_key", request.dedup_key, named.dedup_key),
        ("monitor_id", request.monitor_id, named.monitor_id),
    ):
        if said is not None and said != holds:
            raise _wrong("parameter_conflict", name, "does not belong to the incident that incident_id names")


def _wrong(code: str, name: str, message: str) -> InvalidInputError:
    return InvalidInputError([Detail(code=code, path=(name,), message=message)])
