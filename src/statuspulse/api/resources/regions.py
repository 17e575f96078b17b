"""Regions, read only: a region comes with its first probe and goes with its last."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import Response

from statuspulse.api.answers.probe import RegionList
from statuspulse.api.dependencies import CallOf
from statuspulse.api.documents.probe import region_document
from statuspulse.api.examples import probe as examples
from statuspulse.api.operation import Operation
from statuspulse.api.paging import ListQuery, Page, page_answer, place_of
from statuspulse.api.route import CheckedRoute
from statuspulse.storage import probes

router = APIRouter(route_class=CheckedRoute, tags=["Regions and probes"])

LIST = Operation(
    id="listRegions",
    summary="List regions",
    scope="monitors:read",
    answer=RegionList,
    examples={"one": examples.REGION_LIST},
)


@router.get("/regions", **LIST.keywords)
async def list_regions(call: CallOf, query: Annotated[ListQuery, Query()]) -> Response:
    after, now = place_of(call, query), call.services.parts.now()

    def read(connection: Connection) -> Page:
        found = probes.regions_page(connection, after=after, descending=query.order != "asc", limit=query.limit + 1)
        shown = found[: query.limit]
        return Page(
            data=[
                region_document(call.services, region, probes.of_region(connection, region.key), now)
                for region in shown
            ],
            next_place=(shown[-1].created_at, shown[-1].slug) if len(found) > query.limit else None,
            total=len(probes.region_slugs(connection)) if query.include else None,
        )

    return page_answer(call, query, await call.database.glance(read), "region", "regions")
