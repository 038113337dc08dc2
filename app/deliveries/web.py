"""Pages of the last door."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from app.deliveries import courier_pages, phone_pages, point_pages, public_pages, staff_pages
from app.deliveries.words import ASKERS, BEARERS, CONSENTS, KINDS, MEANS, REFUSALS, RELATIONS, STANDINGS
from app.network.labels import facility_name
from settlement.money import currency_exponent

blueprint = APIBlueprint("deliveries", __name__, enable_openapi=False)
for pages in (public_pages, staff_pages, courier_pages, phone_pages, point_pages):
    pages.register(blueprint)


@blueprint.app_context_processor
def _door() -> dict[str, Any]:
    """What the courier's round needs of this room: its page is drawn by the room below."""
    return {"relations": RELATIONS, "means": MEANS, "currency_digits": currency_exponent}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    """What the room's templates call things."""
    return {
        "kind_word": KINDS.__getitem__,
        "standing_word": STANDINGS.__getitem__,
        "refusal_word": REFUSALS.__getitem__,
        "asker_word": ASKERS.__getitem__,
        "bearer_word": BEARERS.__getitem__,
        "consent_word": CONSENTS.__getitem__,
        "facility_name": facility_name,
    }
