"""The machine's door to the dispatch room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("dispatch_api", __name__, url_prefix="/api/v1", tag="Dispatch")
