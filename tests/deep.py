"""More of the same: values of a parameter that only `make faults` plays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

_LONG = (pytest.mark.faults, pytest.mark.timeout(600))


def deep(values: Iterable[object]) -> list[Any]:
    """Further seeds of a test of which `make test` plays the first few."""
    return [pytest.param(value, marks=_LONG) for value in values]
