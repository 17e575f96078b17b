"""Examples of the OpenAPI document: the bodies of the reference verbatim, and answers to them."""

from __future__ import annotations

from typing import Any

_AT = "2026-11-23T06:20:00.412Z"
_ENVELOPE: dict[str, Any] = {"request_id": "req_01m83gs9k4r2t6w8y1a3c5e7g9", "message": "", "warnings": []}

CHECKOUT: dict[str, Any] = {
    "name": "Checkout Service Gateway",
    "type": "http",
    "url": "https://api.acmecorp.com/v2/health",
    "interval_seconds": 30,
    "expected_status": 200,
    "escalation_policy": "oncall_senior",
    "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"],
}
ORDERS: dict[str, Any] = {
    "name": "Orders API",
    "type": "http",
    "url": "https://orders.acmecorp.com/v1/search",
    "method": "POST",
    "headers": [
        {"name": "Content-Type", "value": "application/json"},
        {"name": "X-Api-Key", "value": "acme-orders-key", "secret": True},
    ],
    "body": '{"limit": 1}',
    "auth": {"type": "basic", "username": "statuspulse", "password": "correct horse battery staple"},
    "expected_status": [200, 206],
    "assertions": [
        {"source": "json", "property": "$.orders[0].state", "operator": "matches", "value": "^(open|paid)$"},
        {"source": "header", "property": "Content-Type", "operator": "contains", "value": "json"},
        {"source": "latency_ms", "operator": "lt", "value": 800},
        {"source": "tls_days_left", "operator": "gte", "value": 14},
    ],
}
NEW_MONITORS: dict[str, Any] = {
    "checkout": CHECKOUT,
    "orders": ORDERS,
    "database": {"name": "Orders database", "type": "tcp", "url": "tcp://db.acmecorp.com:5432"},
    "mail": {
        "name": "Mail exchangers",
        "type": "dns",
        "host": "acmecorp.com",
        "record_type": "MX",
        "expected_values": ["10 mx1.acmecorp.com"],
    },
    "certificate": {"name": "Shop certificate", "type": "tls", "host": "shop.acmecorp.com", "min_days_left": 14},
    "gateway": {"name": "Office gateway", "type": "icmp", "host": "gw.acmecorp.com", "packets": 5, "max_loss_pct": 20},
    "cart": {"name": "Cart", "type": "grpc", "host": "cart.acmecorp.com", "port": 50051, "service": "shop.Cart"},
    "backup": {
        "name": "Nightly backup",
        "type": "heartbeat",
        "cron": "0 2 * * *",
        "timezone": "Europe/Berlin",
        "grace_seconds": 3600,
    },
    "submission": {
        "name": "Mail submission",
        "type": "tcp",
        "host": "mail.acmecorp.com",
        "port": 587,
        "tls": {"server_name": "smtp.acmecorp.com"},
        "steps": [{"expect": "^220[ -]", "regex": True}, {"starttls": "smtp"}, {"send": "QUIT\r\n"}, {"expect": "221"}],
    },
    "zone": {
        "name": "Zone on both name servers",
        "type": "dns",
        "host": "acmecorp.com",
        "record_type": "SOA",
        "protocol": "doh",
        "resolver": "https://dns.acmecorp.com/dns-query",
        "require_ad": True,
        "soa_serial": {"equal_on": ["ns1.acmecorp.com", "ns2.acmecorp.com"]},
    },
}

_CONFIG: dict[str, Any] = {
    "id": "mon_4t6w8y2a",
    "monitor_id": "mon_4t6w8y2a",
    "team_id": "team_1a2b3c4d",
    "name": "Checkout Service Gateway",
    "type": "http",
    "target": "https://api.acmecorp.com/v2/health",
    "url": "https://api.acmecorp.com/v2/health",
    "method": "GET",
    "headers": [],
    "body": None,
    "auth": None,
    "expected_status": 200,
    "follow_redirects": True,
    "max_redirects": 5,
    "http_version": "auto",
    "ip_version": "auto",
    "tls": {"verify": True, "expiry_warn_days": 14, "server_name": None},
    "max_body_bytes": 1048576,
    "assertions": [],
    "interval_seconds": 30,
    "timeout_ms": 10000,
    "regions": ["local"],
    "region_strategy": "parallel",
    "quorum": "majority",
    "failure_threshold": 2,
    "recovery_threshold": 2,
    "retry": {"count": 1, "delay_ms": 1000},
    "degraded_latency_ms": None,
    "severity": "critical",
    "escalation_policy": "oncall_senior",
    "notifications": ["slack://hooks/T0A1B2C3D/B0X9Y8Z7W/***#nch_8k2m4p6q"],
    "notification_rules": [],
    "maintenance_windows": [],
    "sla": None,
    "depends_on": [],
    "tags": [],
    "description": None,
    "runbook_url": None,
    "metadata": {},
    "paused": False,
    "config_version": 1,
}
_MONITOR_ITEM: dict[str, Any] = {
    "object": "monitor",
    **_CONFIG,
    "state": "pending",
    "health": "pending",
    "state_since": _AT,
    "last_probe_at": None,
    "next_probe_at": "2026-11-23T06:20:03.881Z",
    "open_incident_id": None,
    "created_at": _AT,
    "updated_at": _AT,
    "links": {
        "self": "/v1/monitors/mon_4t6w8y2a",
        "status": "/v1/status/mon_4t6w8y2a",
        "config": "/v1/monitors/mon_4t6w8y2a/config",
        "results": "/v1/monitors/mon_4t6w8y2a/results",
    },
}
MONITOR: dict[str, Any] = {
    **_ENVELOPE,
    **_MONITOR_ITEM,
    "message": 'Monitor "Checkout Service Gateway" created; its first check starts within 5 seconds.',
    "warnings": [
        {
            "code": "escalation_policy_created",
            "message": 'Escalation policy "oncall_senior" did not exist; one with a single step was created.',
            "param": "escalation_policy",
        }
    ],
}
ORDERS_MONITOR: dict[str, Any] = {
    **MONITOR,
    "message": 'Monitor "Orders API" created; its first check starts within 5 seconds.',
    "warnings": [],
    **ORDERS,
    "target": ORDERS["url"],
    "headers": [
        {"name": "Content-Type", "value": "application/json", "secret": False},
        {"name": "X-Api-Key", "value": "***", "secret": True},
    ],
    "auth": {"type": "basic", "username": "statuspulse", "password": "***"},
    "assertions": [{"property": None, **assertion} for assertion in ORDERS["assertions"]],
    "escalation_policy": None,
    "notifications": [],
}
PAUSED_MONITOR: dict[str, Any] = {
    **_ENVELOPE,
    **_MONITOR_ITEM,
    "message": 'Monitor "Checkout Service Gateway" paused.',
    "paused": True,
    "state": "paused",
    "next_probe_at": None,
    "config_version": 2,
}
MONITOR_LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 monitor.",
    "data": [_MONITOR_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/monitors",
}
CONFIG: dict[str, Any] = {
    **_ENVELOPE,
    **_CONFIG,
    "object": "monitor_config",
    "message": 'Configuration 1 of monitor "Checkout Service Gateway".',
    "applied_at": _AT,
    "updated_by": {"type": "token", "id": "tok_7h3k9m2p", "label": "ops automation"},
}
CHANGED: dict[str, Any] = {
    "message": "Configuration 3 applied.",
    "timeout_ms": 8000,
    "config_version": 3,
    "changed": ["/timeout_ms"],
}
DELETED: dict[str, Any] = {
    **_ENVELOPE,
    "object": "monitor",
    "message": "Monitor mon_4t6w8y2a deleted.",
    "id": "mon_4t6w8y2a",
    "deleted": True,
}
_POLICY_ITEM: dict[str, Any] = {
    "object": "escalation_policy",
    "id": "esc_2b4d6f8h",
    "team_id": "team_1a2b3c4d",
    "slug": "oncall_senior",
    "name": "oncall_senior",
    "description": None,
    "is_default": False,
    "auto_created": True,
    "steps": [{"delay_seconds": 0, "targets": [{"type": "monitor_notifications", "id": None}], "only_between": None}],
    "repeat": {"count": 2, "delay_seconds": 900},
    "ack_timeout_seconds": None,
    "auto_resolve_seconds": None,
    "severities": [],
    "version": 1,
    "created_at": _AT,
    "updated_at": _AT,
}
POLICY: dict[str, Any] = {**_ENVELOPE, **_POLICY_ITEM, "message": 'Escalation policy "oncall_senior".'}
POLICY_LIST: dict[str, Any] = {
    **_ENVELOPE,
    "object": "list",
    "message": "1 escalation policy.",
    "data": [_POLICY_ITEM],
    "has_more": False,
    "next_cursor": None,
    "url": "/v1/escalation-policies",
}
API: dict[str, Any] = {
    **_ENVELOPE,
    "object": "api",
    "message": "StatusPulse 0.1.0.",
    "version": "0.1.0",
    "docs_url": "https://status.acme.example/docs",
}
ERROR: dict[str, Any] = {
    "object": "error",
    "request_id": "req_01m83gs7d2c4f6h8k0n2q4s6v8",
    "message": "interval_seconds must be between 10 and 86400.",
    "type": "https://status.acme.example/docs/errors/validation_failed",
    "title": "Validation failed",
    "status": 422,
    "detail": "interval_seconds must be between 10 and 86400.",
    "instance": "/v1/monitors",
    "error": {
        "type": "invalid_request_error",
        "code": "validation_failed",
        "param": "interval_seconds",
        "doc_url": "https://status.acme.example/docs/errors/validation_failed",
        "retry_after_seconds": None,
        "details": [
            {
                "code": "parameter_out_of_range",
                "param": "interval_seconds",
                "pointer": "/interval_seconds",
                "message": "must be between 10 and 86400",
                "limit": 10,
            }
        ],
    },
}
