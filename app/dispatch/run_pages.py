"""A courier's round on his phone: the next stop large, the scans one tap away."""

from __future__ import annotations

from functools import partial

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Role, Scope
from app.dispatch.day import acts, following
from app.dispatch.day.links import way_link
from app.dispatch.day.models import Act, Outcome
from app.dispatch.day.told import REASONS_OF, Told
from app.dispatch.runs import Run, RunStop, run_of_courier, run_version
from app.dispatch.words import KINDS, STOP_STATUSES, clock
from app.errors import BadRequestError, InvalidInputError, NotFoundError
from app.security import current_actor, requires
from app.shipments.words import REASONS
from app.web import now, services, unit_of_work

_ID_LENGTH_MAX = 60


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/run", "run", show)
    blueprint.add_url_rule("/run/version", "run_version", version)
    blueprint.add_url_rule("/run/stops/<int:stop_id>", "run_scan", scan, methods=["POST"])


@requires(Scope.RUNS_READ)
def show() -> flask.typing.ResponseReturnValue:
    """The asker's round today; who plans is shown the board."""
    actor = current_actor()
    if actor.role != Role.COURIER:
        return flask.redirect(flask.url_for(".board"))
    with unit_of_work() as session:
        return run_page(run_of_courier(session, actor, None, now=now()))


@requires(Scope.RUNS_READ)
def version() -> flask.typing.ResponseReturnValue:
    """Which version of the plan the asker's round is of, as JSON: his phone asks often, and reads seldom."""
    with unit_of_work() as session:
        return flask.jsonify(version=run_version(session, current_actor(), now=now()))


@requires(Scope.SCANS_WRITE)
def scan(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Record an arrival, a pickup, a return, or what did not work out; a double tap is one act.

    For phones without scripts; with them what was done goes through the queue of `app.deliveries.phone`. A
    parcel changes hands at the door of the room above this one, with its cash and proof.
    """
    actor = current_actor()
    with unit_of_work() as session:
        run = run_of_courier(session, actor, None, now=now())
        one = next((stop for stop in run.stops if stop.stop.id == stop_id), None)
        if one is None:
            raise NotFoundError("no such stop in your round")
        try:
            answer = acts.tell(session, actor, run.courier, _told(run, one), now=now())
        except InvalidInputError as error:
            if "/photo" not in {wrong["pointer"] for wrong in error.extra["errors"]}:
                raise
            wrong = _("The photo cannot be used: a picture of at most 300 kB is needed.")
            return run_page(run, wrong=(stop_id, wrong)), 422
        if answer.outcome is Outcome.REFUSED:
            return run_page(run, wrong=(stop_id, answer.detail or _("It could not be recorded."))), 422
        following.follow(session, run.facility, now=now(), courier_ids=[run.courier.id])
    flask.flash(_("Recorded: %(name)s.", name=one.stop.contact_name), "success")
    return flask.redirect(flask.url_for(".run"))


def run_page(run: Run, wrong: tuple[int, str] | None = None) -> str:
    """The page of a round; `wrong` is a stop's id and what was wrong with what was said of it."""
    navigation = services().settings.navigation
    return flask.render_template(
        "dispatch/run.html",
        clock=clock,
        kinds=KINDS,
        stop_statuses=STOP_STATUSES,
        run=run,
        reasons={kind: [(reason, REASONS[reason]) for reason in known] for kind, known in REASONS_OF.items()},
        wrong=wrong,
        asked_at=int(now().timestamp()),
        way_link=partial(way_link, navigation),
    )


def _told(run: Run, one: RunStop) -> Told:
    form, photo = flask.request.form, flask.request.files.get("photo")
    token, what = form.get("asked_at", ""), form.get("what", "")
    if not token.isdecimal() or len(token) > _ID_LENGTH_MAX or what not in set(Act):
        raise BadRequestError("the form is not one of ours")
    act, reason = Act(what), form.get("reason")
    if act is Act.FAILED and reason not in REASONS_OF[one.stop.kind]:
        raise BadRequestError("the form does not say why")
    return Told(
        stop_id=one.stop.id,
        act=act,
        occurred_at=now(),
        offset_minutes=run.facility.utc_offset_minutes,
        device_id=f"phone-{run.courier.id}",
        # The page was asked for once, so two taps on it are one act.
        client_id=f"{one.stop.id}-{act}-{token}",
        reason=reason if act is Act.FAILED else None,
        photo=(None if photo is None else photo.read()) or None,
    )
