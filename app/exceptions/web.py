"""The board's pages: what needs a person, filtered by its address, worked on in bulk, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import flask
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.accounts.roles import Scope
from app.actor import Actor
from app.addresses import url_with
from app.errors import AppError, InvalidInputError
from app.exceptions import actions, queries
from app.exceptions.actions import Action, RowResult
from app.exceptions.forms import ActionForm, BoardForm
from app.exceptions.queries import BoardFilter, Show, Standing, Whose
from app.exceptions.wording import (
    confirmation,
    explained,
    kind_name,
    outcome_text,
    places_named,
    refusal_text,
)
from app.formatting import datetime_local, duration
from app.network.labels import facility_name
from app.network.models import Facility
from app.pagination import LIMIT_DEFAULT, LIMIT_MAX, Page
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.shipments.exporting import csv_line
from app.shipments.words import MILESTONES
from app.web import now, unit_of_work
from tracking.finding import FindingKind
from tracking.shipment import ScanCode

blueprint = APIBlueprint("exceptions", __name__, enable_openapi=False)

_AUTOMATIC = "on the board of exceptions"


@blueprint.get("/shipments/exceptions")
@requires(Scope.SHIPMENTS_READ)
def board() -> flask.typing.ResponseReturnValue:
    """What needs a person, the longest first."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        return _page(session, actor)


@blueprint.post("/shipments/exceptions")
@requires(Scope.EXCEPTIONS_WRITE)
def act() -> flask.typing.ResponseReturnValue:
    """Do something with the marked findings; the page says of each what became of it."""
    actor = current_actor()
    marked = [int(text) for text in flask.request.form.getlist("finding") if text.isdecimal()][
        : actions.AT_ONCE_MAX
    ]
    with unit_of_work() as session:
        form = _action_form(session)
        if not marked:
            return _page(session, actor, refused=_("Mark at least one row first."), form=form, status=422)
        try:
            with session.begin_nested():
                results = actions.act(session, actor, marked, _chosen(session, form), now=now())
        except InvalidInputError as error:
            return _page(session, actor, refused=refusal_text(error), form=form, marked=marked, status=422)
        except AppError as error:
            return _page(
                session, actor, refused=refusal_text(error), form=form, marked=marked, status=error.status
            )
        return _page(session, actor, results=results, form=_action_form(session, fresh=True))


@blueprint.get("/shipments/exceptions.csv")
@requires(Scope.SHIPMENTS_READ)
def export() -> flask.typing.ResponseReturnValue:
    """The board with its filters as CSV, written while it is read."""
    actor = current_actor()
    queries.require_staff(actor)
    with unit_of_work() as session:
        chosen, _wrong = _filter(session, BoardForm(flask.request.args))

    def lines() -> Iterator[str]:
        yield csv_line(_csv_head())
        cursor: str | None = None
        while True:
            with unit_of_work() as session:
                page = queries.board(session, actor, chosen, now=now(), cursor=cursor, limit=LIMIT_MAX)
                places = _places(session, page.rows)
                yield "".join(csv_line(_csv_row(row, places)) for row in page.rows)
            cursor = page.next_cursor
            if cursor is None:
                return

    return flask.Response(
        flask.stream_with_context(lines()),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="exceptions.csv"', "Cache-Control": "no-store"},
    )


def _page(
    session: Session,
    actor: Actor,
    *,
    results: Sequence[RowResult] = (),
    refused: str | None = None,
    form: ActionForm | None = None,
    marked: Sequence[int] = (),
    status: int = 200,
) -> flask.typing.ResponseReturnValue:
    filters = BoardForm(flask.request.args)
    chosen, wrong = _filter(session, filters)
    cursor = flask.request.args.get("cursor")
    page = queries.board(session, actor, chosen, now=now(), cursor=cursor, limit=LIMIT_DEFAULT)
    places = _places(session, page.rows)
    counts = queries.counts(session, actor, chosen, now=now())
    return flask.render_template(
        "exceptions/board.html",
        filters=filters,
        chosen=chosen,
        tabs=_tabs(counts, chosen),
        total=sum(counts.values()),
        page=Page([_row(row, places, marked) for row in page.rows], page.next_cursor),
        places=places,
        notes=queries.notes_of(session, [row.finding.id for row in page.rows]),
        results=results,
        done=confirmation(sum(result.done for result in results), len(results)),
        all_done=all(result.done for result in results),
        outcome_text=outcome_text,
        refused=refused,
        form=form or _action_form(session),
        may_act=actor.may(Scope.EXCEPTIONS_WRITE),
        customer=page.rows[0].customer_name if chosen.customer_id and page.rows else None,
    ), 422 if wrong else status


def _row(row: Standing, places: dict[int, Facility], marked: Sequence[int]) -> dict[str, object]:
    finding, shipment = row.finding, row.shipment
    place_id = shipment.seen_facility_id or shipment.origin_facility_id
    return {
        "id": finding.id,
        "marked": finding.id in marked,
        "title": kind_name(finding.kind),
        "sentence": explained(finding, shipment, places, now()),
        "finding": finding,
        "shipment": shipment,
        "state": MILESTONES[shipment.milestone],
        "place_id": place_id,
        "place": facility_name(places[place_id]),
        "customer_name": row.customer_name,
        "assignee_name": row.assignee_name,
        "lasts": duration(max(0, int((now() - finding.opened_at).total_seconds()))),
        "aside": finding.snoozed_until is not None and finding.snoozed_until > now(),
    }


def _tabs(counts: dict[FindingKind, int], chosen: BoardFilter) -> list[dict[str, object]]:
    """All, and each kind that there is something of; the chosen one also where there is nothing any more."""
    shown = dict(counts)
    if chosen.kind is not None:
        shown.setdefault(chosen.kind, 0)
    return [
        {
            "label": _("All"),
            "url": url_with(kind=None, cursor=None),
            "active": chosen.kind is None,
            "count": sum(counts.values()),
        },
        *(
            {
                "label": kind_name(kind),
                "url": url_with(kind=kind.value, cursor=None),
                "active": kind is chosen.kind,
                "count": count,
            }
            for kind, count in shown.items()
        ),
    ]


def _filter(session: Session, form: BoardForm) -> tuple[BoardFilter, bool]:
    """What the address asks for, and whether a part of it cannot be understood; that narrows nothing."""
    right = form.validate()
    facility_id = flask.request.args.get("facility", type=int)
    code = (form.place.data or "").strip()
    if code and not form.place.errors:
        facility_id = _facility_id(session, code)
        if facility_id is None:
            form.place.errors = [_("There is no place with this code.")]
            right = False
    kind = form.kind.data if not form.kind.errors else ""
    age = form.age.data if not form.age.errors else ""
    return BoardFilter(
        kind=FindingKind(kind) if kind else None,
        facility_id=facility_id if facility_id is None or 0 < facility_id < 2**63 else None,
        customer_id=None if form.customer.errors else form.customer.data,
        older_than=timedelta(hours=int(age)) if age else None,
        whose=Whose.ANYBODY if form.whose.errors else Whose(form.whose.data),
        show=Show.DUE if form.show.errors else Show(form.show.data),
    ), not right


def _facility_id(session: Session, code: str) -> int | None:
    plain = code.replace("\0", "").upper()
    return session.scalar(sa.select(Facility.id).where(sa.func.upper(Facility.code) == plain))


def _action_form(session: Session, *, fresh: bool = False) -> ActionForm:
    form = ActionForm(formdata=None) if fresh else ActionForm()
    people = [SelectChoice(str(user.id), user.name) for user in queries.staff(session)]
    form.assignee.choices = [SelectChoice("", _("Nobody")), *people]
    return form


def _chosen(session: Session, form: ActionForm) -> Action:
    """The action that the pressed button stands for.

    Raises:
        InvalidInputError: a field it needs is not well filled in, or there is no such button.
    """
    if not form.validate():
        raise InvalidInputError("a field is not well filled in")
    what, words = flask.request.form.get("do", ""), form.body.data or ""
    hours = form.hours.data
    match what:
        case "assign":
            return actions.assign(int(form.assignee.data) if form.assignee.data else None)
        case "note":
            return actions.note(words)
        case "acknowledge":
            return actions.acknowledge()
        case "snooze":
            return actions.snooze(now() + timedelta(hours=int(hours)) if hours else None)
        case "replan":
            return actions.replan(_AUTOMATIC)
        case "case":
            return actions.open_case(words)
        case "lost":
            return actions.record(ScanCode.LOST, None)
        case "found":
            code = (form.found_at.data or "").strip()
            facility_id = _facility_id(session, code) if code else None
            if code and facility_id is None:
                raise InvalidInputError(
                    "no such place", [{"detail": "is unknown", "pointer": "/facility_id"}]
                )
            return actions.record(ScanCode.ARRIVED, facility_id)
    raise InvalidInputError("there is no such action")


def _places(session: Session, rows: Sequence[Standing]) -> dict[int, Facility]:
    return shipments.facilities(
        session, [place for row in rows for place in places_named(row.finding, row.shipment)]
    )


def _csv_head() -> list[str | int | None]:
    return [
        "\ufeff" + _("Waybill"),
        _("What"),
        _("Why"),
        _("State"),
        _("Place"),
        _("Customer"),
        _("Since"),
        _("Hours open"),
        _("Owner"),
        _("Put aside until"),
    ]


def _csv_row(row: Standing, places: dict[int, Facility]) -> list[str | int | None]:
    finding, shipment = row.finding, row.shipment
    offset = shipment.booked_offset_minutes
    until = finding.snoozed_until
    return [
        shipment.waybill_number,
        str(kind_name(finding.kind)),
        explained(finding, shipment, places, now()),
        str(MILESTONES[shipment.milestone][0]),
        facility_name(places[shipment.seen_facility_id or shipment.origin_facility_id]),
        row.customer_name,
        datetime_local(finding.opened_at, offset),
        max(0, int((now() - finding.opened_at).total_seconds()) // 3600),
        row.assignee_name,
        None if until is None else datetime_local(until, offset),
    ]
