"""Why a handshake failed or a certificate was not trusted, in words that say what to do about it."""

from __future__ import annotations

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.times import to_text
from statuspulse.egress.certificates import Shown

# OpenSSL's numbers of what it found wrong (X509_V_ERR_*).
_NOT_YET_VALID = 9
_EXPIRED = 10
_SELF_SIGNED = 18
_SELF_SIGNED_IN_CHAIN = 19
_NO_LOCAL_ISSUER = 20
_NO_LEAF_SIGNATURE = 21
_OTHER_HOST = 62
_OTHER_ADDRESS = 64
# Parts of OpenSSL's words, and ours for them.
_WORDS = {
    "wrong version number": "the answer is no TLS",
    "packet length too long": "the answer is no TLS",
    "unexpected eof": "the connection was closed in the middle of the handshake",
    "certificate required": "the server asks for a client certificate",
    "protocol version": "the server does not speak the version of TLS that is wanted",
    "unsupported protocol": "the server does not speak the version of TLS that is wanted",
}
_SHOWN_NAMES = 5
_LATEST = 253_402_300_799_999


def verification_failure(verify_result: int, text: str, host: str, shown: Shown) -> Failure:
    """The failure behind OpenSSL's result and its words or libcurl's; what was seen of the chain goes into the text."""
    if verify_result == _EXPIRED:
        return Failure(FailureClass.TLS_EXPIRED, f"a certificate of the chain expired{_date(' on', shown.end)}")
    return Failure.of(FailureClass.TLS_ERROR, _reason(verify_result, text, host, shown))


def handshake_failure(text: str) -> Failure:
    """The failure of a handshake that did not come as far as the certificate, behind libcurl's words."""
    words = (ours for theirs, ours in _WORDS.items() if theirs in text)
    return Failure.of(FailureClass.TLS_ERROR, next(words, text))


def _reason(verify_result: int, text: str, host: str, shown: Shown) -> str:
    if verify_result == _SELF_SIGNED:
        return "the certificate is self-signed"
    if verify_result == _SELF_SIGNED_IN_CHAIN:
        return f"the chain ends in a root that is not trusted: {shown.last_issuer}"
    if verify_result in {_NO_LOCAL_ISSUER, _NO_LEAF_SIGNATURE}:
        missing = shown.last_issuer
        return f"the chain is incomplete or its issuer is not trusted: no certificate of {missing} was sent or is known"
    if verify_result == _NOT_YET_VALID:
        return f"a certificate of the chain is not valid yet{_date(', only from', shown.begin)}"
    if verify_result in {_OTHER_HOST, _OTHER_ADDRESS} or "does not match" in text or "no alternative" in text:
        return f"the certificate is not for {host} but for {_names(shown.names)}"
    return text


def _names(names: list[str]) -> str:
    if not names:
        return "no host at all"
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _date(before: str, at: int | None) -> str:
    """The day, where it is known and a calendar has it."""
    return "" if at is None or not 0 <= at <= _LATEST else f"{before} {to_text(at)[:10]}"
