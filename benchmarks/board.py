"""How long the dispatcher's board of 3,000 stops and 60 couriers takes to be read, put together and answered.

The page holds every courier's column and strip; the stops of a round are fetched when its column comes into
view. The limit is PostgreSQL giving the same rows once. The peer is the same page with every stop in it, as a
board is first written. Below the table: the bytes of each page, and what is asked for while a stop is held.
"""

from __future__ import annotations

import gzip
import random
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime

import _measure
import pydantic
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.accounts.models import User
from app.accounts.roles import SCOPES, Role
from app.actor import Actor
from app.config import Settings
from app.db.session import Database
from app.demo.logins import PASSWORD
from app.dispatch import board as boards
from app.dispatch import service as dispatch
from app.dispatch.models import Courier, PlanStatus, PlanVisit, StopKind, StopRequest, StopStatus
from app.dispatch.problem import problem_to_solve
from app.dispatch.stored import store
from app.factory import create_app
from app.network.models import Facility
from app.parties import service as parties
from app.parties.models import PartyKind
from routing import pickup
from tests.support.multitude import SECRET, World, company

STOPS, COURIERS = 3_000, 60
LOGIN = "dispatcher"
NOW = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
DAY = date(2026, 3, 2)
_ROWS = (
    "SELECT * FROM plan_visit JOIN stop_request ON stop_request.id = stop_request_id "
    "JOIN shipment ON shipment.id = shipment_id WHERE plan_id = %s"
)


@dataclass(frozen=True, slots=True)
class Day:
    """A planned day of one outlet."""

    facility_id: int
    plan_id: int


def planned_day(world: World, database: Database, stops: int, couriers: int) -> Day:
    """Give one outlet so many stops and couriers, and a draft of their rounds."""
    dice = random.Random(42)
    with database.unit_of_work(world.tenant_id) as session:
        user = session.scalars(sa.select(User).where(User.role == Role.DISPATCHER)).first()
        outlet = session.scalars(
            sa.select(Facility).where(Facility.id.in_(sa.select(Courier.facility_id))).order_by(Facility.id)
        ).first()
        assert user is not None, "the demo has a dispatcher"
        assert outlet is not None, "the demo has couriers"
        session.execute(sa.update(Courier).where(Courier.facility_id == outlet.id).values(active=False))
        for number in range(couriers):
            party = parties.create_party(
                session, code=f"B{number}", name="陈师傅", kind=PartyKind.COURIER, now=NOW
            )
            dispatch.create_courier(
                session,
                code=f"B{number:03d}",
                name=f"陈师傅{number}",
                phone="13700000000",
                facility_id=outlet.id,
                party_id=party.id,
                shift_start_s=8 * 3600,
                shift_end_s=20 * 3600,
                capacity_g=2_000_000,
                capacity_cm3=50_000_000,
                capacity_pieces=2_000,
            )
        session.execute(
            sa.insert(StopRequest),
            [
                {
                    "tenant_id": world.tenant_id,
                    "shipment_id": shipment_id,
                    "facility_id": outlet.id,
                    "kind": StopKind.PICKUP,
                    "status": StopStatus.OPEN,
                    "day": DAY,
                    "window_from_s": 9 * 3600,
                    "window_to_s": 18 * 3600,
                    "service_s": 180,
                    "latitude": outlet.latitude + dice.gauss(0, 0.05),
                    "longitude": outlet.longitude + dice.gauss(0, 0.05),
                    "contact_name": "张伟",
                    "contact_phone": "+8613800138000",
                    "address": f"科华北路 {dice.randrange(1, 999)} 号 {dice.randrange(1, 40)} 栋",
                    "weight_g": 1_500,
                    "volume_cm3": 4_000,
                    "pieces": 1,
                    "priority": 0,
                    "created_at": NOW,
                }
                for shipment_id in world.shipment_ids[:stops]
            ],
        )
        actor = Actor(user.id, world.tenant_id, user.name, Role.DISPATCHER, SCOPES[Role.DISPATCHER], None)
        plan = dispatch.request_plan(session, actor, facility_id=outlet.id, day=DAY, seconds=5, now=NOW)
        store(plan, pickup.solve(problem_to_solve(session, plan, now=NOW), pickup.Options(steps=0)))
        plan.status, plan.solved_at = PlanStatus.DRAFT, NOW
        session.flush()  # its id is needed
        return Day(outlet.id, plan.id)


def signed_in(settings: Settings, now: datetime) -> FlaskClient:
    """A browser of the dispatcher at that moment."""
    application = create_app(settings, clock=lambda: now)
    application.config["WTF_CSRF_ENABLED"] = False
    client = application.test_client()
    answer = client.post("/login", data={"username": LOGIN, "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


def page_of(client: FlaskClient, day: Day, listed_max: int) -> bytes:
    """The board, with the stops listed where there are not more than so many."""
    boards.LISTED_MAX = listed_max
    answer = client.get(f"/dispatch?facility={day.facility_id}&day={DAY.isoformat()}")
    assert answer.status_code == 200, answer.status_code
    data: bytes = answer.data
    return data


def held_s(client: FlaskClient, path: str, times: int) -> list[float]:
    """Seconds for each of some answers while a stop is held."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        answer = client.get(path)
        spent.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.status_code
    return spent


def main() -> None:
    """Build the day, print the table, then bytes and the answers to a held stop."""
    with company(STOPS) as world:
        database = Database(world.url)
        settings = Settings(database_url=world.url, secret_key=pydantic.SecretStr(SECRET), log_level="ERROR")
        day = planned_day(world, database, STOPS, COURIERS)
        client, listed = signed_in(settings, NOW), boards.LISTED_MAX
        with world.connect() as connection:

            def page(listed_max: int) -> int:
                page_of(client, day, listed_max)
                return 1

            def rows() -> int:
                connection.execute(_ROWS, (day.plan_id,)).fetchall()
                return 1

            _measure.print_table(
                f"The board of {STOPS:,} stops and {COURIERS} couriers, by HTTP",
                "pages",
                [
                    _measure.Contender("the board: stops come when looked at", lambda: page(listed)),
                    _measure.Contender("limit: PostgreSQL gives the rows", rows, "and nobody reads them"),
                    _measure.Contender("peer: every stop in the page", lambda: page(STOPS)),
                ],
            )
        for name, listed_max in (("the board", listed), ("peer: every stop in the page", STOPS)):
            data = page_of(client, day, listed_max)
            print(
                f"{name}: {len(data) / 1024:,.0f} KiB, {len(gzip.compress(data)) / 1024:,.0f} KiB compressed"
            )
        boards.LISTED_MAX = listed
        held(client, database, world, day)
        database.dispose()


def held(client: FlaskClient, database: Database, world: World, day: Day) -> None:
    """Print how long a dispatcher waits for costs who holds a stop over the board."""
    with database.unit_of_work(world.tenant_id) as session:
        visit = session.scalars(
            sa.select(PlanVisit).where(PlanVisit.plan_id == day.plan_id).order_by(PlanVisit.id)
        ).first()
        assert visit is not None, "the plan serves stops"
        stop_id, courier_id = visit.stop_request_id, visit.courier_id
    costs = f"/dispatch/plans/{day.plan_id}/stops/{stop_id}/costs"
    round_ = f"/dispatch/plans/{day.plan_id}/rounds/{courier_id}"
    for name, path in (
        ("costs of all couriers", costs),
        ("costs of every place of a round", f"{costs}?courier={courier_id}"),
        ("the stops of one round", round_),
        ("what others did since", f"/dispatch/plans/{day.plan_id}/news?version=0"),
    ):
        spent = held_s(client, path, 9)
        print(f"{name}: {statistics.median(spent) * 1000:.0f} ms (most {max(spent) * 1000:.0f})")


if __name__ == "__main__":
    main()
