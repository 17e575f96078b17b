"""Keeps callers within their limits: one bucket per token or address and policy, and the headers that tell of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network

from starlette.requests import HTTPConnection

from statuspulse.api.address import address_of
from statuspulse.api.errors import ApiError
from statuspulse.domain.networks import Address, Network
from statuspulse.domain.throttle import OF_TOKENS, Left, Limit, Limits, policies_of
from statuspulse.domain.times import SECOND

# Under which name the state of a call holds the headers for its answer, whatever that will be.
RATE_LIMIT_HEADERS = "rate_limit_headers"

_CAPACITY = 10_000
_FORGOTTEN_AT_ONCE = 2
# Who has one address of IPv6 has all of its network.
_IPV6_NETWORK = 64
_NOBODY = "unknown"


class Buckets:
    """What callers have spent of one limit. Those who called last are kept, so that no flood fills the memory."""

    def __init__(self, limit: Limit, capacity: int = _CAPACITY) -> None:
        self.limit = limit
        self._capacity = capacity
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def may_spend(self, key: str, now_us: int) -> bool:
        """Whether a call may be made; who asks is remembered the longer for it."""
        if key in self._full_at:
            self._full_at.move_to_end(key)
        return self.limit.spent(self._full_at.get(key, 0), now_us) is not None

    def spend(self, key: str, now_us: int) -> None:
        """Spends one call, which has to be there."""
        after = self.limit.spent(self._full_at.get(key, 0), now_us)
        if after is None:
            raise ValueError("there is no call to spend")
        self._full_at[key] = after
        self._full_at.move_to_end(key)
        self._forget(now_us)

    def left(self, key: str, now_us: int) -> Left:
        return self.limit.left(self._full_at.get(key, 0), now_us)

    def _forget(self, now_us: int) -> None:
        """Those who have waited out what they spent, the oldest first; beyond the capacity the oldest in any case."""
        for _ in range(_FORGOTTEN_AT_ONCE):
            key, full_at = next(iter(self._full_at.items()))
            if len(self._full_at) <= self._capacity and not self.limit.is_full(full_at, now_us):
                return
            del self._full_at[key]


@dataclass(frozen=True, slots=True)
class Share:
    """How one caller stands with one policy."""

    policy: str
    limit: Limit
    left: Left


class Throttle:
    """All limits of the process. `monotonic` gives seconds, so that no step of the clock makes anyone wait."""

    def __init__(
        self,
        limits: Limits,
        trusted_proxies: Sequence[Network],
        *,
        now: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        self._buckets = {policy: Buckets(limit) for policy, limit in limits.items() if limit is not None}
        self._trusted = trusted_proxies
        self._now = now
        self._monotonic = monotonic

    def admit(self, request: HTTPConnection, token_id: str) -> None:
        """Spends a call of the token and notes for its answer what is left; raises 429, and then nothing is spent."""
        policies = policies_of(request.scope["method"], request.scope["path"])
        headers = self._spend(policies, token_id, "This token")
        request.scope["state"][RATE_LIMIT_HEADERS] = headers

    def admit_stranger(self, request: HTTPConnection) -> None:
        """Spends a call of an address that showed no good credential; raises 429."""
        address = address_of(request, self._trusted)
        key = _NOBODY if address is None else _whole(address)
        self._spend(("ip",), key, "Without a valid credential an address")

    def shares_of(self, token_id: str) -> list[Share]:
        """How a token stands with each limit that it may meet."""
        return self._shares([policy for policy in OF_TOKENS if policy in self._buckets], token_id, self._now_us())

    def _spend(self, policies: Sequence[str], key: str, caller: str) -> Mapping[str, str]:
        now_us = self._now_us()
        applied = [policy for policy in policies if policy in self._buckets]
        refusing = [policy for policy in applied if not self._buckets[policy].may_spend(key, now_us)]
        if not refusing:
            for policy in applied:
                self._buckets[policy].spend(key, now_us)
        shares = self._shares(applied, key, now_us)
        headers = rate_limit_headers(shares, self._now())
        if refusing:
            raise _refused([share for share in shares if share.policy in refusing], caller, headers)
        return headers

    def _shares(self, policies: Sequence[str], key: str, now_us: int) -> list[Share]:
        buckets = [(policy, self._buckets[policy]) for policy in policies]
        return [Share(policy, bucket.limit, bucket.left(key, now_us)) for policy, bucket in buckets]

    def _now_us(self) -> int:
        return int(self._monotonic() * 1_000_000)


def rate_limit_headers(shares: Sequence[Share], now: int) -> dict[str, str]:
    """The two fields of the IETF draft of 23 September 2025 and the older three for the limit that is nearest."""
    if not shares:
        return {}
    nearest = min(shares, key=lambda share: share.left.calls / share.limit.quota)
    reset = -(-(now + nearest.left.seconds * SECOND) // SECOND)
    return {
        "RateLimit-Policy": ", ".join(
            f'"{share.policy}";q={share.limit.quota};w={share.limit.window_seconds}' for share in shares
        ),
        "RateLimit": ", ".join(f'"{share.policy}";r={share.left.calls};t={share.left.seconds}' for share in shares),
        "X-RateLimit-Limit": str(nearest.limit.quota),
        "X-RateLimit-Remaining": str(nearest.left.calls),
        "X-RateLimit-Reset": str(reset),
    }


def _refused(shares: Sequence[Share], caller: str, headers: Mapping[str, str]) -> ApiError:
    slowest = max(shares, key=lambda share: share.left.seconds)
    limit, wait = slowest.limit, slowest.left.seconds
    calls = f"{limit.quota} {'call' if limit.quota == 1 else 'calls'}"
    message = f"{caller} may make {calls} in {_seconds(limit.window_seconds)}; try again in {_seconds(wait)}."
    return ApiError(
        "rate_limited",
        message,
        retry_after_seconds=wait,
        violated_policies=[share.policy for share in shares],
        headers=headers,
    )


def _seconds(number: int) -> str:
    return f"{number} second" if number == 1 else f"{number} seconds"


def _whole(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, _IPV6_NETWORK), strict=False))
    return str(address)
