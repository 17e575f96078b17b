"""A Jira Cloud site on loopback: REST API version 3 as its vendor documents it, strict, and moody where it may be.

developer.atlassian.com: "Issues", "Issue search", "Issue comments", "Issue properties", "Webhooks", "Rate limiting",
"Search and reconcile". What the documents do not allow is answered as Jira answers it: 400 with `errors`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.targets import Arrival, HttpTarget, _read_request, http_answer, wall_ms

EMAIL, TOKEN, SECRET = "bot@acme.example", "emulated-token", "emulated-webhook-secret"
OWN_ACCOUNT, PERSON = "5b10a2844c20165700ede21g", "5b10ac8d82e05b22cc7d4ef5"
_NAMES = {OWN_ACCOUNT: "StatusPulse", PERSON: "Maya Rodriguez"}
_CATEGORY_NAMES = {"new": "To Do", "indeterminate": "In Progress", "done": "Done"}
_FIELDS = {"project", "issuetype", "summary", "description", "labels", "priority"}
_PRIORITIES = {"Highest", "High", "Medium", "Low", "Lowest"}
_TYPES = {"10001": "Bug", "10002": "Task"}
_JQL = re.compile(r'project = "([A-Z][A-Z0-9_]+)" AND labels = "([^" ]+)" ORDER BY created ASC')
_INLINE = {"text", "hardBreak"}
_JSON = "Content-Type: application/json"


class Fault(Enum):
    """What goes wrong with a call that writes. The first three leave its caller in doubt."""

    CUT_AFTER = "committed, and the connection ends without an answer"
    GATEWAY_AFTER = "committed, and the gateway answers 504"
    CUT_BEFORE = "lost on the way"
    SILENT = "committed, and no answer ever comes"
    BUSY = "429 with Retry-After"
    BROKEN = "500"


class RefusedError(Exception):
    """Jira would not have taken it."""

    def __init__(self, status: int, **errors: str) -> None:
        super().__init__(f"{status} {errors}")
        self.status = status
        self.errors = errors


@dataclass(frozen=True)
class Call:
    """A request that is read: what its path names, its query, its body."""

    names: list[str]
    query: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Way:
    """A transition: from the named statuses, or from anywhere; `demands` are fields of its screen."""

    id: str
    name: str
    to: str
    origins: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """Statuses with their categories, the first one is where issues begin."""

    statuses: dict[str, str]
    ways: tuple[Way, ...]


# Every status from everywhere: what a new project has.
SIMPLE = Workflow(
    {"To Do": "new", "In Progress": "indeterminate", "Done": "done"},
    (Way("11", "To Do", "To Do"), Way("21", "In Progress", "In Progress"), Way("31", "Done", "Done")),
)
# Nothing is done that was not begun, in another language, with a resolution.
STRICT = Workflow(
    {"Neu": "new", "In Arbeit": "indeterminate", "Erledigt": "done"},
    (
        Way("4", "Beginnen", "In Arbeit", ("Neu",)),
        Way("5", "Erledigen", "Erledigt", ("In Arbeit",), ("resolution",)),
        Way("3", "Neu öffnen", "Neu", ("Erledigt", "In Arbeit")),
    ),
)


@dataclass
class Issue:
    """One issue; it is found by search from `found_from` on."""

    id: str
    key: str
    fields: dict[str, Any]
    status: str
    found_from: int
    properties: dict[str, Any] = field(default_factory=dict)
    comments: list[dict[str, Any]] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    resolution: str | None = None


@dataclass(frozen=True)
class Hook:
    """A webhook as it leaves Jira."""

    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> tuple[dict[str, str], bytes]:
        """As a server reads it: names of headers in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}, self.body

    def send(self, url: str) -> int:
        """The status that the receiver answers."""
        request = urllib.request.Request(url, self.body, self.headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


class JiraCloud(HttpTarget):
    """One site with the project OPS. `index_lag` tells how long search does not know a new issue (ms).

    `fault` is asked at each call that writes; `hooks` holds the webhooks that are to be sent, signed with `secret`.
    """

    def __init__(
        self,
        *,
        now: Callable[[], int] = wall_ms,
        index_lag: Callable[[], int] = lambda: 0,
        workflow: Workflow = SIMPLE,
        fault: Callable[[str], Fault | None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.now = now
        self.index_lag = index_lag
        self.workflow = workflow
        self.fault = fault
        self.secret = SECRET
        self.token = TOKEN
        self.issues: dict[str, Issue] = {}
        self.hooks: list[Hook] = []
        self.refused: list[str] = []
        self.permitted = {"BROWSE_PROJECTS", "CREATE_ISSUES", "TRANSITION_ISSUES", "ADD_COMMENTS", "EDIT_ISSUES"}
        self._made = 0

    # What people do there.

    def move(self, key: str, status: str, account: str = PERSON) -> Hook:
        """Somebody drags the card."""
        return self._move(self.issues[key], status, account)

    def write(self, key: str, text: str, account: str = PERSON) -> Hook:
        """Somebody comments."""
        content = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [_text(text)]}]}
        return self._comment(self.issues[key], content, account, [])

    def add(self, *, labels: Sequence[str] = ()) -> Issue:
        """Somebody makes an issue."""
        fields = {
            "summary": "Made by hand",
            "labels": list(labels),
            "project": {"key": "OPS"},
            "issuetype": {"name": "Task"},
        }
        return self._insert(fields, {}, PERSON)

    def relocate(self, key: str, new_key: str) -> None:
        """Somebody moves the issue to another project: its old key leads to it, and nothing shows it any more."""
        issue = self.issues[key]
        issue.key = new_key
        self.issues[new_key] = issue

    def moves_by(self, account: str) -> list[str]:
        """The statuses to which somebody moved issues, in order."""
        told = [json.loads(hook.body) for hook in self.hooks]
        return [
            one["changelog"]["items"][0]["toString"]
            for one in told
            if "changelog" in one and one["user"]["accountId"] == account
        ]

    def labelled(self, label: str) -> list[Issue]:
        return [issue for issue in self.issues.values() if label in issue.fields["labels"]]

    # The server.

    async def _talk(self, reader: asyncio.StreamReader, writer: Any) -> None:
        while arrival := await _read_request(reader):
            self.arrivals.append(arrival)
            method = arrival.what.split(" ")[0]
            is_search = arrival.path.endswith("/search/jql")
            fault = None if method == "GET" or is_search else self.fault(f"{method} {arrival.path}")
            if fault is Fault.CUT_BEFORE:
                return
            if fault is Fault.BUSY:
                answer = http_answer(429, b'{"errorMessages":["Rate limit exceeded."]}', _JSON, "Retry-After: 2")
            elif fault is Fault.BROKEN:
                answer = http_answer(500, b'{"errorMessages":["Internal server error"],"errors":{}}', _JSON)
            else:
                answer = self._answer(arrival)
            if fault is Fault.CUT_AFTER:
                return
            if fault is Fault.SILENT:
                await self._stay_silent(reader)
                return
            if fault is Fault.GATEWAY_AFTER:
                answer = http_answer(504, b"<html>504 Gateway Time-out</html>", "Content-Type: text/html")
            writer.write(answer)
            await writer.drain()

    def _answer(self, arrival: Arrival) -> bytes:
        try:
            status, document = self._judge(arrival)
        except RefusedError as error:
            self.refused.append(str(error))
            body = {"errorMessages": [] if error.errors else ["Not possible."], "errors": error.errors}
            return http_answer(error.status, json.dumps(body).encode(), _JSON)
        return http_answer(status, b"" if document is None else json.dumps(document).encode(), _JSON)

    def _judge(self, arrival: Arrival) -> tuple[int, Any]:
        expected = "Basic " + base64.b64encode(f"{EMAIL}:{self.token}".encode()).decode()
        if arrival.headers.get("authorization") != expected:
            raise RefusedError(401)
        method, parts = arrival.what.split(" ")[0], urlsplit(arrival.path)
        body = _body(method, arrival)
        for pattern, call in _CALLS.items():
            matched = re.fullmatch(pattern, f"{method} {parts.path}")
            if matched is not None:
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                return call(self, Call([unquote(each) for each in matched.groups()], query, body))
        raise RefusedError(404)

    def myself(self, _: Call) -> tuple[int, Any]:
        return 200, {"accountId": OWN_ACCOUNT, "displayName": "StatusPulse", "active": True}

    def types(self, call: Call) -> tuple[int, Any]:
        if call.names[0] != "OPS":
            raise RefusedError(404)
        listed = [{"id": id_, "name": name, "subtask": False} for id_, name in _TYPES.items()]
        return 200, {"issueTypes": listed, "maxResults": 50, "startAt": 0, "total": len(listed)}

    def gone(self, _: Call) -> tuple[int, Any]:
        raise RefusedError(410)

    def shown(self, call: Call) -> tuple[int, Any]:
        return 200, self._shown(self._issue(call.names[0]))

    def ways(self, call: Call) -> tuple[int, Any]:
        return 200, {"expand": "transitions", "transitions": self._ways(self._issue(call.names[0]), call.query)}

    def _issue(self, key: str) -> Issue:
        if key not in self.issues:
            raise RefusedError(404)
        return self.issues[key]

    def permissions(self, call: Call) -> tuple[int, Any]:
        query = call.query
        if "permissions" not in query:
            raise RefusedError(400, permissions="The 'permissions' query parameter is required.")
        if query.get("projectKey") != "OPS":
            raise RefusedError(404)
        names = query["permissions"].split(",")
        return 200, {"permissions": {name: {"key": name, "havePermission": name in self.permitted} for name in names}}

    def search(self, call: Call) -> tuple[int, Any]:
        body = call.body
        known = {"jql", "fields", "maxResults", "nextPageToken", "expand", "properties", "reconcileIssues"}
        if not set(body) <= known or not 1 <= body.get("maxResults", 50) <= 5000:
            raise RefusedError(400)
        matched = _JQL.fullmatch(body["jql"])
        if matched is None or matched[1] != "OPS":
            raise RefusedError(400)
        found = [issue for issue in self.labelled(matched[2]) if self.now() >= issue.found_from]
        shown = [{"id": issue.id, "key": issue.key} if body.get("fields") else {"id": issue.id} for issue in found]
        return 200, {"issues": shown[: body.get("maxResults", 50)], "isLast": True}

    def create(self, call: Call) -> tuple[int, Any]:
        body = call.body
        if not set(body) <= {"fields", "properties", "update", "transition", "historyMetadata"}:
            raise RefusedError(400)
        _check_fields(body["fields"])
        issue = self._insert({"labels": [], **body["fields"]}, _properties(body.get("properties", [])), OWN_ACCOUNT)
        return 201, {"id": issue.id, "key": issue.key, "self": f"{self.url}/rest/api/3/issue/{issue.id}"}

    def _insert(self, fields: dict[str, Any], properties: dict[str, Any], account: str) -> Issue:
        self._made += 1
        issue = Issue(
            id=str(10000 + self._made),
            key=f"OPS-{self._made}",
            fields=fields,
            status=next(iter(self.workflow.statuses)),
            found_from=self.now() + self.index_lag(),
            properties=properties,
        )
        self.issues[issue.key] = issue
        self._tell("jira:issue_created", issue, account, issue_event_type_name="issue_created")
        return issue

    def _ways(self, issue: Issue, query: dict[str, str] | None = None) -> list[dict[str, Any]]:
        shown = []
        for way in self.workflow.ways:
            if way.origins and issue.status not in way.origins:
                continue
            one: dict[str, Any] = {"id": way.id, "name": way.name, "to": self._status(way.to), "isAvailable": True}
            if query and query.get("expand") == "transitions.fields":
                allowed = [{"id": "10000", "name": "Done"}, {"id": "10001", "name": "Won't Do"}]
                one["fields"] = {
                    name: {"required": True, "name": name, "hasDefaultValue": False, "allowedValues": allowed}
                    for name in way.demands
                }
            shown.append(one)
        return shown

    def transition(self, call: Call) -> tuple[int, Any]:
        issue, body = self._issue(call.names[0]), call.body
        if not set(body) <= {"transition", "fields", "update", "properties"}:
            raise RefusedError(400)
        asked = body["transition"]["id"]
        if asked not in [each["id"] for each in self._ways(issue)]:
            raise RefusedError(400)
        way = next(each for each in self.workflow.ways if each.id == asked)
        fields = body.get("fields", {})
        for name in fields:
            if name not in way.demands:
                raise RefusedError(400, **{name: f"Field '{name}' cannot be set. It is not on the appropriate screen."})
        for name in way.demands:
            if not fields.get(name):
                raise RefusedError(400, **{name: f"{name} is required."})
        issue.resolution = fields.get("resolution", {}).get("name")
        self._move(issue, way.to, OWN_ACCOUNT)
        return 204, None

    def _move(self, issue: Issue, status: str, account: str) -> Hook:
        before, issue.status = issue.status, status
        issue.moves.append(status)
        item = {"field": "status", "fieldtype": "jira", "fieldId": "status", "from": "1", "fromString": before,
                "to": "2", "toString": status}  # fmt: skip
        changelog = {"id": "1", "items": [item]}
        return self._tell(
            "jira:issue_updated", issue, account, issue_event_type_name="issue_generic", changelog=changelog
        )

    def comment(self, call: Call) -> tuple[int, Any]:
        issue, body = self._issue(call.names[0]), call.body
        if not set(body) <= {"body", "properties", "visibility", "parentId"}:
            raise RefusedError(400)
        if not _is_adf(body.get("body")):
            raise RefusedError(400, comment="Comment body is not valid!")
        self._comment(issue, body["body"], OWN_ACCOUNT, body.get("properties", []))
        made = issue.comments[-1]
        return 201, {"id": made["id"], "author": made["author"], "body": made["body"]}

    def _comment(self, issue: Issue, content: Any, account: str, properties: list[Any]) -> Hook:
        _properties(properties)
        comment = {"id": str(20000 + len(issue.comments)), "body": content, "author": _user(account)}
        issue.comments.append({**comment, "properties": properties})
        plain = {**comment, "body": _plain(content), "updateAuthor": _user(account)}
        return self._tell("comment_created", issue, None, comment=plain)

    def comments(self, call: Call) -> tuple[int, Any]:
        issue, query = self._issue(call.names[0]), call.query
        if query.get("orderBy", "created") not in {"created", "-created", "+created"}:
            raise RefusedError(400)
        comments = issue.comments[::-1] if query.get("orderBy") == "-created" else issue.comments
        hidden = () if query.get("expand") == "properties" else ("properties",)
        page = [{name: each for name, each in one.items() if name not in hidden} for one in comments]
        size = int(query.get("maxResults", "100"))
        return 200, {"startAt": 0, "maxResults": size, "total": len(page), "comments": page[:size]}

    def set_property(self, call: Call) -> tuple[int, Any]:
        key, name = call.names
        issue = self._issue(key)
        existed = name in issue.properties
        issue.properties |= _properties([{"key": name, "value": call.body}])
        return 200 if existed else 201, None

    def _shown(self, issue: Issue) -> Any:
        fields = {**issue.fields, "status": self._status(issue.status)}
        return {"id": issue.id, "key": issue.key, "self": f"{self.url}/rest/api/3/issue/{issue.id}", "fields": fields}

    def _status(self, name: str) -> dict[str, Any]:
        category = self.workflow.statuses[name]
        return {
            "id": "1",
            "name": name,
            "statusCategory": {"id": 2, "key": category, "name": _CATEGORY_NAMES[category], "colorName": "yellow"},
        }

    def _tell(self, event: str, issue: Issue, account: str | None, **more: Any) -> Hook:
        """Webhooks show issues as the second API does: rich text as strings."""
        shown = self._shown(issue)
        shown["fields"] |= {"description": _plain(issue.fields.get("description"))}
        document = {"timestamp": self.now(), "webhookEvent": event, "issue": shown, **more}
        if account is not None:
            document["user"] = _user(account)
        body = json.dumps(document).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "User-Agent": "Atlassian Webhook HTTP Client",
            "X-Atlassian-Webhook-Identifier": hashlib.sha256(f"{len(self.hooks)}{event}".encode()).hexdigest()[:40],
            "X-Atlassian-Webhook-Flow": "Primary",
            "X-Hub-Signature": f"sha256={signature}",
        }
        hook = Hook(headers, body)
        self.hooks.append(hook)
        return hook


_API, _ISSUE = "/rest/api/3", r"/rest/api/3/issue/([^/]+)"
_CALLS: dict[str, Callable[[JiraCloud, Call], tuple[int, Any]]] = {
    rf"GET {_API}/myself": JiraCloud.myself,
    rf"GET {_API}/mypermissions": JiraCloud.permissions,
    rf"POST {_API}/search/jql": JiraCloud.search,
    rf"(?:GET|POST) {_API}/search": JiraCloud.gone,
    rf"POST {_API}/issue": JiraCloud.create,
    rf"GET {_API}/issue/createmeta/([^/]+)/issuetypes": JiraCloud.types,
    rf"GET {_ISSUE}": JiraCloud.shown,
    rf"GET {_ISSUE}/transitions": JiraCloud.ways,
    rf"POST {_ISSUE}/transitions": JiraCloud.transition,
    rf"GET {_ISSUE}/comment": JiraCloud.comments,
    rf"POST {_ISSUE}/comment": JiraCloud.comment,
    rf"PUT {_ISSUE}/properties/([^/]+)": JiraCloud.set_property,
}


def _body(method: str, arrival: Arrival) -> Any:
    if arrival.body and arrival.headers.get("content-type") != "application/json":
        raise RefusedError(415)
    if method in {"POST", "PUT"} and not arrival.body:
        raise RefusedError(400)
    return json.loads(arrival.body) if arrival.body else None


def _check_fields(fields: dict[str, Any]) -> None:
    """What the screen of a new issue takes."""
    for name in set(fields) - _FIELDS:
        message = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        raise RefusedError(400, **{name: message})
    kind, summary, labels = fields.get("issuetype", {}), fields.get("summary"), fields.get("labels", [])
    priority = fields.get("priority", {"name": "Medium"})
    adf = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    for name, holds, message in (
        ("project", fields.get("project") == {"key": "OPS"}, "valid project is required"),
        ("issuetype", len(kind) == 1 and {*kind.values()} & {*_TYPES, *_TYPES.values()}, "Specify a valid issue type"),
        ("summary", isinstance(summary, str) and summary.strip(), "You must specify a summary of the issue."),
        ("summary", len(summary or "") <= 255, "Summary can't exceed 255 characters."),
        ("summary", len((summary or "x").splitlines()) == 1, "The summary contains newline characters."),
        ("description", _is_adf(fields.get("description")), adf),
        ("labels", all(" " not in one and len(one) <= 255 for one in labels), "The label contains spaces."),
        ("priority", priority.get("name") in _PRIORITIES, "The priority selected is invalid."),
    ):
        if not holds:
            raise RefusedError(400, **{name: message})


def _user(account: str) -> dict[str, Any]:
    return {"accountId": account, "displayName": _NAMES[account], "active": True, "accountType": "atlassian"}


def _properties(given: list[Any]) -> dict[str, Any]:
    for one in given:
        if set(one) != {"key", "value"} or len(one["key"]) > 255 or len(json.dumps(one["value"])) > 32768:
            raise RefusedError(400)
    return {one["key"]: one["value"] for one in given}


def _is_adf(node: Any) -> bool:
    """The part of the format that texts of ours may need; a string is none."""
    if not isinstance(node, dict) or set(node) != {"type", "version", "content"}:
        return False
    return node["type"] == "doc" and node["version"] == 1 and all(_is_block(block) for block in node["content"])


def _is_block(node: Any) -> bool:
    return set(node) == {"type", "content"} and node["type"] == "paragraph" and all(map(_is_inline, node["content"]))


def _is_inline(node: Any) -> bool:
    if node["type"] == "hardBreak":
        return set(node) == {"type"}
    if node["type"] != "text" or not set(node) <= {"type", "text", "marks"} or not node["text"]:
        return False
    if any(not char.isprintable() for char in node["text"]):
        return False
    return all(mark["type"] in {"strong", "link"} and ("attrs" in mark) == (mark["type"] == "link")
               for mark in node.get("marks", []))  # fmt: skip


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _plain(document: Any) -> str:
    """A text as the second API shows it."""
    if not isinstance(document, dict):
        return document or ""
    blocks = [[_shown(node) for node in block["content"]] for block in document["content"]]
    return "\n\n".join("".join(block) for block in blocks)


def _shown(node: Any) -> str:
    return "\n" if node["type"] == "hardBreak" else str(node["text"])
