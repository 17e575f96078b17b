"""The shapes of answers about regions and probes, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Answer, Envelope, ListEnvelope


class RegionItem(Answer):
    """A named place that monitors are checked from; it belongs to the instance and to no team."""

    object: Literal["region"]
    slug: str
    name: str
    probes_online: int
    probes_total: int
    default: bool
    team_id: None
    created_at: datetime


class RegionList(ListEnvelope):
    """A page of regions."""

    data: list[RegionItem]


class ProbeItem(Answer):
    """A probe inside another answer. What only it can tell is null until it is heard."""

    object: Literal["probe"]
    id: str
    team_id: None
    name: str
    region: str
    status: Literal["online", "offline", "draining"]
    blind: list[str]
    version: str | None
    last_seen_at: datetime | None
    clock_skew_ms: int | None
    capacity: int | None
    assigned: int
    ip: str | None
    config_version: Annotated[
        int, Field(description="Counts what people have changed; `version` is that of its program.")
    ]
    created_at: datetime
    updated_at: datetime


class ProbeAnswer(ProbeItem, Envelope):
    """A probe."""


class KeyedProbeAnswer(ProbeItem, Envelope):
    """A probe with its new key, which is shown once."""

    key: str


class ProbeList(ListEnvelope):
    """A page of probes."""

    data: list[ProbeItem]
