"""Which regions cannot see a monitor's target, by what their probes say of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from statuspulse.egress.addresses import AddressClass, classify, parse_address
from statuspulse.engine.watchlist import Watched


def blind_to(watched: Watched, blind: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """The regions of the monitor that are blind to the class of its target; `blind` holds classes by region."""
    for key, slug in watched.regions.items():
        classes = blind.get(slug)
        if classes and _class_of_target(watched, key).value in classes:
            yield slug


def _class_of_target(watched: Watched, region_key: int) -> AddressClass:
    """By the address that the region dialled last, else another one; a target that nobody has reached may be public."""
    own = watched.sights[region_key].last
    for last in (own, *(sight.last for sight in watched.sights.values())):
        if last is not None and last.observation.ip is not None:
            return classify(parse_address(last.observation.ip))
    return AddressClass.PUBLIC
