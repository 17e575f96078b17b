"""What is packed comes back, whatever of it is missing."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.domain.result import Observation, Phases, Result, ResultKind
from statuspulse.storage import measured

ABSENT = Observation(failure=None, latency_us=None)
RESULT = Result(
    monitor_id="mon_00000001",
    region="local",
    scheduled_at=30_000,
    kind=ResultKind.SCHEDULED,
    round=1,
    lag_us=0,
    observed_at=30_080,
    attempt=1,
    config_version=1,
    observation=ABSENT,
)
NUMBERS = st.none() | st.integers(min_value=0, max_value=10**8)
PHASES = st.builds(Phases, dns_us=NUMBERS, connect_us=NUMBERS, tls_us=NUMBERS, ttfb_us=NUMBERS, transfer_us=NUMBERS)


@given(
    attempt=st.integers(min_value=0, max_value=9),
    truncated=st.booleans(),
    bytes_read=st.integers(min_value=0, max_value=2**31),
    status_code=st.none() | st.integers(min_value=100, max_value=999),
    phases=PHASES,
    ip=st.none() | st.ip_addresses().map(str),
)
def test_everything_comes_back(
    attempt: int, *, truncated: bool, bytes_read: int, status_code: int | None, phases: Phases, ip: str | None
) -> None:
    seen = replace(ABSENT, truncated=truncated, bytes_read=bytes_read, status_code=status_code, phases=phases, ip=ip)
    unpacked = measured.unpack(measured.pack(replace(RESULT, attempt=attempt, observation=seen)))
    assert (unpacked.attempt, unpacked.truncated, unpacked.bytes_read) == (attempt, truncated, bytes_read)
    assert (unpacked.status_code, unpacked.phases, unpacked.ip) == (status_code, phases, ip)


def test_a_result_that_measured_nothing_takes_a_byte_for_each_number() -> None:
    assert measured.pack(RESULT) == bytes([2, *7 * [0]])


def test_an_address_that_is_none_is_not_stored() -> None:
    known = replace(RESULT, observation=replace(ABSENT, ip="192.0.2.7"))
    unknown = replace(RESULT, observation=replace(ABSENT, ip="shop.example"))
    assert measured.unpack(measured.pack(known)).ip == str(ipaddress.ip_address("192.0.2.7"))
    assert measured.unpack(measured.pack(unknown)).ip is None


def test_bytes_that_are_cut_short_are_refused() -> None:
    with pytest.raises(ValueError, match="cut short"):
        measured.unpack(measured.pack(RESULT)[:-1])
