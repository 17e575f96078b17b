"""URLs: parsed once, strictly, and dialled only in the form that came out."""

from __future__ import annotations

from urllib.parse import urlsplit

import pycurl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuspulse.egress.urls import endpoint_of, parse_url, redirected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/A?b=C#d", "https://example.com/A?b=C"),
        ("http://example.com.:8080?x", "http://example.com:8080/?x"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://0x7f000001:81/a", "http://127.0.0.1:81/a"),
        ("http://[0:0::1]:8080/", "http://[::1]:8080/"),
        ("http://[::1%25lo]/", "http://[::1]/"),
        ("http://example.com:/x", "http://example.com/x"),
        ("http://münchen.de/straße?ü=ß", "http://xn--mnchen-3ya.de/stra%C3%9Fe?%C3%BC=%C3%9F"),
        ('http://example.com/a b"<>`{}|^', "http://example.com/a%20b%22%3C%3E%60%7B%7D%7C%5E"),
        ("http://example.com/%41%2f", "http://example.com/%41%2f"),
        ("http://example.com/?a\\b", "http://example.com/?a%5Cb"),
    ],
)
def test_a_url_is_written_in_one_form(text: str, expected: str) -> None:
    assert parse_url(text).text == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ftp://example.com/", "begin with http"),
        ("file:///etc/passwd", "begin with http"),
        ("gopher://127.0.0.1:70/", "begin with http"),
        ("//example.com/", "begin with http"),
        ("example.com", "begin with http"),
        ("data:text/plain,x", "begin with http"),
        ("http:/example.com", "begin with http"),
        (" http://example.com", "begin with http"),
        ("http://user:secret@example.com/", "user name and password"),
        ("http://example.com@127.0.0.1/", "user name and password"),
        ("http://a\\@127.0.0.1/", "backslash"),
        ("http:\\\\example.com", "backslash"),
        ("http://exa\tmple.com/", "control character"),
        ("http://example.com/\r\nHost: x", "control character"),
        ("http://example.com/\x00", "control character"),
        ("http://", "no host"),
        ("http://:80/", "no host"),
        ("http://::1/", "brackets"),
        ("http://[::1/", "bracket"),
        ("http://example.com:0/", "port"),
        ("http://example.com:65536/", "port"),
        ("http://example.com:8０/", "port"),
        ("http://example.com:80x/", "port"),
        ("http://exa mple.com/", "host name"),
        ("http://1.2.3.4.5/", "too many parts"),
        ("http://example.com/" + "a" * 2048, "longer than 2048"),
    ],
)
def test_what_parsers_would_disagree_on_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_url(text)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (b"/b?c", "http://example.com:81/b?c"),
        (b"b", "http://example.com:81/x/b"),
        (b"../b", "http://example.com:81/b"),
        (b"?q", "http://example.com:81/x/a?q"),
        (b"//other.example/p", "http://other.example/p"),
        (b"https://other.example", "https://other.example/"),
        (b" /spaces around \t", "http://example.com:81/spaces%20around"),
        ("/ü".encode(), "http://example.com:81/%C3%BC"),
        (b"/\xfc", "http://example.com:81/%C3%BC"),
        (b"http://2130706433:8080/", "http://127.0.0.1:8080/"),
    ],
)
def test_a_location_may_be_relative(location: bytes, expected: str) -> None:
    assert redirected(parse_url("http://example.com:81/x/a?old"), location).text == expected


@pytest.mark.parametrize(
    "location",
    [
        b"file:///etc/passwd",
        b"gopher://127.0.0.1/",
        b"\\\\127.0.0.1\\x",
        b"http://u:p@a/",
        b"http://[",
        b"javascript:1",
    ],
)
def test_a_location_leads_nowhere_but_to_http(location: bytes) -> None:
    with pytest.raises(ValueError):
        redirected(parse_url("http://example.com/"), location)


def test_the_origin_holds_no_path() -> None:
    url = parse_url("https://hooks.example/services/T0/B0/secret?token=1")
    assert url.origin == "https://hooks.example"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://LOCALHOST:9000/api", ("localhost", 9000)),
        ("https://[::1]/x", ("::1", 443)),
        ("smtps://user:pass@mail.example", ("mail.example", 465)),
        ("http://0x7f.1:9000", ("127.0.0.1", 9000)),
    ],
)
def test_an_endpoint_of_the_settings_is_host_and_port(url: str, expected: tuple[str, int]) -> None:
    assert endpoint_of(url) == expected


_PIECES = st.sampled_from(
    [
        "http://",
        "https://",
        "a.example",
        "127.0.0.1",
        "[::1]",
        "0x7f.1",
        ":80",
        ":",
        "@",
        "\\",
        "/",
        "?",
        "#",
        "%",
        "%31",
        ".",
        "é",
        " ",
        "\t",
        "//",
        "x",
    ]
)


@given(st.lists(_PIECES, max_size=8).map("".join))
def test_whatever_is_accepted_other_parsers_read_alike(text: str) -> None:
    try:
        url = parse_url(text)
    except ValueError:
        return
    port = None if url.port == {"http": 80, "https": 443}[url.scheme] else url.port
    standard = urlsplit(url.text)
    libcurl = pycurl.CurlUrl(url.text)
    assert (standard.scheme, standard.hostname, standard.port) == (url.scheme, url.host, port)
    assert (libcurl.scheme, libcurl.host.strip("[]"), libcurl.port) == (url.scheme, url.host, port and str(port))
    assert parse_url(url.text) == url
