"""The queue of couriers' phones: what they did while they had no line."""

from __future__ import annotations

import flask
from pydantic import AwareDatetime, Base64Bytes, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.deliveries import phone
from app.deliveries.api_blueprint import blueprint
from app.deliveries.api_doors import PaidIn, ProofIn
from app.deliveries.door_models import Relation
from app.deliveries.door_values import NAME_LENGTH_MAX, Evidence, Paid
from app.deliveries.phone import ACTS_MAX, Given, PhoneAct
from app.dispatch.day.models import Act
from app.dispatch.day.told import ID_LENGTH_MAX, Told
from app.errors import InvalidInputError
from app.security import current_actor, requires
from app.shipments.scan_values import PROOF_BYTES_MAX
from app.web import now, unit_of_work
from tracking.shipment import OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN

_TEXT = r"^[^\x00]*$"
_ID_MAX = 2**63 - 1
_BASE64_MAX = PROOF_BYTES_MAX * 4 // 3 + 4


class HandedOverIn(ApiInput):
    """How a parcel changed hands."""

    received_by: str = Field(min_length=1, max_length=NAME_LENGTH_MAX, pattern=_TEXT)
    relation: Relation | None = Field(default=None, description="Of a proxy; null for the consignee himself")
    proof: ProofIn | None = None
    paid: PaidIn | None = Field(default=None, description="Needed where cash is due")


class ActIn(ApiInput):
    """What was done at a stop, by the phone's own clock; `client_id` recognises it when it is told again."""

    client_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX, pattern=_TEXT)
    stop_id: int = Field(ge=1, le=_ID_MAX)
    act: Act
    occurred_at: AwareDatetime
    offset_minutes: int = Field(default=480, ge=OFFSET_MINUTES_MIN, le=OFFSET_MINUTES_MAX)
    reason: str | None = Field(default=None, max_length=100, pattern=_TEXT, description="Why it failed")
    photo_base64: Base64Bytes | None = Field(
        default=None, max_length=_BASE64_MAX, description="Of what was found at the door of a failed stop"
    )
    hand_over: HandedOverIn | None = Field(default=None, description="Of a delivery that is done")
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)

    def value(self, device_id: str) -> PhoneAct:
        """As the service takes it.

        Raises:
            InvalidInputError: a picture is none.
        """
        told = Told(
            stop_id=self.stop_id,
            act=self.act,
            occurred_at=self.occurred_at,
            offset_minutes=self.offset_minutes,
            device_id=device_id,
            client_id=self.client_id,
            reason=self.reason,
            photo=self.photo_base64,
            latitude=self.latitude,
            longitude=self.longitude,
        )
        handed = self.hand_over
        if handed is None:
            return PhoneAct(told)
        proof, paid = handed.proof, handed.paid
        given = Given(
            handed.received_by,
            handed.relation,
            None if proof is None else Evidence(proof.kind, proof.content_base64),
            None if paid is None else Paid(paid.amount_minor, paid.means),
        )
        return PhoneAct(told, given)


class ActsIn(ApiInput):
    """What a phone sends."""

    device_id: str = Field(min_length=1, max_length=ID_LENGTH_MAX, pattern=_TEXT)
    acts: list[ActIn] = Field(min_length=1, max_length=ACTS_MAX)


class ActResultOut(ApiOutput):
    """What became of one act: recorded, duplicate, conflict (kept, but the stop is another's), or refused."""

    client_id: str
    status: str
    why: str | None
    detail: str | None


class ActsOut(ApiOutput):
    """A result for each act, in the order given."""

    items: list[ActResultOut]


def take_all(given: ActsIn) -> list[phone.Result]:
    """Take what a phone sends; what makes no sense by itself does not hold up the rest."""
    results: dict[int, phone.Result] = {}
    values: dict[int, PhoneAct] = {}
    for place, act in enumerate(given.acts):
        try:
            values[place] = act.value(given.device_id)
        except InvalidInputError as error:
            results[place] = phone.Result(act.client_id, "refused", error.code, phone.said(error))
    with unit_of_work() as session:
        taken = phone.take(session, current_actor(), list(values.values()), now=now())
    results |= zip(values, taken, strict=True)
    return [results[place] for place in range(len(given.acts))]


@blueprint.post("/run/acts")
@blueprint.input(ActsIn)
@blueprint.output(ActsOut)
@blueprint.doc(
    summary="What was done at the stops of the asker's round",
    description=f"Up to {ACTS_MAX} at once, each as often as you like: a phone keeps them until they are "
    "answered. What happened to a parcel is recorded even if its stop has another courier by now "
    "(`conflict`); that a stop failed counts only for the courier who has it. No Idempotency-Key is needed.",
    security=BEARER,
)
@requires(Scope.SCANS_WRITE)
def acts(json_data: ActsIn) -> flask.typing.ResponseReturnValue:
    """Arrivals, pickups, hand-overs and failures; each has a result of its own."""
    return flask.jsonify(items=[result_answer(one) for one in take_all(json_data)])


def result_answer(result: phone.Result) -> dict[str, str | None]:
    """A result as it is answered."""
    return {
        "client_id": result.client_id,
        "status": result.status,
        "why": result.why,
        "detail": result.detail,
    }
