"""Request headers that change what a call does: preconditions and preferences (`API.md` B.2, B.9)."""

from __future__ import annotations

from starlette.requests import HTTPConnection


def etag(version: int | str) -> str:
    return f'"{version}"'


def if_match(request: HTTPConnection) -> frozenset[str] | None:
    """The versions that the caller accepts, `*` for any; None when he sets no condition."""
    return _versions(request, "if-match")


def none_match(request: HTTPConnection, version: int | str) -> bool:
    """Whether the caller has this version already."""
    return bool(known_versions(request) & {"*", str(version)})


def known_versions(request: HTTPConnection) -> frozenset[str]:
    """The versions that the caller has already."""
    return _versions(request, "if-none-match") or frozenset()


def wants_strictness(request: HTTPConnection) -> bool:
    """`Prefer: handling=strict` (RFC 7240)."""
    preferences = ",".join(request.headers.getlist("prefer")).replace(" ", "").lower().split(",")
    return any(preference.partition(";")[0] in {"handling=strict", 'handling="strict"'} for preference in preferences)


def _versions(request: HTTPConnection, name: str) -> frozenset[str] | None:
    """Weak and strong tags are alike here: proxies that compress weaken them, and ours are version numbers."""
    values = request.headers.getlist(name)
    if not values:
        return None
    tags = (tag.strip().removeprefix("W/") for tag in ",".join(values).split(","))
    return frozenset(tag.strip('"') for tag in tags)
