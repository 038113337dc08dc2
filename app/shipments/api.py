"""The machine's door to the shipments room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("shipments_api", __name__, url_prefix="/api/v1", tag="Shipments")
