"""The web application's fixtures for the tests of this folder."""

from tests.support.app import app, client, clock, new_tenant, settings, tenant

__all__ = ["app", "client", "clock", "new_tenant", "settings", "tenant"]
