"""The words of `statuspulse webhooks` and `statuspulse integrations`: what goes out, and how it fares there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from statuspulse.cli.groups import INTEGRATIONS, WEBHOOKS, id_of
from statuspulse.cli.remote import NO, Remote, asks_server, number, time_text
from statuspulse.cli.tables import Column

if TYPE_CHECKING:
    from statuspulse.client import Client

_WEBHOOKS = (
    Column("ID"),
    Column("STATUS"),
    Column("URL", shrinks=True),
    Column("EVENTS", shrinks=True),
    Column("DELIVERED", is_figure=True),
    Column("GIVEN UP", is_figure=True),
    Column("LAST SUCCESS"),
)
_DELIVERIES = (
    Column("ID"),
    Column("STATUS"),
    Column("EVENT", shrinks=True),
    Column("ATTEMPT", is_figure=True),
    Column("ANSWER"),
    Column("CREATED"),
)
_INTEGRATIONS = (
    Column("ID"),
    Column("KIND"),
    Column("NAME", shrinks=True),
    Column("HEALTH"),
    Column("LAST SUCCESS"),
    Column("LAST ERROR", shrinks=True),
)
_SAID = (
    Column("AT"),
    Column("DIRECTION"),
    Column("WHAT", shrinks=True),
    Column("OUTCOME"),
    Column("INCIDENT"),
    Column("THERE", shrinks=True),
    Column("ERROR", shrinks=True),
)
_WEBHOOK = click.argument("webhook", metavar="WEBHOOK")
_INTEGRATION = click.argument("integration", metavar="INTEGRATION")


@click.group()
def webhooks() -> None:
    """Endpoints that are told of events, and what came of each delivery.

    \b
    Examples:
      statuspulse webhooks list
      statuspulse webhooks deliveries --status exhausted whk_8p2r4t6w
    """


@webhooks.command("list")
@asks_server
def list_webhooks(*, remote: Remote) -> None:
    """List endpoints with the deliveries of the last 24 hours.

    \b
    Examples:
      statuspulse webhooks list
      statuspulse webhooks list -o json
    """
    with remote.client() as client:
        remote.show_list(_WEBHOOKS, client.webhooks.list(), _webhook)


@webhooks.command("test")
@_WEBHOOK
@asks_server
def test_webhook(*, remote: Remote, webhook: str) -> None:
    """Send a signed event for trying out. The exit status is 1 if it is not taken.

    \b
    Examples:
      statuspulse webhooks test whk_8p2r4t6w
      statuspulse webhooks test -o json whk_8p2r4t6w
    """
    with remote.client() as client:
        delivery = client.webhooks.test(id_of(webhook, WEBHOOKS))
    remote.show(delivery, [("id", delivery.id), ("status", delivery.status), ("answer", _answer(delivery))])
    if delivery.status != "succeeded":
        sys.exit(NO)


@webhooks.command()
@_WEBHOOK
@click.option("--status", help="pending, succeeded, exhausted or cancelled.")
@asks_server
def deliveries(*, remote: Remote, webhook: str, status: str | None) -> None:
    """List deliveries to an endpoint, the newest first.

    \b
    Examples:
      statuspulse webhooks deliveries whk_8p2r4t6w
      statuspulse webhooks deliveries --status exhausted -o csv whk_8p2r4t6w
    """
    with remote.client() as client:
        remote.show_list(_DELIVERIES, client.webhooks.deliveries(id_of(webhook, WEBHOOKS), status=status), _delivery)


@webhooks.command()
@_WEBHOOK
@click.argument("delivery", metavar="DELIVERY")
@asks_server
def redeliver(*, remote: Remote, webhook: str, delivery: str) -> None:
    """Send a delivery once more.

    \b
    Examples:
      statuspulse webhooks redeliver whk_8p2r4t6w whd_01m83h82va4c6e8g0j2m4p6r8t
      statuspulse webhooks redeliver -o json whk_8p2r4t6w whd_01m83h82va4c6e8g0j2m4p6r8t
    """
    with remote.client() as client:
        again = client.webhooks.redeliver(id_of(webhook, WEBHOOKS), delivery)
    remote.show(again, [("id", again.id), ("status", again.status)])


@click.group()
def integrations() -> None:
    """Where incidents are synced with, and senders of alerts. INTEGRATION is an id or a name that only one has.

    \b
    Examples:
      statuspulse integrations list
      statuspulse integrations log int_4f6h8k2m
    """


@integrations.command("list")
@asks_server
def list_integrations(*, remote: Remote) -> None:
    """List integrations and how they fare.

    \b
    Examples:
      statuspulse integrations list
      statuspulse integrations list -o json
    """
    with remote.client() as client:
        remote.show_list(_INTEGRATIONS, client.integrations.list(), _integration)


@integrations.command("test")
@_INTEGRATION
@asks_server
def test_integration(*, remote: Remote, integration: str) -> None:
    """Try out whether the other side takes our credentials. The exit status is 1 if it does not.

    \b
    Examples:
      statuspulse integrations test int_4f6h8k2m
      statuspulse integrations test -o json int_4f6h8k2m
    """
    with remote.client() as client:
        tried = client.integrations.test(_id(client, integration))
    members = [
        ("ok", "yes" if tried.ok else "no"),
        ("status", number(tried.provider_status)),
        ("error", tried.error_class or "-"),
        ("latency", number(tried.latency_ms, " ms")),
    ]
    remote.show(tried, members)
    if not tried.ok:
        sys.exit(NO)


@integrations.command("log")
@_INTEGRATION
@asks_server
def log_(*, remote: Remote, integration: str) -> None:
    """What was said to the other side and what it said, the newest first.

    \b
    Examples:
      statuspulse integrations log int_4f6h8k2m
      statuspulse integrations log -o json int_4f6h8k2m
    """
    with remote.client() as client:
        remote.show_list(_SAID, client.integrations.sync_log(_id(client, integration)), _said)


def _id(client: Client, text: str) -> str:
    return id_of(text, INTEGRATIONS, client.integrations.list)


def _webhook(hook: Any) -> list[str]:
    stats = hook.stats_24h
    counts = [str(stats.succeeded), str(stats.exhausted)]
    return [hook.id, hook.status, hook.url, ", ".join(hook.events), *counts, time_text(hook.last_success_at)]


def _delivery(sent: Any) -> list[str]:
    attempt = f"{sent.attempt}/{sent.max_attempts}"
    return [sent.id, sent.status, sent.event_type, attempt, _answer(sent), time_text(sent.created_at)]


def _answer(sent: Any) -> str:
    """The status that came back, else why none did."""
    if sent.response is not None and sent.response.status is not None:
        return str(sent.response.status)
    return sent.error_class or "-"


def _integration(found: Any) -> list[str]:
    return [found.id, found.kind, found.name, found.health, time_text(found.last_success_at), found.last_error or "-"]


def _said(entry: Any) -> list[str]:
    told = (entry.incident_id or "-", entry.external_id or "-", entry.error or "-")
    return [time_text(entry.at), entry.direction, entry.what, entry.outcome, *told]
