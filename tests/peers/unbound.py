"""unbound as a name server with a zone of its own, over UDP, TCP, DoT and DoH, and as the resolver of slow names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.daemon import HOST, free_port, running
from tests.peers.pki import Pair
from tests.peers.programs import program

TTL_SECONDS = 1234
SLOW_ZONE, BROKEN_ZONE, REFUSED_ZONE = "slow.test", "broken.test", "refused.test"
# What a zone holds, in the words of a zone file.
RECORDS = (
    "web.test. A 192.0.2.1",
    "web.test. A 192.0.2.2",
    "web.test. AAAA 2001:db8::1",
    "web.test. AAAA 2001:db8:0:0:0::2",
    "alias.test. CNAME Web.Test.",
    "web.test. MX 10 mx1.web.test.",
    "web.test. MX 20 MX2.web.test.",
    "web.test. NS ns1.web.test.",
    "web.test. NS ns2.web.test.",
    'web.test. TXT "v=spf1 " "include:a.test" " -all"',
    'web.test. TXT "100 % plain"',
    "web.test. SOA ns1.web.test. admin.web.test. 2026112401 7200 900 1209600 300",
    "_sip._tcp.web.test. SRV 1 2 5060 sip1.web.test.",
    "_sip._tcp.web.test. SRV 2 2 5060 sip2.web.test.",
    'web.test. CAA 0 issue "ca.example"',
    'web.test. CAA 128 iodef "mailto:sec@web.test"',
    "7.2.0.192.in-addr.arpa. PTR host.web.test.",
    # So much that it does not fit into a datagram.
    *(f'long.test. TXT "{number:03} {"x" * 200}"' for number in range(20)),
)
_CONFIGURATION = """
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  logfile: ""
  use-syslog: no
  do-ip6: no
  num-threads: 1
  module-config: "iterator"
  cache-max-ttl: 0
  do-not-query-localhost: no
  do-not-query-address: 127.0.0.2
  access-control: 127.0.0.0/8 allow
  interface: {host}@{port}
  interface: {host}@{dot_port}
  interface: {host}@{doh_port}
  tls-port: {dot_port}
  https-port: {doh_port}
  tls-service-pem: "{pair.chain}"
  tls-service-key: "{pair.key}"
  local-zone: "test." static
  local-zone: "2.0.192.in-addr.arpa." static
  local-zone: "{slow}." transparent
  local-zone: "{broken}." transparent
  local-zone: "{refused}." always_refuse
  {records}
remote-control:
  control-enable: no
forward-zone:
  name: "{slow}."
  forward-addr: {host}@{upstream}
forward-zone:
  name: "{broken}."
  forward-addr: 127.0.0.2
"""


@dataclass(frozen=True, slots=True)
class Unbound:
    """Where it listens, and under which names: its certificate is for 127.0.0.1, too."""

    port: int
    dot_port: int
    doh_port: int

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def dot(self) -> str:
        return f"{HOST}:{self.dot_port}"

    @property
    def doh(self) -> str:
        return f"https://{HOST}:{self.doh_port}/dns-query"


@contextmanager
def unbound(folder: Path, pair: Pair, upstream: int) -> Iterator[Unbound]:
    """Names in the slow zone are asked for at the port `upstream`, and nothing is kept of the answers."""
    made = Unbound(free_port(), free_port(), free_port())
    records = "\n  ".join(f"local-data: '{_with_ttl(record)}'" for record in RECORDS)
    path = folder / "unbound.conf"
    path.write_text(
        _CONFIGURATION.format(
            folder=folder,
            host=HOST,
            port=made.port,
            dot_port=made.dot_port,
            doh_port=made.doh_port,
            pair=pair,
            slow=SLOW_ZONE,
            broken=BROKEN_ZONE,
            refused=REFUSED_ZONE,
            records=records,
            upstream=upstream,
        )
    )
    arguments: list[str | Path] = ["-d", "-p", "-c", path]
    with running(program("unbound"), arguments, folder, made.port, made.dot_port, made.doh_port):
        yield made


def _with_ttl(record: str) -> str:
    name, rest = record.split(" ", 1)
    return f"{name} {TTL_SECONDS} IN {rest}"
