"""DNS messages: the question of a check, and its rules held against the answer."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.reversename
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT

from statuspulse.domain.failure import Failure, FailureClass
from statuspulse.domain.specs.dns import DnsProtocol, DnsSpec, Match, RecordType
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
        self._query = dns.message.make_query(
            _name(spec),
            str(spec.record_type),
            use_edns=0,
            payload=_PAYLOAD,
            flags=dns.flags.RD | (dns.flags.AD if spec.require_ad else 0),  # RFC 6840, 5.7: only who asks is told
            id=0 if spec.protocol is DnsProtocol.DOH else None,  # RFC 8484, 4.1
        )
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
        failure = self._broken_flag(message) or self._broken_ttl(message)
        if failure is not None:
            return failure
        try:
            return self._wrong_values(message) or self._low_serial(message)
        except dns.exception.DNSException:
            return _MALFORMED

    def serial(self, reply: Reply) -> int | None:
        """The serial of the zone in an answer; None if there is no SOA record, or not a plain answer."""
        message = reply.message
        assert message is not None
        if message.rcode() != dns.rcode.NOERROR:
            return None
        try:
            return next((record.serial for record in _records(message) if isinstance(record, SOA)), None)
        except dns.exception.DNSException:
            return None

    def _broken_flag(self, message: dns.message.Message) -> Failure | None:
        if self._spec.require_aa and not message.flags & dns.flags.AA:
            return Failure(FailureClass.ASSERTION_FAILED, "the answer is not authoritative: AA is not set")
        if self._spec.require_ad and not message.flags & dns.flags.AD:
            return Failure(
                FailureClass.ASSERTION_FAILED, "the resolver does not call the answer authentic: AD is not set"
            )
        return None

    def _broken_ttl(self, message: dns.message.Message) -> Failure | None:
        low, high = self._spec.ttl_min_seconds, self._spec.ttl_max_seconds
        if low is None and high is None:
            return None
        ttls = [records.ttl for records in message.answer]
        if not ttls:
            return Failure(FailureClass.ASSERTION_FAILED, "the answer has no records, so no TTL")
        if low is not None and min(ttls) < low:
            return Failure(FailureClass.ASSERTION_FAILED, f"the TTL is {min(ttls)} s, expected at least {low} s")
        if high is not None and max(ttls) > high:
            return Failure(FailureClass.ASSERTION_FAILED, f"the TTL is {max(ttls)} s, expected at most {high} s")
        return None

    def _low_serial(self, message: dns.message.Message) -> Failure | None:
        rule = self._spec.soa_serial
        if rule is None or rule.at_least is None:
            return None
        return low_serial(self.serial(Reply(message, 0)), rule.at_least, "the answer")

    def _wrong_values(self, message: dns.message.Message) -> Failure | None:
        return self._mismatch(_values(self._spec.record_type, message)) if self._expected else None

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


def low_serial(serial: int | None, at_least: int, where: str) -> Failure | None:
    """What is wrong with a serial that has to be at least this. Numbers are compared as people read them."""
    if serial is None:
        return Failure(FailureClass.ASSERTION_FAILED, f"no SOA record in {where}")
    if serial < at_least:
        return Failure(FailureClass.ASSERTION_FAILED, f"serial {serial} in {where}, expected at least {at_least}")
    return None


def _values(record_type: RecordType, message: dns.message.Message) -> frozenset[str]:
    return frozenset(_normal(record_type, _text(record)) for record in _records(message))


def _records(message: dns.message.Message) -> list[dns.rdata.Rdata]:
    """What stands at the end of the chain of aliases."""
    if not isinstance(message, dns.message.QueryMessage):
        return []
    return list(message.resolve_chaining().answer or ())


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


def rcode(reply: Reply) -> str:
    """The return code of a whole answer as a word."""
    assert reply.message is not None
    return dns.rcode.to_text(reply.message.rcode())
