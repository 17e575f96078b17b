"""The shapes of answers with versions of a configuration, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from statuspulse.api.answers.common import Actor, Answer, ListEnvelope


class ConfigVersionItem(Answer):
    """One version. What it holds is shown by a rollback with `dry_run=true`."""

    object: Literal["config_version"]
    config_version: int
    updated_at: datetime
    updated_by: Actor
    changed: Annotated[list[str], Field(description="JSON pointers to what was new; the first version has none.")]


class ConfigVersionList(ListEnvelope):
    """A page of versions."""

    data: list[ConfigVersionItem]
