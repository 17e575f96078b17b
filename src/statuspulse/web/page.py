"""The frame of every page: head, navigation, foot. The policy of `content_policy` allows nothing that is not here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statuspulse.api.markup import Child, Html, joined, tag

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a name leads to."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all pages share: the links of the navigation, the version, and where style, script and icon lie."""

    links: Sequence[Link]
    version: str
    assets: str

    def page(self, title: str, here: str, *content: Child, aside: Child = None) -> bytes:
        """A whole page; `here` is its own path, `aside` what stands beside its content."""
        body = joined(
            tag("a", "Skip to the content", href="#content", class_="skip"),
            self._header(here),
            tag("div", tag("main", *content, id="content"), _aside(aside), class_="columns"),
            tag("footer", tag("p", f"StatusPulse {self.version} · ", _to("/v1/openapi.json", "OpenAPI document"))),
        )
        return f"<!doctype html>\n{tag('html', self._head(title), tag('body', body), lang='en')}\n".encode()

    def _head(self, title: str) -> Html:
        return tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", f"{title} · StatusPulse"),
            tag("link", rel="icon", type="image/svg+xml", href=f"{self.assets}/icon.svg"),
            tag("link", rel="stylesheet", href=f"{self.assets}/reference.css"),
            tag("script", type="module", src=f"{self.assets}/filter.js"),
        )

    def _header(self, here: str) -> Html:
        links = (_to(link.path, link.text, is_here=link.path == here) for link in self.links)
        return tag(
            "header",
            tag("p", _to("/docs", "StatusPulse"), class_="brand"),
            tag("nav", tag("ul", *(tag("li", link) for link in links)), aria_label="Reference"),
        )


def _aside(content: Child) -> Html | None:
    return None if content is None else tag("aside", content)


def _to(path: str, text: str, *, is_here: bool = False) -> Html:
    return tag("a", text, href=path, aria_current="page" if is_here else None)
