"""Pages of the running day."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.dispatch.day import phone_pages
from app.dispatch.words import clock

blueprint = APIBlueprint("day", __name__, enable_openapi=False)
for pages in (phone_pages,):
    pages.register(blueprint)


@blueprint.context_processor
def words() -> dict[str, object]:
    """The room's words for its templates."""
    return {"clock": clock}
