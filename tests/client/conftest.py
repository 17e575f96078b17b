"""Clients of both kinds, and a running API to call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.server import Api, running
from tests.client.rude import KINDS


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Of the client that a test uses; each runs with both."""
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running(tmp_path_factory.mktemp("client")) as started:
        yield started
