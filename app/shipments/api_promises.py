"""How promises were kept, for machines."""

from __future__ import annotations

from datetime import date

import flask
from pydantic import AwareDatetime

from app.accounts.roles import Role, Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.errors import ForbiddenError
from app.security import current_actor, requires
from app.shipments import calibration
from app.shipments.api_blueprint import blueprint
from app.shipments.calibration import Stage
from app.shipments.models import Service
from app.web import unit_of_work


class PromisesQuery(ApiInput):
    """Which promises."""

    stage: Stage | None = None
    service: Service | None = None


class PromiseOut(ApiOutput):
    """Of the parcels of a month and service, how many came by a time that was told."""

    month: date
    service: Service
    stage: Stage
    promised_percent: int
    parcels: int
    kept: int
    measured_at: AwareDatetime


class Promises(ApiOutput):
    """What was measured, the latest month first."""

    items: list[PromiseOut]


@blueprint.get("/promises")
@blueprint.input(PromisesQuery, location="query")
@blueprint.output(Promises)
@blueprint.doc(summary="How promises were kept, by month and service", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def promises(query_data: PromisesQuery) -> flask.typing.ResponseReturnValue:
    """What was promised against what came."""
    if current_actor().role == Role.SHIPPER:
        raise ForbiddenError("how promises are kept is for the staff")
    with unit_of_work() as session:
        rows = calibration.measured(session, stage=query_data.stage, service=query_data.service)
        return flask.jsonify(
            items=[
                {
                    "month": row.month.isoformat(),
                    "service": row.service,
                    "stage": row.stage,
                    "promised_percent": row.promised_percent,
                    "parcels": row.parcels,
                    "kept": row.kept,
                    "measured_at": row.measured_at.isoformat(),
                }
                for row in rows
            ]
        )
