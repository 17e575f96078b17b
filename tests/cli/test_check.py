"""`statuspulse check` as a process, against targets on loopback."""

from __future__ import annotations

import json
import os
import pty
import re
import resource
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from statuspulse.cli.check import status_of
from statuspulse.cli.main import main
from statuspulse.cli.targets import TargetError, target_of
from statuspulse.cli.verdict import _WORDS
from statuspulse.domain.failure import FailureClass
from statuspulse.domain.monitor import MonitorType
from statuspulse.domain.result import Verdict
from statuspulse.domain.specs.dns import DnsSpec, RecordType
from statuspulse.domain.specs.http import HttpSpec
from statuspulse.domain.specs.tcp import TcpSpec
from tests import forks
from tests.targets import DnsTarget, HttpTarget, Mood, TcpTarget, http_answer

PROGRAM = [sys.executable, "-m", "statuspulse"]
ESCAPE = "\x1b["


@pytest.fixture
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as made:
        yield made


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    return made


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "SSL_CERT_FILE": str(folder / "ca.pem"), **more}


def check(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return forks.run(["check", *words], environment(folder, **more), folder)


def secure(certificate: trustme.LeafCert) -> HttpTarget:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return HttpTarget(tls=context)


def lasting(authority: trustme.CA, days: float) -> HttpTarget:
    """A target whose certificate ends in so many days."""
    return secure(authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=days)))


def test_the_verdict_comes_first_and_then_where_the_time_went(target: HttpTarget, tmp_path: Path) -> None:
    told = check(tmp_path, target.url)
    assert (told.returncode, told.stderr) == (0, "")
    first, *rest = told.stdout.splitlines()
    assert re.fullmatch(re.escape(target.url) + r" is up: 200 in \d+\.\d ms", first)
    assert [line.split()[0] for line in rest] == ["address", "status", "DNS", "connect", "wait", "transfer"]
    assert rest[0].split() == ["address", "127.0.0.1"]
    assert all("█" in line for line in rest[2:])
    assert ESCAPE not in told.stdout
    assert len(target.arrivals) == 1


def test_a_waterfall_begins_each_phase_where_the_one_before_ends(target: HttpTarget, tmp_path: Path) -> None:
    target.delay_seconds = 0.3
    lines = check(tmp_path, target.url).stdout.splitlines()
    wait = next(line for line in lines if line.split()[0] == "wait")
    transfer = next(line for line in lines if line.split()[0] == "transfer")
    assert wait.count("█") >= 38
    assert transfer.index("█") >= wait.rindex("█") - 1


def test_an_output_without_blocks_gets_plain_bars(target: HttpTarget, tmp_path: Path) -> None:
    environ = environment(tmp_path, PYTHONIOENCODING="ascii")
    command = [*PROGRAM, "check", target.url]
    told = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=True, timeout=30)
    assert "#" in told.stdout


def test_a_failure_speaks_human_first_and_then_raw(target: HttpTarget, tmp_path: Path) -> None:
    target.mood = Mood.REFUSING
    told = check(tmp_path, target.url)
    assert told.returncode == 1
    first, second, *_ = told.stdout.splitlines()
    assert first == f"{target.url} is down: nobody listens there, the connection was refused"
    assert second.split() == ["reason", "connect_refused:", *f"connection refused by 127.0.0.1:{target.port}".split()]


def test_an_unexpected_status_is_a_failure_unless_it_is_expected(target: HttpTarget, tmp_path: Path) -> None:
    target.routes["/"] = http_answer(404)
    assert check(tmp_path, target.url).returncode == 1
    assert check(tmp_path, target.url, "--expect-status", "200,404").returncode == 0
    assert check(tmp_path, target.url, "--expect-status", "4xx").returncode == 0
    assert "got 404, expected 500-503" in check(tmp_path, target.url, "--expect-status", "500-503").stdout


def test_a_silent_target_costs_the_timeout_and_no_more(target: HttpTarget, tmp_path: Path) -> None:
    target.mood = Mood.SILENT
    forks.stem()
    begun = time.monotonic()
    told = check(tmp_path, target.url, "--timeout", "0.5")
    assert time.monotonic() - begun < 8
    assert told.returncode == 1
    assert "it did not answer in time" in told.stdout


def test_the_days_of_a_certificate_are_told(authority: trustme.CA, tmp_path: Path) -> None:
    with lasting(authority, 60.5) as target:
        told = check(tmp_path, target.url)
    assert told.returncode == 0
    assert re.search(r"certificate +60 days left, until \d{4}-\d\d-\d\d", told.stdout)
    assert [line.split()[0] for line in told.stdout.splitlines()][-3:] == ["TLS", "wait", "transfer"]


def test_a_certificate_that_ends_soon_is_up_and_a_warning(authority: trustme.CA, tmp_path: Path) -> None:
    with lasting(authority, 9.5) as target:
        told = check(tmp_path, target.url)
        plugin = check(tmp_path, target.url, "--nagios")
    assert told.returncode == 0
    assert told.stdout.splitlines()[0].endswith(", but its certificate ends in 9 days")
    assert plugin.returncode == 1
    assert plugin.stdout.startswith("STATUSPULSE WARNING - ")
    assert "tls_days_left=9;14:;0:" in plugin.stdout


def test_an_expired_certificate_says_since_when(authority: trustme.CA, tmp_path: Path) -> None:
    expired = authority.issue_cert(
        "127.0.0.1", not_before=datetime(2020, 1, 1, tzinfo=UTC), not_after=datetime.now(UTC) - timedelta(days=2.5)
    )
    with secure(expired) as target:
        told = check(tmp_path, target.url)
    assert told.returncode == 1
    assert told.stdout.splitlines()[0] == f"{target.url} is down: its TLS certificate expired 3 days ago"


def test_a_port_is_looked_at(tmp_path: Path) -> None:
    with TcpTarget() as port:
        told = check(tmp_path, f"tcp://127.0.0.1:{port.port}")
    assert told.returncode == 0
    assert re.search(r" is up: in \d+\.\d ms$", told.stdout.splitlines()[0])


def test_a_name_is_looked_up(tmp_path: Path) -> None:
    with DnsTarget() as names:
        names.records("shop.example", "MX", "10 mail.shop.example.")
        found = check(tmp_path, f"dns://shop.example?type=mx&resolver={names.address}")
        missing = check(tmp_path, f"dns://nothing.example?resolver={names.address}")
        assert names.asked == ["shop.example. MX", "nothing.example. A"]
    assert (found.returncode, missing.returncode) == (0, 1)


def test_json_has_the_members_of_a_result(target: HttpTarget, tmp_path: Path) -> None:
    told = check(tmp_path, target.url, "--json")
    members = json.loads(told.stdout)
    assert (told.returncode, told.stderr) == (0, "")
    assert (members["object"], members["target"], members["type"]) == ("result", target.url, "http")
    assert (members["ok"], members["status_code"], members["ip"], members["failure"]) == (True, 200, "127.0.0.1", None)
    assert set(members["timings_ms"]) == {"dns", "connect", "tls", "ttfb", "transfer"}
    target.mood = Mood.WRONG
    failed = json.loads(check(tmp_path, target.url, "--json").stdout)
    assert failed["failure"] == {"class": "status_mismatch", "detail": "got 503, expected 2xx"}


def test_several_looks_give_a_line_each_and_a_summary(target: HttpTarget, tmp_path: Path) -> None:
    target.routes["/"] = lambda _arrival: http_answer(200 if len(target.arrivals) != 2 else 500)
    told = check(tmp_path, target.url, "--repeat", "3")
    assert told.returncode == 1
    first, *looks, last = told.stdout.splitlines()
    assert first == target.url
    assert [line.split()[:3] for line in looks] == [["1", "up", "200"], ["2", "down", "500"], ["3", "up", "200"]]
    assert last.startswith("2 of 3 ok; ")
    gaps = [later.at - earlier.at for earlier, later in zip(target.arrivals, target.arrivals[1:], strict=False)]
    assert all(0.9 < gap < 1.5 for gap in gaps)


def test_several_looks_as_json_are_lines(target: HttpTarget, tmp_path: Path) -> None:
    told = check(tmp_path, target.url, "--json", "--repeat", "2")
    assert [json.loads(line)["ok"] for line in told.stdout.splitlines()] == [True, True]


@pytest.mark.parametrize(
    ("mood", "status", "word"), [(Mood.HEALTHY, 0, "OK"), (Mood.WRONG, 2, "CRITICAL"), (Mood.REFUSING, 2, "CRITICAL")]
)
def test_nagios_reads_one_line(target: HttpTarget, tmp_path: Path, mood: Mood, status: int, word: str) -> None:
    target.mood = mood
    told = check(tmp_path, target.url + "/a|b", "--nagios", "--timeout", "5")
    assert (told.returncode, told.stdout.count("\n"), told.stderr) == (status, 1, "")
    text, separator, figures = told.stdout.rstrip("\n").partition(" | ")
    assert text.startswith(f"STATUSPULSE {word} - {target.url}/a/b ")
    assert separator
    assert re.match(r"time=0\.\d{6}s;;;0;5 dns=", figures)
    assert all(re.fullmatch(r"[a-z_]+=[\d.]+(s|B)?;[^ ]*", figure) for figure in figures.split(" "))


def test_a_target_that_fails_now_and_then_is_a_warning(target: HttpTarget, tmp_path: Path) -> None:
    target.routes["/"] = lambda _arrival: http_answer(200 if len(target.arrivals) != 1 else 500)
    told = check(tmp_path, target.url, "--nagios", "--repeat", "2")
    assert told.returncode == 1
    assert "WARNING" in told.stdout
    assert "1 of 2 ok, it answered, but not as expected" in told.stdout


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([Verdict.OK], 0),
        ([Verdict.FAILED], 1),
        ([Verdict.VOID], 3),
        ([Verdict.OK, Verdict.OK], 0),
        ([Verdict.OK, Verdict.FAILED], 1),
        ([Verdict.FAILED, Verdict.VOID], 1),
        ([Verdict.OK, Verdict.VOID], 3),
    ],
)
def test_several_looks_are_a_yes_only_when_all_are(verdicts: list[Verdict], status: int) -> None:
    assert status_of(verdicts) == status


def test_the_address_policy_of_the_host_applies(target: HttpTarget, tmp_path: Path) -> None:
    denied = {"STATUSPULSE_PROBE_DENY": "loopback"}
    told = check(tmp_path, target.url, **denied)
    assert told.returncode == 3
    assert " is unknown: the address policy of this host forbids" in told.stdout
    assert check(tmp_path, target.url, "--nagios", **denied).returncode == 3
    assert check(tmp_path, target.url, "--json", **denied).returncode == 3
    assert check(tmp_path, "http://169.254.169.254/").returncode == 3
    assert target.connections == 0


def test_a_redirect_to_what_the_policy_forbids_is_named(target: HttpTarget, tmp_path: Path) -> None:
    target.routes["/"] = http_answer(302, b"", "Location: http://169.254.169.254/latest?key=s3cr3t")
    told = check(tmp_path, target.url)
    assert told.returncode == 3
    assert "redirect 1 leads to http://169.254.169.254, and the address policy denies metadata addresses" in told.stdout
    assert "s3cr3t" not in told.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["example.com"],
        ["ftp://example.com"],
        ["tcp://example.com"],
        ["https://user:secret@example.com/"],
        ["http://127.0.0.1", "--expect-status", "twice"],
        ["tcp://127.0.0.1:1", "--expect-status", "200"],
        ["http://127.0.0.1", "--timeout", "0"],
        ["http://127.0.0.1", "--repeat", "0"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_status_two(words: list[str], tmp_path: Path) -> None:
    told = check(tmp_path, *words)
    assert (told.returncode, told.stdout) == (2, "")
    assert "Traceback" not in told.stderr
    assert "secret" not in told.stderr


def test_a_wrong_setting_is_status_two_and_unknown_to_nagios(target: HttpTarget, tmp_path: Path) -> None:
    wrong = {"STATUSPULSE_PROBE_DENY": "everything"}
    assert check(tmp_path, target.url, **wrong).returncode == 2
    plugin = check(tmp_path, target.url, "--nagios", **wrong)
    assert (plugin.returncode, plugin.stdout.startswith("STATUSPULSE UNKNOWN - ")) == (3, True)


def test_a_bare_name_is_answered_with_what_may_be_meant(tmp_path: Path) -> None:
    assert "perhaps https://example.com is meant" in check(tmp_path, "example.com").stderr


@pytest.mark.parametrize("target", ["tcp://[", "tcp://[::1", "dns://["])
def test_a_target_that_cannot_be_read_is_told_with_the_cure(tmp_path: Path, target: str) -> None:
    assert "the target cannot be read; write https://example.com" in check(tmp_path, target).stderr


@pytest.mark.parametrize(
    ("more", "is_colourful"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb", "NO_COLOR": "1"}, False)]
)
def test_colour_is_for_terminals_that_want_it(
    target: HttpTarget, tmp_path: Path, more: dict[str, str], *, is_colourful: bool
) -> None:
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, "check", target.url], stdout=theirs, cwd=tmp_path, env=environment(tmp_path, **more)
        )
        assert process.wait(20) == 0
        told = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "200 in" in told
    assert (ESCAPE in told) is is_colourful


@pytest.mark.parametrize("kind", ["tcp", "dns"])
def test_the_first_look_costs_little_more_than_what_it_stands_on(kind: str, tmp_path: Path) -> None:
    """In the processes' own time, from start to end: what others do on this machine is no business of ours."""
    spent, stands_on = [], []
    with TcpTarget() as port, DnsTarget() as names:
        name = f"dns://shop.example?resolver={names.address}"
        for _ in range(3):
            before = _children_seconds()
            words = ["check", f"tcp://127.0.0.1:{port.port}" if kind == "tcp" else name]
            subprocess.run(
                [*PROGRAM, *words], cwd=tmp_path, env=environment(tmp_path), capture_output=True, check=False
            )
            spent.append(_children_seconds() - before)
            before = _children_seconds()
            subprocess.run([sys.executable, "-c", "import asyncio, click, msgspec, pycurl, ssl, structlog"], check=True)
            stands_on.append(_children_seconds() - before)
        assert port.arrivals or names.arrivals
    assert 0 < min(spent) < 4 * min(stands_on)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_neither_server_nor_database_is_imported(target: HttpTarget, tmp_path: Path) -> None:
    script = f"""
import sys
from statuspulse.cli.main import main
try:
    main(["check", {target.url!r}, "--json"])
except SystemExit as ended:
    assert ended.code == 0
loaded = {{name.partition(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"fastapi", "starlette", "sqlalchemy", "alembic", "pydantic", "uvicorn", "cryptography"}}))
"""
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert told.stdout.splitlines()[-1] == "[]"


def test_every_failure_class_has_its_words() -> None:
    assert set(_WORDS) == set(FailureClass)


def test_targets_are_read_from_one_word() -> None:
    web = target_of("https://shop.example/health?a=b", "200,3xx")
    assert web.spec == HttpSpec(url="https://shop.example/health?a=b", expected_status=((200, 200), (300, 399)))
    port = target_of("tcp://[::1]:5432", None)
    assert (port.type, port.spec) == (MonitorType.TCP, TcpSpec(host="::1", port=5432))
    name = target_of("DNS://shop.example?type=txt&resolver=[::1]:5353", None)
    assert name.spec == DnsSpec(host="shop.example", record_type=RecordType.TXT, resolver="[::1]:5353")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://",
        "tcp://:80",
        "tcp://a:99999",
        "tcp://a:80/path",
        "tcp://a b:80",
        "dns://",
        "dns://a?type=XX",
        "dns://a?resolver=ns.example",
        "dns://a?typ=A",
        "dns://a:53",
        "dns://a/path",
    ],
)
def test_what_names_no_target_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(TargetError):
        target_of(text, None)


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("a..example", "part 2 of the host name is empty: a dot too many"),
        (".example", "part 1 of the host name is empty: a dot too many"),
        (f"www.{'a' * 64}.example", "part 2 of the host name has 64 characters; it may have 63"),
        (".".join(["a" * 60] * 5), "the host name has 304 characters; it may have 253"),
        ("a b.example", "the host name holds a space"),
        ("a!b.example", "the host name holds a character that no name has"),
        ("a-.example", "the host holds a part that begins or ends with a hyphen"),
        ("xn--a.example", "the host holds a part that begins with xn-- and encodes no name"),
        ("a.example:0", "the port has to be between 1 and 65535"),
        ("a.example:70000", "the port has to be between 1 and 65535"),
        ("a.example:x", "the port has to be between 1 and 65535"),
        ("256.1.1.1", "a part of the address is too large"),
        ("[fe80::1%25eth0]:1", "the host holds a zone"),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "tcp"])
def test_a_host_that_cannot_be_there_is_refused_with_its_part(scheme: str, host: str, fault: str) -> None:
    port = "" if scheme == "http" or host.count(":") else ":80"
    with pytest.raises(TargetError, match=re.escape(fault)):
        target_of(f"{scheme}://{host}{port}", None)


def test_a_host_that_cannot_be_there_is_wrong_usage_in_every_form() -> None:
    plain = CliRunner().invoke(main, ["check", "https://a..example/"])
    assert (plain.exit_code, plain.stdout) == (2, "")
    assert plain.stderr == "statuspulse: part 2 of the host name is empty: a dot too many\n"
    assert CliRunner().invoke(main, ["check", "--json", "https://a..example/"]).exit_code == 2


@pytest.mark.parametrize("host", ["_sip.example", "a--b.example", "xn--bcher-kva.example", "a.example.", "127.1"])
def test_a_host_that_may_be_there_is_taken(host: str) -> None:
    assert target_of(f"https://{host}/", None).address == f"https://{host}/"
    assert target_of(f"tcp://{host}:80", None).type is MonitorType.TCP
    assert target_of(f"dns://{host}", None).type is MonitorType.DNS


@pytest.mark.parametrize(
    "words",
    [
        ["--timeout", "nan", "https://shop.example"],
        ["--timeout", "99", "https://shop.example"],
        ["--json", "https://shop.example"],
        ["--unknown", "https://shop.example"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_unknown_to_nagios_and_told_on_standard_output(words: list[str]) -> None:
    ended = CliRunner().invoke(main, ["check", "--nagios", *words])
    assert (ended.exit_code, ended.stderr) == (3, "")
    assert re.fullmatch(r"STATUSPULSE UNKNOWN - [^|\n]+\n", ended.stdout)


@pytest.mark.parametrize("seconds", ["nan", "99", "inf", "0", "soon"])
def test_a_timeout_that_is_none_is_wrong_usage(seconds: str) -> None:
    ended = CliRunner().invoke(main, ["check", "--timeout", seconds, "https://shop.example"])
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1].startswith("Error: Invalid value for '--timeout':")


def test_kinds_that_need_a_monitor_say_so() -> None:
    with pytest.raises(TargetError, match="icmp needs a monitor: POST /v1/monitors/test"):
        target_of("icmp://shop.example", None)
