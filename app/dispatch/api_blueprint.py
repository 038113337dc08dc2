"""The blueprint of the dispatch room's door for machines, for the files that hang their routes on it."""

from __future__ import annotations

from apiflask import APIBlueprint

blueprint = APIBlueprint("dispatch_api", __name__, url_prefix="/api/v1", tag="Dispatch")
