"""Time that was bad, asked for in any stretch."""

from __future__ import annotations

from random import Random

from statuspulse.domain.spending import Spending


def test_neighbouring_stretches_add_up_to_the_whole() -> None:
    random = Random(3)
    for _ in range(200):
        edges = sorted(random.sample(range(1000), 8))
        pieces = [
            (start, end, random.randrange(2 * (end - start)))
            for start, end in zip(edges[::2], edges[1::2], strict=True)
        ]
        spending = Spending(pieces)
        low, middle, high = sorted(random.choices(range(-10, 1010), k=3))
        assert spending.between(low, middle) + spending.between(middle, high) == spending.between(low, high)
        assert spending.between(-10, 1010) == sum(bad for _, _, bad in pieces)


def test_it_is_reached_at_the_first_instant_at_which_so_much_was_bad() -> None:
    random = Random(4)
    for _ in range(300):
        edges = sorted(random.sample(range(200), 6))
        spending = Spending((start, end, end - start) for start, end in zip(edges[::2], edges[1::2], strict=True))
        start, amount = random.randrange(200), random.randrange(1, 80)
        reached = spending.reaches(start, amount)
        expected = next((at for at in range(start, 201) if spending.between(start, at) >= amount), None)
        assert reached == expected


def test_what_lies_behind_an_instant_is_cut_off() -> None:
    spending = Spending([(0, 10, 10), (20, 40, 10)]).until(30)
    assert (spending.between(0, 100), spending.between(20, 25)) == (15, 2)
    assert spending.reaches(0, 0) == 0
