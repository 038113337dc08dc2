"""The machine's door to the network room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("network_api", __name__, url_prefix="/api/v1", tag="Network")
