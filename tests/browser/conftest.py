"""A real browser, started when the first test wants it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chromium import Browser, BrowserMissingError, running
from tests.peers.debian import FetchError


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    try:
        with running(tmp_path_factory.mktemp("browser")) as started:
            yield started
    except (BrowserMissingError, FetchError) as error:
        pytest.fail(str(error), pytrace=False)
