"""Pages of the network room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("network", __name__, enable_openapi=False)
