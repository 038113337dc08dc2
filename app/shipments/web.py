"""Pages of the shipments room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("shipments", __name__, enable_openapi=False)
