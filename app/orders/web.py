"""Pages of the orders room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("orders", __name__, enable_openapi=False)
