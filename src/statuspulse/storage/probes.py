"""Regions and their probes, which serve the whole instance and belong to no team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update

from statuspulse.domain.heartbeat import INBOUND
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.schema import probes, regions


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe and the region it stands for."""

    key: int
    id: str
    name: str
    region_key: int
    region: str


def region_slugs(connection: Connection) -> list[str]:
    """Every region that checks can be run from, by slug."""
    return list(connection.scalars(select(regions.c.slug).where(regions.c.slug != INBOUND).order_by(regions.c.slug)))


def ensure_region(connection: Connection, slug: str, name: str, now: int) -> int:
    """The key of the region, made where there is none."""
    connection.execute(insert_or_ignore(connection, regions).values(slug=slug, name=name, created_at=now))
    key: int = connection.execute(select(regions.c.key).where(regions.c.slug == slug)).scalar_one()
    return key


def insert(connection: Connection, probe_id: str, *, region_key: int, name: str, digest: bytes, now: int) -> None:
    """Stores a probe; raises IntegrityError when the id or the key is taken."""
    connection.execute(
        probes.insert().values(
            id=probe_id, region_key=region_key, name=name, digest=digest, created_at=now, updated_at=now
        )
    )


def by_digest(connection: Connection, digest: bytes) -> Probe | None:
    """The probe whose key has the digest."""
    return _one(connection, _query().where(probes.c.digest == digest))


def by_id(connection: Connection, probe_id: str) -> Probe | None:
    return _one(connection, _query().where(probes.c.id == probe_id))


def first_of_region(connection: Connection, slug: str) -> Probe | None:
    """The oldest probe of a region."""
    return _one(connection, _query().where(regions.c.slug == slug).order_by(probes.c.key).limit(1))


def replace_key(connection: Connection, probe_id: str, digest: bytes, now: int) -> None:
    """From now on the probe is known by another key, and by no other."""
    connection.execute(update(probes).where(probes.c.id == probe_id).values(digest=digest, updated_at=now))


def _query() -> Select[Any]:
    return select(probes, regions.c.slug).join(regions, regions.c.key == probes.c.region_key)


def _one(connection: Connection, query: Select[Any]) -> Probe | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Probe(key=row.key, id=row.id, name=row.name, region_key=row.region_key, region=row.slug)
