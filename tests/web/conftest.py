"""One running API with its reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from statuspulse.web.site import add_reference
from tests.api.server import PUBLIC_URL, Api, running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("api")) as started:
        add_reference(started.app, PUBLIC_URL)
        yield started
