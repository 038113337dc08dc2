"""What the address of a page asks for."""

from __future__ import annotations

import flask
from sqlalchemy.orm import Session

from app.dispatch import queries
from app.network import queries as network
from app.network.models import Facility
from app.security import current_actor


def asked_outlet(session: Session) -> Facility | None:
    """The outlet in the address; otherwise the first that has couriers, None where none has any.

    Raises:
        NotFoundError: there is no such outlet.
    """
    facility_id = flask.request.args.get("facility", type=int)
    if facility_id is not None:
        return network.load_facility(session, current_actor(), facility_id)
    return queries.first_outlet(session)
