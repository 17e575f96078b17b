"""The shapes of answers about monitors, one of each kind, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from statuspulse.api.answers.common import Actor, Answer, Envelope, Health, Later, ListEnvelope, State
from statuspulse.catalog.kinds.kind import Kind
from statuspulse.catalog.kinds.registry import KINDS

_OPEN: dict[str, Any] = {"extra": "ignore", "defer_build": True, "json_schema_serialization_defaults_required": True}


class Links(Answer):
    """Paths to what belongs to a monitor."""

    self: str
    status: str
    config: str
    results: str


class _Named(Answer):
    id: str
    monitor_id: str
    team_id: str
    name: str
    target: str


class _Lived(Answer):
    state: State
    health: Health
    state_since: datetime
    last_probe_at: datetime | None
    next_probe_at: datetime | None
    config_version: int
    open_incident_id: str | None
    created_at: datetime
    updated_at: datetime
    links: Links


class _Applied(Answer):
    config_version: int
    applied_at: datetime
    updated_by: Actor


class _Changed(Answer):
    changed: list[str]


def _shape(kind: Kind, suffix: str, told: str, *bases: type[BaseModel], named: str) -> type[BaseModel]:
    """One flat schema: the members of the kind, those of every monitor, and those of the answer."""
    told_apart_by: dict[str, Any] = {"object": (Literal[named], ...), "type": (Literal[kind.name], ...)}
    return create_model(
        f"{kind.model.__name__}{suffix}",
        __base__=(*bases, kind.own, kind.answered or kind.members, _Named),
        __doc__=f"{told} of a monitor of type {kind.name}.",
        __cls_kwargs__=_OPEN,
        **told_apart_by,
    )


def _one_of(suffix: str, told: str, *bases: type[BaseModel], named: str) -> Any:
    """The shapes of all kinds, told apart by `type`."""
    shapes: list[Any] = [_shape(kind, suffix, told, *bases, named=named) for kind in KINDS.values()]
    return Annotated[reduce(or_, shapes), Field(discriminator="type")]


def _list_of(item: Any) -> type[BaseModel]:
    told: dict[str, Any] = {"data": (list[item], ...)}
    return create_model("MonitorList", __base__=ListEnvelope, __doc__="A page of monitors.", **told)


MonitorItem = Later(lambda: _one_of("Item", "The state and the configuration", _Lived, named="monitor"))
MonitorAnswer = Later(lambda: _one_of("Answer", "The state and the configuration", _Lived, Envelope, named="monitor"))
MonitorChange = Later(lambda: _one_of("Change", "What a change made", _Changed, _Lived, Envelope, named="monitor"))
MonitorList = Later(lambda: _list_of(MonitorItem.shape))
ConfigAnswer = Later(lambda: _one_of("ConfigAnswer", "The configuration", _Applied, Envelope, named="monitor_config"))
ConfigChange = Later(
    lambda: _one_of("ConfigChange", "The changed configuration", _Changed, _Applied, Envelope, named="monitor_config")
)
