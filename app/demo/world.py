"""`demo load`: the whole world, from an empty database to today, with a progress bar.

It is refused where there is anything else: a demo never stands beside real data. One that was interrupted is
cleared away and built anew.
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
import time
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Barrier

import click
import sqlalchemy as sa
import structlog

from app.accounts import queries as accounts
from app.accounts.models import Tenant
from app.clock import utcnow
from app.config import Settings
from app.db import migrate
from app.db.session import Database
from app.demo import lockers, setup
from app.demo.days import Days
from app.demo.feed import Feed, MovableClock
from app.demo.network_plan import NetworkPlan, plan_network
from app.demo.network_sites import HUBS
from app.demo.parcels import SHIPPERS, Parcel, first_midnight, plan_parcels
from app.demo.people import People
from app.demo.rides import Rides
from app.demo.setup import HUB_CODE, Company
from app.factory import create_app

REFUSED = 2
_STORYTELLERS = 2
_PROGRESS_S = 0.5
_WITH_BAGS_FOR, _CARELESS_FOR = timedelta(days=2), timedelta(hours=20)


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
    hasty = settings.model_copy(update={"database_url": _without_waiting(settings.database_url)})
    _build(hasty, database, seed=seed, parcels=parcels, days=days)
    click.echo(
        f"The demo world stands: {parcels} parcels over {days} days, in {time.monotonic() - began:.0f} s."
    )
    database.dispose()
    return 0


def _without_waiting(url: str) -> str:
    """A database's address by which a commit does not wait for the disk.

    The commits reach it in their order a moment later, so what a crash leaves is a beginning of the demo,
    which is not marked as ready and is built anew.
    """
    address = sa.make_url(url)
    given = [address.query["options"]] if "options" in address.query else []
    options = " ".join(map(str, [*given, "-csynchronous_commit=off"]))
    return address.update_query_dict({"options": options}).render_as_string(hide_password=False)


def _interrupted(tenants: Sequence[Tenant]) -> bool:
    return len(tenants) == 1 and tenants[0].is_demo and tenants[0].ready_at is None


def _clear(database: Database) -> None:
    """Empty a database that holds nothing but an unfinished demo."""
    with database.unit_of_work(None) as session:
        session.execute(sa.text("DROP SCHEMA public CASCADE"))
        session.execute(sa.text("CREATE SCHEMA public"))
    migrate.upgrade(database.url)


@dataclass(frozen=True, slots=True)
class _Script:
    """What every storyteller must know."""

    settings: Settings
    seed: int
    parcels: int
    start: datetime
    end: datetime

    def bookings(self, people: People, plan: NetworkPlan) -> list[Parcel]:
        """The same bookings for whoever asks."""
        return plan_parcels(
            plan.facilities, people, seed=self.seed, count=self.parcels, start=self.start, end=self.end
        )


def _build(settings: Settings, database: Database, *, seed: int, parcels: int, days: int) -> None:
    end = utcnow().replace(microsecond=0)
    start = first_midnight(end, days)
    script = _Script(settings, seed, parcels, start, end)
    people = People(seed)
    plan = plan_network(seed)
    bookings = script.bookings(people, plan)
    if missing := {shipper.sender for shipper in SHIPPERS} - {parcel.sender for parcel in bookings}:
        raise click.ClickException(
            f"{parcels} parcels are too few: none of them is of the shipper {min(missing)}; ask for more"
        )
    tenant_id = setup.make_tenant(database, start)
    with database.unit_of_work(tenant_id) as session:
        company = setup.set_up(session, tenant_id, plan, bookings, people, start)
        lockers.equip(session, company.staff["admin"], start)
    _tell(script, company, len(bookings))
    with database.unit_of_work(None) as session:
        session.get_one(Tenant, tenant_id).ready_at = utcnow()


def _tell(script: _Script, company: Company, total: int) -> None:
    """Two storytellers, each with every other parcel, keep both the services and the database at work."""
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(_STORYTELLERS)
    booked = spawn.Array("l", _STORYTELLERS)
    tellers = [
        spawn.Process(target=_tell_part, args=(script, company, number, barrier, booked), daemon=True)
        for number in range(_STORYTELLERS)
    ]
    for teller in tellers:
        teller.start()
    with click.progressbar(
        length=total, label="Building the demo world", file=sys.stderr, show_pos=True
    ) as bar:
        while any(teller.is_alive() for teller in tellers):
            tellers[0].join(_PROGRESS_S)
            bar.update(sum(booked[:]) - bar.pos)
    if any(teller.exitcode for teller in tellers):
        raise click.ClickException("the demo world could not be built; what failed stands above")


def _tell_part(
    script: _Script, company: Company, number: int, barrier: Barrier, booked: MutableSequence[int]
) -> None:
    _quiet_logs()
    clock = MovableClock(script.start)
    app = create_app(script.settings, clock=clock)
    parcels = script.bookings(People(script.seed), plan_network(script.seed))
    codes = {facility_id: code for code, facility_id in company.facilities.items()}
    database = Database(script.settings.database_url, pool_size=2)
    world = Days(
        script.settings,
        database,
        Feed(database, app.test_client(), clock, company, codes),
        script.seed,
        _rides(script, company, number),
        locker_stays_since=script.end - lockers.KEPT_FOR,
        storyteller=number,
        in_step=barrier.wait,
    )

    def progress(count: int) -> None:
        booked[number] = count

    try:
        world.run(parcels[number::_STORYTELLERS], script.start, script.end, progress)
    except BaseException:
        barrier.abort()  # the other would wait for ever
        raise


def _rides(script: _Script, company: Company, number: int) -> Rides:
    """Of the last days, line-hauls between hubs that touch the one whose dock the demo's login works at."""
    return Rides(
        between=[company.facilities[site.code] for site in HUBS],
        at=company.facilities[HUB_CODE],
        since=script.end - _WITH_BAGS_FOR,
        careless_since=script.end - _CARELESS_FOR,
        part=(number, _STORYTELLERS),
        seed=script.seed,
    )


def _quiet_logs() -> None:
    """Requests of the demo are not worth a log line each; warnings are."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
