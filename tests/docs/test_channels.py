"""What `docs/channels.md` shows works as it stands: every kind of channel is made, and one is tried out."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import requests

from tests.delivery.receiver import Receiver
from tests.system.server import TOKEN, server
from tests.targets import HttpTarget, http_answer

_PAGE = Path(__file__).parents[2] / "docs" / "channels.md"


def test_every_kind_of_channel_is_made_and_one_is_tried_out(tmp_path: Path) -> None:
    (calls,) = re.findall(r"^```sh\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    with server(tmp_path) as served, HttpTarget() as receiver:
        served.settings |= {"SMTP_URL": "smtps://mail.example.com?from=a@example.com", "DELIVERY_ALLOW": "127.0.0.0/8"}
        served.start("--no-probe")
        written = calls.replace("http://127.0.0.1:8080", served.url).replace("sk_live_…", TOKEN)
        shell = written.replace("}'\n", "}'; echo\n")
        run = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True, timeout=60)
        made = [json.loads(line) for line in run.stdout.splitlines()]
        assert [one["type"] for one in made] == [
            *("slack", "pagerduty", "discord", "teams", "telegram", "email", "ntfy", "webhook")
        ]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        api = f"{served.url}/v1"
        own = requests.post(f"{api}/channels", json={"url": f"{receiver.url}/hook"}, headers=headers, timeout=30).json()
        tried = requests.post(f"{api}/channels/{own['id']}/test", headers=headers, timeout=30)
        assert (tried.status_code, tried.json()["ok"], tried.json()["provider_status"]) == (200, True, 200)
        assert json.loads(receiver.arrivals[0].body)["type"] == "channel.test"
        assert receiver.arrivals[0].headers["webhook-signature"].startswith("v1,")
        again = requests.post(f"{api}/channels/{own['id']}/test", headers=headers, timeout=30)
        assert (again.status_code, again.json()["error"]["code"]) == (429, "rate_limited")
        assert served.get(f"/channels/{own['id']}")["health"] == "ok"


def test_a_try_out_that_fails_says_why_and_what_helps(tmp_path: Path) -> None:
    with server(tmp_path) as served, Receiver() as slack:
        slack.scripts["s3cret"] = [http_answer(404, b"{}")]
        served.settings |= {"DELIVERY_ALLOW": "127.0.0.0/8"}
        served.start("--no-probe")
        headers, api = {"Authorization": f"Bearer {TOKEN}"}, f"{served.url}/v1"
        told = []
        for url in ("http://127.0.0.1:1", slack.url, "https://localhost.invalid"):
            made = requests.post(f"{api}/channels", json={"url": f"{url}/s3cret"}, headers=headers, timeout=30).json()
            tried = requests.post(f"{api}/channels/{made['id']}/test", headers=headers, timeout=30).json()
            assert tried["message"] == f"The receiver did not take it: {tried['cause']}. {tried['cure']}"
            assert "s3cret" not in str(tried)
            told.append((tried["error_class"], tried["cause"]))
        assert told == [
            ("connect_refused", "the receiver's host refused the connection"),
            ("http_404", 'the receiver answered 404 "Not Found"'),
            ("dns", "the host of the receiver was not found"),
        ]
