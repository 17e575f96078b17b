"""Every operation of the OpenAPI document × every kind of credential."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import Connection

from statuspulse.api.app import ROUTERS
from statuspulse.catalog import setup
from statuspulse.domain.access import make_token
from statuspulse.domain.scope import SCOPES, expand
from statuspulse.storage import teams, tokens
from tests.api.server import NOW, Api
from tests.security.operations import RANDOM_IDS, Called, operations

# Whoever adds an operation says here which scope opens it: "" stands for any token, None for a route without one.
SCOPE_OF: dict[str, str | None] = {
    "GET /": None,
    "GET /agent/assignments": None,
    "POST /agent/results": None,
    "POST /agent/heartbeat": None,
    "POST /agent/key": None,
    "GET /regions": "monitors:read",
    "GET /probes": "probes:read",
    "POST /probes": "probes:write",
    "GET /probes/{probe_id}": "probes:read",
    "PATCH /probes/{probe_id}": "probes:write",
    "DELETE /probes/{probe_id}": "probes:write",
    "POST /probes/{probe_id}/rotate-key": "probes:write",
    "GET /me": "",
    "GET /monitors": "monitors:read",
    "POST /monitors": "monitors:write",
    "POST /monitors/test": "monitors:write",
    "GET /monitors/{monitor_id}": "monitors:read",
    "PATCH /monitors/{monitor_id}": "monitors:write",
    "DELETE /monitors/{monitor_id}": "monitors:write",
    "POST /monitors/{monitor_id}/pause": "monitors:write",
    "POST /monitors/{monitor_id}/rotate-ping-key": "monitors:write",
    "POST /monitors/{monitor_id}/resume": "monitors:write",
    "POST /monitors/{monitor_id}/check": "monitors:write",
    "GET /monitors/{monitor_id}/config": "monitors:read",
    "PUT /monitors/{monitor_id}/config": "monitors:write",
    "PATCH /monitors/{monitor_id}/config": "monitors:write",
    "POST /monitors/bulk": "monitors:write",
    "GET /monitors/{monitor_id}/config/versions": "monitors:read",
    "POST /monitors/{monitor_id}/config/rollback": "monitors:write",
    "GET /monitors/{monitor_id}/results": "monitors:read",
    "GET /status": "status:read",
    "GET /status/{monitor_id}": "status:read",
    "GET /incidents": "incidents:read",
    "POST /incidents": "incidents:write",
    "GET /incidents/{incident_id}": "incidents:read",
    "PATCH /incidents/{incident_id}": "incidents:write",
    "GET /incidents/{incident_id}/timeline": "incidents:read",
    "POST /incidents/{incident_id}/notes": "incidents:write",
    "GET /escalation-policies": "escalation:read",
    "GET /escalation-policies/{slug}": "escalation:read",
    "POST /escalation-policies": "escalation:write",
    "PUT /escalation-policies/{slug}": "escalation:write",
    "PATCH /escalation-policies/{slug}": "escalation:write",
    "DELETE /escalation-policies/{slug}": "escalation:write",
    "POST /escalation-policies/{slug}/test": "escalation:write",
    "GET /schedules": "escalation:read",
    "POST /schedules": "escalation:write",
    "GET /schedules/{schedule_id}": "escalation:read",
    "PUT /schedules/{schedule_id}": "escalation:write",
    "DELETE /schedules/{schedule_id}": "escalation:write",
    "GET /schedules/{schedule_id}/on-call": "escalation:read",
    "GET /maintenance-windows": "maintenance:read",
    "POST /maintenance-windows": "maintenance:write",
    "GET /maintenance-windows/{window_id}": "maintenance:read",
    "PATCH /maintenance-windows/{window_id}": "maintenance:write",
    "DELETE /maintenance-windows/{window_id}": "maintenance:write",
    "POST /maintenance-windows/{window_id}/end": "maintenance:write",
    "POST /maintenance-windows/{window_id}/skip-next": "maintenance:write",
    "GET /maintenance-windows/{window_id}/occurrences": "maintenance:read",
    "POST /monitors/{monitor_id}/maintenance": "maintenance:write",
    "POST /incidents/{incident_id}/escalate": "incidents:write",
    "POST /incidents/{incident_id}/snooze": "incidents:write",
    "GET /incidents/stats": "incidents:read",
    "GET /tokens": "tokens:read",
    "POST /tokens": "tokens:write",
    "GET /tokens/{token_id}": "tokens:read",
    "DELETE /tokens/{token_id}": "tokens:write",
    "POST /tokens/{token_id}/rotate": "tokens:write",
    "GET /teams": "teams:read",
    "POST /teams": "teams:write",
    "GET /teams/{team_id}": "teams:read",
    "PATCH /teams/{team_id}": "teams:write",
    "DELETE /teams/{team_id}": "teams:write",
    "GET /teams/{team_id}/members": "teams:read",
    "POST /teams/{team_id}/members": "teams:write",
    "PATCH /teams/{team_id}/members/{user_id}": "teams:write",
    "DELETE /teams/{team_id}/members/{user_id}": "teams:write",
    "GET /audit-log": "audit:read",
    "GET /events": "events:read",
    "GET /events/stream": "events:read",
    "POST /stream-tickets": "events:read",
    "POST /events/{event_id}/redeliver": "webhooks:write",
    "GET /channels": "channels:read",
    "POST /channels": "channels:write",
    "GET /channels/{channel_id}": "channels:read",
    "PATCH /channels/{channel_id}": "channels:write",
    "DELETE /channels/{channel_id}": "channels:write",
    "POST /channels/{channel_id}/rotate-secret": "channels:write",
    "POST /channels/{channel_id}/test": "channels:write",
    "GET /channels/{channel_id}/deliveries": "channels:read",
    "GET /notifications": "channels:read",
    "POST /notifications/{notification_id}/retry": "channels:write",
    "GET /webhooks": "webhooks:read",
    "POST /webhooks": "webhooks:write",
    "GET /webhooks/{webhook_id}": "webhooks:read",
    "PATCH /webhooks/{webhook_id}": "webhooks:write",
    "DELETE /webhooks/{webhook_id}": "webhooks:write",
    "POST /webhooks/{webhook_id}/rotate-secret": "webhooks:write",
    "POST /webhooks/{webhook_id}/enable": "webhooks:write",
    "POST /webhooks/{webhook_id}/test": "webhooks:write",
    "POST /webhooks/{webhook_id}/replay": "webhooks:write",
    "GET /webhooks/{webhook_id}/deliveries": "webhooks:read",
    "GET /webhooks/{webhook_id}/deliveries/{delivery_id}": "webhooks:read",
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": "webhooks:write",
    "GET /events/{event_id}": "events:read",
    "GET /integrations": "integrations:read",
    "POST /integrations": "integrations:write",
    "GET /integrations/{integration_id}": "integrations:read",
    "PATCH /integrations/{integration_id}": "integrations:write",
    "DELETE /integrations/{integration_id}": "integrations:write",
    "POST /integrations/{integration_id}/rotate-secret": "integrations:write",
    "POST /integrations/{integration_id}/test": "integrations:write",
    "GET /integrations/{integration_id}/sync-log": "integrations:read",
    "POST /integrations/{integration_id}/webhook": None,
    "POST /incidents/{incident_id}/sync": "incidents:write",
    "GET /monitors/{monitor_id}/explain": "monitors:read",
    "POST /monitors/{monitor_id}/simulate": "monitors:read",
    "GET /monitors/{monitor_id}/latency": "monitors:read",
    "GET /monitors/{monitor_id}/transitions": "monitors:read",
    "GET /monitors/{monitor_id}/uptime": "monitors:read",
    "GET /uptime": "monitors:read",
    "GET /slos": "slo:read",
    "POST /slos": "slo:write",
    "GET /slos/reports": "slo:read",
    "GET /slos/{slo_id}": "slo:read",
    "PATCH /slos/{slo_id}": "slo:write",
    "DELETE /slos/{slo_id}": "slo:write",
    "GET /slos/{slo_id}/report": "slo:read",
    "GET /slos/{slo_id}/report.csv": "slo:read",
    "GET /slos/{slo_id}/report.html": "slo:read",
}
# Where the document's example will not do: with it the first three would wait for an engine or a probe, which do not
# run here, and the last would ask for more than the scope that opens the route.
BODIES = {
    "POST /agent/results": {},
    "POST /agent/heartbeat": {},
    "POST /agent/key": {},
    "POST /monitors/test": {},
    "POST /tokens": {"name": "as good as I", "scopes": ["tokens:write"]},
}
# An answer that does not end; with this it is refused behind the credential.
QUERIES = {"GET /events/stream": "?since=never"}
CREDENTIALS = ("none", "malformed", "unknown", "expired", "revoked", "probe", "lacking", "exact")
REFUSED = {
    "none": (401, "token_missing"),
    "malformed": (401, "token_invalid"),
    "unknown": (401, "token_invalid"),
    "expired": (401, "token_expired"),
    "revoked": (401, "token_revoked"),
    "probe": (403, "scope_insufficient"),
    "lacking": (403, "scope_insufficient"),
}


@pytest.fixture(scope="module")
def called(api: Api) -> dict[str, Called]:
    return {one.name: one for one in operations(api.contract.document)}


@pytest.fixture(scope="module")
def credentials(api: Api) -> Mapping[str, str]:
    """A token of the first team for each kind, and two for each scope: one with it alone, one with all but it."""
    made: dict[str, str] = {"malformed": "sk_live_" + "x" * 38, "unknown": make_token(), "probe": api.probe_key}

    def make(connection: Connection, name: str, scopes: tuple[str, ...], expires_at: int | None = None) -> None:
        team = teams.first(connection)
        assert team is not None
        made[name] = make_token()
        setup.new_token(
            connection,
            api.keyring,
            team_id=team.id,
            name=name,
            text=made[name],
            scopes=scopes,
            expires_at=expires_at,
            now=NOW,
        )

    def fill(connection: Connection) -> None:
        make(connection, "expired", ("admin",), NOW)
        make(connection, "revoked", ("admin",))
        found = tokens.by_digest(connection, api.keyring.digest("token", made["revoked"]))
        assert found is not None
        assert tokens.revoke(connection, found.teams[0].id, found.token.id, NOW)
        for scope in SCOPES:
            others = tuple(name for name in SCOPES if scope not in expand([name], of_first_team=True))
            make(connection, f"exact {scope}", (scope,))
            make(connection, f"lacking {scope}", others)

    api.write(fill)
    return made


def test_every_operation_is_in_the_table_with_its_scope(called: Mapping[str, Called]) -> None:
    assert {name: one.scope for name, one in called.items()} == SCOPE_OF


def test_every_route_is_in_the_document(called: Mapping[str, Called]) -> None:
    routes = [
        f"{method} {route.path_format or '/'}"
        for router in ROUTERS
        for route in iter_route_contexts(router.routes)
        for method in route.methods or ()
    ]
    assert sorted(routes) == sorted(called)


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_every_operation_answers_a_credential_as_documented(
    api: Api, called: Mapping[str, Called], credentials: Mapping[str, str], credential: str
) -> None:
    wrong = {}
    for name in SCOPE_OF:
        one = called[name]
        key = f"{credential} {one.scope}" if credential in {"exact", "lacking"} and one.scope else credential
        token = credentials.get(key, credentials["exact status:read"])
        url = one.url(RANDOM_IDS) + QUERIES.get(name, "")
        answer = api.call(one.method, url, BODIES.get(name, one.body), token=None if credential == "none" else token)
        status, code = answer.status_code, answer.json().get("error", {}).get("code")
        expected = _expected(one, credential)
        if expected is None:
            is_as_expected = status < 500 and code not in {code for _, code in REFUSED.values()}
        else:
            is_as_expected = (status, code) == expected and "WWW-Authenticate" in answer.headers
        if not is_as_expected:
            wrong[name] = (status, code)
    assert wrong == {}


def _expected(one: Called, credential: str) -> tuple[int, str] | None:
    """None where the call gets past the check of its credential."""
    if one.is_of_others:
        return 401, "token_invalid"
    if one.is_of_probes:
        if credential == "probe":
            return None
        return REFUSED.get(credential, (403, "scope_insufficient"))
    if one.scope is None or credential == "exact" or (one.scope == "" and credential == "lacking"):
        return None
    return REFUSED[credential]
