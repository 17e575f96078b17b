"""What Jira's webhooks say, read as the emulator sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from statuspulse.domain.integration import Change, Report, UnreadableError
from statuspulse.domain.vendor_signatures import is_hub_s
from statuspulse.engine.inbound.jira import read
from tests.emulators.jira import OWN_ACCOUNT, PERSON, SECRET, STRICT, JiraCloud
from tests.integrations.world import NOW, Clock

LABEL = "sp-inc-4m8n2v5w"


@pytest.fixture
def jira() -> Iterator[JiraCloud]:
    with JiraCloud(now=Clock()) as made:
        yield made


def config(jira: JiraCloud, **transitions: str) -> dict[str, Any]:
    return {
        "base_url": f"{jira.url}/", "email": "a@b.example", "project_key": "OPS", "issue_type": "Bug",
        "priority_map": {}, "transitions": {"acknowledged": "indeterminate", "resolved": "done", **transitions},
    }  # fmt: skip


def issue_of(jira: JiraCloud, label: str = LABEL) -> str:
    issue = jira.add()
    issue.fields["labels"].append(label)
    return issue.key


def test_a_webhook_is_signed_as_the_vendor_s_example_says() -> None:
    """developer.atlassian.com "Webhooks", the vector of the section on secrets."""
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    assert is_hub_s("It's a Secret to Everybody", signature, b"Hello World!")
    assert not is_hub_s("It's a Secret to Everybody", signature, b"Hello World?")
    assert not is_hub_s("It's a Secret to Everybody", signature.replace("sha256", "sha1"), b"Hello World!")


def test_the_emulator_signs_as_it_is_verified(jira: JiraCloud) -> None:
    hook = jira.move(issue_of(jira), "Done")
    assert is_hub_s(SECRET, hook.headers["X-Hub-Signature"], hook.body)


@pytest.mark.parametrize(
    ("status", "change"),
    [("In Progress", Change.ACKNOWLEDGED), ("Done", Change.RESOLVED)],
)
def test_moving_an_issue_says_what_the_category_of_its_status_means(
    jira: JiraCloud, status: str, change: Change
) -> None:
    key = issue_of(jira)
    (report,) = read(config(jira), jira.move(key, status).body)
    assert report == Report(
        change=change, external_id=key, incident_id="inc_4m8n2v5w", url=f"{jira.url}/browse/{key}",
        author_id=PERSON, author="Maya Rodriguez", at=NOW,
    )  # fmt: skip


def test_moving_an_issue_back_says_nothing(jira: JiraCloud) -> None:
    key = issue_of(jira)
    jira.move(key, "Done")
    assert not read(config(jira), jira.move(key, "To Do").body)


def test_a_status_may_be_named_instead_of_its_category(jira: JiraCloud) -> None:
    jira.workflow = STRICT
    jira.issues.clear()
    key, names = issue_of(jira), config(jira, acknowledged="neu")
    assert [one.change for one in read(names, jira.move(key, "Neu").body)] == [Change.ACKNOWLEDGED]
    assert not read(names, jira.move(key, "In Arbeit").body)
    assert [one.change for one in read(names, jira.move(key, "Erledigt").body)] == [Change.RESOLVED]


def test_a_comment_is_a_note(jira: JiraCloud) -> None:
    (report,) = read(config(jira), jira.write(issue_of(jira), "Redis is full.").body)
    assert (report.change, report.text, report.author_id) == (Change.NOTE, "Redis is full.", PERSON)


def test_a_comment_may_be_rich_text_too(jira: JiraCloud) -> None:
    document = json.loads(jira.write(issue_of(jira), "x").body)
    document["comment"]["body"] = {
        "type": "doc", "version": 1, "content": [
            {"type": "paragraph", "content": [
                {"type": "mention", "attrs": {"id": "1", "text": "@Maya"}}, {"type": "text", "text": " look:"},
                {"type": "hardBreak"}, {"type": "text", "text": "full"}]},
            {"type": "bulletList", "content": [{"type": "listItem", "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": "one"}]}]}]},
        ],
    }  # fmt: skip
    (report,) = read(config(jira), json.dumps(document).encode())
    assert report.text == "@Maya look:\nfull\none"


def test_a_comment_of_ours_is_no_news(jira: JiraCloud) -> None:
    hook = jira.write(issue_of(jira), "ACKNOWLEDGED: Checkout\n\n(Maya, StatusPulse)", OWN_ACCOUNT)
    assert not read(config(jira), hook.body)


def test_our_own_new_issue_tells_its_key(jira: JiraCloud) -> None:
    key = issue_of(jira)
    document = json.loads(jira.hooks[0].body)
    document["issue"]["fields"]["labels"] = [LABEL]
    (report,) = read(config(jira), json.dumps(document).encode())
    assert (report.change, report.external_id, report.incident_id) == (Change.TRIGGERED, key, "inc_4m8n2v5w")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"webhookEvent":"jira:issue_updated"}',
        b'{"webhookEvent":"jira:issue_updated","issue":{"key":"OPS-1","fields":{"labels":7,"status":[]}}}',
        b'{"webhookEvent":"jira:issue_updated","issue":{"key":"OPS-1"},"changelog":{"items":[{"field":"status"}]}}',
        b'{"webhookEvent":"comment_created","issue":{"key":"OPS-1"},"comment":{"body":{"content":[7]}}}',
        b'{"webhookEvent":"jira:issue_created","issue":{"key":"OPS-1"}}',
        b'{"webhookEvent":"worklog_created","issue":{"key":"OPS-1"}}',
        b'{"webhookEvent":"jira:issue_updated","issue":{"key":' + b'"' + b"K" * 300 + b'"}}',
    ],
)
def test_what_says_nothing_of_an_incident_is_passed_over(jira: JiraCloud, body: bytes) -> None:
    assert not read(config(jira), body)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_webhook_is_told_as_such(jira: JiraCloud, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(config(jira), body)
