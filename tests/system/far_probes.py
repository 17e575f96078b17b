"""Probes of further regions as processes of their own, each with a directory and a key that the server gave it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.forks import Fork, stem
from tests.system.server import Server, eventually


class FarProbe:
    """One probe that the server knows; `start` may be called again after an end."""

    def __init__(self, served: Server, made: dict[str, Any]) -> None:
        self._served = served
        self.id: str = made["id"]
        self.region: str = made["region"]
        self.key: str = made["key"]
        self.folder: Path = served.folder / self.id
        self.folder.mkdir()
        self._popen: Fork | None = None

    @property
    def popen(self) -> Fork:
        assert self._popen is not None
        return self._popen

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        """On return the server hears it."""
        words = ["probe", "--server", self._served.url, "--data-dir", str(self.folder / "data")]
        environment = {**self._served.environment(), "STATUSPULSE_PROBE_KEY": self.key}
        with Path(os.devnull).open("rb") as nothing, (self.folder / "log").open("ab") as log:
            self._popen = stem().launch(words, environment, self.folder, (nothing, log, log))
        eventually(lambda: self.shown()["status"] == "online", told=lambda: self.log)

    def shown(self) -> Any:
        return self._served.get(f"/probes/{self.id}")

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(20)

    def stop(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(20)

    def end(self) -> None:
        if self._popen is not None and self._popen.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._popen.pid, signal.SIGKILL)
            self._popen.wait(20)


@contextmanager
def far_probes(served: Server, *regions: str) -> Iterator[list[FarProbe]]:
    """A running probe for each region that is named, two for one that is named twice."""
    made: list[FarProbe] = []
    try:
        for number, region in enumerate(regions):
            answer = served.call("POST", "/probes", {"name": f"probe {number}", "region": region})
            assert answer.status_code == 201, answer.text
            made.append(FarProbe(served, answer.json()))
        for probe in made:
            probe.start()
        yield made
    finally:
        for probe in made:
            probe.end()


def slots(served: Server, monitor_id: str, since: int = 0) -> list[tuple[int, str]]:
    """The regular slots of a monitor that were due from an instant on, and the probe that looked, in order."""
    query = (
        "SELECT scheduled_at, probes.id FROM results JOIN monitors ON monitors.key = monitor_key"
        " JOIN probes ON probes.key = probe_key WHERE monitors.id = ? AND kind = 0 AND scheduled_at >= ?"
        " ORDER BY scheduled_at"
    )
    return [(at, probe_id) for at, probe_id in served.rows(query, monitor_id, since)]


def key_file(folder: Path, key: str) -> Path:
    path = folder / "probe.key"
    path.write_text(key + "\n")
    path.chmod(0o600)
    return path
