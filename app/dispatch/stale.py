"""A change of a plan that somebody else changed first: both are shown, and it is made if still wanted."""

from __future__ import annotations

from datetime import datetime

import flask
from sqlalchemy.orm import Session

from app.dispatch import queries
from app.dispatch.change_words import change_text
from app.errors import BadRequestError, StaleVersionError
from app.network.models import Facility
from app.security import current_actor


def posted_version() -> int:
    """Which version of the plan the sender of a form looked at.

    Raises:
        BadRequestError: the form does not say.
    """
    version = flask.request.form.get("version", type=int)
    if version is None:
        raise BadRequestError("the form does not say which version of the plan it is for")
    return version


def stale_page(
    session: Session, plan_id: int, error: StaleVersionError, wanted: str
) -> flask.typing.ResponseReturnValue:
    """What the others did since, and what was wanted, ready to be asked for again; nothing was changed.

    Args:
        session: rolled back here.
        plan_id: the plan.
        error: with the changes and the version they made.
        wanted: the refused change, as a button says it.
    """
    session.rollback()
    plan = queries.load_plan(session, current_actor(), plan_id)
    again = [
        (name, value)
        for name, value in flask.request.form.items(multi=True)
        if name not in ("version", "csrf_token")
    ]
    page = flask.render_template(
        "dispatch/stale.html",
        plan=plan,
        changes=[
            (datetime.fromisoformat(change["at"]), change_text(change)) for change in error.extra["changes"]
        ],
        offset_minutes=session.get_one(Facility, plan.facility_id).utc_offset_minutes,
        wanted=wanted,
        again=[*again, ("version", str(error.extra["version"]))],
    )
    return page, 409
