"""Small targets on loopback to try monitors on: `targets.py http 9101`, `targets.py tcp 9102`, `targets.py dns 9153`.

Each runs until it is ended. The HTTP target answers 200, the TCP target accepts, the DNS target answers
`shop.example A 192.0.2.10`.
"""

from __future__ import annotations

import socketserver
import sys

import dns.message
import dns.rrset

HOST = "127.0.0.1"
NAME, ADDRESS = "shop.example.", "192.0.2.10"


class Http(socketserver.StreamRequestHandler):
    """Reads one request and answers 200."""

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")


class Tcp(socketserver.BaseRequestHandler):
    """Accepts and says nothing."""


class Dns(socketserver.DatagramRequestHandler):
    """Answers every question with the one record."""

    def handle(self) -> None:
        answer = dns.message.make_response(dns.message.from_wire(self.rfile.read()))
        answer.answer.append(dns.rrset.from_text(NAME, 60, "IN", "A", ADDRESS))
        self.wfile.write(answer.to_wire())


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    kind, port = sys.argv[1], int(sys.argv[2])
    handlers = {"http": Http, "tcp": Tcp}
    if kind == "dns":
        socketserver.UDPServer((HOST, port), Dns).serve_forever()
    Server((HOST, port), handlers[kind]).serve_forever()


if __name__ == "__main__":
    main()
