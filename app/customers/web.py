"""Pages of the customers room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("customers", __name__, enable_openapi=False)
