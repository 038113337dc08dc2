"""Pickups by page: a customer's own, or a caller's on the phone; once or weekly, in windows that fit."""

from __future__ import annotations

from datetime import date

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.customers import queries as customers
from app.dispatch import pickup_queries, service
from app.dispatch.forms import WEEKDAYS, PickupForm, district_of
from app.dispatch.pickup_models import PickupChannel
from app.dispatch.service import Asked, Wanted
from app.dispatch.skills import known_skills, split_skills
from app.dispatch.words import STOP_STATUSES, clock
from app.errors import AppError, ConflictError, InvalidInputError
from app.security import current_actor, requires
from app.web import now, unit_of_work

_DAY_S = 24 * 3600
_SHOWN = 50
_FIELD_OF = {
    "day": "day",
    "window_to_s": "window",
    "district_adcode": "pickup_district",
    "last_day": "last_day",
    "skills": "skills",
}


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/pickups", "pickups", index, methods=["GET", "POST"])
    blueprint.add_url_rule("/pickups/windows", "pickup_windows", windows)
    blueprint.add_url_rule("/pickups/<int:pickup_id>/cancel", "cancel_pickup", cancel, methods=["POST"])
    blueprint.add_url_rule(
        "/pickups/recurring/<int:recurring_id>/end", "end_recurring", end_recurring, methods=["POST"]
    )


@requires(Scope.SHIPMENTS_BOOK)
def index() -> flask.typing.ResponseReturnValue:
    """Ask for a pickup; those asked for, the latest first."""
    actor, form = current_actor(), PickupForm()
    with unit_of_work() as session:
        status = 200
        if form.validate_on_submit():
            if _asked(session, form):
                return flask.redirect(flask.url_for(".pickups"))
            session.rollback()
            status = 422
        elif form.is_submitted():
            status = 422
        elif actor.role == Role.SHIPPER and actor.subject_id is not None:
            form.contact_name.data = customers.load_customer(session, actor, actor.subject_id).name
        page = pickup_queries.list_pickups(
            session, actor, cursor=flask.request.args.get("cursor"), limit=_SHOWN
        )
        return (
            flask.render_template(
                "dispatch/pickups.html",
                form=form,
                known=known_skills(session),
                page=page,
                recurring=pickup_queries.recurring_pickups(session, actor),
                weekdays=dict(WEEKDAYS),
                clock=clock,
                stop_statuses=STOP_STATUSES,
            ),
            status,
        )


@requires(Scope.SHIPMENTS_BOOK)
def windows() -> flask.typing.ResponseReturnValue:
    """The windows of the day that is typed, with what each costs: a part of the form."""
    args = flask.request.args
    with unit_of_work() as session:
        found, wrong = None, None
        adcode = district_of(session, args.get("pickup_district", ""))
        try:
            day = date.fromisoformat(args.get("day", ""))
        except ValueError:
            day = None
        if adcode is not None and day is not None:
            try:
                skills = split_skills(args.get("skills", ""))
            except InvalidInputError:
                wrong = _("At most 20 skills, each of at most 40 letters.")
            else:
                pieces = args.get("pieces", 1, type=int)
                wanted = Wanted("", "", adcode, "", day, 0, _DAY_S, pieces, skills=skills)
                try:
                    found = service.windows(session, wanted, now=now())
                except AppError:
                    wrong = _("No outlet serves this place.")
        return flask.render_template(
            "dispatch/_windows.html", found=found, wrong=wrong, chosen=args.get("window"), clock=clock
        )


@requires(Scope.SHIPMENTS_BOOK)
def cancel(pickup_id: int) -> flask.typing.ResponseReturnValue:
    """Take a pickup back."""
    with unit_of_work() as session:
        request = pickup_queries.load_pickup(session, current_actor(), pickup_id)
        try:
            service.cancel_pickup(session, current_actor(), request, now=now())
        except ConflictError:
            session.rollback()
            flask.flash(_("It was made or taken back already."), "warning")
        else:
            flask.flash(_("Taken back: nobody comes."), "success")
    return flask.redirect(flask.url_for(".pickups"))


@requires(Scope.SHIPMENTS_BOOK)
def end_recurring(recurring_id: int) -> flask.typing.ResponseReturnValue:
    """End a weekly pickup."""
    with unit_of_work() as session:
        found = pickup_queries.load_recurring(session, current_actor(), recurring_id)
        try:
            service.end_recurring(session, current_actor(), found, now=now())
        except ConflictError:
            session.rollback()
            flask.flash(_("It has ended already."), "warning")
        else:
            flask.flash(_("Ended. What is asked for already stands until it is taken back."), "success")
    return flask.redirect(flask.url_for(".pickups"))


def _asked(session: Session, form: PickupForm) -> bool:
    """Ask for what the form says; False where it cannot be, which the form then shows."""
    actor = current_actor()
    try:
        wanted = form.wanted(session)
        if wanted is None:
            return False
        customer_id = pickup_queries.customer_of(
            session, actor, name=wanted.contact_name, phone=wanted.contact_phone, now=now()
        )
        if form.weekdays.data:
            service.begin_recurring(
                session,
                actor,
                wanted,
                customer_id=customer_id,
                weekdays=form.weekdays.data,
                last_day=form.last_day.data,
                now=now(),
            )
            flask.flash(_("A courier comes every week on these days."), "success")
            return True
        channel = PickupChannel.PORTAL if actor.role == Role.SHIPPER else PickupChannel.PHONE
        asked = service.ask_pickup(
            session, actor, wanted, customer_id=customer_id, channel=channel, now=now()
        )
    except InvalidInputError as error:
        wrong = error.extra.get("errors") or [{"pointer": "/contact_phone", "detail": error.detail}]
        for one in wrong:
            name = _FIELD_OF.get(one["pointer"].removeprefix("/"), "contact_phone")
            form[name].errors = [*form[name].errors, _reason(name)]
        return False
    flask.flash(_told(asked), "success" if asked.is_new else "info")
    return True


def _reason(field: str) -> str:
    reasons = {
        "day": _l("No pickups are taken for this day: it is past the cut-off, closed, or too far ahead."),
        "window": _l("This window cannot be kept any more."),
        "pickup_district": _l("No outlet serves this place."),
        "last_day": _l("It ends before it begins."),
        "skills": _l("At most 20 skills, each of at most 40 letters."),
        "contact_phone": _l("This is not a phone number."),
    }
    return str(reasons[field])


def _told(asked: Asked) -> str:
    when = f"{asked.stop.day.isoformat()} {clock(asked.stop.window_from_s)} – {clock(asked.stop.window_to_s)}"
    if asked.is_new:
        return str(_("A courier comes on %(when)s.", when=when))
    return str(_("A courier comes there on %(when)s anyway; nothing was asked for twice.", when=when))
