"""One HTTP exchange by libcurl over a guarded connection; the object is used again, the connection is not."""

from __future__ import annotations

import socket
from typing import NamedTuple

import pycurl

from statuspulse import __version__
from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate
from statuspulse.egress.certificates import Chain, earliest_end
from statuspulse.egress.curl_errors import transfer_failure
from statuspulse.egress.deadline import Deadline
from statuspulse.egress.guard import Guard
from statuspulse.egress.policy import Purpose
from statuspulse.egress.request import Request
from statuspulse.egress.sessions import Sessions
from statuspulse.egress.urls import Url, bracketed

USER_AGENT = f"StatusPulse/{__version__}"
# Of the body of a redirect only this much is read, to see the answer end well.
_REDIRECT_BODY_LIMIT = 4096
_HEAD_BYTES = 65536
_HEAD_LINES = 100
_INTERIM_ANSWERS = 5
# So short a head breaks no limit of lines: each answer in it takes a status line and an empty one.
_SHORT_HEAD = 2 * (_INTERIM_ANSWERS + 1)
# Chunks cost something, and the system may take in some MiB before we look at any.
_OVERHEAD_FACTOR = 2
_BUFFERED_BYTES = 8 << 20
_WORDS: int = pycurl.INFOTYPE_TEXT
# Of the body of any answer this much is kept at least, for people to look at if the check fails.
_KEPT_BYTES = 8192
_VERSIONS = {
    ("1.1", "http"): pycurl.CURL_HTTP_VERSION_1_1,
    ("1.1", "https"): pycurl.CURL_HTTP_VERSION_1_1,
    # Nobody upgrades a plain connection any more; a server that speaks HTTP/2 there does so from the first byte.
    ("2", "http"): pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    ("2", "https"): pycurl.CURL_HTTP_VERSION_2TLS,
}
_NO_SOCKET: int = pycurl.SOCKET_BAD
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Times(NamedTuple):
    """libcurl's timers in µs since the start; 0 where one was not reached."""

    name_lookup: int
    connect: int
    tls: int
    request: int
    first_byte: int
    total: int


class Exchange(NamedTuple):
    """What came of one request. `failure` speaks of the exchange alone; any status is success here.

    `location` is set if this is a redirect to be followed; it may be empty. `head` holds the lines of the answer's
    head, `beginning` pieces of the body, of 8 KiB at least if there is so much, `body` all of it where that was
    asked for, `chain` the certificates as libcurl describes them.
    """

    failure: Failure | None
    ip: str
    status: int | None
    times: Times
    received: int
    truncated: bool
    location: bytes | None
    certificate: Certificate | None
    head: list[bytes]
    beginning: list[bytes]
    body: bytearray | None
    chain: Chain

    @property
    def is_refused(self) -> bool:
        return self.failure is not None and self.failure.kind is FailureClass.CONNECT_REFUSED

    def status_line(self) -> str | None:
        """The first line of the last answer, interim ones do not count."""
        lines = [line for line in self.head if line.startswith(b"HTTP/")]
        return lines[-1].decode("latin-1").strip() if lines else None

    def headers(self) -> list[tuple[str, str]]:
        """The headers of that answer, as they were written and in their order."""
        found: list[tuple[str, str]] = []
        for line in self.head:
            if line.startswith(b"HTTP/"):
                found.clear()
                continue
            name, separator, value = line.decode("latin-1").partition(":")
            if separator:
                found.append((name.strip(), value.strip()))
        return found


class _Handover(socket.SocketType):
    """A socket on its way to libcurl, which takes a duplicate.

    Ours has to be closed at once: as long as it is open, epoll goes on reporting a socket that libcurl has closed.
    """

    __slots__ = ()

    def __del__(self) -> None:
        self.close()


class Transfer:
    """A libcurl handle with the options that never change, and what it has read of the current answer.

    `head` holds the lines of the answer's head as they came, interim answers included.
    """

    __slots__ = (
        "_beginning",
        "_body",
        "_ca_file",
        "_connects_to",
        "_follows",
        "_groups",
        "_guard",
        "_ip",
        "_is_verbose",
        "_limit",
        "_needs_http2",
        "_os_errno",
        "_purpose",
        "_received",
        "_refusal",
        "_room",
        "_sessions",
        "_timeout_ms",
        "_truncated",
        "_url",
        "handle",
        "head",
        "most_bytes",
    )

    def __init__(self, guard: Guard, ca_file: str | None, sessions: Sessions) -> None:
        self._guard = guard
        self._sessions = sessions
        self._ca_file = ca_file
        self._connects_to = ""
        self._is_verbose = False
        self._groups: str | None = None
        self.head: list[bytes] = []
        self.handle = pycurl.Curl()
        self._set_constants()

    def prepare(
        self,
        url: Url,
        ip: str,
        purpose: Purpose,
        *,
        deadline: Deadline,
        limit: int,
        follows: bool,
    ) -> None:
        """Points the handle at one address, for a GET. `limit` bounds the body.

        With `follows`, only the beginning of a redirect's body is read.
        """
        self._url = url
        self._ip = ip
        self._purpose = purpose
        self._timeout_ms = deadline.timeout_ms
        self._limit = limit
        self.most_bytes: int | None = _OVERHEAD_FACTOR * limit + _BUFFERED_BYTES
        self._room = min(limit, _REDIRECT_BODY_LIMIT) if follows else limit
        self._follows = follows
        self._body: bytearray | None = None
        self._beginning: list[bytes] = []
        self._needs_http2 = False
        self._received = 0
        self._truncated = False
        self._refusal: Failure | None = None
        self._os_errno = 0
        self.head.clear()
        setopt = self.handle.setopt
        setopt(pycurl.URL, url.text)
        setopt(pycurl.TIMEOUT_MS, deadline.rest_ms())
        # Numeric, so neither libcurl's resolver nor its cache of names, which all handles share, has a say.
        connects_to = "" if url.ip == ip else f"::{bracketed(ip)}:{url.port}"
        if connects_to != self._connects_to:
            self._connects_to = connects_to
            setopt(pycurl.CONNECT_TO, [connects_to] if connects_to else None)
        if url.scheme == "https":
            endpoint = (url.host, ip, url.port)
            self._shake(listens=not self._sessions.is_fresh(endpoint), groups=self._sessions.groups(endpoint))
        else:
            self._shake(listens=False, groups=self._groups)

    def dress(self, request: Request) -> None:
        """Makes more of it than a GET; `renew` takes all that away again."""
        setopt = self.handle.setopt
        if request.collects:
            self._body = bytearray()
        if request.method == "HEAD":
            setopt(pycurl.NOBODY, 1)
        elif request.body is not None or request.method == "POST":
            setopt(pycurl.POSTFIELDS, request.body or b"")
        setopt(pycurl.CUSTOMREQUEST, request.method)
        # Without the first libcurl waits a second for leave to send a larger body; the second is not ours to invent.
        unwanted = [b"Expect:", b"Content-Type:"]
        if any(line.lower().startswith((b"content-type:", b"content-type;")) for line in request.lines):
            unwanted.pop()
        setopt(pycurl.HTTPHEADER, [*unwanted, *request.lines])
        if not request.verify:
            self.trust_anyone()
        if request.http_version != "auto":
            self._needs_http2 = request.http_version == "2"
            setopt(pycurl.HTTP_VERSION, _VERSIONS[request.http_version, self._url.scheme])

    def trust_anyone(self) -> None:
        """Takes a certificate whoever signed it and whomever it names."""
        self.handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        self.handle.setopt(pycurl.SSL_VERIFYHOST, 0)

    def keep_connection(self) -> None:
        """Takes a kept connection and keeps it again; nobody asks what it is made of."""
        self.most_bytes = None  # earlier answers came over the same connection
        self._shake(listens=False, groups=None)
        self.handle.setopt(pycurl.FRESH_CONNECT, 0)
        self.handle.setopt(pycurl.FORBID_REUSE, 0)

    def conclude(self, code: int, text: str) -> Exchange:
        """Reads what is needed of a transfer that libcurl has ended with this code."""
        getinfo = self.handle.getinfo
        secure = self._url.scheme == "https"
        chain: Chain = self.handle.getinfo_raw(pycurl.INFO_CERTINFO) if secure else ()
        status = getinfo(pycurl.RESPONSE_CODE) or None
        times = Times(
            getinfo(pycurl.NAMELOOKUP_TIME_T),
            getinfo(pycurl.CONNECT_TIME_T),
            getinfo(pycurl.APPCONNECT_TIME_T) if secure else 0,
            getinfo(pycurl.PRETRANSFER_TIME_T),
            getinfo(pycurl.STARTTRANSFER_TIME_T) if self.head else 0,
            getinfo(pycurl.TOTAL_TIME_T),
        )
        if code == 0 or (self._truncated and code == pycurl.E_WRITE_ERROR):
            failure = self._flaw()
        else:
            failure = self._failure(code, text, times, chain)
        certificate = self._certificate(chain) if chain else None
        if secure and failure is not None:
            self._sessions.forget((self._url.host, self._ip, self._url.port))
        return Exchange(
            failure,
            self._ip,
            status,
            times,
            self._received,
            self._truncated,
            self._location() if self._follows and failure is None and status in _REDIRECTS else None,
            certificate,
            self.head.copy(),
            self._beginning,
            self._body,
            chain,
        )

    def renew(self) -> None:
        """Forgets every option of a request that had more than a check has."""
        self.handle.reset()
        self.head.clear()
        self._body = None
        self._connects_to = ""
        self._is_verbose = False
        self._groups = None
        self._set_constants()

    def close(self) -> None:
        self.handle.close()

    def _set_constants(self) -> None:
        setopt = self.handle.setopt
        http = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
        for option, value in (
            (pycurl.PROTOCOLS, http),
            (pycurl.REDIR_PROTOCOLS, http),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.FRESH_CONNECT, 1),
            (pycurl.FORBID_REUSE, 1),
            (pycurl.SSL_SESSIONID_CACHE, 0),
            (pycurl.DNS_CACHE_TIMEOUT, 0),
            (pycurl.NOSIGNAL, 1),
            (pycurl.NETRC, pycurl.NETRC_IGNORED),
            (pycurl.HTTP09_ALLOWED, 0),
            # Without these two the environment decides about proxies.
            (pycurl.PROXY, ""),
            (pycurl.NOPROXY, "*"),
            (pycurl.OPT_CERTINFO, 1),
            (pycurl.USERAGENT, USER_AGENT),
            (pycurl.OPENSOCKETFUNCTION, self._open_socket),
            # A method written in C: a call of Python code for every line of a head would be felt.
            (pycurl.HEADERFUNCTION, self.head.append),
            (pycurl.WRITEFUNCTION, self._take),
            (pycurl.DEBUGFUNCTION, self._listen),
        ):
            setopt(option, value)
        if self._ca_file is not None:
            setopt(pycurl.CAINFO, self._ca_file)

    def _shake(self, *, listens: bool, groups: str | None) -> None:
        """How the handshake is made: whether somebody listens to it, and which groups it offers."""
        if listens is not self._is_verbose:
            self._is_verbose = listens
            self.handle.setopt(pycurl.VERBOSE, listens)
        if groups != self._groups:
            self._groups = groups
            self.handle.setopt(pycurl.SSL_EC_CURVES, groups)

    def _open_socket(self, _kind: int, address: pycurl.CurlSockAddr) -> _Handover | int:
        """The last guard: sees the address that is about to be dialled, whoever chose it."""
        ip, port = address.addr[:2]
        self._refusal = self._guard.refusal(ip, port, self._purpose)
        if self._refusal is None and (ip, port) != (self._ip, self._url.port):
            self._refusal = Failure(FailureClass.BLOCKED_BY_POLICY, "libcurl was about to dial an unjudged address")
        if self._refusal is not None:
            return _NO_SOCKET
        try:
            return _Handover(address.family, address.socktype, address.protocol)
        except OSError as error:
            self._os_errno = error.errno or 0
            return _NO_SOCKET

    def _take(self, chunk: bytes) -> int | None:
        """Counts the body; anything but None ends the transfer."""
        size = len(chunk)
        if self._received + size > self._room and not (self._follows and self._status() in _REDIRECTS):
            self._room = self._limit
        kept = min(size, self._room - self._received)
        if self._received < _KEPT_BYTES:
            self._beginning.append(chunk)
        self._received += kept
        if self._body is not None:
            self._body += chunk[:kept]
        if kept == size:
            return None
        self._truncated = True
        return kept

    def _listen(self, kind: int, text: bytes) -> None:
        if kind == _WORDS:
            self._sessions.hear((self._url.host, self._ip, self._url.port), text)

    def _status(self) -> int:
        line = next(line for line in reversed(self.head) if line.startswith(b"HTTP/"))
        return int(line.split(None, 2)[1])

    def _flaw(self) -> Failure | None:
        """What is wrong with an answer that libcurl took."""
        if self.handle.getinfo(pycurl.PRIMARY_IP) != self._ip:
            return Failure(FailureClass.BLOCKED_BY_POLICY, "another peer than the judged one answered")
        if self.handle.getinfo(pycurl.HEADER_SIZE) > _HEAD_BYTES:
            return Failure(FailureClass.PROTOCOL_ERROR, f"the head of the answer is larger than {_HEAD_BYTES} bytes")
        if self._needs_http2 and self.handle.getinfo(pycurl.INFO_HTTP_VERSION) != pycurl.CURL_HTTP_VERSION_2_0:
            return Failure(FailureClass.PROTOCOL_ERROR, "the server does not speak HTTP/2")
        return self._flood() if len(self.head) > _SHORT_HEAD else None

    def _flood(self) -> Failure | None:
        answers = sum(line.startswith(b"HTTP/") for line in self.head)
        if answers > _INTERIM_ANSWERS + 1:
            return Failure(FailureClass.PROTOCOL_ERROR, f"more than {_INTERIM_ANSWERS} interim answers")
        if len(self.head) - 2 * answers > _HEAD_LINES:
            return Failure(FailureClass.PROTOCOL_ERROR, f"the head of the answer has more than {_HEAD_LINES} lines")
        return None

    def _failure(self, code: int, text: str, times: Times, chain: Chain) -> Failure:
        if self._refusal is not None:
            return self._refusal
        getinfo = self.handle.getinfo
        return transfer_failure(
            code,
            text,
            os_errno=self._os_errno or getinfo(pycurl.OS_ERRNO),
            verify_result=getinfo(pycurl.SSL_VERIFYRESULT),
            host=self._url.host,
            chain=chain,
            ip=self._ip,
            port=self._url.port,
            connected=times.connect > 0,
            timeout_ms=self._timeout_ms,
        )

    def _location(self) -> bytes:
        for line in reversed(self.head):
            if line[:9].lower() == b"location:":
                return line[9:].strip()
        return b""

    def _certificate(self, chain: Chain) -> Certificate | None:
        end = earliest_end(chain)
        if end is None:
            return None
        version, cipher = self._sessions.of((self._url.host, self._ip, self._url.port))
        return Certificate(not_after=end, tls_version=version, cipher=cipher)
