"""What is watched, and how it is now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.asynchronous.resources.resource import AsyncResource
from statuspulse.client.calls import PAGE, given, list_of, listed, path_of
from statuspulse.client.errors import PreconditionFailedError

_RESULTS_PAGE = 500
# How often a change is made anew because somebody else was quicker.
_EDITS = 5
# A look takes as long as the monitor's timeout, which is a minute at most, and may have to wait for its turn.
_LOOK_SECONDS = 75.0
_REPLAY_SECONDS = 60.0


class AsyncMonitors(AsyncResource):
    """What is watched."""

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
    ) -> AsyncIterator[answers.Monitor]:
        """All that have every tag and fit the rest; `q` is a part of name or target."""
        query = {
            "limit": PAGE,
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

    async def get(self, monitor_id: str) -> answers.Monitor:
        return await self._caller.answer(answers.Monitor, calls.get(path_of("monitors", monitor_id)))

    async def create(self, *, idempotency_key: str | None = None, **members: Any) -> answers.Monitor:
        """Makes one of `name`, `type` and the members of that type. Its `warnings` tell what was made beside it."""
        call = calls.post(path_of("monitors"), members, key=idempotency_key)
        return await self._caller.answer(answers.Monitor, call)

    async def update(
        self, monitor_id: str, *, if_match: int | None = None, dry_run: bool = False, **members: Any
    ) -> answers.Monitor:
        """Changes these members and leaves the rest; None takes one back to its default.

        `if_match` is the `config_version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        query = {"dry_run": True} if dry_run else None
        call = calls.patch(path_of("monitors", monitor_id), members, query=query, if_match=if_match)
        return await self._caller.answer(answers.Monitor, call)

    async def config(self, monitor_id: str) -> answers.MonitorConfig:
        call = calls.get(path_of("monitors", monitor_id, "config"))
        return await self._caller.answer(answers.MonitorConfig, call)

    async def edit(
        self, monitor_id: str, change: Callable[[answers.MonitorConfig], Mapping[str, Any]]
    ) -> answers.MonitorConfig:
        """Changes what depends on what is there: `change` gets the configuration and returns members to set.

        When somebody else changes it meanwhile, it is read and `change` is asked anew, so nobody's change is lost.
        Nothing to set means that nothing is changed.
        """
        edits = 0
        while True:
            config = await self.config(monitor_id)
            members = change(config)
            if not members:
                return config
            path = path_of("monitors", monitor_id, "config")
            call = calls.patch(path, members, if_match=config.config_version)
            try:
                return await self._caller.answer(answers.MonitorConfig, call)
            except PreconditionFailedError:
                edits += 1
                if edits == _EDITS:
                    raise

    async def replace(self, monitor_id: str, *, if_match: int | None = None, **members: Any) -> answers.MonitorConfig:
        """Replaces the whole configuration: what is not named goes back to its default."""
        call = calls.put(path_of("monitors", monitor_id, "config"), members, query={"replace": True}, if_match=if_match)
        return await self._caller.answer(answers.MonitorConfig, call)

    def versions(self, monitor_id: str) -> AsyncIterator[answers.ConfigVersion]:
        """The configurations that it has had, the newest first."""
        path = path_of("monitors", monitor_id, "config", "versions")
        return self._caller.each(answers.ConfigVersion, path, {"limit": PAGE})

    async def roll_back(
        self, monitor_id: str, config_version: int, *, idempotency_key: str | None = None
    ) -> answers.MonitorConfig:
        """Makes an earlier configuration the newest one."""
        path = path_of("monitors", monitor_id, "config", "rollback")
        call = calls.post(path, {"config_version": config_version}, key=idempotency_key)
        return await self._caller.answer(answers.MonitorConfig, call)

    async def bulk(
        self,
        action: str,
        *,
        ids: Sequence[str] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the API calls it so
        tags: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> answers.Bulk:
        """Does one thing to many; the answer has what became of each."""
        body = given(action=action, ids=ids, filter=filter, tags=tags)
        return await self._caller.answer(
            answers.Bulk, calls.post(path_of("monitors", "bulk"), body, key=idempotency_key)
        )

    async def delete(self, monitor_id: str, *, if_match: int | None = None) -> None:
        """Stops it at once and resolves its incidents; what it saw is kept for 30 days."""
        await self._caller.delete(path_of("monitors", monitor_id), if_match=if_match)

    async def pause(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        call = calls.post(path_of("monitors", monitor_id, "pause"), key=idempotency_key)
        return await self._caller.answer(answers.Monitor, call)

    async def resume(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        call = calls.post(path_of("monitors", monitor_id, "resume"), key=idempotency_key)
        return await self._caller.answer(answers.Monitor, call)

    async def rotate_ping_key(self, monitor_id: str, *, idempotency_key: str | None = None) -> answers.Monitor:
        """Gives a heartbeat a new `ping_url`."""
        call = calls.post(path_of("monitors", monitor_id, "rotate-ping-key"), key=idempotency_key)
        return await self._caller.answer(answers.Monitor, call)

    async def check(
        self, monitor_id: str, *, regions: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> answers.CheckRun:
        """Looks now, and waits for what is seen; it does not count for state and uptime."""
        body = given(regions=regions)
        path = path_of("monitors", monitor_id, "check")
        call = calls.post(path, body, key=idempotency_key, seconds=_LOOK_SECONDS)
        return await self._caller.answer(answers.CheckRun, call)

    async def test(self, *, idempotency_key: str | None = None, **members: Any) -> answers.CheckRun:
        """Looks once at what a monitor of these members would watch, and stores nothing."""
        call = calls.post(path_of("monitors", "test"), members, key=idempotency_key, seconds=_LOOK_SECONDS)
        return await self._caller.answer(answers.CheckRun, call)

    async def explain(self, monitor_id: str) -> answers.Explanation:
        """Why its state is what it is, and what would change it."""
        call = calls.get(path_of("monitors", monitor_id, "explain"))
        return await self._caller.answer(answers.Explanation, call)

    async def simulate(
        self, monitor_id: str, *, idempotency_key: str | None = None, **members: Any
    ) -> answers.Simulation:
        """What other rules would have made of the results from `start` to `end`, beside what happened.

        `start` and `end` are sent as `from` and `to`; the rest are members of the configuration.
        """
        renamed = {{"start": "from", "end": "to"}.get(name, name): value for name, value in members.items()}
        path = path_of("monitors", monitor_id, "simulate")
        call = calls.post(path, renamed, key=idempotency_key, seconds=_REPLAY_SECONDS)
        return await self._caller.answer(answers.Simulation, call)

    def results(
        self,
        monitor_id: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        region: str | None = None,
        ok: bool | None = None,
        order: str | None = None,
    ) -> AsyncIterator[answers.Result]:
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
    ) -> AsyncIterator[answers.Transition]:
        """Changes of state with their evidence."""
        query = {"limit": PAGE, "from": start, "to": end, "order": order}
        return self._caller.each(answers.Transition, path_of("monitors", monitor_id, "transitions"), query)

    async def uptime(
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
        return await self._caller.answer(answers.UptimeSeries, call)

    async def latency(
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
        return await self._caller.answer(answers.LatencySeries, call)

    def uptimes(
        self,
        monitor_ids: Sequence[str],
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        bucket: str | None = None,
        timezone: str | None = None,
    ) -> AsyncIterator[answers.UptimeSeries]:
        """The uptime of up to 50 at once."""
        query = {"monitor_id": list_of(monitor_ids), "from": start, "to": end, "bucket": bucket, "timezone": timezone}
        return self._caller.each(answers.UptimeSeries, path_of("uptime"), query)


class AsyncStatuses(AsyncResource):
    """How what is watched is now."""

    async def get(
        self, monitor_id: str, *, window: str | None = None, include: str | Sequence[str] | None = None
    ) -> answers.Status:
        """`window` is 1h, 24h, 7d, 30d or 90d; `include` takes regions, probes and sparkline."""
        query = {"window": window, "include": listed(include)}
        return await self._caller.answer(answers.Status, calls.get(path_of("status", monitor_id), query))

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
    ) -> AsyncIterator[answers.Status]:
        """Those that have every tag and fit the rest, without their regions."""
        query = {
            "limit": PAGE,
            "state": listed(state),
            "type": type,
            "tag": list_of(tag),
            "q": q,
            "window": window,
            "sort": sort,
            "order": order,
        }
        return self._caller.each(answers.Status, path_of("status"), query)
