"""How long the pages of a running day take at 3,000 stops and 60 couriers: couriers now, and the replay.

Half of the stops are made, each told by two taps, and every courier has posted a position each minute. The
limit is PostgreSQL giving the same visits, stops and acts once. The peer is the same rounds read as mapped
objects, as pages are first written, without anything made of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import _measure
import pydantic
import sqlalchemy as sa
from board import COURIERS, DAY, STOPS, Day, planned_day, signed_in

from app.config import Settings
from app.db.session import Database
from app.dispatch.day.models import Act, CourierPosition, Outcome, StopEvent
from app.dispatch.models import Plan, PlanStatus, PlanVisit, StopRequest, StopStatus
from tests.support.multitude import SECRET, World, company

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)  # 14:00 at the outlet
_MIDNIGHT = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
_POSITIONS_EACH = 360
_ROWS = (
    "SELECT * FROM plan_visit JOIN stop_request ON stop_request.id = stop_request_id WHERE plan_id = %s",
    "SELECT * FROM stop_event WHERE facility_id = %s",
)


def half_driven(world: World, database: Database, day: Day) -> None:
    """Publish the day's plan and let every courier make the first half of his round, a little late."""
    with database.unit_of_work(world.tenant_id) as session:
        plan = session.get_one(Plan, day.plan_id)
        plan.status, plan.published_at, plan.published_by_id = (
            PlanStatus.PUBLISHED,
            _MIDNIGHT,
            plan.requested_by_id,
        )
        session.execute(
            sa.update(StopRequest).where(StopRequest.day == DAY).values(status=StopStatus.PLANNED)
        )
        rounds: dict[int, list[PlanVisit]] = {}
        for visit in sorted(plan.visits, key=lambda visit: visit.sequence):
            rounds.setdefault(visit.courier_id, []).append(visit)
        acts: list[dict[str, object]] = []
        positions: list[dict[str, object]] = []
        for courier_id, visits in rounds.items():
            made = visits[: len(visits) // 2]
            acts += [row for visit in made for row in _acts(world, day, visit)]
            positions += [_position(world, courier_id, minute) for minute in range(_POSITIONS_EACH)]
            session.execute(
                sa.update(StopRequest)
                .where(StopRequest.id.in_([visit.stop_request_id for visit in made]))
                .values(status=StopStatus.DONE)
            )
        session.execute(sa.insert(StopEvent), acts)
        session.execute(sa.insert(CourierPosition), positions)


def _acts(world: World, day: Day, visit: PlanVisit) -> list[dict[str, object]]:
    return [
        {
            "tenant_id": world.tenant_id,
            "device_id": f"phone-{visit.courier_id}",
            "client_id": f"{visit.id}-{act.value}",
            "stop_request_id": visit.stop_request_id,
            "courier_id": visit.courier_id,
            "facility_id": day.facility_id,
            "day": DAY,
            "act": act,
            "outcome": Outcome.RECORDED,
            "occurred_at": _MIDNIGHT + timedelta(seconds=at_s + 120),
            "received_at": _MIDNIGHT + timedelta(seconds=at_s + 121),
            "offset_minutes": 480,
            "planned_arrival_s": visit.arrival_s,
            "planned_start_s": visit.start_s,
            "planned_departure_s": visit.departure_s,
            "planned_travel_s": 300,
            "planned_distance_m": visit.distance_m,
        }
        for act, at_s in ((Act.ARRIVED, visit.arrival_s), (Act.DONE, visit.departure_s))
    ]


def _position(world: World, courier_id: int, minute: int) -> dict[str, object]:
    at = NOW - timedelta(minutes=_POSITIONS_EACH - minute)
    return {
        "tenant_id": world.tenant_id,
        "courier_id": courier_id,
        "at": at,
        "latitude": 30.6 + minute / 10_000,
        "longitude": 104.0,
        "accuracy_m": 12,
        "received_at": at,
    }


def main() -> None:
    """Build the day and print the table."""
    with company(STOPS) as world:
        database = Database(world.url)
        settings = Settings(database_url=world.url, secret_key=pydantic.SecretStr(SECRET), log_level="ERROR")
        day = planned_day(world, database, STOPS, COURIERS)
        half_driven(world, database, day)
        client = signed_in(settings, NOW)
        with world.connect() as connection:

            def page(name: str) -> int:
                answer = client.get(f"/dispatch/{name}?facility={day.facility_id}&day={DAY.isoformat()}")
                assert answer.status_code == 200, answer.status_code
                return 1

            def rows() -> int:
                for statement, key in zip(_ROWS, (day.plan_id, day.facility_id), strict=True):
                    connection.execute(statement, (key,)).fetchall()
                return 1

            def objects() -> int:
                with database.unit_of_work(world.tenant_id) as session:
                    session.execute(
                        sa.select(PlanVisit, StopRequest)
                        .join(StopRequest, StopRequest.id == PlanVisit.stop_request_id)
                        .where(PlanVisit.plan_id == day.plan_id)
                    ).all()
                    session.scalars(
                        sa.select(StopEvent).where(StopEvent.facility_id == day.facility_id)
                    ).all()
                    session.scalars(sa.select(CourierPosition)).all()
                return 1

            _measure.print_table(
                f"A running day of {STOPS:,} stops and {COURIERS} couriers, by HTTP",
                "pages",
                [
                    _measure.Contender("couriers now", lambda: page("now")),
                    _measure.Contender("plan and day", lambda: page("replay")),
                    _measure.Contender("limit: PostgreSQL gives the rows", rows, "and nobody reads them"),
                    _measure.Contender("peer: mapped objects, nothing made of them", objects),
                ],
            )
        database.dispose()


if __name__ == "__main__":
    main()
