"""What a token may do at most, and whether one token may hand that to another."""

from __future__ import annotations

from dataclasses import dataclass

from statuspulse.domain.networks import Network, within


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """In which teams, with which single scopes, until when and from which networks; empty networks are anywhere."""

    team_ids: frozenset[str]
    scopes: frozenset[str]
    expires_at: int | None
    networks: tuple[Network, ...]

    def missing_scopes(self, other: Grant) -> list[str]:
        """What the other may do and this one may not, sorted."""
        return sorted(other.scopes - self.scopes)

    def ends_before(self, other: Grant) -> bool:
        return self.expires_at is not None and (other.expires_at is None or other.expires_at > self.expires_at)

    def is_nearer_than(self, other: Grant) -> bool:
        """Whether the other may be used from somewhere that this one may not."""
        if not self.networks:
            return False
        return not other.networks or not all(within(network, self.networks) for network in other.networks)

    def covers(self, other: Grant) -> bool:
        """Whether nothing of the other is beyond this one."""
        return (
            other.team_ids <= self.team_ids
            and not self.missing_scopes(other)
            and not self.ends_before(other)
            and not self.is_nearer_than(other)
        )
