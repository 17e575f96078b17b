"""Hosts that a monitor may name, and those that can never be dialled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.server import Api

HYPHEN = "holds a part that begins or ends with a hyphen, which no host name may (RFC 1123, 2.1)."
ENCODED = "holds a part that begins with xn-- and encodes no name (RFC 3492)."
ZONE = "holds a zone, which is known to one machine only; leave out % and what follows it in the address."
NOWHERE = [
    ("-a.com", HYPHEN),
    ("a-.com", HYPHEN),
    ("www.-a.com", HYPHEN),
    ("a.com-", HYPHEN),
    ("xn--a.com", ENCODED),
    ("www.XN--A.com", ENCODED),
    ("xn--a-.com", HYPHEN),
    ("xn--abc-a.com", ENCODED),
    ("xn--\u00fc.com", ENCODED),
    ("xn--99999999.com", ENCODED),
    ("[::1%25lo]", ZONE),
    ("[fe80::1%eth0]", ZONE),
]
DIALLED = [
    "a-b.example",
    "a--b.example",
    "_sip.example",
    "xn--bcher-kva.example",
    "b\u00fccher.example",
    "xn--ls8h.la",
    "xn--zckzah",
    "127.0.0.1",
    "127%2e0.0.1",
    "[::1]",
    "localhost",
    "a.example.",
]


def made(api: Api, kind: str, host: str, after: str = "") -> Any:
    target = {"url": f"http://{host}{after}"} if kind == "http" else {"host": host.strip("[]")}
    port = {} if kind in {"http", "icmp", "dns"} else {"port": 8443}
    return api.call("POST", "/v1/monitors", {"name": "Shop", "type": kind, **target, **port})


@pytest.mark.parametrize(("host", "message"), NOWHERE)
@pytest.mark.parametrize("kind", ["http", "tcp", "tls", "icmp", "grpc"])
def test_a_host_that_leads_nowhere_is_refused_with_the_reason(api: Api, kind: str, host: str, message: str) -> None:
    for after in ("/", ":8080/x?y#z", "") if kind == "http" else ("",):
        answer = made(api, kind, host, after)
        member = "url" if kind == "http" else "host"
        assert answer.status_code == 422, answer.text
        detail = answer.json()["error"]["details"][0]
        assert (detail["code"], detail["param"]) == ("parameter_invalid_format", member)
        if host != "xn--\u00fc.com":
            assert answer.json()["message"] == f"{member} {message}"


@pytest.mark.parametrize("host", DIALLED)
@pytest.mark.parametrize("kind", ["http", "tcp"])
def test_a_host_that_may_be_there_is_taken(api: Api, kind: str, host: str) -> None:
    for after in ("/", ":8080/x?y#z", "?a=%25lo") if kind == "http" else ("",):
        assert made(api, kind, host, after).status_code == 201


def test_a_question_may_be_about_a_name_that_no_host_has(api: Api) -> None:
    for name in ("-a.example", "xn--a.example", "_dmarc.acme.example"):
        assert made(api, "dns", name).status_code == 201
