# Written from `asynchronous/resources.py` by `python -m tests.client.write_blocking`.
"""The resources of the API, each with its calls. Members and filters are those of the API, under the same names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.blocking.caller import Caller
from statuspulse.client.calls import given, listed, path_of
from statuspulse.client.errors import PreconditionFailedError

_PAGE = 100
_RESULTS_PAGE = 500
# How often a change is made anew because somebody else was quicker.
_EDITS = 5
# A look takes as long as the monitor's timeout, which is a minute at most, and may have to wait for its turn.
_LOOK_SECONDS = 75.0
_REPLAY_SECONDS = 60.0


class Monitors:
    """What is watched."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        type: str | None = None,  # noqa: A002 - the API calls it so
        tag: Sequence[str] = (),
        q: str | None = None,
        paused: bool | None = None,
        region: str | None = None,
        escalation_policy: str | None = None,
        updated_since: datetime | None = None,
        sort: str | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Monitor]:
        """All that have every tag and fit the rest; `q` is a part of name or target."""
        query = {
            "limit": _PAGE,
            "state": listed(state),
            "type": type,
            "tag": list_of(tag),
            "q": q,
            "paused": paused,
            "region": region,
            "escalation_policy": escalation_policy,
            "updated_since": updated_since,
            "sort": sort,
            "order": order,
        }
        return self._caller.each(answers.Monitor, path_of("monitors"), query)

    def get(self, monitor_id: str) -> answers.Monitor:
        return self._caller.answer(answers.Monitor, calls.get(path_of("monitors", monitor_id)))

    def create(self, *, idempotency_key: str | None = None, **members: Any) -> answers.Monitor:
        """Makes one of `name`, `type` and the members of that type. Its `warnings` tell what was made beside it."""
        call = calls.post(path_of("monitors"), members, key=idempotency_key)
        return self._caller.answer(answers.Monitor, call)

    def update(
        self, monitor_id: str, *, if_match: int | None = None, dry_run: bool = False, **members: Any
    ) -> answers.Monitor:
        """Changes these members and leaves the rest; None takes one back to its default.

        `if_match` is the `config_version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        query = {"dry_run": True} if dry_run else None
        call = calls.patch(path_of("monitors", monitor_id), members, query=query, if_match=if_match)
        return self._caller.answer(answers.Monitor, call)

    def config(self, monitor_id: str) -> answers.MonitorConfig:
        call = calls.get(path_of("monitors", monitor_id, "config"))
        return self._caller.answer(answers.MonitorConfig, call)

    def edit(
        self, monitor_id: str, change: Callable[[answers.MonitorConfig], Mapping[str, Any]]
    ) -> answers.MonitorConfig:
        """Changes what depends on what is there: `change` gets the configuration and returns members to set.

        When somebody else changes it meanwhile, it is read and `change` is asked anew, so nobody's change is lost.
        Nothing to set means that nothing is changed.
        """
        edits = 0
        while True:
            config = self.config(monitor_id)
            members = change(config)
            if not members:
                return config
            path = path_of("monitors", monitor_id, "config")
            call = calls.patch(path, members, if_match=config.config_version)
            try:
                return self._caller.answer(answers.MonitorConfig, call)
            except PreconditionFailedError:
                edits += 1
                if edits == _EDITS:
                    raise

    def delete(self, monitor_id: str, *, if_match: int | None = None) -> None:
        """Stops it at once and resolves its incidents; what it saw is kept for 30 days."""
        self._caller.delete(path_of("monitors", monitor_id), if_match=if_match)

    def pause(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        call = calls.post(path_of("monitors", monitor_id, "pause"), key=idempotency_key)
        return self._caller.answer(answers.Monitor, call)

    def resume(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        call = calls.post(path_of("monitors", monitor_id, "resume"), key=idempotency_key)
        return self._caller.answer(answers.Monitor, call)

    def rotate_ping_key(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        """Gives a heartbeat a new `ping_url`."""
        call = calls.post(path_of("monitors", monitor_id, "rotate-ping-key"), key=idempotency_key)
        return self._caller.answer(answers.Monitor, call)

    def check(
        self, monitor_id: str, *, regions: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> answers.CheckRun:
        """Looks now, and waits for what is seen; it does not count for state and uptime."""
        body = given(regions=regions)
        path = path_of("monitors", monitor_id, "check")
        call = calls.post(path, body, key=idempotency_key, seconds=_LOOK_SECONDS)
        return self._caller.answer(answers.CheckRun, call)

    def test(self, *, idempotency_key: str | None = None, **members: Any) -> answers.CheckRun:
        """Looks once at what a monitor of these members would watch, and stores nothing."""
        call = calls.post(path_of("monitors", "test"), members, key=idempotency_key, seconds=_LOOK_SECONDS)
        return self._caller.answer(answers.CheckRun, call)

    def explain(self, monitor_id: str) -> answers.Explanation:
        """Why its state is what it is, and what would change it."""
        call = calls.get(path_of("monitors", monitor_id, "explain"))
        return self._caller.answer(answers.Explanation, call)

    def simulate(self, monitor_id: str, *, idempotency_key: str | None = None, **members: Any) -> answers.Simulation:
        """What other rules would have made of the results from `start` to `end`, beside what happened.

        `start` and `end` are sent as `from` and `to`; the rest are members of the configuration.
        """
        renamed = {{"start": "from", "end": "to"}.get(name, name): value for name, value in members.items()}
        path = path_of("monitors", monitor_id, "simulate")
        call = calls.post(path, renamed, key=idempotency_key, seconds=_REPLAY_SECONDS)
        return self._caller.answer(answers.Simulation, call)

    def results(
        self,
        monitor_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        region: str | None = None,
        ok: bool | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Result]:
        """Single checks, the newest first unless `order` is `asc`."""
        query = {"limit": _RESULTS_PAGE, "from": start, "to": end, "region": region, "ok": ok, "order": order}
        return self._caller.each(answers.Result, path_of("monitors", monitor_id, "results"), query)

    def transitions(
        self,
        monitor_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Transition]:
        """Changes of state with their evidence."""
        query = {"limit": _PAGE, "from": start, "to": end, "order": order}
        return self._caller.each(answers.Transition, path_of("monitors", monitor_id, "transitions"), query)

    def uptime(
        self,
        monitor_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        bucket: str | None = None,
        timezone: str | None = None,
    ) -> answers.UptimeSeries:
        query = {"from": start, "to": end, "bucket": bucket, "timezone": timezone}
        call = calls.get(path_of("monitors", monitor_id, "uptime"), query)
        return self._caller.answer(answers.UptimeSeries, call)

    def latency(
        self,
        monitor_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        bucket: str | None = None,
        timezone: str | None = None,
        group_by: str | None = None,
        percentiles: Sequence[float] = (),
    ) -> answers.LatencySeries:
        query = {
            "from": start,
            "to": end,
            "bucket": bucket,
            "timezone": timezone,
            "group_by": group_by,
            "percentiles": listed([f"{percentile:g}" for percentile in percentiles]) or None,
        }
        call = calls.get(path_of("monitors", monitor_id, "latency"), query)
        return self._caller.answer(answers.LatencySeries, call)


class Statuses:
    """How what is watched is now."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get(
        self, monitor_id: str, *, window: str | None = None, include: str | Sequence[str] | None = None
    ) -> answers.Status:
        """`window` is 1h, 24h, 7d, 30d or 90d; `include` takes regions, probes and sparkline."""
        query = {"window": window, "include": listed(include)}
        return self._caller.answer(answers.Status, calls.get(path_of("status", monitor_id), query))

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        type: str | None = None,  # noqa: A002 - the API calls it so
        tag: Sequence[str] = (),
        q: str | None = None,
        window: str | None = None,
        sort: str | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Status]:
        """Those that have every tag and fit the rest, without their regions."""
        query = {
            "limit": _PAGE,
            "state": listed(state),
            "type": type,
            "tag": list_of(tag),
            "q": q,
            "window": window,
            "sort": sort,
            "order": order,
        }
        return self._caller.each(answers.Status, path_of("status"), query)


class Incidents:
    """What needs people."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(
        self,
        *,
        state: str | Sequence[str] | None = None,
        monitor_id: str | None = None,
        severity: str | None = None,
        assignee: str | None = None,
        source: str | None = None,
        dedup_key: str | None = None,
        external_id: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        q: str | None = None,
        order: str | None = None,
    ) -> Iterator[answers.Incident]:
        """Those that were triggered from `start` to `end` and fit the rest."""
        query = {
            "limit": _PAGE,
            "state": listed(state),
            "monitor_id": monitor_id,
            "severity": severity,
            "assignee": assignee,
            "source": source,
            "dedup_key": dedup_key,
            "external_id": external_id,
            "from": start,
            "to": end,
            "q": q,
            "order": order,
        }
        return self._caller.each(answers.Incident, path_of("incidents"), query)

    def get(self, incident_id: str) -> answers.Incident:
        return self._caller.answer(answers.Incident, calls.get(path_of("incidents", incident_id)))

    def submit(self, *, idempotency_key: str | None = None, **members: Any) -> answers.Incident:
        """The call under which incidents are triggered, acknowledged, resolved and linked (`POST /v1/incidents`)."""
        call = calls.post(path_of("incidents"), members, key=idempotency_key)
        return self._caller.answer(answers.Incident, call)

    def trigger(
        self,
        *,
        title: str | None = None,
        monitor_id: str | None = None,
        severity: str | None = None,
        dedup_key: str | None = None,
        assignee: str | None = None,
        notes: str | None = None,
        notify: bool | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Incident:
        """Opens one; an open one of the same `dedup_key` absorbs the call. It needs a title or a monitor."""
        members = given(
            title=title,
            monitor_id=monitor_id,
            severity=severity,
            dedup_key=dedup_key,
            assignee=assignee,
            notes=notes,
            notify=notify,
        )
        return self.submit(idempotency_key=idempotency_key, state="triggered", **members)

    def acknowledge(
        self,
        incident_id: str,
        *,
        assignee: str | None = None,
        notes: str | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Incident:
        members = given(incident_id=incident_id, assignee=assignee, notes=notes)
        return self.submit(idempotency_key=idempotency_key, state="acknowledged", **members)

    def resolve(
        self, incident_id: str, *, notes: str | None = None, idempotency_key: str | None = None
    ) -> answers.Incident:
        members = given(incident_id=incident_id, notes=notes)
        return self.submit(idempotency_key=idempotency_key, state="resolved", **members)

    def update(self, incident_id: str, *, if_match: int | None = None, **members: Any) -> answers.Incident:
        """Changes title, severity, assignee or external_ids; `if_match` is the `version` it is made on."""
        call = calls.patch(path_of("incidents", incident_id), members, if_match=if_match)
        return self._caller.answer(answers.Incident, call)

    def note(self, incident_id: str, text: str, *, idempotency_key: str | None = None) -> answers.Note:
        call = calls.post(path_of("incidents", incident_id, "notes"), {"text": text}, key=idempotency_key)
        return self._caller.answer(answers.Note, call)

    def timeline(self, incident_id: str) -> Iterator[answers.TimelineEntry]:
        """What happened, from the beginning."""
        path = path_of("incidents", incident_id, "timeline")
        return self._caller.each(answers.TimelineEntry, path, {"limit": _PAGE})


class Policies:
    """Escalation policies: who is told and when."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> Iterator[answers.Policy]:
        return self._caller.each(answers.Policy, path_of("escalation-policies"), {"limit": _PAGE})

    def get(self, slug: str) -> answers.Policy:
        return self._caller.answer(answers.Policy, calls.get(path_of("escalation-policies", slug)))


class Tokens:
    """The keys of programs and what they may do."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> Iterator[answers.Token]:
        return self._caller.each(answers.Token, path_of("tokens"), {"limit": _PAGE})

    def get(self, token_id: str) -> answers.Token:
        return self._caller.answer(answers.Token, calls.get(path_of("tokens", token_id)))

    def create(
        self,
        *,
        name: str,
        scopes: Sequence[str],
        expires_at: datetime | None = None,
        ip_allowlist: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> answers.IssuedToken:
        """`token.reveal()` of the answer is the only time that its text is told."""
        body = given(name=name, scopes=scopes, expires_at=expires_at, ip_allowlist=ip_allowlist)
        return self._caller.answer(answers.IssuedToken, calls.post(path_of("tokens"), body, key=idempotency_key))

    def rotate(
        self, token_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.IssuedToken:
        """A new text under the same id; the old one is good for `overlap_seconds` more."""
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("tokens", token_id, "rotate"), body, key=idempotency_key)
        return self._caller.answer(answers.IssuedToken, call)

    def revoke(self, token_id: str) -> None:
        """Ends it for good, within a second."""
        self._caller.delete(path_of("tokens", token_id))


class Teams:
    """Owners of everything, and their people."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> Iterator[answers.Team]:
        return self._caller.each(answers.Team, path_of("teams"), {"limit": _PAGE})

    def get(self, team_id: str) -> answers.Team:
        return self._caller.answer(answers.Team, calls.get(path_of("teams", team_id)))

    def create(self, *, name: str, slug: str, idempotency_key: str | None = None, **members: Any) -> answers.NewTeam:
        """Only for tokens of the first team; the answer has the first token of the new one."""
        call = calls.post(path_of("teams"), {"name": name, "slug": slug, **members}, key=idempotency_key)
        return self._caller.answer(answers.NewTeam, call)

    def update(self, team_id: str, **members: Any) -> answers.Team:
        return self._caller.answer(answers.Team, calls.patch(path_of("teams", team_id), members))

    def delete(self, team_id: str) -> None:
        self._caller.delete(path_of("teams", team_id))

    def members(self, team_id: str) -> Iterator[answers.Member]:
        return self._caller.each(answers.Member, path_of("teams", team_id, "members"), {"limit": _PAGE})

    def add_member(self, team_id: str, *, email: str, role: str, idempotency_key: str | None = None) -> answers.Member:
        body = {"email": email, "role": role}
        call = calls.post(path_of("teams", team_id, "members"), body, key=idempotency_key)
        return self._caller.answer(answers.Member, call)

    def update_member(self, team_id: str, user_id: str, **members: Any) -> answers.Member:
        call = calls.patch(path_of("teams", team_id, "members", user_id), members)
        return self._caller.answer(answers.Member, call)

    def remove_member(self, team_id: str, user_id: str) -> None:
        self._caller.delete(path_of("teams", team_id, "members", user_id))


class Probes:
    """The processes that look, and the regions they stand for."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list(self) -> Iterator[answers.Probe]:
        return self._caller.each(answers.Probe, path_of("probes"), {"limit": _PAGE})

    def regions(self) -> Iterator[answers.Region]:
        return self._caller.each(answers.Region, path_of("regions"), {"limit": _PAGE})

    def get(self, probe_id: str) -> answers.Probe:
        return self._caller.answer(answers.Probe, calls.get(path_of("probes", probe_id)))

    def create(
        self, *, name: str, region: str, region_name: str | None = None, idempotency_key: str | None = None
    ) -> answers.KeyedProbe:
        """A region comes into being with its first probe. `key.reveal()` is the only time that the key is told."""
        body = given(name=name, region=region, region_name=region_name)
        return self._caller.answer(answers.KeyedProbe, calls.post(path_of("probes"), body, key=idempotency_key))

    def update(self, probe_id: str, **members: Any) -> answers.Probe:
        return self._caller.answer(answers.Probe, calls.patch(path_of("probes", probe_id), members))

    def rotate_key(
        self, probe_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.KeyedProbe:
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("probes", probe_id, "rotate-key"), body, key=idempotency_key)
        return self._caller.answer(answers.KeyedProbe, call)

    def delete(self, probe_id: str) -> None:
        self._caller.delete(path_of("probes", probe_id))


def list_of(values: Sequence[str]) -> tuple[str, ...]:
    """Words of a parameter that may stand several times; a text alone is one word."""
    return (values,) if isinstance(values, str) else tuple(values)
