"""DNS messages: the question of a check, and its rules held against the answer."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.reversename
from dns.rdtypes.ANY.TXT import TXT

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.specs.dns import DnsSpec, Match, RecordType
from statuspulse.egress.literals import ascii_name, literal_address

# The size of datagram that passes every usual path in one piece.
_PAYLOAD = 1232
_TRUNCATED_BIT = 0x02
_HEADER_BYTES = 12
_SHOWN_VALUES = 5
_MALFORMED = Failure(FailureClass.PROTOCOL_ERROR, "the answer is no DNS message")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to our question; without a message it was cut off and has to be asked for again over TCP."""

    message: dns.message.Message | None
    size: int


class Question:
    """One question as it goes over the wire, and the rules on its answer.

    Raises ValueError if the host cannot be asked about or an expected value cannot be one.
    """

    def __init__(self, spec: DnsSpec) -> None:
        self._spec = spec
        self._expected = frozenset(_expected(spec.record_type, value) for value in spec.expected_values)
        self._query = dns.message.make_query(_name(spec), str(spec.record_type), use_edns=0, payload=_PAYLOAD)
        self.wire = self._query.to_wire()

    def read(self, wire: bytes) -> Reply | Failure | None:
        """Makes something of a message; None if it answers another question, as a forged or a late one does."""
        cut_off = len(wire) >= _HEADER_BYTES and wire[2] & _TRUNCATED_BIT
        if cut_off and wire[:2] == self.wire[:2]:
            return Reply(None, len(wire))
        try:
            message = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return _MALFORMED
        return Reply(message, len(wire)) if self._query.is_response(message) else None

    def judge(self, reply: Reply) -> Failure | None:
        """Which rule the answer breaks, the return code first."""
        message = reply.message
        assert message is not None
        rcode = dns.rcode.to_text(message.rcode())
        expected_rcode = self._spec.expected_rcode.upper()
        if rcode != expected_rcode:
            return Failure(FailureClass.STATUS_MISMATCH, f"got {rcode}, expected {expected_rcode}")
        if not self._expected:
            return None
        try:
            values = _values(self._spec.record_type, message)
        except dns.exception.DNSException:
            return _MALFORMED
        return self._mismatch(values)

    def _mismatch(self, values: frozenset[str]) -> Failure | None:
        missing = self._expected - values
        holds = {
            Match.ANY: len(missing) < len(self._expected),
            Match.ALL: not missing,
            Match.EXACT: values == self._expected,
        }
        if holds[self._spec.match]:
            return None
        wanted = f"{self._spec.match} of {_shown(self._expected)}"
        return Failure.of(FailureClass.ASSERTION_FAILED, f"got {_shown(values)}, expected {wanted}")


def _name(spec: DnsSpec) -> dns.name.Name:
    if spec.record_type is RecordType.PTR and (ip := literal_address(spec.host)) is not None:
        return dns.reversename.from_address(ip)
    try:
        return dns.name.from_text(spec.host if spec.host.isascii() else ascii_name(spec.host))
    except dns.exception.DNSException:
        raise ValueError("the host name is not valid") from None


def _values(record_type: RecordType, message: dns.message.Message) -> frozenset[str]:
    """What stands at the end of the chain of aliases."""
    if not isinstance(message, dns.message.QueryMessage):
        return frozenset()
    records = message.resolve_chaining().answer
    return frozenset(_normal(record_type, _text(record)) for record in records or ())


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", errors="replace")
    return record.to_text()


def _expected(record_type: RecordType, value: str) -> str:
    try:
        return _normal(record_type, value)
    except ValueError:
        raise ValueError(f'the expected value "{value}" is no address') from None


def _normal(record_type: RecordType, text: str) -> str:
    """One form for everything that means the same."""
    match record_type:
        case RecordType.A | RecordType.AAAA:
            return str(ip_address(text.strip()))
        case RecordType.TXT:
            return text
        case _:
            # Names in lower case without final dot, one space between fields; only CAA has quotes.
            return " ".join(word.strip('"').removesuffix(".").lower() for word in text.split())


def _shown(values: frozenset[str]) -> str:
    shown = sorted(values)[:_SHOWN_VALUES]
    more = len(values) - len(shown)
    return (", ".join(shown) or "nothing") + (f" and {more} more" if more else "")
