"""An HTTP request and what its answer has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSpec:
    """One HTTP request. `expected_status` holds inclusive ranges, so 200 is (200, 200) and "2xx" is (200, 299)."""

    url: str
    expected_status: tuple[tuple[int, int], ...] = ((200, 299),)
    follow_redirects: bool = True
    max_redirects: int = 5
    max_body_bytes: int = 1 << 20

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> HttpSpec:
        return cls(
            url=config["url"],
            expected_status=status_ranges(config["expected_status"]),
            follow_redirects=config["follow_redirects"],
            max_redirects=config["max_redirects"],
            max_body_bytes=config["max_body_bytes"],
        )


def status_ranges(expected: int | list[int | str]) -> tuple[tuple[int, int], ...]:
    """Inclusive ranges of an expected status: 200, "2xx" or "200-299", alone or in a list."""
    return tuple(_status_range(item) for item in (expected if isinstance(expected, list) else [expected]))


def _status_range(item: int | str) -> tuple[int, int]:
    if isinstance(item, int):
        return item, item
    if item.endswith("xx"):
        hundred = int(item[0]) * 100
        return hundred, hundred + 99
    low, _, high = item.partition("-")
    return int(low), int(high or low)
