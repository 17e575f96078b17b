"""What tests of the HTTP check share: a check whose names and trusted certificates are the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from time import time_ns

import pytest
import trustme

from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from statuspulse.probe.http import HttpCheck
from tests.targets import DnsTarget, HttpTarget


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


@pytest.fixture
def names() -> Iterator[DnsTarget]:
    with DnsTarget() as made:
        yield made


@pytest.fixture
async def trusting_gate(names: DnsTarget, authority: trustme.CA, tmp_path: Path) -> AsyncIterator[Gate]:
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    made = Gate(Policy(), nameservers=(names.address,), ca_file=str(bundle))
    yield made
    made.close()


@pytest.fixture
async def check(trusting_gate: Gate) -> HttpCheck:
    return HttpCheck(trusting_gate, lambda: time_ns() // 1_000_000)
