"""The machine's door to the servicedesk room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("servicedesk_api", __name__, url_prefix="/api/v1", tag="Servicedesk")
