"""A full disk: it is told of, nothing is called down, and all goes on once there is room."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.system.server import Server, eventually, server
from tests.targets import HttpTarget

pytestmark = pytest.mark.alone

_MOUNT = 'mount -t tmpfs -o size=24m,mode=700 tmpfs "$0" && exec "$@"'
_UNSHARE = ("unshare", "--mount", "--map-root-user", "sh", "-c", _MOUNT)
_TOLD_SECONDS = 60.0
_RECOVERED_SECONDS = 30.0


def _small(served: Server) -> Server:
    """The server on a disk of 24 MiB that only it sees. Skips where there are no mount namespaces."""
    served.data_dir.mkdir(mode=0o700)
    served.prefix = (*_UNSHARE, str(served.data_dir))
    allowed = shutil.which("unshare") and subprocess.run([*served.prefix, "true"], capture_output=True, check=False)
    if not allowed or allowed.returncode:
        pytest.skip("a disk of its own needs the program unshare and the right to mount")
    return served


def _fill(path: Path) -> None:
    """Takes every byte that is free."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def _told(sink: HttpTarget) -> list[Any]:
    return [json.loads(arrival.body) for arrival in list(sink.arrivals)]


def _has(sink: HttpTarget, kind: str) -> bool:
    return any(event["type"] == kind for event in _told(sink))


def _takes_changes(served: Server) -> bool:
    return served.call("POST", "/incidents", {"title": "Trial", "notify": False}).status_code == 201


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [5, pytest.param(180, marks=[pytest.mark.faults, pytest.mark.timeout(600)])])
def test_a_full_disk_is_told_of_and_is_nobodys_outage(tmp_path: Path, seconds: int) -> None:
    with (
        HttpTarget() as target,
        HttpTarget() as sink,
        server(tmp_path, DELIVERY_ALLOW="127.0.0.0/8") as bare,
    ):
        served = _small(bare)
        served.start()
        monitor_id = served.create(name="Shop", type="http", url=target.url, notifications=[])
        hook = {"url": f"{sink.url}/hook", "events": ["instance.*"]}
        assert served.call("POST", "/webhooks", hook).status_code == 201
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        filler = Path(f"/proc/{served.pid}/root{served.data_dir}/filler")
        eventually((filler.parent / "ballast").exists)
        _fill(filler)
        eventually(partial(_has, sink, "instance.fault"), _TOLD_SECONDS)
        refused = served.call("POST", "/incidents", {"title": "Trial"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "read_only")
        assert served.get_raw("/readyz").status_code == 503
        time.sleep(seconds)
        assert served.status(monitor_id)["state"] in {"up", "unknown"}
        filler.unlink()
        eventually(partial(_takes_changes, served), _RECOVERED_SECONDS)
        eventually(partial(_has, sink, "instance.recovered"))
        eventually(lambda: served.status(monitor_id)["state"] == "up")
        assert [event["type"] for event in _told(sink)] == ["instance.fault", "instance.recovered"]
        assert _told(sink)[0]["data"]["fault"] == "storage_full"
        changes = served.get(f"/monitors/{monitor_id}/transitions")["data"]
        assert "down" not in {change["state"] for change in changes}
        assert served.stop() == 0
