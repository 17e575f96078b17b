"""One running API per test module, with credentials of every kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.server import Api, running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("security")) as started:
        yield started
