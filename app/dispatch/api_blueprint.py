"""The blueprint that the modules of the machine's door hang their views on."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("dispatch_api", __name__, url_prefix="/api/v1", tag="Dispatch")
