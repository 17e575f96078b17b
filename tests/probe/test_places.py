"""Places for checks: in all, of a kind, at a destination; and whose turn it is when there are none."""

from __future__ import annotations

import resource

import pytest

from statuspulse.domain.specs.dns import DnsSpec
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.registry import Spec
from statuspulse.domain.specs.tcp import TcpSpec
from statuspulse.probe.places import Claim, Places, places_for, widened_file_limit


def http(number: int) -> HttpSpec:
    return HttpSpec(url=f"http://198.51.100.{number}/")


def take_all(places: Places[str], claim: Claim[str]) -> int:
    taken = 0
    while places.take(claim):
        taken += 1
    return taken


def take_everywhere(places: Places[str], specs: list[Spec]) -> int:
    claims = [places.claim(spec, None, "team_one") for spec in specs]
    return sum(take_all(places, claim) for claim in claims)


@pytest.mark.parametrize(("files", "places"), [(1024, 298), (256, 42), (100_000, 1000), (64, 1)])
def test_the_places_follow_the_file_limit(files: int, places: int) -> None:
    assert places_for(files) == places


def test_the_file_limit_is_raised_as_far_as_the_host_allows_and_never_lowered() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, before[1]))
        assert widened_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 3128
        resource.setrlimit(resource.RLIMIT_NOFILE, (4000, before[1]))
        assert widened_file_limit() == resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 4000
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_destination_gets_a_quarter_whatever_is_written_to_reach_it() -> None:
    places: Places[str] = Places(80)
    first = places.claim(HttpSpec(url="http://127.0.0.1:8080/a"), None, "team_one")
    assert take_all(places, first) == 20
    for spec in (
        HttpSpec(url="http://127.0.0.1:8080/b"),
        HttpSpec(url="http://127.1:8080/"),
        TcpSpec(host="127.0.0.1", port=8080),
    ):
        assert not places.take(places.claim(spec, None, "team_one"))
    assert not places.take(places.claim(HttpSpec(url="http://shop.test:8080/"), "127.0.0.1", "team_one"))
    assert places.take(places.claim(HttpSpec(url="http://127.0.0.1:8081/"), None, "team_one"))


def test_each_kind_has_places_that_no_other_kind_can_take() -> None:
    places: Places[str] = Places(80)
    assert take_everywhere(places, [http(number) for number in range(20)]) == 50
    assert take_all(places, places.claim(TcpSpec(host="198.51.100.1", port=22), None, "team_one")) == 10
    assert take_all(places, places.claim(DnsSpec(host="a.test"), None, "team_one")) == 10


def test_all_kinds_together_get_what_there_is() -> None:
    places: Places[str] = Places(83)
    tcp = [TcpSpec(host=f"198.51.100.{number}", port=22) for number in range(20)]
    dns = [DnsSpec(host="a.test", resolver=f"198.51.100.{number}") for number in range(20)]
    assert take_everywhere(places, [*[http(number) for number in range(20)], *tcp, *dns]) == 83 - 10


@pytest.mark.parametrize("total", [1, 3, 8])
def test_few_places_are_places_too(total: int) -> None:
    places: Places[str] = Places(total)
    claim = places.claim(http(1), None, "team_one")
    assert places.take(claim)
    places.give_back(claim)
    assert places.take(claim)


def test_who_waits_at_a_full_destination_gets_its_next_place_in_order() -> None:
    places: Places[str] = Places(8)
    claim = places.claim(http(1), None, "team_one")
    assert take_all(places, claim) == 2
    for who in ("first", "second"):
        places.wait(claim, who)
    assert places.next_in_line() is None
    for who in ("first", "second"):
        places.give_back(claim)
        assert places.next_in_line() == who
        assert places.take(claim)
        assert places.next_in_line() is None


def test_destinations_take_turns_where_a_kind_is_short_of_places() -> None:
    places: Places[str] = Places(16)
    held = [places.claim(http(number), None, "team_one") for number in range(3)]
    assert sum(take_all(places, claim) for claim in held) == 10
    crowd, single = (places.claim(http(number), None, "team_one") for number in (8, 9))
    for who in ("crowd 1", "crowd 2", "crowd 3"):
        places.wait(crowd, who)
    places.wait(single, "single")
    served = []
    for _ in range(3):
        places.give_back(held[0])
        served.append(places.next_in_line())
        assert places.take(single if served[-1] == "single" else crowd)
    assert served == ["crowd 1", "single", "crowd 2"]


def test_a_shared_place_goes_to_another_kind_that_waits_for_one() -> None:
    places: Places[str] = Places(16)
    held = [places.claim(http(number), None, "team_one") for number in range(3)]
    assert sum(take_all(places, claim) for claim in held) == 10
    other = places.claim(TcpSpec(host="198.51.100.7", port=22), None, "team_one")
    assert take_all(places, other) == 2
    places.wait(other, "tcp")
    assert places.next_in_line() is None
    places.give_back(held[0])
    assert places.next_in_line() == "tcp"
    assert places.take(other)
    assert not places.take(held[0])
    places.give_back(other)
    assert places.take(held[0])


def test_a_destination_that_fills_up_before_its_turn_does_not_lose_it() -> None:
    places: Places[str] = Places(16)
    held = [places.claim(http(number), None, "team_one") for number in range(3)]
    assert sum(take_all(places, claim) for claim in held) == 10
    busy = places.claim(http(2), None, "team_one")
    places.wait(busy, "busy")
    places.give_back(held[0])
    assert places.take(busy)
    places.give_back(held[0])
    assert places.take(busy)
    places.give_back(held[0])
    assert places.next_in_line() is None
    places.give_back(busy)
    assert places.next_in_line() == "busy"


def test_a_team_that_holds_more_than_a_quarter_is_served_after_those_that_do_not() -> None:
    places: Places[str] = Places(16)
    large = [places.claim(http(number), None, "team_large") for number in range(3)]
    assert sum(take_all(places, claim) for claim in large) == 10
    other = places.claim(http(9), None, "team_large")
    small = [places.claim(http(number), None, "team_small") for number in range(4, 9)]
    for number in range(6):
        places.wait(other, f"large {number}")
    for number, claim in enumerate(small):
        places.wait(claim, f"small {number}")
    served: list[str] = []
    for _ in range(7):
        places.give_back(large[0 if len(served) < 4 else 1])
        served.append(places.next_in_line() or "")
        assert places.take(other if served[-1].startswith("large") else small[int(served[-1][-1])])
    # A quarter of the places is 4; beyond it the two take turns.
    assert served == ["small 0", "small 1", "small 2", "small 3", "large 0", "small 4", "large 1"]


def test_a_team_alone_has_all_places_however_many_it_holds() -> None:
    places: Places[str] = Places(16)
    held = [places.claim(http(number), None, "team_large") for number in range(3)]
    assert sum(take_all(places, claim) for claim in held) == 10
    more = places.claim(http(9), None, "team_large")
    places.wait(more, "more")
    places.give_back(held[0])
    assert places.next_in_line() == "more"


def test_a_team_below_its_share_comes_first_even_in_another_kind() -> None:
    places: Places[str] = Places(16)
    large = [places.claim(http(number), None, "team_large") for number in range(3)]
    assert sum(take_all(places, claim) for claim in large) == 10
    small = places.claim(TcpSpec(host="198.51.100.7", port=22), None, "team_small")
    assert take_all(places, small) == 2
    places.wait(places.claim(http(9), None, "team_large"), "large")
    places.wait(small, "small")
    places.give_back(large[0])
    assert places.next_in_line() == "small"


def test_a_destination_that_nobody_needs_any_more_is_forgotten() -> None:
    places: Places[str] = Places(16)
    for number in range(200):
        places.claim(http(number % 250), None, "team_one")
    assert len(places._destinations) == 0
