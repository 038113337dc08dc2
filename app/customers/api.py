"""The machine's door to the customers room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("customers_api", __name__, url_prefix="/api/v1", tag="Customers")
