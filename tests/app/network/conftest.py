"""The module's small world."""

from __future__ import annotations

import pytest

from app.db.session import Database
from tests.support.app import Logins, StepClock
from tests.support.world import World, small_world


@pytest.fixture(scope="module")
def world(tenant: Logins, database: Database, clock: StepClock) -> World:
    with database.unit_of_work(tenant.tenant_id) as session:
        return small_world(session, now=clock())
