"""Monitors, configurations, policies and schedules as callers read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statuspulse.api.documents.heartbeat import PingUrls
from statuspulse.catalog import secrets
from statuspulse.catalog.escalation_policies import Rehearsed
from statuspulse.catalog.monitor_views import MonitorView
from statuspulse.domain.times import to_text
from statuspulse.storage.policies import Policy


def monitor_document(view: MonitorView, ping_urls: PingUrls) -> dict[str, Any]:
    monitor, state = view.monitor, view.state
    path = f"/v1/monitors/{monitor.id}"
    return {
        "object": "monitor",
        "id": monitor.id,
        "monitor_id": monitor.id,
        "team_id": monitor.team_id,
        **_config_members(view, ping_urls),
        "state": state.state.value,
        "health": state.health.value,
        "state_since": to_text(state.since),
        "last_probe_at": time_or_null(view.last_probe_at),
        "next_probe_at": time_or_null(view.next_probe_at),
        "config_version": monitor.config_version,
        "open_incident_id": view.open_incident_id,
        "created_at": to_text(monitor.created_at),
        "updated_at": to_text(monitor.updated_at),
        "links": {
            "self": path,
            "status": f"/v1/status/{monitor.id}",
            "config": f"{path}/config",
            "results": f"{path}/results",
        },
    }


def config_document(view: MonitorView, ping_urls: PingUrls) -> dict[str, Any]:
    monitor = view.monitor
    return {
        "object": "monitor_config",
        "id": monitor.id,
        "monitor_id": monitor.id,
        "team_id": monitor.team_id,
        **_config_members(view, ping_urls),
        "config_version": monitor.config_version,
        "applied_at": to_text(monitor.updated_at),
        "updated_by": monitor.updated_by.document(),
    }


def policy_document(policy: Policy) -> dict[str, Any]:
    return {
        "object": "escalation_policy",
        "id": policy.id,
        "team_id": policy.team_id,
        "slug": policy.slug,
        "name": policy.name,
        "description": policy.description,
        "is_default": policy.is_default,
        "auto_created": policy.auto_created,
        **policy.rules,
        "version": policy.version,
        "created_at": to_text(policy.created_at),
        "updated_at": to_text(policy.updated_at),
    }


def rehearsal_document(slug: str, steps: Sequence[Rehearsed]) -> dict[str, Any]:
    return {
        "policy": slug,
        "steps": [
            {"step": one.place.step, "repeat": one.place.repeat, "at": to_text(one.at), "channels": list(one.channels)}
            for one in steps
        ],
    }


def time_or_null(at: int | None) -> str | None:
    return None if at is None else to_text(at)


def _config_members(view: MonitorView, ping_urls: PingUrls) -> dict[str, Any]:
    config = secrets.masked(view.monitor.config)
    return {
        "name": config["name"],
        "type": config["type"],
        "target": view.monitor.target,
        **config,
        **ping_urls.members(view),
        "notifications": list(view.notifications),
        "notification_rules": list(view.rules),
    }
