"""Errors of the operating system: which are ours, which are the other side's, and the words for both."""

from __future__ import annotations

import errno
import os
import socket

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.egress.urls import bracketed

_NO_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NO_ROUTE = frozenset({errno.EAFNOSUPPORT, errno.EACCES, errno.EPERM})


def own_fault(code: int, ip: str) -> Failure | None:
    """The failure if this error number names our side: it never counts against the target."""
    if code in _NO_DESCRIPTORS:
        return _ours("no_descriptors", code)
    if code == errno.EADDRNOTAVAIL:
        # Over IPv4 every local port is in use; over IPv6 this host may have no address at all.
        return _ours("no_route" if ":" in ip else "no_descriptors", code)
    if code in _NO_ROUTE or (code == errno.ENETUNREACH and not has_route(ip)):
        return _ours("no_route", code)
    return None


def connect_failure(code: int, ip: str, port: int) -> Failure:
    """What an error number of a connect means for the check."""
    own = own_fault(code, ip)
    if own is not None:
        return own
    where = f"{bracketed(ip)}:{port}"
    if code == errno.ECONNREFUSED:
        return Failure(FailureClass.CONNECT_REFUSED, f"connection refused by {where}")
    if code == errno.ETIMEDOUT:
        return Failure(FailureClass.CONNECT_TIMEOUT, f"{where} did not answer")
    reason = os.strerror(code).lower() if code else "no reason given"
    return Failure(FailureClass.CONNECT_ERROR, f"connection to {where} failed: {reason}")


def connect_timeout(ip: str, port: int, timeout_ms: int) -> Failure:
    return Failure(FailureClass.CONNECT_TIMEOUT, f"no connection to {bracketed(ip)}:{port} within {timeout_ms} ms")


def has_route(ip: str) -> bool:
    """Whether this host knows a way to an address. Connecting a datagram socket sends nothing."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            return probe.connect_ex((ip, 9)) != errno.ENETUNREACH
    except OSError:
        return False


def _ours(kind: str, code: int) -> Failure:
    return Failure(FailureClass.PROBE_ERROR, f"{kind}: {os.strerror(code).lower()}")
