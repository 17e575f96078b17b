"""Heartbeats in the seed file."""

from __future__ import annotations

from typing import Any

import pytest

from statuspulse.catalog.instance import Instance
from statuspulse.catalog.seed import SeedError, seed
from statuspulse.domain.times import MINUTE, to_text
from statuspulse.egress.policy import Policy
from tests.api.server import NOW, Api

TOKEN = "sk_live_seed9c2d1e4b7f6a"


def run(api: Api, **members: Any) -> None:
    entry = {"name": "Backup", "type": "heartbeat", "period_seconds": 600, "grace_seconds": 60, **members}
    tokens = [{"name": "seeded", "token": TOKEN, "scopes": ["write"]}]
    file = {"team": {"name": "Acme", "slug": "acme"}, "tokens": tokens, "monitors": [entry]}
    instance = Instance(keyring=api.keyring, policy=Policy(), min_interval_seconds=10)
    api.write(lambda connection: seed(connection, instance, file, NOW))


def test_a_seeded_heartbeat_waits_for_its_first_ping_and_has_a_url(api: Api) -> None:
    run(api, id="mon_seeded1")
    document = api.call("GET", "/v1/monitors/mon_seeded1", token=TOKEN).json()
    assert document["state"] == "pending"
    assert "/ping/" in document["ping_url"]
    assert "***" not in document["ping_url"]


@pytest.mark.parametrize("state", ["up", "down"])
def test_what_the_file_says_of_a_job_has_to_be_confirmed_by_its_next_ping(api: Api, state: str) -> None:
    past = {"states": [{"state": state, "from": to_text(NOW - MINUTE), "to": None}]}
    monitor_id = f"mon_seeded{state}"
    run(api, id=monitor_id, created_at=to_text(NOW - MINUTE), status=past)
    shown = api.call("GET", f"/v1/status/{monitor_id}", token=TOKEN).json()
    assert (shown["state"], shown["heartbeat"]["due_at"]) == (state, to_text(NOW + 11 * MINUTE))


def test_results_of_a_region_are_refused(api: Api) -> None:
    past = {"results": [{"scheduled_at": to_text(NOW - MINUTE), "region": "local", "ok": True}]}
    with pytest.raises(SeedError, match="is no region of the monitor"):
        run(api, id="mon_seeded4", status=past)
