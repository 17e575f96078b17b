"""Regions and their probes, which serve the whole instance and belong to no team.

What is deleted stays as a row, since history refers to it, and is found by nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, BindParameter, Connection, Row, Select, and_, bindparam, func, or_, select, update

from statuspulse.domain.heartbeat import INBOUND
from statuspulse.storage.dialect import insert_or_ignore
from statuspulse.storage.prepared import Prepared
from statuspulse.storage.schema import probes, regions

# The place of pings is none that checks are run from.
_LIVE_REGIONS = select(regions).where(regions.c.deleted_at.is_(None), regions.c.slug != INBOUND)
_SLUGS = Prepared(_LIVE_REGIONS.order_by(regions.c.slug))


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A named place that monitors are checked from."""

    key: int
    slug: str
    name: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One probe and the region it stands for.

    `last_seen_at` is when its newest batch was committed. `replaces_key`: it was found by a new key whose forerunner
    is good until this one is used.
    """

    key: int
    id: str
    name: str
    region_key: int
    region: str
    draining: bool
    replaces_key: bool
    last_seen_at: int | None
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What people know of a probe's being there: since when it is away, and why; None while it is not."""

    id: str
    name: str
    region: str
    last_seen_at: int | None
    offline_since: int | None
    offline_reason: str | None


def presences(connection: Connection) -> list[Presence]:
    """Of every probe, by id."""
    columns = (probes.c.id, probes.c.name, probes.c.last_seen_at, probes.c.offline_since, probes.c.offline_reason)
    query = (
        select(*columns, regions.c.slug.label("region"))
        .join(regions, regions.c.key == probes.c.region_key)
        .where(probes.c.deleted_at.is_(None))
        .order_by(probes.c.id)
    )
    return [
        Presence(
            id=row.id,
            name=row.name,
            region=row.region,
            last_seen_at=row.last_seen_at,
            offline_since=row.offline_since,
            offline_reason=row.offline_reason,
        )
        for row in connection.execute(query)
    ]


def note_presence(connection: Connection, probe_id: str, *, since: int | None, reason: str | None) -> None:
    """People know that the probe is away, or with None that it is back."""
    away = {"offline_since": since, "offline_reason": reason}
    connection.execute(update(probes).where(probes.c.id == probe_id).values(away))


def region_slugs(connection: Connection) -> list[str]:
    """Every region that checks can be run from, by slug."""
    return [row.slug for row in _SLUGS.rows(connection)]


def region(connection: Connection, slug: str) -> Region | None:
    row = connection.execute(_LIVE_REGIONS.where(regions.c.slug == slug)).one_or_none()
    return None if row is None else _region(row)


def regions_page(
    connection: Connection, *, after: tuple[int, str] | None, descending: bool, limit: int
) -> list[Region]:
    """Regions by age, those of one age by slug."""
    query = _in_order(_LIVE_REGIONS, (regions.c.created_at, regions.c.slug), after, descending=descending)
    return [_region(row) for row in connection.execute(query.limit(limit))]


def ensure_region(connection: Connection, slug: str, name: str, now: int) -> int:
    """The key of the region, made where there is none; one that was deleted comes back."""
    connection.execute(insert_or_ignore(connection, regions).values(slug=slug, name=name, created_at=now))
    back = update(regions).where(regions.c.slug == slug, regions.c.deleted_at.is_not(None))
    connection.execute(back.values(name=name, created_at=now, deleted_at=None))
    key: int = connection.execute(select(regions.c.key).where(regions.c.slug == slug)).scalar_one()
    return key


def delete_region(connection: Connection, key: int, now: int) -> None:
    connection.execute(update(regions).where(regions.c.key == key).values(deleted_at=now))


def insert(connection: Connection, probe_id: str, *, region_key: int, name: str, digest: bytes, now: int) -> None:
    """Stores a probe; raises IntegrityError when the id or the key is taken."""
    connection.execute(
        probes.insert().values(
            id=probe_id,
            region_key=region_key,
            name=name,
            digest=digest,
            draining=False,
            version=1,
            created_at=now,
            updated_at=now,
        )
    )


def by_digest(connection: Connection, digest: bytes, now: int) -> Probe | None:
    """The probe whose key has the digest, or whose former key that is still good."""
    rows = _BY_DIGEST.rows(connection, digest=digest, now=now)
    return _probe(rows[0]) if rows else None


def by_id(connection: Connection, probe_id: str) -> Probe | None:
    return _one(connection, _query().where(probes.c.id == probe_id))


def by_id_to_change(connection: Connection, probe_id: str) -> Probe | None:
    """The same, and nobody else changes it before the transaction ends; rows that refer to it are still written."""
    return _one(connection, _query().where(probes.c.id == probe_id).with_for_update(of=probes, key_share=True))


def exists(connection: Connection, probe_id: str) -> bool:
    """Whether there is or was a probe with the id."""
    return connection.scalar(select(probes.c.id).where(probes.c.id == probe_id)) is not None


def first_of_region(connection: Connection, slug: str) -> Probe | None:
    """The oldest probe of a region."""
    return _one(connection, _query().where(regions.c.slug == slug).order_by(probes.c.key).limit(1))


def of_region(connection: Connection, region_key: int) -> list[Probe]:
    """The probes of a region, the oldest first."""
    query = _query().where(probes.c.region_key == region_key).order_by(probes.c.key)
    return [_probe(row) for row in connection.execute(query)]


def page(connection: Connection, *, after: tuple[int, str] | None, descending: bool, limit: int) -> list[Probe]:
    """Probes by age, those of one age by id."""
    query = _in_order(_query(), (probes.c.created_at, probes.c.id), after, descending=descending)
    return [_probe(row) for row in connection.execute(query.limit(limit))]


def count(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(probes).where(probes.c.deleted_at.is_(None))) or 0


def save(connection: Connection, probe_id: str, *, name: str, draining: bool, now: int) -> None:
    """Another version of it."""
    values = {"name": name, "draining": draining, "version": probes.c.version + 1, "updated_at": now}
    connection.execute(update(probes).where(probes.c.id == probe_id).values(values))


def delete(connection: Connection, probe_id: str, now: int) -> None:
    """Its keys open nothing any more."""
    ended = {"deleted_at": now, "updated_at": now, "previous_digest": None}
    connection.execute(update(probes).where(probes.c.id == probe_id).values(ended))


def replace_key(connection: Connection, probe_id: str, digest: bytes, now: int) -> None:
    """From now on the probe is known by another key, and by no other."""
    _set_keys(connection, probe_id, now, digest=digest, previous_digest=None, previous_until=None)


def rotate_key(connection: Connection, probe_id: str, digest: bytes, *, until: int | None, now: int) -> None:
    """From now on the probe is known by another key, and by its key of now until then, not at all with None.

    Somebody wanted it so: it makes another version of the probe.
    """
    previous = None if until is None else probes.c.digest
    keys = {"digest": digest, "previous_digest": previous, "previous_until": until}
    _set_keys(connection, probe_id, now, **keys, version=probes.c.version + 1)


def exchange_key(connection: Connection, probe_id: str, digest: bytes, *, used: bytes, now: int) -> None:
    """From now on the probe is known by another key, and by the one it has used until the other is used."""
    _set_keys(connection, probe_id, now, digest=digest, previous_digest=used, previous_until=None)


def end_former_key(connection: Connection, probe_id: str, now: int) -> None:
    """The new key was used."""
    _set_keys(connection, probe_id, now, previous_digest=None, previous_until=None)


def _set_keys(connection: Connection, probe_id: str, now: int, **values: Any) -> None:
    connection.execute(update(probes).where(probes.c.id == probe_id).values(**values, updated_at=now))


def _in_order(
    query: Select[Any], columns: tuple[Any, Any], after: tuple[int, str] | None, *, descending: bool
) -> Select[Any]:
    at, name = columns
    if after is not None:
        later = or_(at > after[0], and_(at == after[0], name > after[1]))
        earlier = or_(at < after[0], and_(at == after[0], name < after[1]))
        query = query.where(earlier if descending else later)
    return query.order_by(at.desc(), name.desc()) if descending else query.order_by(at, name)


def _query(digest: bytes | BindParameter[bytes] = b"") -> Select[Any]:
    """`digest` is that of the key that was used, if one was."""
    waits = and_(probes.c.digest == digest, probes.c.previous_digest.is_not(None), probes.c.previous_until.is_(None))
    return (
        select(probes, regions.c.slug, waits.label("replaces_key"))
        .join(regions, regions.c.key == probes.c.region_key)
        .where(probes.c.deleted_at.is_(None))
    )


def _by_digest() -> Select[Any]:
    digest: BindParameter[bytes] = bindparam("digest", type_=probes.c.digest.type)
    now: BindParameter[int] = bindparam("now", type_=BigInteger)
    is_good = or_(probes.c.previous_until.is_(None), probes.c.previous_until > now)
    is_former = and_(probes.c.previous_digest == digest, is_good)
    return _query(digest).where(or_(probes.c.digest == digest, is_former))


# Built once: every batch of results begins with it.
_BY_DIGEST = Prepared(_by_digest())


def _one(connection: Connection, query: Select[Any]) -> Probe | None:
    row: Row[Any] | None = connection.execute(query).one_or_none()
    return None if row is None else _probe(row)


def _probe(row: Row[Any]) -> Probe:
    return Probe(
        key=row.key,
        id=row.id,
        name=row.name,
        region_key=row.region_key,
        region=row.slug,
        draining=bool(row.draining),
        replaces_key=bool(row.replaces_key),
        last_seen_at=row.last_seen_at,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _region(row: Row[Any]) -> Region:
    return Region(key=row.key, slug=row.slug, name=row.name, created_at=row.created_at)
