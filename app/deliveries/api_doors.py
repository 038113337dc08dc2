"""Hand-overs at the door, for couriers' phones and counters."""

from __future__ import annotations

import flask
from pydantic import AwareDatetime, Base64Bytes, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.deliveries import handover, service
from app.deliveries.api_blueprint import blueprint
from app.deliveries.door_models import Means, Relation
from app.deliveries.door_values import ID_LENGTH_MAX, NAME_LENGTH_MAX, Evidence, HandOver, Outcome, Paid
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.shipments.models import ProofKind
from app.shipments.scan_values import PROOF_BYTES_MAX
from app.web import now, unit_of_work
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN, Milestone

_TEXT = r"^[^\x00]*$"  # PostgreSQL keeps no NUL in a text
_ID_MAX = 2**63 - 1


class PaidIn(ApiInput):
    """What the consignee paid, in minor units of the shipment's currency; nothing is 0."""

    amount_minor: int = Field(ge=0, le=_ID_MAX)
    means: Means = Means.CASH


class ProofIn(ApiInput):
    """A picture, or the code that the consignee gave."""

    kind: ProofKind
    content_base64: Base64Bytes = Field(max_length=PROOF_BYTES_MAX)


class HandOverIn(ApiInput):
    """A parcel that changes hands; `device_id` and `client_id` recognise it when it is told again."""

    number: str = Field(min_length=1, max_length=60, pattern=_TEXT)
    received_by: str = Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_TEXT)
    relation: Relation | None = Field(default=None, description="Of a proxy; null for the consignee himself")
    proof: ProofIn | None = None
    paid: PaidIn | None = Field(default=None, description="Needed where cash is due")
    occurred_at: AwareDatetime
    offset_minutes: int = Field(default=480, ge=OFFSET_MINUTES_MIN, le=OFFSET_MINUTES_MAX)
    device_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX, pattern=_TEXT)
    client_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX, pattern=_TEXT)
    courier_id: int | None = Field(default=None, ge=1, le=_ID_MAX)
    facility_id: int | None = Field(default=None, ge=1, le=_ID_MAX)

    def value(self) -> HandOver:
        """As the service takes it.

        Raises:
            InvalidInputError: the proof is no picture.
        """
        proof, paid = self.proof, self.paid
        return HandOver(
            received_by=self.received_by,
            occurred_at=self.occurred_at,
            offset_minutes=self.offset_minutes,
            device_id=self.device_id,
            client_id=self.client_id,
            relation=self.relation,
            evidence=None if proof is None else Evidence(proof.kind, proof.content_base64),
            paid=None if paid is None else Paid(paid.amount_minor, paid.means),
            courier_id=self.courier_id,
            facility_id=self.facility_id,
        )


class HandOverOut(ApiOutput):
    """What became of it, and where the parcel stands now."""

    outcome: Outcome
    milestone: Milestone
    scan_key: str | None


@blueprint.post("/hand-overs")
@blueprint.input(HandOverIn)
@blueprint.output(HandOverOut)
@blueprint.doc(
    summary="A parcel changes hands: the scan, its proof and its cash in one step",
    description="What is not paid in full is not handed over: it is recorded as a failed attempt, and the "
    "outcome is `not_paid`. A wrong code is counted; after five the outcome is `code_locked`.",
    security=BEARER,
)
@requires(Scope.SCANS_WRITE)
@idempotent
def hand_over(json_data: HandOverIn) -> flask.typing.ResponseReturnValue:
    """Hand a parcel over to its consignee, or to somebody whom he has agreed to."""
    with unit_of_work() as session:
        shipment = handover.parcel(session, json_data.number)
        done = service.hand_over(session, current_actor(), shipment, json_data.value(), now=now())
        return flask.jsonify(
            outcome=done.outcome.value, milestone=done.milestone.value, scan_key=done.scan_key
        )
