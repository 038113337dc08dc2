"""The machine's door to the ledger room."""

from apiflask import APIBlueprint

blueprint = APIBlueprint("ledger_api", __name__, url_prefix="/api/v1", tag="Ledger")
