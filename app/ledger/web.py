"""Pages of the ledger room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("ledger", __name__, enable_openapi=False)
