# Written from `asynchronous/resources/probes.py` by `python -m tests.client.write_blocking`.
"""Where checks are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from statuspulse.client import answers, calls
from statuspulse.client.blocking.resources.resource import Resource
from statuspulse.client.calls import PAGE, given, path_of


class Probes(Resource):
    """The processes that look, and the regions they stand for."""

    def list(self) -> Iterator[answers.Probe]:
        return self._caller.each(answers.Probe, path_of("probes"), {"limit": PAGE})

    def regions(self) -> Iterator[answers.Region]:
        return self._caller.each(answers.Region, path_of("regions"), {"limit": PAGE})

    def get(self, probe_id: str) -> answers.Probe:
        return self._caller.answer(answers.Probe, calls.get(path_of("probes", probe_id)))

    def create(
        self, *, name: str, region: str, region_name: str | None = None, idempotency_key: str | None = None
    ) -> answers.KeyedProbe:
        """A region comes into being with its first probe. `key.reveal()` is the only time that the key is told."""
        body = given(name=name, region=region, region_name=region_name)
        return self._caller.answer(answers.KeyedProbe, calls.post(path_of("probes"), body, key=idempotency_key))

    def update(self, probe_id: str, *, if_match: int | None = None, **members: Any) -> answers.Probe:
        """Changes these members and leaves the rest.

        `if_match` is the `config_version` that the change is made on: PreconditionFailedError if there is a newer one.
        """
        call = calls.patch(path_of("probes", probe_id), members, if_match=if_match)
        return self._caller.answer(answers.Probe, call)

    def rotate_key(
        self, probe_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> answers.KeyedProbe:
        body = given(overlap_seconds=overlap_seconds)
        call = calls.post(path_of("probes", probe_id, "rotate-key"), body, key=idempotency_key)
        return self._caller.answer(answers.KeyedProbe, call)

    def delete(self, probe_id: str, *, if_match: int | None = None) -> None:
        self._caller.delete(path_of("probes", probe_id), if_match=if_match)
