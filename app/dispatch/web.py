"""Pages of the dispatch room: the board, a stop's places, a courier's round on his phone, the couriers."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.dispatch import (
    area_pages,
    board_pages,
    correction_pages,
    courier_pages,
    edit_pages,
    pickup_pages,
    plan_pages,
    roster_pages,
    run_pages,
    stop_pages,
)
from app.dispatch.help_words import help_text
from app.dispatch.problem import COST_CURRENCY
from app.dispatch.words import (
    KINDS,
    PLAN_STATUSES,
    STOP_STATUSES,
    VEHICLE_CLASSES,
    clock,
    money_change,
    reason_text,
)

blueprint = APIBlueprint("dispatch", __name__, enable_openapi=False)
for pages in (
    board_pages,
    pickup_pages,
    plan_pages,
    edit_pages,
    stop_pages,
    run_pages,
    correction_pages,
    courier_pages,
    roster_pages,
    area_pages,
):
    pages.register(blueprint)


@blueprint.context_processor
def words() -> dict[str, object]:
    """The room's words for its templates."""
    return {
        "kinds": KINDS,
        "stop_statuses": STOP_STATUSES,
        "vehicle_classes": VEHICLE_CLASSES,
        "plan_statuses": PLAN_STATUSES,
        "clock": clock,
        "cost_currency": COST_CURRENCY,
        "money_change": money_change,
        "help_text": help_text,
        "reason_text": reason_text,
    }
