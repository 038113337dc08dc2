"""Documents and events come in: at once when they are small, by a worker when they are large."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.actor import Actor
from app.epcis import documents, recording
from app.epcis.documents import Given, Opened
from app.epcis.models import EpcisCapture
from app.epcis.planning import CONFLICT, INVALID, Refused
from app.epcis.recording import Behaviour, Outcome
from app.errors import ConflictError, ForbiddenError
from tracking.epcis_shapes import Fault

AT_ONCE_MAX = 500
"""Events of a document that is captured within its request; a larger one waits for a worker."""
ERRORS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Captured:
    """The one event that was posted, as it is kept."""

    event_id: str
    body: dict[str, Any]


def accept(
    session: Session, actor: Actor, raw: bytes, behaviour: Behaviour, *, base: str, now: datetime
) -> EpcisCapture:
    """Take a document in.

    Args:
        session: of the asker's tenant.
        actor: whose program sends it.
        raw: an EPCISDocument or EPCISQueryDocument in JSON.
        behaviour: whether one event that is refused keeps all others out.
        base: the URI under which our ids live, ending in a slash.
        now: the server's time.

    Returns:
        The capture, finished when it is small.

    Raises:
        ForbiddenError: the asker may not record scans, which events become.
        BadRequestError: it is no such document. What is wrong with its events is told by the capture.
    """
    _may_capture(actor)
    document = documents.opened(documents.decoded(raw))
    capture = EpcisCapture(
        behaviour=behaviour.value,
        document=raw if len(document.events) > AT_ONCE_MAX else None,
        given=len(document.events),
        created_at=now,
        user_id=actor.user_id,
        scopes=sorted(actor.scopes),
        token_id=actor.token_id,
    )
    session.add(capture)
    session.flush()  # its events refer to it
    if capture.document is None:
        finish(session, actor, capture, document, base=base, now=now)
    return capture


def finish(
    session: Session, actor: Actor, capture: EpcisCapture, document: Opened, *, base: str, now: datetime
) -> None:
    """Capture a document's events and say so in its row."""
    good: list[Given] = []
    refused: list[Refused] = []
    for place, event in enumerate(document.events):
        found = documents.given(event, place, document.context)
        if isinstance(found, Given):
            good.append(found)
        else:
            refused += [Refused(place, INVALID, fault.detail, fault.pointer) for fault in found]
    behaviour = Behaviour(capture.behaviour)
    if refused and behaviour is Behaviour.ROLLBACK:
        outcome = Outcome(0, 0, ())
    else:
        outcome = recording.capture(
            session, actor, good, behaviour, base=base, now=now, capture_id=capture.id
        )
    errors = sorted([*refused, *outcome.refused], key=lambda one: one.place)
    capture.captured, capture.repeated = outcome.captured, outcome.repeated
    capture.success = not errors
    capture.errors = [_error(one, document.pointer) for one in errors[:ERRORS_MAX]]
    capture.document, capture.finished_at = None, now


def capture_one(session: Session, actor: Actor, raw: bytes, *, base: str, now: datetime) -> Captured:
    """Capture one event that stands alone.

    Raises:
        ForbiddenError: the asker may not record scans.
        BadRequestError: it is no event, or cannot be true of the parcel it names.
        ConflictError: its event id is known already. An error declaration may use it again, once each.
    """
    _may_capture(actor)
    found = documents.alone(documents.decoded(raw))
    if not isinstance(found, Given):
        raise documents.invalid("this is no EPCIS event", found)
    outcome = recording.capture(
        session, actor, [found], Behaviour.ROLLBACK, base=base, now=now, capture_id=None
    )
    if outcome.refused and outcome.refused[0].kind == INVALID:
        raise documents.invalid(
            "this event cannot be recorded",
            [Fault(one.pointer, one.detail) for one in outcome.refused],
        )
    if outcome.refused or outcome.repeated:
        raise ConflictError(f"the event {found.event_id} is known already", type=CONFLICT)
    return Captured(found.event_id, {"eventID": found.event_id, **found.body})


def _may_capture(actor: Actor) -> None:
    if not actor.may(Scope.SCANS_WRITE):
        raise ForbiddenError("this needs the scope scans:write")


def _error(refused: Refused, pointer: str) -> dict[str, Any]:
    known = refused.kind == CONFLICT
    return {
        "type": refused.kind,
        "title": "Event id is known with other content" if known else "Invalid event",
        "status": 409 if known else 400,
        "detail": refused.detail,
        "pointer": f"{pointer}/{refused.place}{refused.pointer}",
    }


__all__ = ["AT_ONCE_MAX", "Behaviour", "Captured", "accept", "capture_one", "finish"]
