"""`demo load`: the whole world, from an empty database to today, with a progress bar.

It is refused where there is anything else: a demo never stands beside real data. One that was interrupted is
cleared away and built anew.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import click
import sqlalchemy as sa
import structlog

from app.accounts import queries as accounts
from app.accounts.models import Tenant
from app.clock import utcnow
from app.config import Settings
from app.db import migrate
from app.db.session import Database
from app.demo import setup
from app.demo.days import Days, MovableClock
from app.demo.network_plan import plan_network
from app.demo.parcels import CHINA, plan_parcels
from app.demo.people import People
from app.factory import create_app

REFUSED = 2


def load(settings: Settings, *, seed: int, parcels: int, days: int, if_empty: bool) -> int:
    """Build the world up to the present moment; gives the exit code.

    Args:
        settings: of the database to fill.
        seed: the same seed gives the same world, moved to the days before today.
        parcels: how many are booked.
        days: how many days it covers, today included.
        if_empty: whether a database with a tenant is left alone (0) instead of refused (2).
    """
    database = Database(settings.database_url, pool_size=2)
    with database.unit_of_work(None) as session:
        tenants = accounts.tenants(session)
    if tenants and not _interrupted(tenants):
        if if_empty:
            return 0
        click.echo("There is data already; a demo world is built in an empty database only.", err=True)
        return REFUSED
    if tenants:
        click.echo("The last demo world was interrupted; building it anew.", err=True)
        _clear(database)
    _quiet_logs()
    began = time.monotonic()
    _build(settings, database, seed=seed, parcels=parcels, days=days)
    click.echo(
        f"The demo world stands: {parcels} parcels over {days} days, in {time.monotonic() - began:.0f} s."
    )
    database.dispose()
    return 0


def _interrupted(tenants: Sequence[Tenant]) -> bool:
    return len(tenants) == 1 and tenants[0].is_demo and tenants[0].ready_at is None


def _clear(database: Database) -> None:
    """Empty a database that holds nothing but an unfinished demo."""
    with database.unit_of_work(None) as session:
        session.execute(sa.text("DROP SCHEMA public CASCADE"))
        session.execute(sa.text("CREATE SCHEMA public"))
    migrate.upgrade(database.url)


def _build(settings: Settings, database: Database, *, seed: int, parcels: int, days: int) -> None:
    end = utcnow().replace(microsecond=0)
    first_day = end.astimezone(CHINA).date() - timedelta(days=days - 1)
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=CHINA)
    people = People(seed)
    plan = plan_network(seed)
    bookings = plan_parcels(plan.facilities, people, seed=seed, count=parcels, start=start, end=end)
    clock = MovableClock(start)
    app = create_app(settings, clock=clock)
    tenant_id = setup.make_tenant(database, start)
    with database.unit_of_work(tenant_id) as session:
        company = setup.set_up(session, tenant_id, plan, bookings, people, start)
    codes = {facility_id: code for code, facility_id in company.facilities.items()}
    world = Days(settings, database, app.test_client(), clock, company, seed, codes)
    with click.progressbar(
        length=len(bookings), label="Building the demo world", file=sys.stderr, show_pos=True
    ) as bar:
        world.run(bookings, start, end, lambda booked: bar.update(booked - bar.pos))
    with database.unit_of_work(None) as session:
        session.get_one(Tenant, tenant_id).ready_at = utcnow()


def _quiet_logs() -> None:
    """Requests of the demo are not worth a log line each; warnings are."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
