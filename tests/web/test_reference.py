"""The reference under /docs: complete, linked, safe, and served from memory."""

from __future__ import annotations

import ast
import copy
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

import statuspulse
from statuspulse.api.errors import KINDS
from statuspulse.api.markup import Html, joined, prose, tag
from statuspulse.api.meanings import DETAIL_MEANINGS, MEANINGS
from statuspulse.web.site import rendered
from tests.api.server import PUBLIC_URL, Api
from tests.web.reading import Read, read

SOURCE = Path(statuspulse.__file__).parent


def get(api: Api, path: str, **headers: str) -> requests.Response:
    return api.call("GET", path, token=None, headers=headers)


def page(api: Api, path: str) -> Read:
    answer = get(api, path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), path
    return read(answer.text)


@pytest.fixture(scope="module")
def pages(api: Api) -> dict[str, Read]:
    """Everything that can be reached from the overview."""
    found: dict[str, Read] = {}
    waiting = ["/docs"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = page(api, path)
            targets = (urlsplit(urljoin(path, link)).path for link in found[path].links)
            waiting += [one for one in targets if one.startswith("/docs") and "/assets/" not in one]
    return found


def operations(api: Api) -> Iterator[dict[str, Any]]:
    for item in api.contract.document["paths"].values():
        yield from (told for method, told in item.items() if method in {"get", "post", "put", "patch", "delete"})


def test_every_operation_has_its_place(api: Api, pages: dict[str, Read]) -> None:
    anchors = [anchor for found in pages.values() for anchor in found.ids]
    told = [one["operationId"] for one in operations(api)]
    assert len(told) > 50
    assert [one for one in told if anchors.count(one) != 1] == []


def test_an_operation_is_told_with_scope_parameters_members_examples_and_statuses(pages: dict[str, Read]) -> None:
    text = pages["/docs/monitors"].text
    for word in ("monitors:write", "Idempotency-Key", "interval_seconds", "1 to 86400", "Answer 201", "required"):
        assert word in text, word
    assert any("mon_4t6w8y2a" in block for block in pages["/docs/monitors"].blocks)


def test_no_link_is_dead(api: Api, pages: dict[str, Read]) -> None:
    for path, found in pages.items():
        assert len(found.ids) == len(set(found.ids)), path
        for link in found.links:
            target = urlsplit(urljoin(path, link))
            if target.path in pages:
                assert not target.fragment or target.fragment in pages[target.path].ids, (path, link)
            else:
                assert get(api, target.path).status_code == 200, (path, link)


def test_the_api_tells_where_its_reference_is(api: Api, pages: dict[str, Read]) -> None:
    told = get(api, "/v1").json()["docs_url"]
    assert told == f"{PUBLIC_URL}/docs"
    assert urlsplit(told).path in pages


def test_what_a_refusal_names_is_a_page(api: Api, pages: dict[str, Read]) -> None:
    error = api.call("POST", "/v1/monitors", {"name": "Shop"}).json()["error"]
    assert urlsplit(error["doc_url"]).path in pages


def test_every_code_is_explained(pages: dict[str, Read]) -> None:
    assert MEANINGS.keys() == KINDS.keys()
    for code, meaning in MEANINGS.items():
        text = pages[f"/docs/errors/{code}"].text
        assert str(KINDS[code].status) in text
        for told in (meaning.what, *meaning.causes, meaning.cure):
            assert told.replace("`", "") in text


def test_every_code_of_a_detail_in_the_source_is_explained() -> None:
    made = {
        keyword.value.value
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Detail"
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    spelt = {
        word
        for path in SOURCE.rglob("*.py")
        for word in re.findall(r'"(parameter_[a-z_]+|unknown_parameter|reference_not_found)"', path.read_text())
    }
    assert len(made) > 10
    assert (made | spelt) - DETAIL_MEANINGS.keys() - {
        "parameter_ignored",
        "parameter_derived",
    } == set()  # those are warnings


def test_an_unknown_page_is_404_and_leads_back(api: Api) -> None:
    for path in ("/docs/errors/no_such_code", "/docs/nowhere", "/docs/assets/0/filter.js"):
        answer = get(api, path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8"), path
        assert "/docs" in read(answer.text).links


def test_every_page_forbids_what_is_not_ours_and_needs_nothing_else(api: Api, pages: dict[str, Read]) -> None:
    for path, found in pages.items():
        policy = get(api, path).headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';")
        assert "unsafe" not in policy
        for name, attributes in found.marks:
            assert not [key for key in attributes if key == "style" or key.startswith("on")], (path, name)
            assert name != "style"
            assert name != "script" or (attributes["src"] or "").startswith("/docs/assets/")


def test_a_page_is_sent_once_and_packed_where_that_is_taken(api: Api) -> None:
    plain = get(api, "/docs/monitors", **{"Accept-Encoding": "identity"})
    packed = get(api, "/docs/monitors", **{"Accept-Encoding": "br, gzip;q=0.5"})
    refused = get(api, "/docs/monitors", **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in refused.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.text == plain.text == refused.text
    assert int(packed.headers["Content-Length"]) * 5 < int(plain.headers["Content-Length"])
    assert packed.headers["ETag"] != plain.headers["ETag"]
    for answer, coding in ((plain, "identity"), (packed, "gzip")):
        again = get(
            api, "/docs/monitors", **{"Accept-Encoding": coding, "If-None-Match": f"W/{answer.headers['ETag']}"}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["Cache-Control"], again.headers["Vary"]) == ("no-cache", "Accept-Encoding")


def test_style_and_script_may_be_kept_for_a_year(api: Api, pages: dict[str, Read]) -> None:
    links = {link for link in pages["/docs"].links if "/assets/" in link}
    assert len(links) == 3
    for link in links:
        assert get(api, link).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_head_is_answered_without_a_body(api: Api) -> None:
    answer = api.call("HEAD", "/docs", token=None)
    assert (answer.status_code, answer.content) == (200, b"")


def test_the_lines_for_a_shell_do_what_they_say(api: Api, pages: dict[str, Read]) -> None:
    lines = [one for one in pages["/docs/monitors"].blocks if one.startswith("curl -X POST")]
    done = 0
    for line in lines:
        words = shlex.split(line.replace("\\\n", " "))
        if words[3] == f"{PUBLIC_URL}/v1/monitors":
            body = json.loads(words[words.index("-d") + 1])
            assert "Authorization: Bearer $STATUSPULSE_TOKEN" in words
            assert api.call("POST", "/v1/monitors", body).status_code == 201
            done += 1
    assert done >= 3


def test_text_of_the_document_is_never_markup(api: Api) -> None:
    document = copy.deepcopy(api.contract.document)
    told = document["paths"]["/monitors"]["get"]
    evil = '<script>alert("x")</script>'
    told["summary"] = evil
    told["parameters"][0]["description"] = f"`{evil}` {evil}"
    for name in ("/docs", "/docs/monitors"):
        found = read(rendered(document, PUBLIC_URL)[name].plain.decode())
        assert evil in found.text
        assert [attributes.get("src") is None for mark, attributes in found.marks if mark == "script"] == [False]


def test_markup_joined_with_text_is_escaped_twice_rather_than_never() -> None:
    assert joined(Html("<b>") + "x") == "&lt;b&gt;x"
    assert tag("a", "<", href='"><', hidden=False, data_x="1") == '<a href="&quot;&gt;&lt;" data-x="1">&lt;</a>'
    assert prose("a `<b>` c") == "a <code>&lt;b&gt;</code> c"
