"""Containers for machines: list, one, what is inside, and everything that is done with them."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER, PageQuery, page_answer
from app.containers import queries, service
from app.containers.answers import (
    comparison_answer,
    container_answer,
    containers_answer,
    item_answer,
    rows_answer,
)
from app.containers.api_blueprint import blueprint
from app.containers.api_models import (
    CheckedOut,
    CheckIn,
    ComparisonOut,
    ContainerMovedOut,
    ContainerOut,
    ContainerPage,
    ContainerQuery,
    CountedOut,
    DeedIn,
    DispatchIn,
    ItemPage,
    OpenIn,
    PackIn,
    RowsOut,
    SealIn,
    ThingsIn,
)
from app.containers.service import ContainerInput
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work


@blueprint.get("/containers")
@blueprint.input(ContainerQuery, location="query")
@blueprint.output(ContainerPage)
@blueprint.doc(summary="Bags, manifests and trips, the latest opened first", security=BEARER)
@requires(Scope.CONTAINERS_READ)
def containers(query_data: ContainerQuery) -> flask.typing.ResponseReturnValue:
    """Containers."""
    filters = queries.ContainerFilters(
        query_data.kind, query_data.status, query_data.facility_id, query_data.number
    )
    with unit_of_work() as session:
        page = queries.list_containers(session, current_actor(), filters, query_data.cursor, query_data.limit)
        return page_answer(containers_answer(session, page.rows), page.next_cursor)


@blueprint.post("/containers")
@blueprint.input(OpenIn)
@blueprint.output(ContainerOut, status_code=201)
@blueprint.doc(summary="Open a bag, manifest or trip", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def open_container(json_data: OpenIn) -> flask.typing.ResponseReturnValue:
    """A new container with its number."""
    actor = current_actor()
    wanted = ContainerInput(
        json_data.kind, json_data.to_facility_id, json_data.lane_id, json_data.departs_at, json_data.vehicle
    )
    with unit_of_work() as session:
        made = service.open_container(session, actor, wanted, json_data.deed(actor, now()), now=now())
        response = flask.jsonify(container_answer(session, made))
    response.status_code = 201
    response.headers["Location"] = f"/api/v1/containers/{made.number}"
    return response


@blueprint.get("/containers/<number>")
@blueprint.output(ContainerOut)
@blueprint.doc(summary="A container with its figures", security=BEARER)
@requires(Scope.CONTAINERS_READ)
def container(number: str) -> flask.typing.ResponseReturnValue:
    """One container."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        return flask.jsonify(container_answer(session, found))


@blueprint.get("/containers/<number>/items")
@blueprint.input(PageQuery, location="query")
@blueprint.output(ItemPage)
@blueprint.doc(summary="What is on a container's list, what was not seen first", security=BEARER)
@requires(Scope.CONTAINERS_READ)
def items(number: str, query_data: PageQuery) -> flask.typing.ResponseReturnValue:
    """What a container holds, or held."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        page = queries.list_items(session, found.id, query_data.cursor, query_data.limit)
        return page_answer([item_answer(one) for one in page.rows], page.next_cursor)


@blueprint.get("/containers/<number>/comparison")
@blueprint.output(ComparisonOut)
@blueprint.doc(summary="Expected against scanned: all that is missing or surplus, by name", security=BEARER)
@requires(Scope.CONTAINERS_READ)
def comparison(number: str) -> flask.typing.ResponseReturnValue:
    """Expected against scanned."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        return flask.jsonify(comparison_answer(queries.compare(session, found.id)))


@blueprint.post("/containers/<number>/pack")
@blueprint.input(PackIn)
@blueprint.output(RowsOut)
@blueprint.doc(
    summary="Put pieces and containers in",
    description="Each has a result of its own. `device_id` and `client_event_id` recognise a request that is "
    "sent again; it has no second effect.",
    security=BEARER,
)
@requires(Scope.CONTAINERS_WRITE)
def pack(number: str, json_data: PackIn) -> flask.typing.ResponseReturnValue:
    """Pack."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        deed = json_data.deed(actor, now())
        rows = service.pack(session, actor, found, json_data.numbers, deed, move=json_data.move, now=now())
        return flask.jsonify(items=rows_answer(rows), container=container_answer(session, found))


@blueprint.post("/containers/<number>/unpack")
@blueprint.input(ThingsIn)
@blueprint.output(RowsOut)
@blueprint.doc(summary="Take pieces and containers out", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
def unpack(number: str, json_data: ThingsIn) -> flask.typing.ResponseReturnValue:
    """Unpack."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        rows = service.unpack(
            session, actor, found, json_data.numbers, json_data.deed(actor, now()), now=now()
        )
        return flask.jsonify(items=rows_answer(rows), container=container_answer(session, found))


@blueprint.post("/containers/<number>/seal")
@blueprint.input(SealIn)
@blueprint.output(ContainerOut)
@blueprint.doc(summary="Close a container with its seal", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def seal(number: str, json_data: SealIn) -> flask.typing.ResponseReturnValue:
    """Seal."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        service.seal(session, actor, found, json_data.seal_number, json_data.deed(actor, now()), now=now())
        return flask.jsonify(container_answer(session, found))


@blueprint.post("/containers/<number>/dispatch")
@blueprint.input(DispatchIn)
@blueprint.output(ContainerMovedOut)
@blueprint.doc(summary="Send a sealed container off; everything inside departs", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def dispatch(number: str, json_data: DispatchIn) -> flask.typing.ResponseReturnValue:
    """Dispatch."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        deed = json_data.deed(actor, now())
        moved = service.dispatch(session, actor, found, deed, vehicle=json_data.vehicle, now=now())
        return flask.jsonify(container=container_answer(session, found), moved=moved)


@blueprint.post("/containers/<number>/receive")
@blueprint.input(DeedIn)
@blueprint.output(ContainerMovedOut)
@blueprint.doc(summary="Receive a container; everything inside arrives", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def receive(number: str, json_data: DeedIn) -> flask.typing.ResponseReturnValue:
    """Receive."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        moved = service.receive(session, actor, found, json_data.deed(actor, now()), now=now())
        return flask.jsonify(container=container_answer(session, found), moved=moved)


@blueprint.post("/containers/<number>/check")
@blueprint.input(CheckIn)
@blueprint.output(CheckedOut)
@blueprint.doc(
    summary="Compare what the dock scans with what should be inside",
    description="One by one or all at once. With `complete` what was not seen is missing from then on, and "
    "everything missing or surplus is named.",
    security=BEARER,
)
@requires(Scope.CONTAINERS_WRITE)
def check(number: str, json_data: CheckIn) -> flask.typing.ResponseReturnValue:
    """Check."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        deed = json_data.deed(actor, now())
        rows = service.check(session, actor, found, json_data.numbers, deed, now=now())
        if json_data.complete:
            service.count(session, actor, found, deed, now=now())
        compared = comparison_answer(queries.compare(session, found.id)) if json_data.complete else None
        return flask.jsonify(
            items=rows_answer(rows), container=container_answer(session, found), comparison=compared
        )


@blueprint.post("/containers/<number>/count")
@blueprint.input(DeedIn)
@blueprint.output(CountedOut)
@blueprint.doc(summary="Say that all of it was scanned: what was not seen is missing", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def count(number: str, json_data: DeedIn) -> flask.typing.ResponseReturnValue:
    """Count."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        missing = service.count(session, actor, found, json_data.deed(actor, now()), now=now())
        compared = queries.compare(session, found.id)
        return flask.jsonify(
            container=container_answer(session, found),
            missing_pieces=missing,
            comparison=comparison_answer(compared),
        )


@blueprint.post("/containers/<number>/break")
@blueprint.input(DeedIn)
@blueprint.output(CountedOut)
@blueprint.doc(summary="Break a container: what was inside is on its own again", security=BEARER)
@requires(Scope.CONTAINERS_WRITE)
@idempotent
def break_up(number: str, json_data: DeedIn) -> flask.typing.ResponseReturnValue:
    """Break."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        missing = service.break_up(session, actor, found, json_data.deed(actor, now()), now=now())
        compared = queries.compare(session, found.id)
        return flask.jsonify(
            container=container_answer(session, found),
            missing_pieces=missing,
            comparison=comparison_answer(compared),
        )
