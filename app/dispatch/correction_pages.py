"""A stop set right: its place on the map, and what is needed there."""

from __future__ import annotations

from typing import Any

import flask
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.roles import Scope
from app.dispatch import queries, service
from app.dispatch.forms import StopForm
from app.dispatch.models import StopRequest, StopStatus
from app.dispatch.service import Corrected
from app.dispatch.skills import known_skills, split_skills
from app.dispatch.words import clock
from app.errors import ConflictError
from app.network.labels import facility_name
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work

_AROUND_MAX = 400


def register(blueprint: APIBlueprint) -> None:
    """Hang the page on the room's blueprint."""
    blueprint.add_url_rule(
        "/dispatch/stops/<int:stop_id>/correct", "correct", correct, methods=["GET", "POST"]
    )


@requires(Scope.DISPATCH_WRITE)
def correct(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Put a stop where its door is, and say what is needed there; its plans plan it anew."""
    with unit_of_work() as session:
        actor = current_actor()
        stop = queries.load_stop(session, actor, stop_id)
        form, status = StopForm(), 200
        if form.validate_on_submit():
            try:
                done = _saved(session, stop, form)
            except ConflictError:
                session.rollback()
                flask.flash(_("The stop was made or taken back already; nothing was changed."), "error")
                stop = queries.load_stop(session, actor, stop_id)
            else:
                flask.flash(_told(session, done), "success" if done.changed else "info")
            return flask.redirect(
                flask.url_for(".board", facility=stop.facility_id, day=stop.day.isoformat())
            )
        if form.is_submitted():
            status = 422
        else:
            form.latitude.data, form.longitude.data = stop.latitude, stop.longitude
            form.skills.data = ", ".join(stop.skills)
        facility = session.get_one(Facility, stop.facility_id)
        by = stop.place_corrected_by_id
        page = flask.render_template(
            "dispatch/correct.html",
            stop=stop,
            form=form,
            facility=facility,
            known=known_skills(session),
            corrected_by=None if by is None else session.get_one(User, by).name,
            around=_around(session, stop, facility),
        )
        return page, status


def _saved(session: Session, stop: StopRequest, form: StopForm) -> Corrected:
    """Both corrections; what came of the later one that changed anything."""
    actor, moment = current_actor(), now()
    assert form.latitude.data is not None, "validated"
    assert form.longitude.data is not None, "validated"
    placed = service.correct_place(
        session,
        actor,
        stop,
        latitude=form.latitude.data,
        longitude=form.longitude.data,
        now=moment,
    )
    able = service.set_skills(session, actor, stop, split_skills(form.skills.data or ""), now=moment)
    return able if able.changed or not placed.changed else placed


def _told(session: Session, done: Corrected) -> str:
    if not done.changed:
        return str(_("Nothing was changed."))
    if not done.plans:
        return str(_("Saved. The next plan goes by it."))
    if done.courier_id is None:
        return str(_("Saved. No round can take the stop now: it waits in no round."))
    courier = queries.load_courier(session, current_actor(), done.courier_id)
    return str(
        ngettext(
            "Saved, and planned anew in %(num)s plan: %(courier)s has it now.",
            "Saved, and planned anew in %(num)s plans: %(courier)s has it now.",
            done.plans,
            courier=courier.name,
        )
    )


def _around(session: Session, stop: StopRequest, facility: Facility) -> dict[str, Any]:
    """The outlet and the day's other stops near by, to find one's way by."""
    near = sa.func.abs(StopRequest.latitude - stop.latitude) + sa.func.abs(
        StopRequest.longitude - stop.longitude
    )
    others = session.execute(
        sa.select(StopRequest.latitude, StopRequest.longitude, StopRequest.address, StopRequest.window_from_s)
        .where(
            StopRequest.facility_id == stop.facility_id,
            StopRequest.day == stop.day,
            StopRequest.id != stop.id,
            StopRequest.status != StopStatus.CANCELLED,
        )
        .order_by(near)
        .limit(_AROUND_MAX)
    )
    features = [
        _point(row.latitude, row.longitude, {"title": row.address, "detail": clock(row.window_from_s)}, 5)
        for row in others
    ]
    outlet = {"title": facility_name(facility), "label": facility_name(facility)}
    features.append(_point(facility.latitude, facility.longitude, outlet, 9))
    return {"type": "FeatureCollection", "features": features}


def _point(latitude: float, longitude: float, words: dict[str, str], radius: int) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
        "properties": {**words, "tone": "neutral", "radius": radius},
    }
