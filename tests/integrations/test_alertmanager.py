"""Alerts of Alertmanager, Grafana and Prometheus become incidents, each once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from statuspulse.catalog import reception
from statuspulse.domain.alert import fingerprint
from statuspulse.domain.incident import IncidentState
from statuspulse.domain.integration import UnreadableError
from statuspulse.domain.monitor import Severity
from statuspulse.domain.times import HOUR, MINUTE, SECOND, from_text, to_text
from statuspulse.storage import incidents
from statuspulse.storage.incidents import Incident, IncidentFilter
from tests.integrations.world import TEAM, World

LABELS = {"alertname": "ProbeFailure", "instance": "https://server.example.org", "severity": "critical"}
FIRING_SINCE = "2026-11-23T06:20:45.828Z"
# The form of the documents of Alertmanager 0.27, members that came later and those of Grafana included.
ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": LABELS,
    "annotations": {
        "summary": "Probe failure: https://server.example.org",
        "description": "It has been down for over 5 m.",
        "runbook_url": "https://wiki.example/probes",
    },
    "startsAt": FIRING_SINCE,
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org:9090/graph?g0.expr=probe_success+%3D%3D+0",
    "fingerprint": "1a30ba71cca2921f",
}
GRAFANA = {
    "silenceURL": "https://grafana.example/alerting/silence/new",
    "dashboardURL": "",
    "panelURL": "",
    "values": {"B": 44.2, "C": 1},
    "valueString": "[ var='B' labels={} value=44.2 ]",
}


def message(*alerts: dict[str, Any], **members: Any) -> bytes:
    """A message of version 4."""
    status = "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved"
    document = {
        "receiver": "statuspulse",
        "status": status,
        "alerts": list(alerts),
        "groupLabels": {"alertname": "ProbeFailure"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org:9093",
        "version": "4",
        "groupKey": '{}:{alertname="ProbeFailure"}',
        "truncatedAlerts": 0,
    }
    return json.dumps({**document, **members}).encode()


def alert(**members: Any) -> dict[str, Any]:
    return {**ALERT, **members}


class Sender:
    """An integration whose alerts a test sends."""

    def __init__(self, world: World, **members: Any) -> None:
        self.world = world
        made = world.made(kind="alertmanager", **members)
        assert made.secret is not None
        self.integration, self.secret = made.integration, made.secret.reveal()

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}

    async def sends(self, *bodies: bytes) -> None:
        await self.world.hear(self.integration, [(self.headers, body) for body in bodies])

    async def posts(self, *alerts: dict[str, Any]) -> None:
        """As Prometheus does."""
        body, now = json.dumps(alerts).encode(), self.world.clock()
        self.world.write(lambda one: reception.receive_alerts(one, self.integration, body, now))
        await self.world.hear(self.integration, [])

    def incidents(self) -> list[Incident]:
        """In the order in which they were opened."""
        listed: list[Incident] = self.world.read(
            lambda connection: list(incidents.listed(connection, TEAM, IncidentFilter(), after=None, descending=False))
        )
        return sorted(listed, key=lambda incident: incident.number)

    def only(self) -> Incident:
        (found,) = self.incidents()
        return found


@pytest.fixture
def sender(world: World) -> Sender:
    return Sender(world)


async def test_an_alert_is_an_incident_with_what_it_tells(sender: Sender) -> None:
    await sender.sends(message(alert()))
    incident = sender.only()
    assert (incident.title, incident.severity) == ("Probe failure: https://server.example.org", Severity.CRITICAL)
    assert (incident.source, incident.dedup_key) == ("integration", "am:1a30ba71cca2921f")
    assert incident.triggered_at == from_text(FIRING_SINCE)
    assert (incident.triggered_by.type, incident.triggered_by.id) == ("integration", sender.integration.id)
    notes = [entry.detail["text"] for entry in sender.world.timeline(incident) if entry.type == "note"]
    assert [text.split("\n") for text in notes] == [
        [
            "It has been down for over 5 m.",
            "Runbook: https://wiki.example/probes",
            "Source: http://prometheus.example.org:9090/graph?g0.expr=probe_success+%3D%3D+0",
        ]
    ]


async def test_repeats_of_a_group_change_nothing(sender: Sender) -> None:
    await sender.sends(message(alert()))
    before = sender.only()
    for _ in range(3):
        sender.world.clock.at += 4 * HOUR
        await sender.sends(message(alert()), message(alert()))
    assert sender.only() == before


async def test_what_is_resolved_there_is_resolved_here(sender: Sender) -> None:
    other = alert(fingerprint="aaaaaaaaaaaaaaaa", labels={**LABELS, "instance": "b"})
    await sender.sends(message(alert(), other))
    await sender.sends(message(alert(status="resolved", endsAt="2026-11-23T06:24:00Z"), other))
    states = {incident.dedup_key: incident.state for incident in sender.incidents()}
    assert states == {
        "am:1a30ba71cca2921f": IncidentState.RESOLVED,
        "am:aaaaaaaaaaaaaaaa": IncidentState.TRIGGERED,
    }
    resolved = next(one for one in sender.incidents() if not one.is_open)
    assert resolved.resolve_reason == "integration"


async def test_an_absent_alert_has_not_ended(sender: Sender) -> None:
    await sender.sends(message(alert()))
    await sender.sends(message(alert(fingerprint="b" * 16), truncatedAlerts=1))
    assert all(incident.is_open for incident in sender.incidents())


async def test_a_firing_that_somebody_resolved_here_stays_resolved_until_it_fires_anew(sender: Sender) -> None:
    await sender.sends(message(alert()))
    sender.world.submit(incident_id=sender.only().id, state="resolved")
    await sender.sends(message(alert()))
    assert not sender.only().is_open
    sender.world.clock.at += HOUR
    await sender.sends(message(alert(startsAt="2026-11-23T07:20:00Z")))
    assert [incident.is_open for incident in sender.incidents()] == [False, True]


async def test_a_new_firing_whose_end_was_not_told_is_counted(sender: Sender) -> None:
    await sender.sends(message(alert()))
    await sender.sends(message(alert(startsAt="2026-11-23T06:24:00Z")))
    assert sender.only().occurrences == 2
    await sender.sends(message(alert()))  # a replica that is behind
    assert sender.only().occurrences == 2


async def test_severities_are_mapped_and_what_is_unknown_is_an_error(world: World) -> None:
    sender = Sender(world, severity_map={"page": "critical", "ticket": "info"})
    for number, word in enumerate(("page", "ticket", "odd")):
        await sender.sends(message(alert(fingerprint=f"{number:016x}", labels={**LABELS, "severity": word})))
    labels = {"alertname": "NoSeverity"}
    await sender.sends(message(alert(fingerprint="f" * 16, labels=labels, annotations={})))
    assert [incident.severity.value for incident in sender.incidents()] == ["critical", "info", "error", "error"]
    assert sender.incidents()[-1].title == "NoSeverity"


async def test_grafana_in_the_same_form_is_taken(sender: Sender) -> None:
    await sender.sends(message(alert(**GRAFANA), orgId=1, title="[FIRING:1]", state="alerting", message="**Firing**"))
    assert sender.only().title == "Probe failure: https://server.example.org"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "the body is no JSON"),
        (b"[]", "the body is no object"),
        (b'{"text": "a template"}', '"alerts" is no array; the receiver must send the default payload'),
        (b'{"alerts": [1]}', "alerts[0] is no object"),
        (b'{"alerts": [{"labels": {}}]}', "alerts[0].labels has to hold texts, and one at least"),
        (
            b'{"alerts": [{"labels": {"a": "b"}, "status": "x"}]}',
            'alerts[0].status is neither "firing" nor "resolved"',
        ),
    ],
)
def test_a_template_in_place_of_the_payload_is_refused_with_words(sender: Sender, body: bytes, told: str) -> None:
    with pytest.raises(UnreadableError, match=f"^{told.replace('[', '.').replace(']', '.')}$"):
        reception.check_readable(sender.integration, body, sender.world.clock())


async def test_prometheus_repeats_and_its_silence_ends_the_alert(sender: Sender) -> None:
    world = sender.world
    firing = {"labels": LABELS, "annotations": {"summary": "Down"}, "startsAt": FIRING_SINCE, "generatorURL": "x"}
    for _ in range(3):
        await sender.posts({**firing, "endsAt": to_text(world.clock() + 4 * MINUTE)})
        world.clock.at += MINUTE
    incident = sender.only()
    assert (incident.state, incident.occurrences, incident.version) == (IncidentState.TRIGGERED, 1, 1)
    assert incident.dedup_key == f"am:{fingerprint(LABELS)}"
    world.clock.at += 3 * MINUTE + SECOND
    await world.hear(sender.integration, [])
    assert sender.only().state is IncidentState.RESOLVED
    assert sender.only().resolve_reason == "integration"


async def test_prometheus_tells_of_an_end_by_a_past_time(sender: Sender) -> None:
    firing = {"labels": LABELS, "annotations": {}, "startsAt": FIRING_SINCE}
    await sender.posts(firing)  # without an end it is waited for, for five minutes
    await sender.posts({**firing, "endsAt": to_text(sender.world.clock() - SECOND)})
    assert sender.only().state is IncidentState.RESOLVED


async def test_who_names_no_beginning_speaks_of_the_firing_that_is_known(sender: Sender) -> None:
    firing = {"labels": LABELS, "annotations": {}}
    for _ in range(3):
        await sender.posts(firing)
        sender.world.clock.at += MINUTE
    assert sender.only().occurrences == 1


async def test_a_beginning_ahead_of_our_clock_is_one_firing(sender: Sender) -> None:
    ahead = to_text(sender.world.clock() + 30 * SECOND)
    for _ in range(3):
        await sender.sends(message(alert(startsAt=ahead)))
        sender.world.clock.at += MINUTE
    assert (sender.only().occurrences, sender.only().version) == (1, 1)


async def test_many_alerts_at_once_are_each_an_incident(sender: Sender) -> None:
    many = [alert(fingerprint=f"{number:016x}") for number in range(120)]
    await sender.sends(message(*many))
    assert len(sender.incidents()) == 120
    await sender.sends(message(*[{**one, "status": "resolved"} for one in many]))
    assert not any(incident.is_open for incident in sender.incidents())


def test_the_secret_is_compared_whole(sender: Sender) -> None:
    world, body = sender.world, message(alert())
    assert world.takes(sender.integration, {"authorization": f"bearer {sender.secret}"}, body)
    for given in ("", f"Bearer {sender.secret[:-1]}", f"Bearer {sender.secret}x", f"Basic {sender.secret}", "Bearer"):
        assert not world.takes(sender.integration, {"authorization": given}, body)


async def test_hostile_texts_are_cut_and_plain(sender: Sender) -> None:
    nasty = "<!channel>\r\nBcc: a@b.c\x00" * 500
    await sender.sends(message(alert(annotations={"summary": nasty, "description": nasty, "runbook_url": nasty})))
    incident = sender.only()
    assert len(incident.title) <= 255
    assert "\n" not in incident.title
    assert "\x00" not in incident.title


def test_a_fingerprint_follows_from_the_labels_alone() -> None:
    assert fingerprint({}) == "cbf29ce484222325"  # the beginning of FNV-1a, which is that of no labels
    labels = {"b": "1", "a": "2"}
    assert fingerprint(labels) == fingerprint(dict(reversed(labels.items())))
    assert fingerprint(labels) != fingerprint({"b": "12", "a": ""})
