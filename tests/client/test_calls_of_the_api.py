"""Every method of the client against the real API, which holds each answer to its description."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from statuspulse.client import AsyncClient, Client, PermissionDeniedError, PreconditionFailedError
from statuspulse.client.blocking.resources.resource import Resource
from tests.api.server import ADMIN, READER, Api
from tests.client.rude import ask, refusal, rude

BODY: dict[str, Any] = {"type": "http", "url": "https://shop.example/health"}


@pytest.fixture
def client(api: Api) -> Iterator[Client]:
    with Client(api.url, ADMIN) as made:
        yield made


def test_a_monitor_from_its_making_to_its_end(client: Client, api: Api) -> None:
    made = client.monitors.create(name="Shop", escalation_policy="oncall_senior", **BODY)
    assert (made.name, made.state, made.config_version) == ("Shop", "pending", 1)
    assert [warning.code for warning in made.warnings] == ["escalation_policy_created"]
    assert made.document["links"]["self"] == f"/v1/monitors/{made.id}"
    assert client.monitors.get(made.id).target == "https://shop.example/health"
    assert client.monitors.update(made.id, interval_seconds=30, if_match=1).config_version == 2
    assert client.monitors.update(made.id, interval_seconds=60, dry_run=True).interval_seconds == 60
    assert client.monitors.config(made.id).interval_seconds == 30
    assert client.monitors.pause(made.id).state == "paused"
    assert client.monitors.resume(made.id).state == "pending"
    assert client.monitors.explain(made.id).monitor_id == made.id
    assert client.status.get(made.id, include=["regions"]).metrics.window == "24h"
    assert [status.monitor_id for status in client.status.list(q="Shop")] == [made.id]
    assert list(client.monitors.results(made.id, ok=False)) == []
    assert [change.state for change in client.monitors.transitions(made.id, order="asc")] == ["paused", "pending"]
    assert client.monitors.uptime(made.id, bucket="1h").monitor_id == made.id
    assert client.monitors.latency(made.id, percentiles=[50, 99.9]).percentiles == (50, 99.9)
    api.clock.at += 3_600_000
    assert client.monitors.simulate(made.id, failure_threshold=5).changed == ("failure_threshold",)
    assert client.monitors.roll_back(made.id, 1).interval_seconds == 60
    assert client.monitors.replace(made.id, name="Shop", **BODY).config_version == 6
    assert [version.config_version for version in client.monitors.versions(made.id)][-2:] == [2, 1]
    assert [series.monitor_id for series in client.monitors.uptimes([made.id])] == [made.id]
    assert client.monitors.bulk("pause", ids=[made.id]).done == 1
    client.monitors.delete(made.id)
    assert list(client.monitors.list(q="Shop")) == []


def test_a_heartbeat_gets_a_new_address(client: Client) -> None:
    made = client.monitors.create(name="Backup", type="heartbeat", period_seconds=60)
    assert made.ping_url != client.monitors.rotate_ping_key(made.id).ping_url
    client.monitors.delete(made.id)


def test_a_list_is_narrowed_by_every_tag(client: Client) -> None:
    for tags in (["prod"], ["prod", "eu"]):
        client.monitors.create(name="Tagged", tags=tags, **BODY)
    assert len(list(client.monitors.list(tag=["prod"], type="http", state=["pending", "up"], paused=False))) == 2
    assert len(list(client.monitors.list(tag=["prod", "eu"]))) == 1
    assert len(list(client.monitors.list(tag="eu"))) == 1


def test_an_edit_starts_anew_when_somebody_else_was_quicker(client: Client, kind: str, api: Api) -> None:
    made = client.monitors.create(name="Edited", tags=["a"], **BODY)
    seen = []

    def change(config: Any) -> dict[str, Any]:
        seen.append(config.tags)
        if len(seen) == 1:
            client.monitors.update(made.id, tags=["a", "b"])
        return {"tags": [*config.tags, "c"]}

    edited = ask(kind, api.url, lambda asked: asked.monitors.edit(made.id, change), token=ADMIN)
    assert (edited.tags, seen) == (("a", "b", "c"), [("a",), ("a", "b")])
    assert ask(kind, api.url, lambda asked: asked.monitors.edit(made.id, lambda _: {}), token=ADMIN).config_version == 3


def test_an_edit_gives_up_when_somebody_is_always_quicker(kind: str, client: Client, api: Api) -> None:
    made = client.monitors.create(name="Contested", **BODY)

    def change(config: Any) -> dict[str, Any]:
        client.monitors.update(made.id, description=f"by somebody else on {config.config_version}")
        return {"description": "mine"}

    with pytest.raises(PreconditionFailedError) as raised:
        ask(kind, api.url, lambda asked: asked.monitors.edit(made.id, change), token=ADMIN)
    assert raised.value.current_version == 6


def test_an_incident_from_its_beginning_to_its_end(client: Client) -> None:
    opened = client.incidents.trigger(title="Redis is full", severity="error", dedup_key="redis")
    assert (opened.state, opened.severity, opened.monitor_id) == ("triggered", "error", None)
    assert client.incidents.acknowledge(opened.id, assignee="maya@example.com").assignee == "maya@example.com"
    assert client.incidents.note(opened.id, "Scaling it.").text == "Scaling it."
    version = client.incidents.get(opened.id).version
    assert client.incidents.update(opened.id, title="Redis", if_match=version).title == "Redis"
    assert client.incidents.resolve(opened.id, notes="Done.").state == "resolved"
    assert [found.title for found in client.incidents.list(dedup_key="redis")] == ["Redis"]
    assert next(client.incidents.timeline(opened.id)).type == "triggered"
    assert client.incidents.stats(group_by="severity").count == 1


def test_who_is_told_and_when(client: Client) -> None:
    channel = client.channels.create(url="https://hooks.example/pager", name="Pager")
    assert channel.secret is not None
    assert channel.secret.reveal().startswith("whsec_")
    assert client.channels.rotate_secret(channel.id).secret != channel.secret
    assert [found.name for found in client.channels.list()] == ["Pager"]
    assert client.channels.update(channel.id, name="The pager").name == "The pager"
    assert client.channels.get(channel.id).health == "ok"
    steps = [{"delay_seconds": 0, "targets": [{"type": "channel", "id": channel.id}]}]
    made = client.policies.create(slug="night", name="Night", steps=steps)
    assert client.policies.update(made.slug, name="By night").name == "By night"
    assert len(client.policies.test(made.slug, severity="error").steps) == 1
    watched = client.monitors.create(name="Paged by night", escalation_policy=made.slug, **BODY)
    opened = client.incidents.trigger(monitor_id=watched.id, severity="error")
    assert client.incidents.snooze(opened.id, 600).state == "acknowledged"
    assert client.incidents.escalate(opened.id, step=0).id == opened.id
    client.monitors.delete(watched.id)
    client.policies.delete(made.slug)
    assert list(client.notifications.list(status="dead")) == list(client.channels.deliveries(channel.id, status="dead"))
    client.channels.delete(channel.id)


def test_who_has_it_now(client: Client) -> None:
    team = client.me().team_id
    assert team is not None
    for email in ("maya@example.com", "noor@example.com"):
        client.teams.add_member(team, email=email, role="editor")
    made = client.schedules.create(name="Weeks", members=["maya@example.com", "noor@example.com"], rotation="weekly")
    assert client.schedules.update(made.id, name="Turns").name == "Turns"
    assert client.schedules.on_call(made.id).member in {"maya@example.com", "noor@example.com"}
    assert client.schedules.get(made.id).name == next(client.schedules.list()).name
    client.schedules.delete(made.id)


def test_programs_that_listen(client: Client) -> None:
    made = client.webhooks.create(url="https://hooks.example/all", events=["monitor.*"])
    assert made.secret.reveal().startswith("whsec_")
    assert client.webhooks.rotate_secret(made.id).secret.reveal() != made.secret.reveal()
    monitor = client.monitors.create(name="Heard", **BODY)
    event = next(client.events.list(type="monitor.created"))
    assert event.data["monitor"]["id"] == monitor.id
    assert client.events.get(event.id).type == "monitor.created"
    (delivery,) = client.webhooks.deliveries(made.id)
    assert client.webhooks.delivery(made.id, delivery.id).event_id == event.id
    assert client.webhooks.update(made.id, enabled=False).status == "disabled"
    assert client.webhooks.enable(made.id).status == "enabled"
    assert client.webhooks.replay(made.id, start=event.timestamp, end=event.timestamp, only_failed=False).count == 0
    assert [found.id for found in client.webhooks.list()] == [made.id]
    assert client.events.ticket().ticket.reveal().startswith("tkt_")
    client.webhooks.delete(made.id)


def test_systems_that_are_kept_in_step(client: Client, kind: str, api: Api) -> None:
    made = client.integrations.create(kind="alertmanager", name="Prometheus")
    assert made.secret is not None
    assert made.secret.reveal() not in repr(made)
    assert client.integrations.rotate_secret(made.id, overlap_seconds=60).secret != made.secret
    assert client.integrations.update(made.id, severity_map={"page": "critical"}).severity_map == {"page": "critical"}
    assert [(found.id, found.health) for found in client.integrations.list()] == [(made.id, "ok")]
    assert client.integrations.test(made.id).error_class == "nothing_received"
    assert list(client.integrations.sync_log(made.id)) == []
    pager = client.integrations.create(kind="pagerduty", routing_key="0" * 32, enabled=False)
    assert (pager.secret, client.integrations.get(pager.id).secret_names) == (None, ("routing_key",))
    opened = client.incidents.trigger(title="Held in step")
    again = ask(kind, api.url, lambda asked: asked.incidents.sync(opened.id), token=ADMIN)
    assert (again.incident_id, again.count) == (opened.id, 0)
    for each in (made, pager):
        client.integrations.delete(each.id)


def test_times_in_which_nothing_is_expected(client: Client) -> None:
    monitor = client.monitors.create(name="Patched", **BODY)
    starts_at = datetime(2027, 1, 3, 2)  # noqa: DTZ001 - local time of the zone beside it
    made = client.maintenance.create(
        name="Patching",
        monitors={"ids": [monitor.id]},
        starts_at=starts_at,
        timezone="Europe/Berlin",
        duration_seconds=3600,
        rrule="FREQ=WEEKLY;BYDAY=SU",
    )
    assert (made.status, made.monitors.ids) == ("scheduled", (monitor.id,))
    stretch = {"start": datetime(2027, 1, 1, tzinfo=UTC), "end": datetime(2027, 1, 12, tzinfo=UTC)}
    first, _ = client.maintenance.occurrences(made.id, **stretch)
    assert first.start_at == datetime(2027, 1, 3, 1, tzinfo=UTC)
    assert client.maintenance.update(made.id, name="Patches").name == "Patches"
    assert len(client.maintenance.skip_next(made.id).exdates) == 1
    assert client.maintenance.cancel(made.id).status == "cancelled"
    begun = client.maintenance.start(monitor.id, 600, reason="Restart")
    assert (begun.name, client.maintenance.get(begun.id).status) == ("Restart", "active")
    assert client.maintenance.end(begun.id).status == "ended"
    assert {found.id for found in client.maintenance.list()} == {made.id, begun.id}


def test_what_was_promised_and_its_reports(client: Client, kind: str, api: Api) -> None:
    monitor = client.monitors.create(name="Promised", **BODY)
    made = client.slos.create(name="Checkout", objective_pct=99.9, monitor_id=monitor.id)
    assert (made.status, made.objective_pct) == ("no_data", 99.9)
    assert client.slos.update(made.id, objective_pct=99.5).objective_pct == 99.5
    assert client.slos.get(made.id).budget.budget_seconds > 0
    assert [found.id for found in client.slos.list()] == [made.id]
    assert client.slos.report(made.id).slo_id == made.id
    assert [report.met for report in client.slos.reports()] == [None]
    table = ask(kind, api.url, lambda asked: asked.slos.report_table(made.id), token=ADMIN)
    assert table.startswith('"row","slo_id"')
    assert "<!doctype html>" in ask(kind, api.url, lambda asked: asked.slos.report_page(made.id), token=ADMIN)
    client.slos.delete(made.id)


def test_tokens_teams_people_and_policies(client: Client) -> None:
    issued = client.tokens.create(name="grafana", scopes=["read"], expires_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert issued.token.reveal().startswith("sk_live_")
    assert issued.token.reveal() not in repr(issued) + str(issued.token)
    assert client.tokens.rotate(issued.id, overlap_seconds=0).token.reveal() != issued.token.reveal()
    assert client.tokens.get(issued.id).name == "grafana"
    client.tokens.revoke(issued.id)
    assert [token.revoked_at is not None for token in client.tokens.list() if token.id == issued.id] == [True]
    team = client.teams.create(name="Payments", slug="payments")
    assert team.token is not None
    with Client(str(client._address), team.token.reveal(), team="payments") as theirs:
        assert theirs.teams.update(team.id, name="Pay").name == "Pay"
        member = theirs.teams.add_member(team.id, email="maya@example.com", role="editor")
        assert theirs.teams.update_member(team.id, member.user_id, role="viewer").role == "viewer"
        assert [found.email for found in theirs.teams.members(team.id)] == ["maya@example.com"]
        theirs.teams.remove_member(team.id, member.user_id)
        assert [found.slug for found in theirs.teams.list()] == ["payments"]
        theirs.teams.delete(team.id)
    client.monitors.create(name="Paged", escalation_policy="payments_oncall", **BODY)
    assert "payments_oncall" in [policy.slug for policy in client.policies.list()]
    assert client.policies.get("payments_oncall").auto_created
    assert "token.created" in {entry.action for entry in client.audit_log()}


def test_probes_and_their_regions(client: Client) -> None:
    made = client.probes.create(name="fra-1", region="eu-west", region_name="Frankfurt")
    assert made.key.reveal().startswith("prb_live_")
    assert made.key.reveal() not in repr(made)
    assert client.probes.update(made.id, name="fra-2").name == "fra-2"
    assert client.probes.rotate_key(made.id, overlap_seconds=60).key.reveal() != made.key.reveal()
    assert [probe.name for probe in client.probes.list() if probe.region == "eu-west"] == ["fra-2"]
    assert client.probes.get(made.id).status == "offline"
    assert "eu-west" in [region.slug for region in client.probes.regions()]
    client.probes.delete(made.id)


def test_what_has_a_version_is_changed_and_deleted_on_a_condition(client: Client) -> None:
    """By a client of a team that wants it, which a change without a version is refused."""
    team = client.me().team_id
    assert team is not None
    client.teams.add_member(team, email="ana@example.com", role="editor")
    steps = [{"delay_seconds": 0, "targets": [{"type": "monitor_notifications"}]}]
    whom: dict[str, Any] = {"monitors": {"all": True}, "starts_at": "2035-01-07T02:00:00Z", "duration_seconds": 600}
    made: tuple[tuple[Any, Any], ...] = (
        (client.channels, client.channels.create(url="https://hooks.example/careful")),
        (client.webhooks, client.webhooks.create(url="https://hooks.example/careful", events=["*"])),
        (client.integrations, client.integrations.create(kind="alertmanager")),
        (client.probes, client.probes.create(name="one", region="eu-south")),
        (client.schedules, client.schedules.create(name="Careful", members=["ana@example.com"])),
        (client.policies, client.policies.create(slug="careful", name="Careful", steps=steps)),
        (client.slos, client.slos.create(name="Careful", objective_pct=99.9, tags=["careful"])),
        (client.maintenance, client.maintenance.create(name="Careful", **whom)),
    )
    client.teams.update(team, settings={"require_preconditions": True}, if_match=client.teams.get(team).version)
    for resource, one in made:
        named = one.slug if resource is client.policies else one.id
        end = resource.cancel if resource is client.maintenance else resource.delete
        member = "description" if resource is client.webhooks else "name"
        version = "config_version" if resource is client.probes else "version"
        with pytest.raises(PreconditionFailedError, match="If-Match"):
            resource.update(named, **{member: "New"})
        changed = resource.update(named, if_match=1, **{member: "New"})
        assert (getattr(one, version), getattr(changed, version)) == (1, 2)
        with pytest.raises(PreconditionFailedError):
            end(named, if_match=1)
        end(named, if_match=2)
    client.teams.update(team, settings={"require_preconditions": False}, if_match=client.teams.get(team).version)


def test_any_other_call_can_be_made_by_hand(kind: str, api: Api) -> None:
    assert ask(kind, api.url, lambda client: client.call("GET", "me"), token=READER)["object"] == "principal"
    assert ask(kind, api.url, lambda client: client.openapi(), token=None)["openapi"] == "3.1.0"
    made = ask(kind, api.url, lambda client: client.call("POST", "monitors", body={"name": "x", **BODY}), token=ADMIN)
    words = ("monitors", made["id"], "config")
    for method in ("PUT", "PATCH"):
        change = {"description": method}
        done = ask(kind, api.url, partial(_called, method, words, change), token=ADMIN)
        assert done["description"] == method
    gone = ask(kind, api.url, lambda client: client.call("DELETE", "monitors", made["id"], if_match=3), token=ADMIN)
    assert gone["deleted"]
    with pytest.raises(ValueError, match="the method has to be"):
        ask(kind, api.url, lambda client: client.call("TRACE", "me"))


def _called(method: str, words: tuple[str, ...], body: Any, client: Any) -> Any:
    return client.call(method, *words, body=body)


def test_a_refusal_names_the_scope_that_is_missing(kind: str, api: Api) -> None:
    with pytest.raises(PermissionDeniedError) as raised:
        ask(kind, api.url, lambda client: client.monitors.create(name="x", **BODY), token=READER)
    assert (raised.value.code, raised.value.required_scope) == ("scope_insufficient", "monitors:write")


def test_every_method_of_the_client_calls_an_operation_that_there_is(api: Api) -> None:
    """Looks are not made by the API under test, which has no probe; here their paths are held to the description."""
    described = api.call("GET", "/v1/openapi.json", token=None).json()["paths"]
    operations = {(method.upper(), path) for path, item in described.items() for method in item}
    made = 0
    with rude(refusal(404, "route_not_found")) as server, Client(server.url, ADMIN) as client:
        for resource in (each for each in vars(client).values() if isinstance(each, Resource)):
            for name, method in inspect.getmembers(resource, inspect.ismethod):
                if name.startswith("_"):
                    continue
                _call(method)
                asked = server.asked[-1]
                path = re.sub(r"/(?:some_id|some_other)", "/*", asked.path.partition("?")[0].removeprefix("/v1"))
                fitting = {(verb, re.sub(r"\{\w+\}", "*", found)) for verb, found in operations}
                assert (asked.method, path) in fitting, name
                made += 1
    assert made == len(server.asked)
    assert made > 105


def _call(method: Any) -> None:
    """Calls it with something for everything that it asks for."""
    positional, named = [], {}
    for name, parameter in inspect.signature(method).parameters.items():
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            values = {"text": "words", "change": lambda _: {"name": "x"}, "user_id": "some_other"}
            positional.append(values.get(name, "some_id"))
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            named[name] = "x"
    try:
        found = method(*positional, **named)
        list(found)
    except Exception as error:  # noqa: BLE001 - the script refuses everything
        assert type(error).__name__ == "NotFoundError", error  # noqa: PT017


def test_both_kinds_have_the_same_methods() -> None:
    def names(kind: type) -> set[str]:
        return {name.replace("aclose", "close") for name in vars(kind) if not name.startswith("_")}

    assert names(Client) == names(AsyncClient)
