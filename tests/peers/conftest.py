"""Real servers for the tests of this folder, each started when the first test wants it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import trustme

from statuspulse.egress.gate import Gate
from statuspulse.egress.policy import Policy
from tests.peers import haproxy, nginx
from tests.peers.curl import Curl
from tests.peers.daemon import HOST, DaemonFailedError
from tests.peers.debian import FetchError
from tests.peers.dig import Dig
from tests.peers.pki import Pair, pair_of, self_signed
from tests.peers.programs import ProgramMissingError
from tests.peers.unbound import SLOW_ZONE, Unbound, unbound
from tests.targets import DnsTarget, HttpTarget

T = TypeVar("T")
SOON_DAYS = 5
SLOW_SECONDS = 0.06
GOOD, SOON, ALONE, OTHER, HALF, PAST = (f"{one}.test" for one in ("good", "soon", "alone", "other", "half", "past"))
NAMES = (GOOD, SOON, ALONE, OTHER, HALF, PAST)


@contextmanager
def wanted(peer: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """A peer. Where no way leads to it the test is skipped; where one should and does not, it fails."""
    try:
        with peer() as made:
            yield made
    except ProgramMissingError as error:
        pytest.skip(str(error))
    except (FetchError, DaemonFailedError) as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    return tmp_path_factory.mktemp


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, folder: Callable[[str], Path]) -> Path:
    path = folder("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def pairs(authority: trustme.CA, folder: Callable[[str], Path]) -> Mapping[str, Pair]:
    """A certificate for each of the names, with a fault of its own."""
    where, now = folder("pairs"), datetime.now(UTC)
    soon, past = now + timedelta(days=SOON_DAYS, hours=1), now - timedelta(days=3)
    return {
        GOOD: pair_of(where, GOOD, authority.issue_cert(GOOD, "localhost", HOST)),
        SOON: pair_of(where, SOON, authority.issue_cert(SOON, not_after=soon)),
        ALONE: self_signed(where, ALONE),
        OTHER: pair_of(where, OTHER, authority.issue_cert("elsewhere.test", "www.elsewhere.test")),
        HALF: pair_of(where, HALF, authority.create_child_ca().issue_cert(HALF), whole=False),
        PAST: pair_of(where, PAST, authority.issue_cert(PAST, not_after=past)),
    }


@pytest.fixture(scope="session")
def upstream() -> Iterator[HttpTarget]:
    """What stands behind `/slow` of the web server."""
    with HttpTarget() as target:
        target.delay_seconds = SLOW_SECONDS
        yield target


@pytest.fixture(scope="session")
def web(pairs: Mapping[str, Pair], upstream: HttpTarget, folder: Callable[[str], Path]) -> Iterator[nginx.Web]:
    with wanted(lambda: nginx.web(folder("web"), pairs, upstream.url)) as made:
        yield made


@pytest.fixture(scope="session")
def waiting(web: nginx.Web, folder: Callable[[str], Path]) -> Iterator[int]:
    """The port of a proxy that makes every handshake with the web server slow."""
    with wanted(lambda: haproxy.waiting(folder("proxy"), web.tls_port, int(SLOW_SECONDS * 1000))) as made:
        yield made


@pytest.fixture(scope="session")
def resolver(pairs: Mapping[str, Pair], folder: Callable[[str], Path]) -> Iterator[Unbound]:
    with DnsTarget() as behind:
        behind.delay_seconds = SLOW_SECONDS
        behind.records(f"web.{SLOW_ZONE}", "A", HOST)
        with wanted(lambda: unbound(folder("unbound"), pairs[GOOD], behind.port)) as made:
            yield made


@pytest.fixture(scope="session")
def mail(pairs: Mapping[str, Pair], folder: Callable[[str], Path]) -> Iterator[Mapping[str, int]]:
    with wanted(lambda: nginx.mail(folder("mail"), pairs[GOOD])) as made:
        yield made


@pytest.fixture(scope="session")
def curl(ca_file: Path) -> Iterator[Curl]:
    with wanted(lambda: nullcontext(Curl.found(ca_file))) as made:
        yield made


@pytest.fixture(scope="session")
def dig() -> Iterator[Dig]:
    with wanted(lambda: nullcontext(Dig.found())) as made:
        yield made


@pytest.fixture
async def gate(ca_file: Path, tmp_path: Path) -> AsyncIterator[Gate]:
    """The way out of a probe whose hosts file has the names of the tests."""
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{HOST} {name}\n" for name in (*NAMES, "localhost")))
    made = Gate(Policy(), hosts_file=hosts, ca_file=str(ca_file))
    yield made
    made.close()
