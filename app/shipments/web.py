"""Pages of the shipments room: public tracking, the staff's and shippers' pages, the scan station."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from app.network.labels import facility_name
from app.shipments import forwarding_pages, promise_pages, public_pages, staff_pages, station_pages
from app.shipments.words import CODES, HANDOVERS, MILESTONES, MODES, PROOFS, RESULTS, SERVICES

blueprint = APIBlueprint("shipments", __name__, enable_openapi=False)
public_pages.register(blueprint)
staff_pages.register(blueprint)
station_pages.register(blueprint)
promise_pages.register(blueprint)
forwarding_pages.register(blueprint)


@blueprint.context_processor
def _words() -> dict[str, Any]:
    """What the room's templates call things."""
    return {
        "milestone": MILESTONES.__getitem__,
        "handover": HANDOVERS.__getitem__,
        "service_word": SERVICES.__getitem__,
        "mode_word": MODES.__getitem__,
        "proof_word": PROOFS.__getitem__,
        "result_word": RESULTS.__getitem__,
        "code_word": CODES.__getitem__,
        "facility_name": facility_name,
    }
