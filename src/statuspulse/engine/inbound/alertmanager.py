"""Messages of Alertmanager, of Grafana in its form, and of Prometheus itself.

Sources: prometheus.io "Configuration: webhook_config", prometheus/alertmanager `api/v2/openapi.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statuspulse.domain.alert import AlertReport, fingerprint
from statuspulse.domain.integration import UnreadableError
from statuspulse.domain.times import MINUTE
from statuspulse.engine.inbound.reading import instant, parsed, part, text, the_object

_TEXT_LIMIT = 4000
_URL_LIMIT = 2000
# What Alertmanager waits for the next word of an alert that does not say when it ends (`resolve_timeout`).
_PATIENCE = 5 * MINUTE


def read_webhook(body: bytes) -> tuple[AlertReport, ...]:
    """The alerts of a message of version 4; raises UnreadableError.

    The status of the group says nothing of one of them, and one that is absent has not ended.
    """
    document = the_object(parsed(body), "the body")
    found = document.get("alerts")
    if not isinstance(found, list):
        raise UnreadableError('"alerts" is no array; the receiver must send the default payload')
    reports = []
    for number, one in enumerate(found):
        alert = the_object(one, f"alerts[{number}]")
        labels = _labels(alert, f"alerts[{number}]")
        status = alert.get("status")
        if status not in {"firing", "resolved"}:
            raise UnreadableError(f'alerts[{number}].status is neither "firing" nor "resolved"')
        given = text(alert, "fingerprint", 64)
        reports.append(_report(alert, labels, given, is_firing=status == "firing", due_at=None))
    return tuple(reports)


def read_alerts(body: bytes, now: int) -> tuple[AlertReport, ...]:
    """The alerts that Prometheus sends, each again and again while it fires; raises UnreadableError."""
    found = parsed(body)
    if not isinstance(found, list):
        raise UnreadableError("the body is no array of alerts")
    reports = []
    for number, one in enumerate(found):
        alert = the_object(one, f"[{number}]")
        labels = _labels(alert, f"[{number}]")
        ends_at = instant(alert, "endsAt")
        is_firing = ends_at is None or ends_at > now
        due_at = (now + _PATIENCE if ends_at is None else ends_at) if is_firing else None
        reports.append(_report(alert, labels, None, is_firing=is_firing, due_at=due_at))
    return tuple(reports)


def _report(
    alert: Mapping[str, Any], labels: Mapping[str, str], given: str | None, *, is_firing: bool, due_at: int | None
) -> AlertReport:
    annotations = part(alert, "annotations")
    title = text(annotations, "summary", _TEXT_LIMIT) or text(labels, "alertname") or "Alert without a name"
    return AlertReport(
        fingerprint=given or fingerprint(labels),
        is_firing=is_firing,
        title=" ".join(title.split())[:255],
        severity=labels.get("severity"),
        text=text(annotations, "description", _TEXT_LIMIT),
        link=text(alert, "generatorURL", _URL_LIMIT),
        runbook_url=text(annotations, "runbook_url", _URL_LIMIT),
        starts_at=instant(alert, "startsAt"),
        due_at=due_at,
    )


def _labels(alert: Mapping[str, Any], where: str) -> dict[str, str]:
    labels = the_object(alert.get("labels"), f"{where}.labels")
    if not labels or not all(isinstance(value, str) for value in labels.values()):
        raise UnreadableError(f"{where}.labels has to hold texts, and one at least")
    return labels
