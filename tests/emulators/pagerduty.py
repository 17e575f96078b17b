"""PagerDuty as its documents describe it: Events API v2, a part of the REST API, and webhooks v3.

Sources: developer.pagerduty.com "Send an Alert Event", "Update an incident", "List notes", "Webhooks v3 overview".
It takes nothing that the documents do not name, and can be late, busy, broken, or silent after having done as asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.targets import Arrival, HttpTarget, _read_request, http_answer, reset

ROUTING_KEY = "0123456789abcdef0123456789abcdef"
API_TOKEN = "pd-token-example"
SENDER = "statuspulse@acme.example"
SECRET = "pd-webhook-example"

_JSON = "Content-Type: application/json"
_EVENT = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
_PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}
_STATUSES = ("triggered", "acknowledged", "resolved")
_US = {"id": "PSP0001", "type": "user_reference", "summary": "StatusPulse"}


class Fault(Enum):
    """What goes wrong with one call."""

    BUSY = "busy"
    BROKEN = "broken"
    LOST = "lost"  # done as asked, and the connection breaks before the answer
    CUT = "cut"  # not done, and the connection breaks
    LATE = "late"  # answered after a moment


class RefusedError(Exception):
    """The documents do not allow the call."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Incident:
    """One incident there; `keys` are those of its alerts, more than one where others were merged into it."""

    id: str
    key: str
    routing_key: str
    title: str
    severity: str
    status: str = "triggered"
    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "incident",
            "html_url": f"https://acme.pagerduty.com/incidents/{self.id}",
            "status": self.status,
            "incident_key": self.key,
            "title": self.title,
        }


class PagerDuty(HttpTarget):
    """One account with one service. `faults` decides what goes wrong with a call; `told` are the webhooks owed.

    `now` gives the text of an instant for what happens there.
    """

    def __init__(self, now: Callable[[], str]) -> None:
        super().__init__()
        self.incidents: dict[str, Incident] = {}
        self.faults: Callable[[Arrival], Fault | None] = lambda _arrival: None
        self.told: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.dropped: list[str] = []
        self.routing_keys = {ROUTING_KEY}
        self._now = now

    def of(self, key: str) -> list[Incident]:
        """Everything that was ever opened under a key."""
        return [one for one in self.incidents.values() if key in one.keys]

    def only(self, key: str) -> Incident:
        (found,) = self.of(key)
        return found

    # What people do there.

    def acknowledge(self, incident: Incident, by: str | None = "Maya Rodriguez") -> None:
        assert incident.status == "triggered"
        self._change(incident, "acknowledged", "acknowledged", _person(by))

    def unacknowledge(self, incident: Incident) -> None:
        assert incident.status == "acknowledged"
        self._change(incident, "triggered", "unacknowledged", None)

    def resolve(self, incident: Incident, by: str | None = "Maya Rodriguez") -> None:
        assert incident.status != "resolved"
        self._change(incident, "resolved", "resolved", _person(by))

    def reopen(self, incident: Incident) -> None:
        assert incident.status == "resolved"
        self._change(incident, "triggered", "reopened", _person("Maya Rodriguez"))

    def annotate(self, incident: Incident, text: str, by: str = "Maya Rodriguez") -> None:
        incident.notes.append(text)
        self._tell_note(incident, text, _person(by))

    def open(self, title: str) -> Incident:
        """Somebody opens one by hand."""
        made = self._made(key=f"manual-{len(self.incidents)}", routing_key=ROUTING_KEY, title=title, severity="error")
        self._tell("triggered", made, _person("Maya Rodriguez"))
        return made

    def merge(self, source: Incident, into: Incident) -> None:
        """The alerts move over, and what they came from is over."""
        into.keys += source.keys
        source.keys = []
        source.status = "resolved"

    def webhooks(self) -> Iterator[tuple[dict[str, str], bytes]]:
        """What it sends now: headers and body of each, signed."""
        while self.told:
            body = json.dumps({"event": self.told.pop(0)}).encode()
            yield {"x-pagerduty-signature": signature(body)}, body

    # What programs do.

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrival = await _read_request(reader)
        if arrival is None:
            return
        self.arrivals.append(arrival)
        fault = self.faults(arrival)
        if fault is Fault.CUT:
            reset(writer)
            return
        if fault is Fault.LATE:
            await asyncio.sleep(0.05)
        answer = self._judged(arrival, fault)
        if fault is Fault.LOST:
            reset(writer)
            return
        writer.write(answer)
        await writer.drain()

    def _judged(self, arrival: Arrival, fault: Fault | None) -> bytes:
        if fault is Fault.BUSY:
            return http_answer(
                429, b"{}", _JSON, "ratelimit-limit: 960", "ratelimit-remaining: 0", "ratelimit-reset: 7"
            )
        if fault is Fault.BROKEN:
            return http_answer(500, b"{}", _JSON)
        try:
            return self._done(arrival)
        except RefusedError as error:
            self.refused.append(f"{arrival.what}: {error}")
            body = json.dumps({"error": {"message": str(error), "code": 2001}}).encode()
            return http_answer(error.status, body, _JSON)

    def _done(self, arrival: Arrival) -> bytes:
        url = urlsplit(arrival.path)
        if url.path == "/v2/enqueue":
            _need(arrival.what.startswith("POST "), 405, "method")
            return self._enqueue(arrival)
        _need(arrival.headers.get("authorization") == f"Token token={API_TOKEN}", 401, "Authorization")
        _need(arrival.headers.get("accept") == "application/vnd.pagerduty+json;version=2", 406, "Accept")
        method = arrival.what.split(" ", 1)[0]
        if method != "GET":
            _need(arrival.headers.get("from") == SENDER, 400, "From")
            _need(arrival.headers.get("content-type") == "application/json", 415, "Content-Type")
        return self._rest(method, unquote(url.path), parse_qs(url.query), arrival.body)

    def _enqueue(self, arrival: Arrival) -> bytes:
        event = json.loads(arrival.body)
        _need(len(arrival.body) <= 512 * 1024, 413, "size")
        _need(set(event) <= _EVENT, 400, "unknown member")
        _need(len(event["routing_key"]) == 32, 400, "routing_key")
        _need(event["routing_key"] in self.routing_keys, 400, "routing_key is of no service")
        _need(event["event_action"] in {"trigger", "acknowledge", "resolve"}, 400, "event_action")
        _need(0 < len(event["dedup_key"]) <= 255, 400, "dedup_key")
        if event["event_action"] == "trigger":
            self._trigger(event)
        else:
            self._end(event)
        return http_answer(202, json.dumps(_processed(event)).encode(), _JSON)

    def _trigger(self, event: dict[str, Any]) -> None:
        payload = event["payload"]
        _need(set(payload) <= _PAYLOAD, 400, "unknown member of payload")
        _need(0 < len(payload["summary"]) <= 1024 and payload["source"], 400, "summary, source")
        _need(payload["severity"] in {"critical", "error", "warning", "info"}, 400, "severity")
        _need(all(set(link) == {"href", "text"} for link in event.get("links", [])), 400, "links")
        if self._open_one(event) is not None:
            return
        made = self._made(
            key=event["dedup_key"],
            routing_key=event["routing_key"],
            title=payload["summary"],
            severity=payload["severity"],
        )
        self._tell("triggered", made, None)

    def _end(self, event: dict[str, Any]) -> None:
        """What finds no open alert of its routing key is dropped in silence."""
        status = "acknowledged" if event["event_action"] == "acknowledge" else "resolved"
        found = self._open_one(event)
        if found is None or found.routing_key != event["routing_key"]:
            self.dropped.append(f"{event['event_action']} {event['dedup_key']}")
        elif found.status != status:
            self._change(found, status, status, None)

    def _rest(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> bytes:
        if (method, path) == ("GET", "/users"):
            return _answer({"users": [{"id": _US["id"], "email": SENDER, "type": "user"}]})
        if (method, path) == ("GET", "/incidents"):
            found = [one for one in self.incidents.values() if one.key == query["incident_key"][0]]
            if query.get("sort_by") == ["created_at:desc"]:
                found.reverse()
            wanted = query.get("statuses[]", list(_STATUSES))
            return _answer({"incidents": [one.document() for one in found if one.status in wanted]})
        match = re.fullmatch(r"/incidents/(\w+)(/alerts|/notes)?", path)
        _need(match is not None, 404, "no such path")
        assert match is not None
        incident = self.incidents.get(match[1])
        _need(incident is not None, 404, "no such incident")
        assert incident is not None
        if (method, match[2]) == ("GET", "/alerts"):
            return _answer({"alerts": [{"id": f"A{key}", "alert_key": key} for key in incident.keys]})
        if match[2] == "/notes":
            return self._notes(method, incident, body)
        if method == "GET":
            return _answer({"incident": incident.document()})
        _need(method == "PUT" and match[2] is None, 405, "method")
        return self._update(incident, json.loads(body))

    def _notes(self, method: str, incident: Incident, body: bytes) -> bytes:
        if method == "GET":
            return _answer(
                {"notes": [{"id": f"N{place}", "content": text} for place, text in enumerate(incident.notes)]}
            )
        _need(method == "POST", 405, "method")
        document = json.loads(body)
        _need(set(document) == {"note"} and set(document["note"]) == {"content"}, 400, "note")
        text = document["note"]["content"]
        _need(0 < len(text) <= 25_000 and len(incident.notes) < 2000, 400, "content")
        incident.notes.append(text)
        self._tell_note(incident, text, _US)
        return _answer({"note": {"id": f"N{len(incident.notes)}", "content": text, "user": _US}}, 201)

    def _update(self, incident: Incident, document: dict[str, Any]) -> bytes:
        _need(set(document) == {"incident"}, 400, "incident")
        wanted = document["incident"]
        _need(set(wanted) <= {"type", "status", "resolution", "title"}, 400, "unknown member")
        _need(wanted["type"] == "incident_reference" and wanted["status"] in _STATUSES, 400, "type, status")
        status = wanted["status"]
        if incident.status != status:
            # The trap: an acknowledgement of what is resolved opens it again.
            kinds = {"acknowledged": "acknowledged", "resolved": "resolved", "triggered": "unacknowledged"}
            kind = "reopened" if incident.status == "resolved" else kinds[status]
            self._change(incident, status, kind, _US)
        return _answer({"incident": {**incident.document(), "last_status_change_by": _US}})

    def _open_one(self, event: dict[str, Any]) -> Incident | None:
        found = [one for one in self.of(event["dedup_key"]) if one.status != "resolved"]
        return found[0] if found else None

    def _made(self, *, key: str, routing_key: str, title: str, severity: str) -> Incident:
        made = Incident(f"Q{len(self.incidents):05d}", key, routing_key, title, severity, keys=[key])
        self.incidents[made.id] = made
        return made

    def _change(self, incident: Incident, status: str, kind: str, agent: dict[str, Any] | None) -> None:
        incident.status = status
        self._tell(kind, incident, agent)

    def _tell(self, kind: str, incident: Incident, agent: dict[str, Any] | None) -> None:
        self._owe(f"incident.{kind}", incident.document(), agent)

    def _tell_note(self, incident: Incident, text: str, agent: dict[str, Any] | None) -> None:
        data = {"id": f"N{len(incident.notes)}", "type": "incident_note", "content": text, "trimmed": False}
        self._owe("incident.annotated", {**data, "incident": {"id": incident.id, "type": "incident_reference"}}, agent)

    def _owe(self, kind: str, data: dict[str, Any], agent: dict[str, Any] | None) -> None:
        self.told.append(
            {
                "id": hashlib.sha256(f"{kind} {len(self.arrivals)} {len(self.told)} {data}".encode()).hexdigest()[:26],
                "event_type": kind,
                "resource_type": "incident",
                "occurred_at": self._now(),
                "agent": agent,
                "client": None,
                "data": data,
            }
        )


def signature(body: bytes, *others: str) -> str:
    """As PagerDuty signs, by further secrets, too, while one is exchanged for another."""
    return ",".join(f"v1={hmac.new(one.encode(), body, hashlib.sha256).hexdigest()}" for one in (*others, SECRET))


def _person(name: str | None) -> dict[str, Any] | None:
    return None if name is None else {"id": "PHUMAN1", "type": "user_reference", "summary": name}


def _processed(event: dict[str, Any]) -> dict[str, str]:
    return {"status": "success", "message": "Event processed", "dedup_key": event["dedup_key"]}


def _answer(document: dict[str, Any], status: int = 200) -> bytes:
    return http_answer(status, json.dumps(document).encode(), _JSON)


def _need(holds: object, status: int, what: str) -> None:
    if not holds:
        raise RefusedError(status, what)
