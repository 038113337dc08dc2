"""The machine's door to the orders room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("orders_api", __name__, url_prefix="/api/v1", tag="Orders")
