"""A stop of a plan: who could make it and at what cost; moving, locking, postponing it."""

from __future__ import annotations

import flask
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.dispatch import queries, service
from app.dispatch.board_pages import to_board
from app.dispatch.models import Plan, StopRequest
from app.dispatch.roster import roster
from app.dispatch.service import Gap
from app.dispatch.stale import posted_version, stale_page
from app.dispatch.words import clock, money_change, reason_text
from app.errors import BadRequestError, ConflictError, StaleVersionError
from app.network.models import Facility
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.web import now, unit_of_work
from routing.pickup import ChangeRefusedError

BEST_SHOWN = 3
_PREFIX = "/dispatch/plans/<int:plan_id>/stops/<int:stop_id>"


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule(_PREFIX, "stop", show)
    blueprint.add_url_rule(f"{_PREFIX}/costs", "costs", costs)
    blueprint.add_url_rule(f"{_PREFIX}/gaps", "gaps", gaps)
    blueprint.add_url_rule(f"{_PREFIX}/move", "move", move, methods=["POST"])
    blueprint.add_url_rule(f"{_PREFIX}/lock", "lock", lock, methods=["POST"])
    blueprint.add_url_rule("/dispatch/stops/<int:stop_id>/postpone", "postpone", postpone, methods=["POST"])


@requires(Scope.DISPATCH_READ)
def show(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """The stop and its places by cost: a part for the board's dialog, the whole page without scripts."""
    with unit_of_work() as session:
        actor = current_actor()
        plan, stop = _load(session, plan_id, stop_id)
        offers, refused = None, None
        try:
            offers = service.offers(session, actor, plan, stop, now=now())
        except ConflictError as error:
            refused = error.detail
        visit = next((visit for visit in plan.visits if visit.stop_request_id == stop.id), None)
        left = next((row for row in plan.unserved if row.stop_request_id == stop.id), None)
        part = flask.request.headers.get("HX-Request-Type") == "partial"
        return flask.render_template(
            "dispatch/_stop.html" if part else "dispatch/stop.html",
            plan=plan,
            stop=stop,
            number=f"P{stop.pickup_request_id}"
            if stop.shipment_id is None
            else shipments.load_shipment_by_id(session, actor, stop.shipment_id).waybill_number,
            offers=offers,
            refused=refused,
            couriers=[one.courier for one in roster(session, plan.facility_id, plan.day) if one.takes_stops],
            best_shown=BEST_SHOWN,
            visit=visit,
            left=left,
        )


@requires(Scope.DISPATCH_READ)
def costs(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """What each courier would cost more, or each place of one round, for the board while a stop is moved."""
    courier_id = flask.request.args.get("courier", type=int)
    with unit_of_work() as session:
        actor = current_actor()
        plan = queries.load_plan_head(session, actor, plan_id)
        stop = queries.load_stop(session, actor, stop_id)
        if courier_id is not None:
            gaps = service.gaps_of(session, actor, plan, stop, courier_id, now=now())
            return flask.jsonify([_gap_answer(gap) for gap in gaps])
        found = service.offers(session, actor, plan, stop, now=now())
        return flask.jsonify(
            {
                str(place.courier.id): {
                    "cost": money_change(place.extra_cost_minor),
                    "sequence": place.sequence,
                }
                for place in found.places
            }
        )


@requires(Scope.DISPATCH_READ)
def gaps(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """Every place in one courier's round with its cost: a part of the stop's page."""
    courier_id = flask.request.args.get("courier", type=int)
    with unit_of_work() as session:
        plan, stop = _load(session, plan_id, stop_id)
        if courier_id is None:
            raise BadRequestError("the form does not say whose round it is")
        found = service.gaps_of(session, current_actor(), plan, stop, courier_id, now=now())
        return flask.render_template(
            "dispatch/_gaps.html",
            courier_id=courier_id,
            gaps=found,
            others=_others(session, plan, courier_id, stop_id),
        )


def _gap_answer(gap: Gap) -> dict[str, object]:
    if gap.extra_cost_minor is None or gap.start_s is None:
        return {"sequence": gap.sequence, "refused": reason_text(gap.reason, gap.details)}
    return {
        "sequence": gap.sequence,
        "cost": money_change(gap.extra_cost_minor),
        "at": clock(gap.start_s),
    }


def _others(session: Session, plan: Plan, courier_id: int, stop_id: int) -> list[StopRequest]:
    """The other stops of a round in the order of visit."""
    ids = [
        visit.stop_request_id
        for visit in sorted(plan.visits, key=lambda visit: visit.sequence)
        if visit.courier_id == courier_id and visit.stop_request_id != stop_id
    ]
    stops = {stop.id: stop for stop in session.scalars(sa.select(StopRequest).where(StopRequest.id.in_(ids)))}
    return [stops[one] for one in ids]


@requires(Scope.DISPATCH_WRITE)
def move(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """Give the stop to whom the form says: `courier:sequence`, or `out`."""
    courier_id, sequence = _place(flask.request.form.get("place", ""))
    with unit_of_work() as session:
        plan, stop = _load(session, plan_id, stop_id)
        try:
            moved = service.move_stop(
                session,
                current_actor(),
                plan,
                stop,
                courier_id=courier_id,
                sequence=sequence,
                version=posted_version(),
                now=now(),
            )
        except StaleVersionError as error:
            return stale_page(session, plan_id, error, _wanted(session, stop, courier_id))
        except ChangeRefusedError as error:
            session.rollback()
            flask.flash(reason_text(error.reason, error.parameters), "error")
        else:
            flask.flash(
                _("Moved; the plan costs %(change)s.", change=money_change(moved.extra_cost_minor)), "success"
            )
        return to_board(plan)


@requires(Scope.DISPATCH_WRITE)
def lock(plan_id: int, stop_id: int) -> flask.typing.ResponseReturnValue:
    """Tie the stop to its courier, or untie it."""
    locked = flask.request.form.get("locked") == "yes"
    with unit_of_work() as session:
        plan, stop = _load(session, plan_id, stop_id)
        name = stop.contact_name
        try:
            service.set_lock(
                session, current_actor(), plan, stop, locked=locked, version=posted_version(), now=now()
            )
        except StaleVersionError as error:
            wanted = _("Lock %(name)s", name=name) if locked else _("Unlock %(name)s", name=name)
            return stale_page(session, plan_id, error, wanted)
        else:
            flask.flash(
                _("Locked: the stop stays with its courier, in the next plan too.")
                if locked
                else _("Unlocked: the planner may give the stop to another courier."),
                "success",
            )
        return to_board(plan)


@requires(Scope.DISPATCH_WRITE)
def postpone(stop_id: int) -> flask.typing.ResponseReturnValue:
    """Try the stop on the next day; the board of the day it leaves is shown again."""
    with unit_of_work() as session:
        actor = current_actor()
        stop = queries.load_stop(session, actor, stop_id)
        facility = session.get_one(Facility, stop.facility_id)
        day = stop.day
        service.postpone(session, actor, stop, offset_minutes=facility.utc_offset_minutes, now=now())
        flask.flash(_("The stop waits for the next day."), "success")
        return flask.redirect(flask.url_for(".board", facility=facility.id, day=day.isoformat()))


def _load(session: Session, plan_id: int, stop_id: int) -> tuple[Plan, StopRequest]:
    actor = current_actor()
    return queries.load_plan(session, actor, plan_id), queries.load_stop(session, actor, stop_id)


def _wanted(session: Session, stop: StopRequest, courier_id: int | None) -> str:
    if courier_id is None:
        return str(_("Take %(name)s out of the rounds", name=stop.contact_name))
    courier = queries.load_courier(session, current_actor(), courier_id)
    return str(_("Give %(name)s to %(courier)s", name=stop.contact_name, courier=courier.name))


def _place(text: str) -> tuple[int | None, int | None]:
    if text == "out":
        return None, None
    courier, _colon, sequence = text.partition(":")
    if not courier.isdecimal() or not (sequence == "" or sequence.isdecimal()) or len(text) > 24:
        raise BadRequestError("the form does not say who is to make the stop")
    return int(courier), int(sequence) if sequence else None
