"""What both transports say about connections: trust, and faults in words without anything secret."""

from __future__ import annotations

import ssl
from pathlib import Path

from statuspulse.client.address import Address
from statuspulse.client.replies import Fault

# More would only be kept for nothing: servers close what is idle.
MOST_IDLE = 8
READ_BYTES = 64 * 1024


def trust(address: Address, ca_file: Path | None) -> ssl.SSLContext | None:
    """TLS as the system trusts it, or as a file of authorities says; None for plain HTTP."""
    if address.scheme == "http":
        return None
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.set_alpn_protocols(["http/1.1"])
    return context


def fault_of(error: Exception, address: Address, *, may_have_arrived: bool) -> Fault:
    """A broken connection in one sentence. What the certificate lacks no other attempt will give it."""
    heals = not isinstance(error, ssl.SSLCertVerificationError)
    return Fault(text=f"{address} {_reason(error)}", may_have_arrived=may_have_arrived, heals=heals)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ConnectionError):
        return f"{'refused' if isinstance(error, ConnectionRefusedError) else 'cut'} the connection"
    if isinstance(error, OSError):
        return f"cannot be reached: {error.strerror or error}"
    if isinstance(error, UnicodeError):
        return "cannot be reached: its name is none"
    return f"gave an answer that cannot be read: {error}"
