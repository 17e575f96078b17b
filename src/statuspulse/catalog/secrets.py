"""Secret members of configurations: sealed where they are stored, masked where they are shown, open for the probes."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from statuspulse.catalog.kinds.kind import Config, SecretMember
from statuspulse.catalog.kinds.registry import KINDS
from statuspulse.catalog.refusals import Detail, InvalidInputError, Path, pointer
from statuspulse.domain.secret import MASK
from statuspulse.storage.sealing import Keyring, Place

_SEALED = "$sealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The monitor to which the secrets belong; sealed for one, they open for no other."""

    monitor_id: str
    team_id: str

    def place(self, path: Path) -> Place:
        return Place("monitors", self.monitor_id, f"config.{pointer(path)}", self.team_id)


def masked(config: Config) -> dict[str, Any]:
    """As answers show it, whether the secrets are sealed or open."""
    return _changed(config, lambda _path, _value: MASK)


def sealed(keyring: Keyring, owner: Owner, config: Config) -> dict[str, Any]:
    """As it is stored, from one with open secrets."""

    def seal(path: Path, value: Any) -> dict[str, str]:
        return {_SEALED: base64.b64encode(keyring.seal(owner.place(path), value)).decode("ascii")}

    return _changed(config, seal)


def opened(keyring: Keyring, owner: Owner, config: Config) -> dict[str, Any]:
    """As people sent it, from a stored one; raises WrongKeyError."""

    def reveal(path: Path, value: Any) -> str:
        return keyring.open(owner.place(path), base64.b64decode(value[_SEALED])).reveal()

    return _changed(config, reveal)


def kept(config: Config, stored: Config | None) -> dict[str, Any]:
    """With the stored secret wherever a mask was sent back. Both are open; `stored` is None for a new monitor.

    Raises InvalidInputError for a mask that stands for nothing.
    """
    known = {} if stored is None else dict(_known(stored))
    identities = {member.path: member.identity for member in _members(config)}
    problems: list[Detail] = []

    def keep(path: Path, value: Any) -> Any:
        if value != MASK:
            return value
        if identities[path] not in known:
            message = "is masked, and nothing is stored that it could stand for; send the secret itself"
            problems.append(Detail(code="parameter_invalid_format", path=path, message=message))
        return known.get(identities[path])

    changed = _changed(config, keep)
    if problems:
        raise InvalidInputError(problems)
    return changed


def _members(config: Config) -> Iterable[SecretMember]:
    return KINDS[config["type"]].secrets(config)


def _known(config: Config) -> Iterator[tuple[tuple[str, ...], Any]]:
    for member in _members(config):
        yield member.identity, _at(config, member.path)


def _changed(config: Config, change: Callable[[Path, Any], Any]) -> dict[str, Any]:
    """A copy in which every secret member is what `change` makes of it."""
    paths = [member.path for member in _members(config)]
    if not paths:
        return dict(config)
    copied: dict[str, Any] = copy.deepcopy(dict(config))
    for path in paths:
        *way, last = path
        _at(copied, tuple(way))[last] = change(path, _at(config, path))
    return copied


def _at(config: Mapping[str, Any], path: Path) -> Any:
    here: Any = config
    for step in path:
        here = here[step]
    return here
