"""The pages under /docs: rendered once from the OpenAPI document of the running version, then served as bytes."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from statuspulse import __version__
from statuspulse.api.errors import KINDS
from statuspulse.api.headers import none_match
from statuspulse.api.made_once import MadeOnce
from statuspulse.web import error_pages, reference
from statuspulse.web.page import CONTENT_POLICY, Link, Surroundings
from statuspulse.web.schemas import Schemas

_ASSETS = {
    "reference.css": "text/css; charset=utf-8",
    "filter.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_HTML = "text/html; charset=utf-8"
_PAGE_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": CONTENT_POLICY,
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
}
_ASSET_HEADERS = {**_PAGE_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
_TAG_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Leaf:
    """Bytes as they are served, plain and compressed; the two have entity tags of their own."""

    plain: bytes
    packed: bytes
    media_type: str
    tag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Leaf:
        tag = hashlib.sha256(content).hexdigest()[:_TAG_LENGTH]
        return cls(content, gzip.compress(content, mtime=0), media_type, tag)

    def answer(self, request: Request, headers: Mapping[str, str], status: int = 200) -> Response:
        """The content, or 304 to whoever has it."""
        packs = _takes_gzip(request)
        tag = f"{self.tag}-gzip" if packs else self.tag
        told = {**headers, "ETag": f'"{tag}"'}
        if status == 200 and none_match(request, tag):
            return Response(status_code=304, headers=told)
        if packs:
            told["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, status, told, self.media_type)


def add_reference(api: FastAPI, public_url: str) -> None:
    """Adds the pages to the API that they describe. They are made at the first call, off the event loop."""
    document: MadeOnce[bytes] = api.state.openapi

    async def render() -> Mapping[str, Leaf]:
        described = await document.get()
        return await asyncio.to_thread(lambda: rendered(json.loads(described), public_url))

    pages = MadeOnce(render)

    async def page(request: Request) -> Response:
        found = await pages.get()
        path = request.scope["path"]
        if path in found:
            return found[path].answer(request, _PAGE_HEADERS)
        return found[""].answer(request, _PAGE_HEADERS, 404)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if request.path_params["digest"] != digest() or name not in _ASSETS:
            return await page(request)
        return assets()[name].answer(request, _ASSET_HEADERS)

    api.router.routes.extend(
        [
            Route("/docs", page, methods=["GET"]),
            Route("/docs/assets/{digest}/{name}", asset, methods=["GET"]),
            Route("/docs/{rest:path}", page, methods=["GET"]),
        ]
    )


def rendered(document: Mapping[str, Any], public_url: str) -> dict[str, Leaf]:
    """Every page by its path; the page for what is not there under the empty one."""
    sections = reference.sections(document)
    schemas = Schemas(document["components"]["schemas"])
    links = (
        Link("/docs", "Overview"),
        *(Link(section.path, section.name) for section in sections),
        Link(error_pages.PATH, "Errors"),
    )
    around = Surroundings(links=links, version=__version__, assets=f"/docs/assets/{digest()}")
    made = {
        "/docs": around.page("API reference", "/docs", reference.overview(sections, schemas, public_url)),
        error_pages.PATH: around.page("Errors", error_pages.PATH, error_pages.error_list()),
        "": around.page("Not found", "", error_pages.missing_page()),
    }
    for section in sections:
        content = reference.section_page(section, schemas, public_url)
        aside = reference.contents_of(section)
        made[section.path] = around.page(section.name, section.path, content, aside=aside)
    for code in KINDS:
        path = f"{error_pages.PATH}/{code}"
        made[path] = around.page(code, path, error_pages.error_page(code))
    return {path: Leaf.of(content, _HTML) for path, content in made.items()}


@cache
def assets() -> Mapping[str, Leaf]:
    """Style, script and icon by name."""
    folder = files("statuspulse.web") / "assets"
    return {name: Leaf.of((folder / name).read_bytes(), media_type) for name, media_type in _ASSETS.items()}


@cache
def digest() -> str:
    """Stands in the paths of the assets, so that they may be kept for a year."""
    return hashlib.sha256("".join(leaf.tag for leaf in assets().values()).encode()).hexdigest()[:_TAG_LENGTH]


def _takes_gzip(request: Request) -> bool:
    """RFC 9110, 12.5.3, as far as gzip goes."""
    for coding in ",".join(request.headers.getlist("accept-encoding")).lower().split(","):
        name, _, weight = coding.replace(" ", "").partition(";q=")
        if name in {"gzip", "*"}:
            return not weight or weight.rstrip("0.") != ""
    return False
