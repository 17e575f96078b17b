"""nginx as a web server, plain and with TLS, one certificate for each name, and as a mail server with STARTTLS."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.peers.daemon import HOST, free_port, running
from tests.peers.pki import Pair
from tests.peers.programs import Program, program

MAIL_PROTOCOLS = ("smtp", "imap", "pop3")
_MAIL_MODULE = "usr/lib/nginx/modules/ngx_mail_module.so"
_HEAD = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 256; }}
"""
_HTTP = """
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  root {folder}/pages;
  default_type text/plain;
  ssl_protocols TLSv1.2 TLSv1.3;
  gzip on;
  gzip_min_length 1;
  gzip_types text/plain;
  server {{
    listen {host}:{port};
    {places}
  }}
  {secure}
}}
"""
_SECURE = """
  server {{
    listen {host}:{port} ssl http2;
    server_name {name};
    ssl_certificate {pair.chain};
    ssl_certificate_key {pair.key};
    {places}
  }}
"""
_PLACES = """
    location = /page {{ }}
    location = /version {{ return 200 $server_protocol; }}
    location = /large {{ limit_rate 4m; gzip off; }}
    location = /moved {{ return 301 /slow; }}
    location = /slow {{ proxy_pass {upstream}; }}
"""
_MAIL = """
mail {{
  server_name {host};
  auth_http {host}:1/;
  smtp_auth plain;
  imap_auth plain;
  pop3_auth plain;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_certificate {pair.chain};
  ssl_certificate_key {pair.key};
  {servers}
}}
"""
LARGE_BYTES = 1 << 18
PAGE = "a page of nginx, which is long enough to be worth the while of a compressor, and of a compressor\n" * 10


@dataclass(frozen=True, slots=True)
class Web:
    """Where nginx listens: in the clear, and with TLS under the names that it has certificates for."""

    port: int
    tls_port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def url_of(self, name: str) -> str:
        return f"https://{name}:{self.tls_port}"


@contextmanager
def web(folder: Path, pairs: Mapping[str, Pair], upstream: str) -> Iterator[Web]:
    """A web server whose `/slow` is answered by `upstream`; the first of the pairs is for names that are not known."""
    made = Web(free_port(), free_port())
    (folder / "pages").mkdir()
    (folder / "pages" / "page").write_text(PAGE)
    (folder / "pages" / "large").write_bytes(os.urandom(LARGE_BYTES))
    places = _PLACES.format(upstream=upstream)
    secure = "".join(
        _SECURE.format(host=HOST, port=made.tls_port, name=name, pair=pair, places=places)
        for name, pair in pairs.items()
    )
    http = _HTTP.format(folder=folder, host=HOST, port=made.port, places=places, secure=secure)
    with _nginx(program("nginx"), folder, "", http, made.port, made.tls_port):
        yield made


@contextmanager
def mail(folder: Path, pair: Pair) -> Iterator[Mapping[str, int]]:
    """A mail server that offers STARTTLS; the port of each protocol."""
    found = program("nginx", beside=(_MAIL_MODULE,))
    ports = {protocol: free_port() for protocol in MAIL_PROTOCOLS}
    servers = "\n".join(f"server {{ listen {HOST}:{ports[one]}; protocol {one}; starttls on; }}" for one in ports)
    listeners = _MAIL.format(host=HOST, pair=pair, servers=servers)
    with _nginx(found, folder, f"load_module {found.root / _MAIL_MODULE};", listeners, *ports.values()):
        yield ports


@contextmanager
def _nginx(found: Program, folder: Path, modules: str, servers: str, *ports: int) -> Iterator[None]:
    account = "user root;" if os.geteuid() == 0 else ""  # else the workers could not read what is the tests'
    path = folder / "nginx.conf"
    path.write_text("\n".join((account, modules, _HEAD.format(folder=folder), servers)))
    with running(found, ["-p", folder, "-c", path], folder, *ports):
        yield
