"""Pages of the servicedesk room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("servicedesk", __name__, enable_openapi=False)
