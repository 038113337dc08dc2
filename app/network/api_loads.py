"""What comes to each sorting centre beside what it can sort, for machines."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiOutput
from app.network import loads
from app.network.api_blueprint import blueprint
from app.security import requires
from app.web import now, unit_of_work


class CentreLoadOut(ApiOutput):
    """A sorting centre in the last seven days; waits are null where more comes than can be sorted."""

    facility_id: int
    code: str
    sort_per_hour: int
    pieces: int
    peak_per_hour: int
    capacity: int
    longest_wait_s: int | None
    mean_wait_s: int | None
    overloaded: bool


class CentreLoads(ApiOutput):
    """Sorting centres, the fullest first."""

    items: list[CentreLoadOut]


@blueprint.get("/network/loads")
@blueprint.output(CentreLoads)
@blueprint.doc(summary="What comes to each sorting centre beside what it can sort", security=BEARER)
@requires(Scope.NETWORK_READ)
def centre_loads() -> flask.typing.ResponseReturnValue:
    """Load and queue of each sorting centre whose capacity is known."""
    with unit_of_work() as session:
        return flask.jsonify(
            items=[
                {
                    "facility_id": one.facility.id,
                    "code": one.facility.code,
                    "sort_per_hour": one.facility.sort_per_hour,
                    "pieces": one.queue.pieces,
                    "peak_per_hour": one.queue.peak_per_hour,
                    "capacity": one.queue.capacity,
                    "longest_wait_s": one.queue.longest_s,
                    "mean_wait_s": one.queue.mean_s,
                    "overloaded": one.queue.overloaded,
                }
                for one in loads.centre_loads(session, now=now())
            ]
        )
