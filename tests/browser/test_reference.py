"""The reference in a real browser: nothing is forbidden or complained of, it narrows, and it fits a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from statuspulse.web.site import add_reference
from tests.api.server import PUBLIC_URL, Api, running
from tests.browser.chromium import Browser, Page

PHONE = 390
PATHS = ("/docs", "/docs/monitors", "/docs/incidents", "/docs/errors", "/docs/errors/validation_failed", "/docs/gone")
VISIBLE = "[...document.querySelectorAll('[data-terms]')].filter(one => one.checkVisibility())"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("api")) as started:
        add_reference(started.app, PUBLIC_URL)
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.page()
    yield opened
    opened.scripts(run=True)


def type_into_filter(page: Page, text: str) -> None:
    page.run("document.querySelector('#filter').focus(); document.querySelector('#filter').select()")
    page.call("Input.insertText", text=text)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_complaints_and_fits_a_phone(api: Api, page: Page, path: str) -> None:
    for dark in (False, True):
        page.open(api.url + path, width=PHONE, dark=dark)
        page.run("document.querySelectorAll('details').forEach(one => { one.open = true })")
        assert page.run("document.documentElement.scrollWidth") <= PHONE
        assert page.run("getComputedStyle(document.body).backgroundColor") == (
            "rgb(16, 22, 20)" if dark else "rgb(255, 255, 255)"
        )
    expected = 2 if path.endswith("gone") else 0  # the 404 of the page itself
    assert len(page.complaints) == expected, page.complaints


def test_the_filter_narrows_and_is_kept_in_the_address(api: Api, page: Page) -> None:
    page.open(f"{api.url}/docs")
    everything = page.run(f"{VISIBLE}.length")
    type_into_filter(page, "quorum POST")
    found = page.run(f"{VISIBLE}.map(one => one.querySelector('code').textContent)")
    assert "/v1/monitors" in found
    assert 0 < len(found) < everything
    assert page.run("document.querySelector('output').textContent") == f"{len(found)} found"
    assert "q=quorum+POST" in page.run("location.href")
    page.open(f"{api.url}/docs?q=quorum+POST")
    assert page.run(f"{VISIBLE}.length") == len(found)
    assert page.complaints == []


def test_a_slash_leads_to_the_filter_and_escape_empties_it(api: Api, page: Page) -> None:
    page.open(f"{api.url}/docs/errors")
    for key in ("/", "x", "Escape"):
        typed = {} if key == "Escape" else {"text": key}
        page.call("Input.dispatchKeyEvent", type="keyDown", key=key, **typed)
        if key == "x":
            assert page.run("document.querySelector('#filter').value") == "x"
    assert page.run("document.querySelector('#filter').value") == ""


def test_a_deep_link_is_shown_whatever_the_filter_hides(api: Api, page: Page) -> None:
    page.open(f"{api.url}/docs/monitors?q=rotate#createMonitor")
    assert page.run("document.querySelector('#createMonitor').checkVisibility()") is True
    assert abs(page.run("document.querySelector('#createMonitor').getBoundingClientRect().top")) < 100


def test_without_scripts_everything_is_there(api: Api, page: Page) -> None:
    page.scripts(run=False)
    page.open(f"{api.url}/docs?q=quorum")
    page.scripts(run=True)
    assert page.run("document.querySelector('.filter').checkVisibility()") is False
    assert page.run(f"{VISIBLE}.length") > 50


def test_what_is_forbidden_is_noticed_here(api: Api, page: Page) -> None:
    page.open(f"{api.url}/docs")
    page.run("document.body.append(Object.assign(document.createElement('style'), {textContent: 'p{color:red}'}))")
    assert "Content Security Policy" in " ".join(page.complaints) or "ContentSecurityPolicy" in " ".join(
        page.complaints
    )
