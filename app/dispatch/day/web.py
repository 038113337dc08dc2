"""Pages of the running day."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.dispatch.day import pages as day_pages
from app.dispatch.day import phone_pages
from app.dispatch.day.words import ACTS, CONFLICTS, LEVELS, MEASURES, STATES
from app.dispatch.words import STOP_STATUSES, clock, money_change
from app.formatting import number
from app.shipments.words import REASONS

blueprint = APIBlueprint("day", __name__, enable_openapi=False)
for pages in (phone_pages, day_pages):
    pages.register(blueprint)


@blueprint.context_processor
def words() -> dict[str, object]:
    """The room's words for its templates."""
    return {
        "clock": clock,
        "money_change": money_change,
        "stop_statuses": STOP_STATUSES,
        "reasons": REASONS,
        "states": STATES,
        "acts": ACTS,
        "conflicts": CONFLICTS,
        "levels": LEVELS,
        "measures": MEASURES,
        "percent_of": percent_of,
    }


def percent_of(factor: float) -> str:
    """A factor or a share as a whole percentage: `118 %`."""
    return f"{number(round(factor * 100))} %"
