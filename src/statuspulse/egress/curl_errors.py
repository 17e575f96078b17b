"""What libcurl's error codes mean for a check."""

from __future__ import annotations

import errno

import pycurl

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.certificates import Chain, shown
from statuspulse.egress.distrust import handshake_failure, verification_failure
from statuspulse.egress.faults import connect_failure, connect_timeout, own_fault

# pycurl has no name for it.
_E_TOO_LARGE = 100
_NO_HTTP_2 = "unexpected data while we expected SETTINGS frame"
_STORAGE = frozenset(
    {
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CRL_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_ENGINE_NOTFOUND,
    }
)
_TLS = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_SSL_PINNEDPUBKEYNOTMATCH,
    }
)
_PROTOCOL = {
    pycurl.E_GOT_NOTHING: "the answer is empty",
    pycurl.E_PARTIAL_FILE: "the answer was cut short",
    pycurl.E_RECV_ERROR: "the connection broke while the answer was read",
    pycurl.E_SEND_ERROR: "the connection broke while the request was sent",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the answer is no HTTP",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "the answer is malformed",
    _E_TOO_LARGE: "the head of the answer is too large",
    pycurl.E_HTTP2: "the server does not speak HTTP/2, or breaks its rules",
}


def transfer_failure(
    code: int,
    text: str,
    *,
    os_errno: int,
    verify_result: int,
    host: str,
    chain: Chain,
    ip: str,
    port: int,
    connected: bool,
    timeout_ms: int,
) -> Failure:
    """The failure behind a code other than 0. `connected` says whether TCP stood."""
    if _NO_HTTP_2 in text:  # whatever came of it: libcurl says goodbye and may wait for the other side until the end
        return Failure(FailureClass.PROTOCOL_ERROR, _PROTOCOL[pycurl.E_HTTP2])
    if code == pycurl.E_OPERATION_TIMEDOUT:
        standing = Failure(FailureClass.TIMEOUT, f"no complete answer within {timeout_ms} ms")
        return standing if connected else connect_timeout(ip, port, timeout_ms)
    if code == pycurl.E_COULDNT_CONNECT and os_errno == errno.ECONNRESET:
        code, connected = pycurl.E_RECV_ERROR, True  # a port that is closed refuses; this one took us, and let go
    if code == pycurl.E_COULDNT_CONNECT:
        # Without a reason it is libcurl's copy of our socket that could not be made.
        return connect_failure(os_errno or errno.EMFILE, ip, port)
    own = _own_fault(code, text, os_errno, ip, connected=connected)
    if own is not None:
        return own
    if code not in _TLS:
        return Failure.of(FailureClass.PROTOCOL_ERROR, _PROTOCOL.get(code) or text)
    seen = code == pycurl.E_PEER_FAILED_VERIFICATION
    return verification_failure(verify_result, text, host, shown(chain)) if seen else handshake_failure(text)


def _own_fault(code: int, text: str, os_errno: int, ip: str, *, connected: bool) -> Failure | None:
    if code in _STORAGE:
        return Failure.of(FailureClass.PROBE_ERROR, f"storage: {text}")
    if not connected:
        return Failure.of(FailureClass.PROBE_ERROR, f"internal: {text}")
    return own_fault(os_errno, ip) if os_errno else None
