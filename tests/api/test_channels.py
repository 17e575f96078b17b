"""Notification channels over the API: what is shown of them, what is not, and what people do about notifications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from statuspulse.egress.policy import Policy
from statuspulse.storage.schema import channels, outbox
from tests.api.server import ADMIN, READER, STRANGER, Api, running

POLICY = Policy.parse(probe_deny="", delivery_allow="10.1.0.0/16", operator_urls=())
HOOK = "slack://hooks/T0A1B2C3D/B0X9Y8Z7W/abc123"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("channels"), policy=POLICY) as started:
        yield started


def a_channel(api: Api, url: str, **members: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.call("POST", "/v1/channels", {"url": url, **members}).json()
    return made


def owed(api: Api, channel: dict[str, Any]) -> dict[str, Any]:
    """What the channel is owed of an incident of a monitor that notifies it."""
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notifications": [channel["id"]]}
    monitor = api.call("POST", "/v1/monitors", body).json()["id"]
    incident = api.call("POST", "/v1/incidents", {"monitor_id": monitor, "title": "Down"}).json()["id"]
    (found,) = api.call("GET", f"/v1/notifications?incident_id={incident}").json()["data"]
    return dict(found)


def end(api: Api, notification: dict[str, Any], state: str, **columns: Any) -> None:
    def write(connection: Connection) -> None:
        connection.execute(update(outbox).where(outbox.c.id == notification["id"]).values(state=state, **columns))

    api.write(write)


def test_url_and_secret_are_kept_sealed_and_shown_never_and_once(api: Api) -> None:
    url = "https://ops.example/hook?key=s3cretkey"
    made = api.call("POST", "/v1/channels", {"url": url, "name": "Ops"})
    assert (made.status_code, made.headers["Location"]) == (201, f"/v1/channels/{made.json()['id']}")
    channel = made.json()
    secret = channel.pop("secret")
    assert secret.startswith("whsec_")
    assert channel["url_masked"] == f"https://ops.example/***#{channel['id']}"
    read = api.call("GET", f"/v1/channels/{channel['id']}", token=READER).text
    listed = api.call("GET", "/v1/channels?limit=100&include=total", token=READER).text
    log = api.call("GET", "/v1/audit-log", token=ADMIN).text
    raw = repr(api.write(lambda connection: connection.execute(select(channels)).all()))
    for text in (made.text.replace(secret, ""), read, listed, log, raw):
        assert "s3cretkey" not in text
        assert secret.removeprefix("whsec_") not in text


def test_the_same_url_is_the_same_channel(api: Api) -> None:
    first = api.call("POST", "/v1/channels", {"url": HOOK, "name": "Night"})
    second = api.call("POST", "/v1/channels", {"url": "https://hooks.slack.com/services/T0A1B2C3D/B0X9Y8Z7W/abc123"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert (second.json()["id"], second.json()["name"]) == (first.json()["id"], "Night")
    foreign = api.call("POST", "/v1/channels", {"url": HOOK}, token=STRANGER)
    assert foreign.status_code == 201
    assert foreign.json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("gopher://a", "scheme_unsupported"),
        ("msteams://a/b/c", "scheme_unsupported"),
        ("mailto:ana@acme.example", "scheme_unsupported"),
        ("pagerduty://short", "parameter_invalid_format"),
        ("https://127.0.0.1/hook", "url_blocked"),
        ("https://[::ffff:169.254.169.254]/hook", "url_blocked"),
        ("teams+https://192.168.0.1/flow", "url_blocked"),
        ("ntfys://10.2.0.1/topic", "url_blocked"),
        ("http://ops.example/hook", "scheme_unsupported"),
        ("ntfy://ops.example/topic", "scheme_unsupported"),
        ("https://ops..example/", "parameter_invalid_format"),
    ],
)
def test_what_cannot_be_delivered_to_is_refused_with_the_member(api: Api, url: str, code: str) -> None:
    refused = api.call("POST", "/v1/channels", {"url": url})
    assert refused.status_code == 422
    (detail,) = refused.json()["error"]["details"]
    assert (detail["code"], detail["pointer"]) == (code, "/url")
    body = {"name": "Shop", "type": "http", "url": "https://shop.example/", "notifications": [url]}
    (detail,) = api.call("POST", "/v1/monitors", body).json()["error"]["details"]
    assert (detail["code"], detail["pointer"]) == (code, "/notifications/0")


def test_a_listed_address_may_be_reached_over_http(api: Api) -> None:
    assert api.call("POST", "/v1/channels", {"url": "http://10.1.2.3/hook"}).status_code == 201


def test_mail_is_taken_where_there_is_a_server_for_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("mail"), sends_mail=True) as api:
        assert a_channel(api, "mailto:Ana@Acme.example")["name"] == "Ana@acme.example"


def test_a_channel_can_be_renamed_and_disabled(api: Api) -> None:
    channel = a_channel(api, f"{HOOK}rename")
    path = f"/v1/channels/{channel['id']}"
    changed = api.call("PATCH", path, {"name": "Day", "enabled": False}).json()
    assert (changed["name"], changed["enabled"], changed["health"]) == ("Day", False, "disabled")
    assert api.call("PATCH", path, {"enabled": True}).json()["health"] == "ok"
    assert api.call("PATCH", path, {"url": HOOK}).status_code == 422


def test_a_channel_that_is_used_stays(api: Api) -> None:
    channel = a_channel(api, f"{HOOK}used")
    path = f"/v1/channels/{channel['id']}"
    owed(api, channel)
    assert api.call("GET", path).json()["used_by_monitors"] == 1
    refused = api.call("DELETE", path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "resource_in_use")
    assert f"monitor {api.call('GET', '/v1/monitors?limit=1').json()['data'][0]['id'][:4]}" in refused.json()["message"]
    held = a_channel(api, f"{HOOK}held")
    steps = [{"targets": [{"type": "channel", "id": held["id"]}]}]
    assert (
        api.call("POST", "/v1/escalation-policies", {"slug": "holds", "name": "Holds", "steps": steps}).status_code
        == 201
    )
    refused = api.call("DELETE", f"/v1/channels/{held['id']}")
    assert (refused.status_code, "escalation policy holds" in refused.json()["message"]) == (409, True)
    unused = a_channel(api, f"{HOOK}unused")
    assert api.call("DELETE", f"/v1/channels/{unused['id']}").json()["deleted"] is True
    assert api.call("GET", f"/v1/channels/{unused['id']}").status_code == 404


def test_only_what_is_signed_has_a_secret(api: Api) -> None:
    signed, other = a_channel(api, "https://ops.example/rotate"), a_channel(api, f"{HOOK}rotate")
    rotated = api.call("POST", f"/v1/channels/{signed['id']}/rotate-secret", {"overlap_seconds": 60}).json()
    assert rotated["secret"] not in {None, signed["secret"]}
    assert rotated["previous_secret_until"] == "2026-11-23T06:21:00.412Z"
    assert other["secret"] is None
    assert api.call("POST", f"/v1/channels/{other['id']}/rotate-secret").status_code == 409


def test_a_dead_notification_is_handed_over_again_under_its_id(api: Api) -> None:
    channel = a_channel(api, f"{HOOK}dead")
    notification = owed(api, channel)
    assert (notification["status"], notification["channel_type"]) == ("pending", "slack")
    end(api, notification, "dead", last_error="no_service", finished_at=api.clock.at)
    path = f"/v1/channels/{channel['id']}/deliveries"
    assert [one["id"] for one in api.call("GET", f"{path}?status=dead").json()["data"]] == [notification["id"]]
    api.clock.at += 86_400_000
    again = api.call("POST", f"/v1/notifications/{notification['id']}/retry")
    assert again.status_code == 202
    assert (again.json()["id"], again.json()["status"]) == (notification["id"], "pending")
    assert again.json()["next_attempt_at"] == "2026-11-24T06:20:00.412Z"
    assert api.call("GET", f"{path}?status=dead&include=total").json()["total"] == 0
    assert api.call("GET", f"{path}?include=total").json()["total"] == 1


def test_what_cannot_be_handed_over_again_says_why(api: Api) -> None:
    channel = a_channel(api, f"{HOOK}settled")
    notification = owed(api, channel)
    path = f"/v1/notifications/{notification['id']}/retry"
    end(api, notification, "pending", lease_owner="one", lease_until=api.clock.at + 1)
    assert api.call("POST", path).json()["error"]["code"] == "delivery_in_progress"
    end(api, notification, "delivered", lease_owner=None, lease_until=None)
    assert api.call("POST", path).json()["error"]["code"] == "resource_in_use"
    end(api, notification, "dead")
    api.call("PATCH", f"/v1/channels/{channel['id']}", {"enabled": False})
    refused = api.call("POST", path)
    assert (refused.status_code, "disabled" in refused.json()["message"]) == (409, True)


def test_a_scheme_of_apprise_is_taken_where_the_operator_lists_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("apprise"), apprise=frozenset({"gotify", "gotifys", "pover"})) as api:
        made = a_channel(api, "gotifys://push.example:8443/AbCdEfGhIjKlMnO")
        assert (made["type"], made["url_masked"]) == ("apprise", f"gotifys://push.example:8443/***#{made['id']}")
        fixed = a_channel(api, f"pover://{'u' * 30}@{'a' * 30}")
        assert (fixed["name"], fixed["url_masked"]) == ("pover", f"pover://***#{fixed['id']}")
        for url, code in (
            ("gotifys://127.0.0.1/AbCdEfGhIjKlMnO", "url_blocked"),
            ("gotify://push.example/AbCdEfGhIjKlMnO", "scheme_unsupported"),
            ("pover://nobody", "parameter_invalid_format"),
        ):
            refused = api.call("POST", "/v1/channels", {"url": url}).json()["error"]["details"][0]
            assert refused["code"] == code
        unlisted = api.call("POST", "/v1/channels", {"url": "zulip://bot@org/aaaaaaaaaaaaaaaa"}).json()
        assert unlisted["error"]["details"][0]["code"] == "scheme_unsupported"
        assert "by Apprise gotify://, gotifys://, pover://" in unlisted["message"]
        unknown = api.call("POST", "/v1/channels", {"url": "dbus://"}).json()
        assert "by Apprise also gotify://, gotifys://, pover://" in unknown["message"]


def test_without_the_extra_the_cure_is_named(api: Api) -> None:
    refused = api.call("POST", "/v1/channels", {"url": "zulip://bot@org/aaaaaaaaaaaaaaaa"}).json()
    assert refused["error"]["details"][0]["code"] == "scheme_unsupported"
    assert "its operator installs the extra apprise" in refused["message"]


def test_a_bot_of_slack_shows_its_channel_and_not_its_token(api: Api) -> None:
    made = a_channel(api, "slack://xoxb-123456-abcdefghij/#alerts")
    assert (made["type"], made["url_masked"]) == ("slack_bot", f"slack://xoxb-***/#alerts#{made['id']}")
    body = {"name": "Shop", "type": "http", "url": "https://bot.example/", "notifications": [made["url_masked"]]}
    assert api.call("POST", "/v1/monitors", body).json()["notifications"] == [made["url_masked"]]
