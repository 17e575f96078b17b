"""Back to an earlier version of a monitor's configuration, which becomes the newest one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from statuspulse.catalog import inline_windows, monitors, secrets
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.monitors import Edit, Outcome, Way
from statuspulse.catalog.references import Change
from statuspulse.catalog.refusals import Detail, InvalidInputError
from statuspulse.catalog.secrets import Owner
from statuspulse.domain.difference import Difference
from statuspulse.storage import config_versions
from statuspulse.storage.monitors import Monitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """To which version, and on which conditions; `if_match` holds the versions of the header, None without one."""

    version: int
    if_match: frozenset[str] | None
    dry_run: bool


def roll_back(connection: Connection, instance: Instance, change: Change, monitor_id: str, wanted: Rollback) -> Outcome:
    """The configuration of the version under a new one; the same where nothing differs.

    Nothing is made on the way: a policy that is gone is refused like a region that is gone. Raises MissingError,
    PreconditionFailedError, and InvalidInputError for a version that is not kept or does not hold any more.
    """
    stored = monitors.to_change(connection, change.team_id, monitor_id)
    found = config_versions.get(connection, stored.key, wanted.version)
    if found is None:
        raise InvalidInputError([_not_kept(connection, stored)])
    document = secrets.opened(instance.keyring, Owner(monitor_id=stored.id, team_id=stored.team_id), found.config)
    document["maintenance_windows"] = inline_windows.revived(
        connection, change, document["maintenance_windows"], stored.config["maintenance_windows"]
    )
    edit = Edit(sent=document, way=Way.REPLACE, if_match=wanted.if_match, dry_run=wanted.dry_run)
    try:
        outcome = monitors.update(connection, instance, replace(change, strict=True), monitor_id, edit)
    except InvalidInputError as error:
        raise InvalidInputError(list(_of_version(wanted.version, error.details))) from None
    if outcome.changed and not wanted.dry_run:
        told = [Difference("/rolled_back_to", None, wanted.version)]
        monitors.record(connection, change, "monitor.rolled_back", outcome.view.monitor, told)
    return outcome


def _not_kept(connection: Connection, stored: Monitor) -> Detail:
    first, last = config_versions.oldest(connection, stored.key), stored.config_version
    return Detail(
        code="reference_not_found",
        path=("config_version",),
        message=f"is no version of this monitor that is kept; there are {first} to {last}",
        extra={"limit": first},
    )


def _of_version(version: int, details: Iterable[Detail]) -> Iterable[Detail]:
    """What is wrong stands in the version, not in the body of the call."""
    for detail in details:
        yield replace(detail, message=f"{detail.message}; so it stands in version {version}", in_body=False)
