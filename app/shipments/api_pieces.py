"""The pieces of a shipment for machines, and what they are merged with."""

from __future__ import annotations

import flask
from pydantic import AwareDatetime

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiOutput
from app.security import current_actor, requires
from app.shipments import queries
from app.shipments.api_blueprint import blueprint
from app.shipments.pieces import merged_with, pieces_of
from app.web import unit_of_work
from tracking.shipment import Milestone, ScanCode


class PieceOut(ApiOutput):
    """One piece of several, where it stands."""

    piece_no: int
    milestone: Milestone
    code: ScanCode | None
    since: AwareDatetime | None
    facility_id: int | None


class MergeOut(ApiOutput):
    """What a shipment is merged with on its way."""

    reference: str
    facility_id: int
    shipments: int
    waybill_numbers: list[str]
    due_at: AwareDatetime
    released_at: AwareDatetime | None


class PiecesOut(ApiOutput):
    """The pieces of a shipment of several, and its merge if it has one."""

    items: list[PieceOut]
    merge: MergeOut | None


@blueprint.get("/shipments/<number>/pieces")
@blueprint.output(PiecesOut)
@blueprint.doc(summary="Where each piece of a shipment stands, and what it is merged with", security=BEARER)
@requires(Scope.SHIPMENTS_READ)
def pieces(number: str) -> flask.typing.ResponseReturnValue:
    """Pieces of a shipment of one are not told apart from it."""
    actor = current_actor()
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, actor, number)
        merged = merged_with(session, shipment)
        items = [
            {
                "piece_no": piece.piece_no,
                "milestone": piece.state.milestone.value,
                "code": None if piece.state.code is None else piece.state.code.value,
                "since": None if piece.state.since is None else piece.state.since.isoformat(),
                "facility_id": piece.state.facility_id,
            }
            for piece in pieces_of(session, shipment)
        ]
        merge = None
        if merged is not None:
            released_at = merged.group.released_at
            merge = {
                "reference": merged.group.reference,
                "facility_id": merged.facility.id,
                "shipments": merged.group.shipments,
                "waybill_numbers": [member.waybill_number for member in merged.members],
                "due_at": merged.group.due_at.isoformat(),
                "released_at": None if released_at is None else released_at.isoformat(),
            }
        return flask.jsonify(items=items, merge=merge)
