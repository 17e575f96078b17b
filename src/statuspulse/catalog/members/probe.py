"""What callers say of a probe, as closed objects."""

from __future__ import annotations

from statuspulse.catalog.members.common import Members, Name, Omissible, OverlapSeconds, RegionSlug


class ProbeRequest(Members):
    """A new probe; a region that does not exist yet is made, under `region_name` if that is given."""

    name: Name
    region: RegionSlug
    region_name: Omissible[Name] = None


class ProbeEdit(Members):
    """Members to change. A draining probe hands its monitors over to the others of its region."""

    name: Omissible[Name] = None
    draining: Omissible[bool] = None


class KeyRotation(Members):
    """The key of now stays good for so long; 0 ends it at once."""

    overlap_seconds: OverlapSeconds = 3600


class KeyExchange(Members):
    """Nothing can be said about it."""
