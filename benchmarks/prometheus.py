"""The same work by Prometheus and its blackbox exporter, where they are installed, in the same minutes."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from benchmarks import load
from benchmarks.certificate import certificate
from benchmarks.load import Load, micros, ratio
from benchmarks.monitors import http_monitors
from benchmarks.options import Options
from benchmarks.processes import cpu_seconds, resident_bytes, running
from benchmarks.report import Figure, Report
from benchmarks.server import temporary_folder
from benchmarks.target import target

_TITLE = "Prometheus and its blackbox exporter"
_PROMETHEUS = "prometheus"
_BLACKBOX = "prometheus-blackbox-exporter"
_MOST_OF_HTTP = 0.2
_MOST_OF_HTTPS = 0.5
_PATIENCE_SECONDS = 30
_LOOK_SECONDS = 0.1
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class _Programs:
    prometheus: str
    blackbox: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Theirs:
    """What the two processes did in the time that was measured: `done` probes, of them `ok`."""

    done: int
    ok: int
    cpu_seconds: float
    resident: int

    @property
    def cpu_us(self) -> float:
        return micros(self.cpu_seconds, self.done)


def run(options: Options) -> Report:
    """Theirs and ours one after the other, over HTTP and over HTTPS, at the same rate against the same target.

    The rates are those that theirs can keep up beside a target on two cores.
    """
    programs = _installed(options.prometheus_bin)
    if programs is None:
        remark = f"{_PROMETHEUS} and {_BLACKBOX} are not installed: left out"
        return Report(name="prometheus", title=_TITLE, figures=[], remarks=[remark])
    http_rate, https_rate = max(1, options.rate // 2), max(1, options.rate // 4)
    with temporary_folder() as folder:
        made = certificate(folder)
        with target() as urls:
            http = _compared(programs, urls, http_rate, options, None)
        with target(made) as urls:
            https = _compared(programs, urls, https_rate, options, made.trusted)
    return Report(
        name="prometheus",
        title=f"{_TITLE}: {http_rate:,} targets over HTTP, {https_rate:,} over HTTPS, for {options.seconds} s",
        figures=[*_figures("http", "HTTP", *http, _MOST_OF_HTTP), *_figures("https", "HTTPS", *https, _MOST_OF_HTTPS)],
    )


def _installed(folder: Path | None) -> _Programs | None:
    path = None if folder is None else str(folder.resolve())
    prometheus, blackbox = shutil.which(_PROMETHEUS, path=path), shutil.which(_BLACKBOX, path=path)
    return None if prometheus is None or blackbox is None else _Programs(prometheus, blackbox)


def _compared(
    programs: _Programs, urls: Sequence[str], rate: int, options: Options, trusted: Path | None
) -> tuple[Load, _Theirs]:
    monitors = http_monitors(urls, rate)
    with temporary_folder() as folder:
        theirs = _theirs(programs, folder, [monitor["url"] for monitor in monitors], options, trusted)
    return load.measured(monitors, options, trusted=trusted), theirs


def _theirs(programs: _Programs, folder: Path, urls: Sequence[str], options: Options, trusted: Path | None) -> _Theirs:
    with _pair(programs, folder, urls, trusted) as (address, pids):
        time.sleep(options.warm_up)
        before = sum(map(cpu_seconds, pids))
        time.sleep(options.seconds)
        spent, at = sum(map(cpu_seconds, pids)) - before, time.time()
        resident = sum(map(resident_bytes, pids))
        time.sleep(1)  # what was scraped last is in the store by then
        span = f"probe_success[{options.seconds}s]"
        done, ok = (_asked(address, f"sum({how}_over_time({span}))", at) for how in ("count", "sum"))
    return _Theirs(done=done, ok=ok, cpu_seconds=spent, resident=resident)


@contextlib.contextmanager
def _pair(
    programs: _Programs, folder: Path, urls: Sequence[str], trusted: Path | None
) -> Iterator[tuple[str, list[int]]]:
    """Both at work; the address of Prometheus, and the two processes."""
    prometheus, blackbox = _free_addresses()
    modules, scrapes = folder / "blackbox.json", folder / "prometheus.json"
    modules.write_text(json.dumps(_modules(trusted)))
    scrapes.write_text(json.dumps(_scrapes(urls, blackbox)))
    commands = (
        [programs.blackbox, f"--config.file={modules}", f"--web.listen-address={blackbox}"],
        [
            programs.prometheus,
            f"--config.file={scrapes}",
            f"--web.listen-address={prometheus}",
            f"--storage.tsdb.path={folder / 'series'}",
        ],
    )
    with (folder / "log").open("w") as errors, contextlib.ExitStack() as stack:
        pids = [stack.enter_context(running(command, folder=folder, errors=errors)).pid for command in commands]
        _await_answer(blackbox, "/-/healthy")
        _await_answer(prometheus, "/-/ready")
        yield prometheus, pids


def _modules(trusted: Path | None) -> dict[str, object]:
    """The module http_2xx as it is shipped, with our authority behind https."""
    http = {} if trusted is None else {"http": {"tls_config": {"ca_file": str(trusted)}}}
    return {"modules": {"http_2xx": {"prober": "http", **http}}}


def _scrapes(urls: Sequence[str], blackbox: str) -> dict[str, object]:
    """What the documentation of the exporter gives for Prometheus, with the interval of our monitors."""
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {
                "job_name": "blackbox",
                "metrics_path": "/probe",
                "params": {"module": ["http_2xx"]},
                "static_configs": [{"targets": list(urls)}],
                "relabel_configs": [
                    {"source_labels": ["__address__"], "target_label": "__param_target"},
                    {"source_labels": ["__param_target"], "target_label": "instance"},
                    {"target_label": "__address__", "replacement": blackbox},
                ],
            }
        ],
    }


def _free_addresses() -> list[str]:
    """Two addresses of loopback where nobody listens now."""
    with contextlib.ExitStack() as stack:
        tried = [stack.enter_context(socket.socket()) for _ in range(2)]
        for sock in tried:
            sock.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{sock.getsockname()[1]}" for sock in tried]


def _await_answer(address: str, path: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not _answers(address, path):
        if time.monotonic() > until:
            raise TimeoutError(f"http://{address}{path} was not answered within {_PATIENCE_SECONDS} s")
        time.sleep(_LOOK_SECONDS)


def _answers(address: str, path: str) -> bool:
    try:
        return _get(address, path)[0] == 200
    except ConnectionError:
        return False


def _asked(address: str, query: str, at: float) -> int:
    """The one number that a query finds; 0 if it finds none."""
    status, body = _get(address, f"/api/v1/query?query={quote(query)}&time={at:.3f}")
    if status != 200:
        raise RuntimeError(f"Prometheus did not answer {query}: {body.decode()}")
    found = json.loads(body)["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def _get(address: str, path: str) -> tuple[int, bytes]:
    with contextlib.closing(HTTPConnection(address, timeout=_PATIENCE_SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()


def _figures(name: str, told: str, ours: Load, theirs: _Theirs, most: float) -> list[Figure]:
    return [
        Figure(
            name=f"{name}_ratio",
            told=f"{told}: CPU of all processes per check, to theirs",
            value=ratio(ours.cpu_us, theirs.cpu_us),
            unit="×",
            digits=2,
            bound=most,
        ),
        Figure(name=f"{name}_cpu_us", told="  CPU per check, ours", value=ours.cpu_us, unit="µs"),
        Figure(name=f"{name}_their_cpu_us", told="  CPU per check, theirs", value=theirs.cpu_us, unit="µs"),
        Figure(name=f"{name}_checks", told="  checks done, ours", value=ours.checks),
        Figure(name=f"{name}_their_checks", told="  checks done, theirs", value=theirs.done),
        Figure(name=f"{name}_not_ok", told="  of them not ok, ours", value=ours.not_ok),
        Figure(name=f"{name}_their_not_ok", told="  of them not ok, theirs", value=theirs.done - theirs.ok),
        Figure(name=f"{name}_mib", told="  memory (RSS), ours", value=ours.window.resident / _MIB, unit="MiB"),
        Figure(name=f"{name}_their_mib", told="  memory (RSS), theirs", value=theirs.resident / _MIB, unit="MiB"),
    ]
