"""The dispatcher's pages of a running day and of one that is over."""

from __future__ import annotations

from datetime import date, timedelta

import flask
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.dispatch import queries
from app.dispatch.asked import asked_outlet
from app.dispatch.day import following, learned_view, positions, replaying, takeover
from app.dispatch.day.api import midnight_of
from app.dispatch.day.live_map import couriers_map, heard_text
from app.dispatch.day.models import StopPhoto
from app.dispatch.day.replay import Replay, replay
from app.dispatch.day.round_rows import in_force
from app.dispatch.words import next_day
from app.errors import BadRequestError, NotFoundError, StaleVersionError
from app.network.models import Facility
from app.security import current_actor, requires
from app.shipments.exporting import csv_line
from app.web import now, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/dispatch/now", "running", running)
    blueprint.add_url_rule("/dispatch/couriers.geojson", "couriers_geojson", couriers_geojson)
    blueprint.add_url_rule("/dispatch/replay", "replay", show_replay)
    blueprint.add_url_rule("/dispatch/replay.csv", "replay_csv", replay_csv)
    blueprint.add_url_rule("/dispatch/learned", "learned", show_learned)
    blueprint.add_url_rule("/dispatch/photos/<int:photo_id>", "photo", photo)
    blueprint.add_url_rule(
        "/dispatch/couriers/<int:courier_id>/off", "take_off", take_off, methods=["GET", "POST"]
    )
    blueprint.add_url_rule("/dispatch/couriers/<int:courier_id>/back", "put_back", put_back, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def running() -> flask.typing.ResponseReturnValue:
    """Couriers of an outlet where they are, what they are doing, and how far behind they are."""
    with unit_of_work() as session:
        facility = asked_outlet(session)
        if facility is None:
            return flask.render_template("dispatch/day/now.html", facility=None, outlets=[])
        driven = in_force(session, facility.id, queries.local_day(now(), facility))
        found = positions.whereabouts(session, facility, now=now(), driven=driven)
        ahead = following.ahead_of(session, facility, now=now(), driven=driven)
        coming = {courier_id: stops[0] for courier_id, stops in ahead.items() if stops}
        ends = {courier_id: stops[-1] for courier_id, stops in ahead.items() if stops}
        late = following.late_of(session, ahead)
        return flask.render_template(
            "dispatch/day/now.html",
            facility=facility,
            outlets=queries.outlets_with_couriers(session),
            couriers=found,
            coming=coming,
            ends=ends,
            late=late,
            heard=lambda moment: heard_text(moment, now()),
            late_all=sum(late.values()),
        )


@requires(Scope.DISPATCH_READ)
def couriers_geojson() -> flask.typing.ResponseReturnValue:
    """Couriers where they are now, for maps."""
    with unit_of_work() as session:
        facility = asked_outlet(session)
        if facility is None:
            raise BadRequestError("the map needs a facility")
        response = flask.jsonify(couriers_map(positions.whereabouts(session, facility, now=now()), now()))
    response.mimetype = "application/geo+json"
    return response


@requires(Scope.DISPATCH_READ)
def show_replay() -> flask.typing.ResponseReturnValue:
    """An outlet's day as it was planned and as it was driven; the address holds which."""
    with unit_of_work() as session:
        found = _asked_replay(session)
        if found is None:
            return flask.render_template("dispatch/day/replay.html", replay=None, outlets=[])
        return flask.render_template(
            "dispatch/day/replay.html",
            replay=found,
            outlets=queries.outlets_with_couriers(session),
            sentence=_sentence(found),
            # The stops of one courier at a time: those of sixty are megabytes.
            opened=flask.request.args.get("courier", type=int),
            day_before=next_day(found.day, -1),
            day_after=next_day(found.day, 1),
            start_s=found.span[0] // 3600 * 3600,
            end_s=-(-found.span[1] // 3600) * 3600,
        )


@requires(Scope.DISPATCH_READ)
def replay_csv() -> flask.typing.ResponseReturnValue:
    """The same as a table for spreadsheets, a line a stop."""
    with unit_of_work() as session:
        found = _asked_replay(session)
        if found is None:
            raise BadRequestError("no outlet has couriers yet")
        text = "".join(csv_line(line) for line in replaying.lines(found))
    return flask.Response(
        text,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="replay-{found.facility.code}-{found.day}.csv"'
        },
    )


@requires(Scope.DISPATCH_READ)
def show_learned() -> flask.typing.ResponseReturnValue:
    """What was learned of times at doors and on the way, and how much data stands behind it."""
    with unit_of_work() as session:
        return flask.render_template("dispatch/day/learned.html", learned=learned_view.shown(session))


@requires(Scope.DISPATCH_READ)
def photo(photo_id: int) -> flask.typing.ResponseReturnValue:
    """What a courier found at the door of a failed stop."""
    with unit_of_work() as session:
        found = session.scalar(sa.select(StopPhoto).where(StopPhoto.id == photo_id))
        if found is None:
            raise NotFoundError("no such photo")
        return flask.Response(
            found.content,
            content_type=found.content_type,
            headers={"Cache-Control": "private, no-store", "Content-Disposition": "inline"},
        )


@requires(Scope.DISPATCH_WRITE)
def take_off(courier_id: int) -> flask.typing.ResponseReturnValue:
    """What would become of a courier's round if he fell out; sent, it does."""
    with unit_of_work() as session:
        courier = queries.load_courier(session, current_actor(), courier_id)
        facility = session.get_one(Facility, courier.facility_id)
        if flask.request.method == "GET":
            found = takeover.preview(session, courier, now=now())
            return flask.render_template("dispatch/day/off.html", takeover=found, facility=facility)
        until = midnight_of(queries.local_day(now(), facility), facility) + timedelta(days=1)
        try:
            done = takeover.take_off(
                session,
                current_actor(),
                courier,
                reason=flask.request.form.get("reason", ""),
                until=until,
                version=flask.request.form.get("version", type=int),
                now=now(),
            )
        except StaleVersionError:
            session.rollback()
            flask.flash(
                _("Nothing was changed, because the plan is not what you looked at any more."), "warning"
            )
            return flask.redirect(flask.url_for(".take_off", courier_id=courier_id))
    given = sum(one.courier is not None for one in done.passed)
    flask.flash(
        ngettext(
            "%(name)s is off; %(num)s stop has another courier.",
            "%(name)s is off; %(num)s stops have other couriers.",
            given,
            name=courier.name,
        ),
        "success",
    )
    return flask.redirect(flask.url_for(".running", facility=courier.facility_id))


@requires(Scope.DISPATCH_WRITE)
def put_back(courier_id: int) -> flask.typing.ResponseReturnValue:
    """He works again."""
    with unit_of_work() as session:
        courier = queries.load_courier(session, current_actor(), courier_id)
        takeover.put_back(session, current_actor(), courier, now=now())
    return flask.redirect(flask.url_for(".running", facility=courier.facility_id))


def asked_day(text: str | None) -> date | None:
    """The day in an address.

    Raises:
        BadRequestError: it is none.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError("the day is not a date") from error


def _asked_replay(session: Session) -> Replay | None:
    facility = asked_outlet(session)
    if facility is None:
        return None
    day = asked_day(flask.request.args.get("day")) or queries.local_day(now(), facility)
    return replay(session, facility, day)


def _sentence(found: Replay) -> str:
    stops = sum(len(one.stops) for one in found.rounds)
    made = sum(one.made for one in found.rounds)
    late = sum(one.late for one in found.rounds)
    if not stops:
        return str(_("No round was published for this day."))
    return str(
        ngettext(
            "%(made)s of %(num)s stop made, %(late)s of them late.",
            "%(made)s of %(num)s stops made, %(late)s of them late.",
            stops,
            made=made,
            late=late,
        )
    )
