"""One running API per test module; tests use monitors of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.server import Api, running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("api")) as started:
        yield started


@pytest.fixture
def body() -> dict[str, Any]:
    """The least that makes a monitor."""
    return {"name": "Shop", "type": "http", "url": "https://shop.example/health"}
