"""Pages of the dispatch room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("dispatch", __name__, enable_openapi=False)
