"""The desk of the shipments' tests: the board shows what happens to parcels."""

from tests.app.shipments.conftest import new_desk

__all__ = ["new_desk"]
