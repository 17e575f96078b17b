"""Whole numbers in as few bytes as they need: seven bits in each, the lowest first, the top bit where more follow."""

from __future__ import annotations

from collections.abc import Iterable


def append(out: bytearray, numbers: Iterable[int]) -> None:
    """Numbers from 0 on."""
    put = out.append
    for number in numbers:
        rest = number
        while rest > 0x7F:
            put(rest & 0x7F | 0x80)
            rest >>= 7
        put(rest)


def take(data: bytes, count: int) -> tuple[list[int], bytes]:
    """So many numbers, and what stands behind them. Raises ValueError where there are fewer."""
    numbers: list[int] = []
    number = shift = place = 0
    while len(numbers) < count:
        if place == len(data):
            raise ValueError("the numbers are cut short")
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers, data[place:]
