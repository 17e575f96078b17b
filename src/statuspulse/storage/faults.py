"""Faults of this instance that have been told of and are not over, so that a restart tells nobody twice."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.schema import instance_faults


@dataclass(frozen=True, slots=True)
class OpenFault:
    """One fault, and since when (ms)."""

    kind: str
    since: int


def listed(connection: Connection) -> list[OpenFault]:
    return [OpenFault(row.kind, row.since_at) for row in connection.execute(select(instance_faults))]


def note(connection: Connection, fault: OpenFault) -> None:
    values = {"kind": fault.kind, "since_at": fault.since}
    connection.execute(insert_or_ignore(connection, instance_faults).values(**values))


def forget(connection: Connection, kind: str) -> None:
    connection.execute(delete(instance_faults).where(instance_faults.c.kind == kind))
