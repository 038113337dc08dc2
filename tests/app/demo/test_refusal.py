"""A demo never stands beside real data: where a tenant is, nothing is built and nothing is touched."""

from __future__ import annotations

import sqlalchemy as sa

from app.accounts.models import Tenant
from app.config import Settings
from app.db.session import Database
from app.demo import world
from tests.support.app import Logins


def test_the_demo_is_refused_where_another_tenant_is(
    tenant: Logins, settings: Settings, database: Database
) -> None:
    sizes = {"seed": 42, "parcels": 1, "days": 2}
    assert world.load(settings, **sizes, if_empty=False) == world.REFUSED
    assert world.load(settings, **sizes, if_empty=True) == 0
    with database.unit_of_work(None) as session:
        assert session.scalars(sa.select(Tenant.id)).all() == [tenant.tenant_id]
