"""Public tracking for machines, with the same privacy as the page."""

from __future__ import annotations

from typing import Any

import flask
from sqlalchemy.orm import Session

from app.errors import InvalidInputError, NotFoundError
from app.security import public
from app.shipments import access, queries
from app.shipments.access import Attempt
from app.shipments.answers import track_answer
from app.shipments.api_blueprint import blueprint
from app.shipments.api_models import TrackMany, TrackManyQuery, TrackOut, TrackQuery
from app.shipments.phrases import city_name, facility_name, sentence_text
from app.shipments.story import story_of
from app.shipments.values import parse_number
from app.web import now, public_unit_of_work

NUMBERS_MAX = 40


@blueprint.get("/track/<number>")
@blueprint.input(TrackQuery, location="query")
@blueprint.output(TrackOut)
@blueprint.doc(summary="Where a parcel is: city, status and time; more with the phone's last four digits")
@public
def track(number: str, query_data: TrackQuery) -> flask.typing.ResponseReturnValue:
    """One number."""
    with public_unit_of_work() as session:
        answer = _answer(session, number, query_data.phone_last4)
    if answer is None:
        raise NotFoundError("not found, or not registered yet")
    return flask.jsonify(answer)


@blueprint.get("/track")
@blueprint.input(TrackManyQuery, location="query")
@blueprint.output(TrackMany)
@blueprint.doc(summary="Where up to 40 parcels are")
@public
def track_many(query_data: TrackManyQuery) -> flask.typing.ResponseReturnValue:
    """Several numbers."""
    numbers = list(dict.fromkeys(one.strip() for one in query_data.numbers.split(",") if one.strip()))
    if not 0 < len(numbers) <= NUMBERS_MAX:
        raise InvalidInputError(
            "between one and forty numbers", [{"detail": f"holds {len(numbers)}", "pointer": "/numbers"}]
        )
    items, not_found = [], []
    for number in numbers:
        with public_unit_of_work() as session:
            answer = _answer(session, number, query_data.phone_last4)
        if answer is None:
            not_found.append(parse_number(number)[0])
        else:
            items.append(answer)
    return flask.jsonify(items=items, not_found=not_found)


def _answer(session: Session, number: str, digits: str | None) -> dict[str, Any] | None:
    """What is told of a number; None when nobody booked it. A wrong try is counted."""
    shipment = queries.by_number_public(session, number)
    if shipment is None:
        return None
    attempt = None if digits is None else access.try_phone(session, shipment, digits, now=now())
    opened = attempt is Attempt.OPEN
    story = story_of(session, shipment, now=now())
    return track_answer(
        story,
        sentence_text(story, facility_name if opened else city_name),
        access="not_asked" if attempt is None else attempt.value,
        proofs=queries.proofs(session, shipment) if opened else None,
    )
