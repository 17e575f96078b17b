"""What a configuration refers to: regions, escalation policy, channels; found, or made where the contract says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from statuspulse.catalog import channels, dependencies, policies
from statuspulse.catalog.instance import Instance
from statuspulse.catalog.monitor_input import MonitorInput
from statuspulse.catalog.refusals import Detail, InvalidInputError, SoftProblem
from statuspulse.domain.actor import Actor
from statuspulse.domain.channel_addresses import ChannelUrlError
from statuspulse.domain.ids import is_id
from statuspulse.domain.secret import MASK
from statuspulse.storage import audit, probes
from statuspulse.storage import channels as stored_channels
from statuspulse.storage import policies as stored_policies
from statuspulse.storage.monitors import Monitor

_MASKED = (
    "is masked, and no channel of this team is shown like that; send back what an answer shows, up to the id after #, "
    "or the URL with its secret"
)
_ID_BEGINS = "nch_"  # no scheme has an underscore: it is a mistyped id


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Who changes what of whose, and when; `strict` refuses what would otherwise be made on the way.

    `needs_precondition` refuses a change of something that does not name the version it is made on.
    """

    team_id: str
    actor: Actor
    now: int
    strict: bool
    needs_precondition: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A configuration as it is stored: channels by their ids, the policy that holds."""

    config: dict[str, Any]
    warnings: tuple[SoftProblem, ...]


def resolve(
    connection: Connection, instance: Instance, change: Change, given: MonitorInput, stored: Monitor | None = None
) -> Resolved:
    """Finds everything that is named; raises InvalidInputError with what does not exist.

    `stored` is the monitor that becomes another one by it.
    """
    config = dict(given.config)
    problems = list(_unknown_regions(connection, config["regions"]))
    warnings: tuple[SoftProblem, ...] = ()
    if not given.names_policy:
        config["escalation_policy"] = stored_policies.default_slug(connection, change.team_id)
    elif config["escalation_policy"] is not None:
        warnings, refused = _policy(connection, change, config["escalation_policy"])
        problems += refused
    config["notifications"], refused = channels_meant(connection, instance, change, config["notifications"])
    problems += [one.below(("notifications",)) for one in refused]
    config["notification_rules"], refused = _rules(connection, instance, change, config["notification_rules"])
    problems += dependencies.problems(connection, change.team_id, stored, config["depends_on"])
    if problems := [*problems, *refused]:
        raise InvalidInputError(problems)
    return Resolved(config=config, warnings=warnings)


def _unknown_regions(connection: Connection, slugs: Sequence[str]) -> Iterator[Detail]:
    known = probes.region_slugs(connection)
    for place, slug in enumerate(slugs):
        if slug not in known:
            yield Detail(
                code="reference_not_found",
                path=("regions", place),
                message=f"is no region here; there are {', '.join(known) or 'none'}",
                extra={"known": known},
            )


def _policy(connection: Connection, change: Change, slug: str) -> tuple[tuple[SoftProblem, ...], list[Detail]]:
    if change.strict and stored_policies.get(connection, change.team_id, slug) is None:
        message = "names no escalation policy of this team"
        return (), [Detail(code="reference_not_found", path=("escalation_policy",), message=message)]
    if not policies.provide(connection, change.team_id, slug, change.now):
        return (), []
    audit.record(
        connection,
        change.team_id,
        at=change.now,
        actor=change.actor,
        action="escalation_policy.created",
        resource=slug,
    )
    message = f'Escalation policy "{slug}" did not exist; one with a single step was created.'
    return (SoftProblem(code="escalation_policy_created", message=message, param="escalation_policy"),), []


def _rules(
    connection: Connection, instance: Instance, change: Change, given: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[Detail]]:
    """The rules with channels by their ids."""
    rules: list[dict[str, Any]] = []
    problems: list[Detail] = []
    for number, rule in enumerate(given):
        found, refused = channels_meant(connection, instance, change, rule["notify"])
        rules.append({**rule, "notify": found})
        problems += [one.below(("notification_rules", number, "notify")) for one in refused]
    return rules, problems


def channels_meant(
    connection: Connection, instance: Instance, change: Change, given: Sequence[str]
) -> tuple[list[str], list[Detail]]:
    """The channels that the texts name, each once: an id, a masked URL of an answer, or a URL with its secret."""
    found: dict[str, None] = {}
    refused: list[Detail] = []
    for place, text in enumerate(given):
        try:
            found[_channel(connection, instance, change, text)] = None
        except ChannelUrlError as error:
            refused.append(Detail(code=error.code, path=(place,), message=str(error)))
        except LookupError:
            message = _MASKED if MASK in text else "names no channel of this team"
            refused.append(Detail(code="reference_not_found", path=(place,), message=message))
    return list(found), refused


def _channel(connection: Connection, instance: Instance, change: Change, text: str) -> str:
    named = text.rpartition("#")[2]
    if is_id(named, "nch"):
        masked = stored_channels.masked_urls(connection, change.team_id, [named]).get(named)
        if masked is None or text not in {named, masked}:
            raise LookupError
        return named
    if MASK in text or text.startswith(_ID_BEGINS):
        raise LookupError
    return channels.provide(connection, change.team_id, text, instance, change.now)
