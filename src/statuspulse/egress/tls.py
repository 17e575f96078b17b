"""TLS on a connection made by hand: the handshake as bytes in and out, and the chain that the server showed."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.result import Certificate
from statuspulse.egress.certificate_message import end_of, read_chain, shown_by
from statuspulse.egress.distrust import verification_failure

if TYPE_CHECKING:
    from cryptography import x509

_CERTIFICATE_MESSAGE = 11
_TLS_1_3 = 0x0304
_VERSIONS = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", _TLS_1_3: "TLSv1.3"}
# SSL_OP_NO_RX_CERTIFICATE_COMPRESSION: a compressed chain could not be read from the message.
_NO_COMPRESSED_CHAIN = 1 << 33


class TlsBrokenError(ConnectionError):
    """The other side ended the encrypted session with an error, for example because it wants a certificate of ours."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class _Observed(ssl.SSLObject):
    """A TLS object that remembers the certificate message of its peer, and in which version it came."""

    shown: tuple[int, bytes] | None = None


class Tls:
    """Makes sessions. Certificates are read when first needed: that takes milliseconds, and many probes never do."""

    def __init__(self, ca_file: str | None) -> None:
        self._ca_file = ca_file
        self._contexts: dict[bool, ssl.SSLContext] = {}

    def session(self, server_name: str, *, verify: bool) -> Session | Failure:
        """One side of a handshake with the server of this name or address; a Failure is one of this host."""
        try:
            context = self._context(verify=verify)
        except OSError as error:
            reason = error.strerror or "the file of trusted certificates cannot be read"
            return Failure.of(FailureClass.PROBE_ERROR, f"storage: {reason}")
        try:
            return Session(context, server_name)
        except ValueError as error:
            return Failure.of(FailureClass.PROBE_ERROR, f"assertion_invalid: {error}")

    def _context(self, *, verify: bool) -> ssl.SSLContext:
        known = self._contexts.get(verify)
        if known is None:
            known = self._contexts[verify] = _context(self._ca_file, verify=verify)
        return known


class Session:
    """A handshake and what follows, without a socket: `feed` what came, send what `outgoing` holds."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._name = server_name
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name)

    def shake(self) -> bool:
        """Goes on with the handshake; True when it is done. Raises ssl.SSLError."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> None:
        """Empty data is the end of the connection."""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    def outgoing(self) -> bytes:
        return self._out.read()

    def encrypt(self, data: bytes) -> bytes:
        self._object.write(data)
        return self._out.read()

    def decrypt(self, limit: int) -> bytes | None:
        """What can be read, empty at the end, None if more has to come first. Raises TlsBrokenError."""
        try:
            return self._object.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""
        except ssl.SSLError as error:
            raise TlsBrokenError(_failure("TLS broke off", error)) from None

    def farewell(self) -> bytes:
        """The record that ends a session in order."""
        with contextlib.suppress(ssl.SSLError):  # it wants to wait for the answer, which nobody will read
            self._object.unwrap()
        return self._out.read()

    def certificate(self) -> Certificate | None:
        """What the server showed, whether or not it was trusted."""
        version, chain = self._shown()
        end = end_of(chain)
        return None if end is None else Certificate(not_after=end, tls_version=_VERSIONS.get(version))

    def failure(self, error: ssl.SSLError) -> Failure:
        """What an error of the handshake means for the check."""
        if isinstance(error, ssl.SSLCertVerificationError):
            _, chain = self._shown()
            return verification_failure(error.verify_code, error.verify_message, self._name, shown_by(chain))
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return CLOSED_IN_HANDSHAKE
        return _failure("TLS handshake failed", error)

    def _shown(self) -> tuple[int, list[x509.Certificate]]:
        """The version that was spoken and the chain; 0 and nothing before the server has shown any."""
        shown = self._object.shown if isinstance(self._object, _Observed) else None
        if shown is None:
            return 0, []
        version, message = shown
        return version, read_chain(message, is_1_3=version == _TLS_1_3)


CLOSED_IN_HANDSHAKE = Failure(FailureClass.TLS_ERROR, "the connection was closed during the TLS handshake")


def _failure(what: str, error: ssl.SSLError) -> Failure:
    reason = (error.reason or "no reason given").lower().replace("_", " ")
    return Failure.of(FailureClass.TLS_ERROR, f"{what}: {reason}")


def _context(ca_file: str | None, *, verify: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class = _Observed
    context.options |= _NO_COMPRESSED_CHAIN
    # OpenSSL keeps no chain that it did not trust; only this hook sees one that has expired. It stands for no more
    # than that: without it a certificate would be judged all the same.
    context._msg_callback = _remember  # type: ignore[attr-defined]  # noqa: SLF001
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file is None:
        raise FileNotFoundError(0, "this host has no file of trusted certificates")
    else:
        context.load_verify_locations(ca_file)
    return context


def _remember(peer: object, direction: str, version: int, _content: int, message_type: int, data: bytes) -> None:
    if message_type == _CERTIFICATE_MESSAGE and direction == "read" and isinstance(peer, _Observed):
        peer.shown = (int(version), data)
