"""Pages for who works with shipments: the list, one shipment, what is odd, scans of unknown numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Role, Scope
from app.accounts.service import audit
from app.errors import ConflictError
from app.network.labels import facility_name
from app.pagination import LIMIT_DEFAULT, LIMIT_MAX
from app.security import current_actor, requires
from app.shipments import queries, service, unmatched
from app.shipments.exporting import csv_line, csv_of
from app.shipments.forms import ForwardingForm, ListForm, ReceiptForm
from app.shipments.forwarding import forwardings_of
from app.shipments.label_pages import label_response, zpl_response
from app.shipments.models import Shipment
from app.shipments.phrases import courier_words, finding_text, sentence_text, timeline_rows, window_text
from app.shipments.pieces import merged_with, pieces_of
from app.shipments.public_pages import proof_response
from app.shipments.queries import ShipmentFilters
from app.shipments.route_view import leg_rows, route_features
from app.shipments.story import story_of
from app.web import now, unit_of_work
from tracking.shipment import Milestone

# Days are told by the tenant's clock, which is China's.
LOCAL = timezone(timedelta(minutes=480))
_PROBLEMS_SHOWN = 5


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/shipments", "index", index)
    blueprint.add_url_rule("/shipments.csv", "export", export)
    blueprint.add_url_rule("/shipments/unmatched", "unmatched", unmatched_page)
    blueprint.add_url_rule("/shipments/unmatched/retry", "retry_unmatched", retry, methods=["POST"])
    blueprint.add_url_rule("/shipments/<number>", "show", show)
    blueprint.add_url_rule("/shipments/<number>/label.pdf", "label", label)
    blueprint.add_url_rule("/shipments/<number>/label.zpl", "label_zpl", label_zpl)
    blueprint.add_url_rule("/shipments/<number>/proof/<int:proof_id>", "proof", proof)
    blueprint.add_url_rule("/shipments/<number>/cancel", "cancel", cancel, methods=["POST"])


@requires(Scope.SHIPMENTS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """The shipments that the asker may know of; problems first, the filters in the address."""
    form = ListForm(flask.request.args)
    status = 200 if form.validate() else 422
    filters = _filters(form) if status == 200 else ShipmentFilters()
    cursor = flask.request.args.get("cursor")
    actor = current_actor()
    with unit_of_work() as session:
        page = queries.list_shipments(session, actor, filters, cursor, LIMIT_DEFAULT)
        narrowed = filters != ShipmentFilters() or cursor is not None
        problems = [] if narrowed else queries.oldest_problems(session, actor, _PROBLEMS_SHOWN)
        rows = [*page.rows, *problems]
        ends = [row.consignee_district_adcode for row in rows] + [row.sender_district_adcode for row in rows]
        return flask.render_template(
            "shipments/index.html",
            form=form,
            filters=filters,
            page=page,
            problems=problems,
            standing=queries.open_by_milestone(session, actor),
            problem_milestones=queries.PROBLEMS,
            places=queries.facilities(session, [row.state_facility_id for row in rows]),
            districts=queries.districts(session, ends),
        ), status


@requires(Scope.SHIPMENTS_READ)
def export() -> flask.typing.ResponseReturnValue:
    """The list with its filters as CSV, written while it is read."""
    form = ListForm(flask.request.args)
    filters = _filters(form) if form.validate() else ShipmentFilters()
    actor = current_actor()

    def lines() -> Iterator[str]:
        yield csv_line(csv_of(None, {}, {}))
        cursor: str | None = None
        while True:
            with unit_of_work() as session:
                page = queries.list_shipments(session, actor, filters, cursor, LIMIT_MAX)
                ends = {row.sender_district_adcode for row in page.rows}
                ends |= {row.consignee_district_adcode for row in page.rows}
                districts = queries.districts(session, ends)
                places = queries.facilities(session, [row.state_facility_id for row in page.rows])
                yield "".join(csv_line(csv_of(row, districts, places)) for row in page.rows)
            cursor = page.next_cursor
            if cursor is None:
                return

    return flask.Response(
        flask.stream_with_context(lines()),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="shipments.csv"', "Cache-Control": "no-store"},
    )


@requires(Scope.SHIPMENTS_READ)
def show(number: str) -> flask.typing.ResponseReturnValue:
    """One shipment: its sentence, its way, its scans, what is odd."""
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, current_actor(), number)
        return shipment_page(session, shipment, forwarding_form=ForwardingForm(formdata=None))


def shipment_page(session: Session, shipment: Shipment, *, forwarding_form: ForwardingForm) -> str:
    """The page of a shipment; the form on it may hold what was refused."""
    actor = current_actor()
    story = story_of(session, shipment, now=now())
    offset = shipment.booked_offset_minutes
    findings = queries.findings(session, shipment) if actor.role != Role.SHIPPER else []
    underway = not shipment.terminal and shipment.milestone is not Milestone.BOOKED
    ends = [shipment.sender_district_adcode, shipment.consignee_district_adcode]
    return flask.render_template(
        "shipments/show.html",
        shipment=shipment,
        story=story,
        sentence=sentence_text(story, facility_name),
        events=timeline_rows(story, facility_name, detailed=True),
        promised=window_text(story.promised, offset),
        expected=window_text(story.expected, offset) if story.expected and story.differs else None,
        unheard=story.unheard,
        comes=None if story.comes is None else courier_words(story.comes, shipment.milestone, offset),
        findings=[finding_text(finding, now()) for finding in findings],
        legs=leg_rows(story, queries.scans_of(session, shipment)),
        features=route_features(story),
        proofs=queries.proofs(session, shipment),
        pieces=pieces_of(session, shipment),
        merged=merged_with(session, shipment),
        forwardings=forwardings_of(session, shipment),
        forwarding_form=forwarding_form if underway and actor.may(Scope.EXCEPTIONS_WRITE) else None,
        may_forget=actor.may(Scope.EXCEPTIONS_WRITE),
        place=facility_name,
        districts=queries.districts(session, ends),
        may_cancel=actor.may(Scope.SHIPMENTS_BOOK) and shipment.milestone is Milestone.BOOKED,
        form=ReceiptForm(formdata=None),
        links=_links(shipment),
    )


@requires(Scope.SHIPMENTS_READ)
def label(number: str) -> flask.typing.ResponseReturnValue:
    """The labels of all pieces."""
    with unit_of_work() as session:
        return label_response(session, queries.load_shipment(session, current_actor(), number))


@requires(Scope.SHIPMENTS_READ)
def label_zpl(number: str) -> flask.typing.ResponseReturnValue:
    """The labels of all pieces, for a label printer."""
    with unit_of_work() as session:
        return zpl_response(session, queries.load_shipment(session, current_actor(), number))


@requires(Scope.SHIPMENTS_READ)
def proof(number: str, proof_id: int) -> flask.typing.ResponseReturnValue:
    """The picture that proves a delivery; who looked is written down."""
    with unit_of_work() as session:
        shipment = queries.load_shipment(session, current_actor(), number)
        found = queries.proof(session, shipment, proof_id)
        _audit(session, "proof.seen", shipment)
        return proof_response(found)


@requires(Scope.SHIPMENTS_BOOK)
def cancel(number: str) -> flask.typing.ResponseReturnValue:
    """Take a booking back before it is collected."""
    try:
        with unit_of_work() as session:
            shipment = queries.load_shipment(session, current_actor(), number)
            service.cancel(session, shipment, now=now())
            _audit(session, "shipment.cancelled", shipment)
    except ConflictError:
        flask.flash(_("It has been collected already and cannot be cancelled."), "error")
    else:
        flask.flash(_("The booking is cancelled."), "success")
    return flask.redirect(flask.url_for("shipments.show", number=number))


@requires(Scope.SCANS_WRITE)
def unmatched_page() -> flask.typing.ResponseReturnValue:
    """Scans of numbers that nobody booked."""
    with unit_of_work() as session:
        page = unmatched.waiting(session, flask.request.args.get("cursor"), LIMIT_DEFAULT)
        return flask.render_template(
            "shipments/unmatched.html",
            page=page,
            places=queries.facilities(session, [row.body["facility_id"] for row in page.rows]),
            form=ReceiptForm(formdata=None),
        )


@requires(Scope.SCANS_WRITE)
def retry() -> flask.typing.ResponseReturnValue:
    """Look the numbers up again."""
    with unit_of_work() as session:
        count = service.retry_unmatched(session, now=now())
    flask.flash(_("%(count)s found their shipment.", count=count), "success" if count else "info")
    return flask.redirect(flask.url_for("shipments.unmatched"))


def _filters(form: ListForm) -> ShipmentFilters:
    return ShipmentFilters(
        milestone=Milestone(form.milestone.data) if form.milestone.data else None,
        problems=flask.request.args.get("show") == "problems",
        text=(form.text.data or "").strip() or None,
        booked_from=_midnight(form.from_day.data),
        booked_until=None if form.to_day.data is None else _midnight(form.to_day.data + timedelta(days=1)),
        facility_id=flask.request.args.get("facility", type=int),
    )


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), LOCAL).astimezone(UTC)


def _audit(session: Session, action: str, shipment: Shipment) -> None:
    audit(session, current_actor(), action, subject_kind="shipment", subject_id=shipment.id, now=now())


def _links(shipment: Shipment) -> list[tuple[str, str]]:
    """Where the rest of it is told: pages of other rooms that are there and open to the asker."""
    actor, views = current_actor(), flask.current_app.view_functions
    wanted = (
        (
            "deliveries.shipment",
            Scope.SHIPMENTS_BOOK,
            _("What should happen with it"),
            {"number": shipment.waybill_number},
        ),
        (
            "orders.show",
            Scope.ORDERS_READ,
            _("Its price and money"),
            {"number": f"O{shipment.waybill_number}"},
        ),
        (
            "servicedesk.customer",
            Scope.CUSTOMERS_READ,
            _("The customer"),
            {"customer_id": shipment.customer_id},
        ),
        (
            "servicedesk.queue",
            Scope.CASES_READ,
            _("Its cases"),
            {"q": shipment.waybill_number, "show": "all"},
        ),
    )
    return [
        (text, flask.url_for(endpoint, **arguments))
        for endpoint, scope, text, arguments in wanted
        if endpoint in views and actor.may(scope)
    ]
