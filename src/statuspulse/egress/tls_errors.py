"""Why a handshake was no success, in words that tell what to mend."""

from __future__ import annotations

from statuspulse.domain.failure import Failure, FailureClass

_EXPIRED = 10
_UNKNOWN_ISSUER = "the chain of certificates is incomplete, or its issuer is not trusted here"
# OpenSSL's results of a verification (X509_V_ERR_*) that say more than its own words do.
_REASONS = {
    9: "a certificate of the chain is not valid yet",
    18: "the certificate is self-signed",
    19: "the chain of certificates ends in one that is self-signed and not trusted here",
    20: _UNKNOWN_ISSUER,
    21: _UNKNOWN_ISSUER,
}
_WRONG_NAME = "no alternative certificate subject name matches target"
_VERIFICATION = "verify result"
# Parts of OpenSSL's words, and ours for them.
_WORDS = {
    "wrong version number": "the answer is no TLS",
    "packet length too long": "the answer is no TLS",
    "unexpected eof": "the connection was closed in the middle of the handshake",
    "certificate required": "the server asks for a client certificate",
    "protocol version": "the server does not speak the version of TLS that is wanted",
    "unsupported protocol": "the server does not speak the version of TLS that is wanted",
}


def tls_failure(text: str, verify_result: int) -> Failure:
    """The failure behind libcurl's words and OpenSSL's result of the verification, which is 0 if it went well."""
    if _WRONG_NAME in text:
        name = text.rstrip("'").rpartition("'")[2]
        return Failure.of(FailureClass.TLS_ERROR, f"the certificate is not for {name}")
    if verify_result == _EXPIRED:
        return Failure(FailureClass.TLS_EXPIRED, "a certificate of the chain has expired")
    if _VERIFICATION in text and verify_result in _REASONS:
        return Failure(FailureClass.TLS_ERROR, _REASONS[verify_result])
    words = (ours for theirs, ours in _WORDS.items() if theirs in text)
    return Failure.of(FailureClass.TLS_ERROR, next(words, text))
