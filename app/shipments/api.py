"""The machine's door to the shipments room: shipments, scans, public tracking."""

from app.shipments import (
    api_forwardings,
    api_links,
    api_pieces,
    api_promises,
    api_scans,
    api_shipments,
    api_track,
)
from app.shipments.api_blueprint import blueprint

__all__ = [
    "api_forwardings",
    "api_links",
    "api_pieces",
    "api_promises",
    "api_scans",
    "api_shipments",
    "api_track",
    "blueprint",
]
