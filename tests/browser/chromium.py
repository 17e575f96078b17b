"""Chromium without a window, spoken to by the DevTools protocol over a pipe; where the host has none it is fetched."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.peers.debian import fetched, is_debian

_NAMES = ("chromium-headless-shell", "chromium", "google-chrome", "chrome")
_PACKAGES = ("chromium-headless-shell", "fontconfig-config", "fonts-dejavu-core")
_OPTIONS = (
    "--headless",
    "--no-sandbox",  # root has none, and the pages are ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{root}/usr/share/fonts</dir><cachedir>{folder}/fonts</cachedir></fontconfig>
"""
_STARTER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_FREE = 10
_PATIENCE_SECONDS = 30


class BrowserMissingError(Exception):
    """There is no browser and none can be fetched; the text tells the cure."""


@dataclass(slots=True)
class Page:
    """One tab. What the page complains of gathers in `complaints`, also what its policy forbids."""

    browser: Browser
    session: str
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Goes there and waits until everything has been loaded."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        if "loaderId" not in self.call("Page.navigate", url=url):  # the same page, perhaps at another place
            self.call("Page.reload")
        self.browser.until(self.session, "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def scripts(self, *, run: bool) -> None:
        self.call("Emulation.setScriptExecutionDisabled", value=not run)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **parameters)


@dataclass(slots=True)
class Browser:
    """A running browser: commands go out, answers and events come in, each ended by a zero byte."""

    to: int
    back: int
    pages: dict[str, Page] = field(default_factory=dict)
    _sent: int = 0
    _rest: bytes = b""
    _events: list[Mapping[str, Any]] = field(default_factory=list)

    def page(self) -> Page:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self.pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Audits"):
            page.call(f"{domain}.enable")
        return page

    def call(self, method: str, session: str | None = None, /, **parameters: Any) -> dict[str, Any]:
        self._sent += 1
        said: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if session is not None:
            said["sessionId"] = session
        os.write(self.to, json.dumps(said).encode() + b"\0")
        while (told := self._next()).get("id") != self._sent:
            self._events.append(told)
        assert "error" not in told, told
        result: dict[str, Any] = told["result"]
        return result

    def until(self, session: str, method: str) -> None:
        """Waits for an event of a page; one that came before it was waited for counts."""
        for place, event in enumerate(self._events):
            if event.get("method") == method and event.get("sessionId") == session:
                del self._events[: place + 1]
                return
        while True:
            event = self._next()
            if event.get("method") == method and event.get("sessionId") == session:
                self._events.clear()
                return

    def _next(self) -> Mapping[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self.back, 1 << 16)
            assert part, "the browser has ended"
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        self._listen(told)
        return told

    def _listen(self, told: Mapping[str, Any]) -> None:
        page = self.pages.get(told.get("sessionId", ""))
        method, said = told.get("method"), told.get("params", {})
        if page is None:
            return
        if method == "Runtime.exceptionThrown":
            page.complaints.append(json.dumps(said["exceptionDetails"])[:500])
        elif method == "Log.entryAdded" and said["entry"]["level"] in {"error", "warning"}:
            page.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and said["type"] in {"error", "warning", "assert"}:
            page.complaints.append(json.dumps(said["args"])[:500])
        elif method == "Audits.issueAdded":
            page.complaints.append(json.dumps(said["issue"])[:500])


@contextmanager
def running(folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own in the folder. Raises BrowserMissingError or FetchError."""
    program, environment = _program(folder)
    (out_read, out_write), (in_read, in_write) = os.pipe(), os.pipe()
    command = [str(program), *_OPTIONS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    # The protocol is spoken on descriptors 3 and 4, which no redirection of ours may overwrite before they are made.
    read, write = (fcntl.fcntl(fd, fcntl.F_DUPFD, _FREE) for fd in (out_read, in_write))
    shell = [sys.executable, "-I", "-c", _STARTER, str(read), str(write), *command]
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            shell, env=environment, pass_fds=(read, write), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    for fd in (out_read, in_write, read, write):
        os.close(fd)
    try:
        browser = Browser(out_write, in_read)
        yield browser
        browser.call("Browser.close")
        process.wait(_PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(out_write)
        os.close(in_read)


def _program(folder: Path) -> tuple[Path, dict[str, str]]:
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found), {**os.environ, "HOME": str(folder)}
    if not is_debian():
        raise BrowserMissingError("this host has no Chromium; install chromium, or google-chrome")
    root = fetched(_PACKAGES)
    fonts = folder / "fonts.conf"
    fonts.write_text(_FONTS.format(root=root, folder=folder))
    libraries = [*root.glob("usr/lib/*-linux-*"), *root.glob("usr/lib/*-linux-*/pulseaudio")]
    environment = {
        **os.environ,
        "HOME": str(folder),
        "FONTCONFIG_FILE": str(fonts),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
    }
    return root / "usr/lib/chromium/chromium-headless-shell", environment
