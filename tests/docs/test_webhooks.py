"""What `docs/webhooks.md` shows works as it stands: the call, and both ways to verify a request."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from statuspulse.domain.event import EventType
from statuspulse.domain.webhook import new_secret, signatures
from tests.system.server import TOKEN, server

_PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
BODY = '{"object":"event","data":{"name":"Café"}}'.encode()
EVENT = "evt_01m83h82v9n9zddwg375pc8fqs"


def block(language: str) -> str:
    """The one block of the page in the language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_page_names_every_type_that_is_sent() -> None:
    named = re.findall(r"`(\w+\.\w+)`", _PAGE.read_text().split("## An endpoint")[0])
    assert sorted(named) == sorted(EventType)


def signed(secret: str, at: int, *others: str) -> dict[str, str]:
    signature = signatures([*others, secret], EVENT, at, BODY)
    return {"webhook-id": EVENT, "webhook-timestamp": str(at), "webhook-signature": signature}


def test_the_call_makes_an_endpoint(tmp_path: Path) -> None:
    with server(tmp_path) as served:
        served.start("--no-probe")
        call = block("sh").replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
        answer = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True, timeout=30)
        made = json.loads(answer.stdout)
        assert made["secret"].startswith("whsec_")
        assert served.get(f"/webhooks/{made['id']}")["status"] == "enabled"


def test_the_function_takes_what_is_ours_and_fresh_and_nothing_else() -> None:
    shown: dict[str, Any] = {}
    exec(block("python"), shown)
    verify, secret, now = shown["verify"], new_secret(), int(time.time())
    assert verify(secret, signed(secret, now), BODY)
    assert verify(secret, signed(secret, now, new_secret()), BODY)
    assert not verify(secret, signed(secret, now), BODY + b" ")
    assert not verify(new_secret(), signed(secret, now), BODY)
    assert not verify(secret, signed(secret, now - 1000), BODY)
    assert not verify(secret, signed(secret, now) | {"webhook-id": "evt_other"}, BODY)


@pytest.mark.parametrize(("body", "status"), [(BODY, 0), (BODY + b" ", 1)])
def test_the_shell_tells_ours_from_forged(tmp_path: Path, body: bytes, status: int) -> None:
    secret = new_secret()
    (tmp_path / "body").write_bytes(body)
    headers = {name.upper().replace("-", "_"): value for name, value in signed(secret, 1, new_secret()).items()}
    run = subprocess.run(
        ["bash", "-c", block("bash")],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "SECRET": secret, **headers},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (run.returncode, run.stdout.strip()) == (status, "forged" if status else "ours"), run.stderr
