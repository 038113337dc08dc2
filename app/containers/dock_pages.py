"""One container at the dock: the big field, its answer, and what is missing before everything else."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import flask
import msgspec
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.actor import Actor
from app.containers import queries, service
from app.containers.service import Deed, RowResult, RowStatus
from app.containers.words import ADVICE, MODES, ROWS
from app.errors import BadRequestError, InvalidInputError
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.shipments.container_models import Container
from app.shipments.station_answer import Answer
from app.web import now, unit_of_work
from tracking.container_states import TRANSITIONS, ContainerAct

SAY_WHERE = _l("Say where it is opened.")
ANOTHER_PLACE = _l("It must go to another place.")

_QUEUED_MAX = 500
_ACTS = {
    ContainerAct.PACK: service.pack,
    ContainerAct.UNPACK: service.unpack,
    ContainerAct.CHECK: service.check,
}
_GOOD = frozenset({"ok", "warn"})


class Typed(msgspec.Struct, frozen=True):
    """One scan as the page's browser sends it, at once or when the line is back; `code` is what is done."""

    number: str
    code: ContainerAct
    client_scan_id: str = ""
    device: str = ""
    occurred_at: datetime | None = None
    offset_minutes: int = 480


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/containers/<number>", "show", show)
    blueprint.add_url_rule("/containers/<number>/scan", "scan", scan, methods=["POST"])
    blueprint.add_url_rule("/containers/<number>/queued", "scan_queued", scan_queued, methods=["POST"])


@requires(Scope.CONTAINERS_READ)
def show(number: str) -> flask.typing.ResponseReturnValue:
    """One container; what the field does with a scan stands in the address."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        return flask.render_template("containers/show.html", **_context(session, actor, found, None))


@requires(Scope.CONTAINERS_WRITE)
def scan(number: str) -> flask.typing.ResponseReturnValue:
    """Take one scan and answer it: a part for the station's script, the whole page without one."""
    given = {name: value for name, value in flask.request.form.items() if value}
    try:
        typed = msgspec.convert(given, Typed, strict=False)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error)) from error
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        (row,) = _done(session, actor, found, typed)
        part = flask.request.headers.get("HX-Request-Type") == "partial"
        template = "containers/_answer.html" if part else "containers/show.html"
        return flask.render_template(template, **_context(session, actor, found, _answer(row)))


@requires(Scope.CONTAINERS_WRITE)
def scan_queued(number: str) -> flask.typing.ResponseReturnValue:
    """Take what the page kept while the line was down; one result a scan, in their order."""
    try:
        typed = msgspec.json.decode(flask.request.get_data(), type=list[Typed])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError(str(error)) from error
    if len(typed) > _QUEUED_MAX:
        raise InvalidInputError(f"at most {_QUEUED_MAX} scans at once")
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        answers = []
        for one in typed:
            (row,) = _done(session, actor, found, one)
            answer = _answer(row)
            status = "recorded" if answer.tone in _GOOD else "rejected"
            text = None if answer.tone in _GOOD else answer.headline
            answers.append(
                {"client_scan_id": one.client_scan_id, "number": row.number, "status": status, "text": text}
            )
    return flask.jsonify(answers)


def _done(session: Session, actor: Actor, found: Container, typed: Typed) -> list[RowResult]:
    act = _ACTS.get(typed.code)
    if act is None:
        raise BadRequestError(f"{typed.code} is not done by a scan")
    deed = Deed(
        f"station:{actor.user_id}:{typed.device[:40]}",
        typed.client_scan_id or uuid.uuid4().hex,
        typed.occurred_at or now(),
        typed.offset_minutes,
    )
    return act(session, actor, found, [typed.number], deed, now=now())


def _answer(row: RowResult) -> Answer:
    word, tone = ROWS[row.status]
    if row.container is not None:
        text = _("%(number)s is recorded in %(container)s.", number=row.number, container=row.container)
        if row.status is RowStatus.SURPLUS:
            text = _("%(number)s was recorded in %(container)s.", number=row.number, container=row.container)
        return Answer(str(word), tone, text)
    advice = ADVICE.get(row.status)
    return Answer(str(word), tone, row.number if advice is None else f"{row.number} · {advice}")


def _context(session: Session, actor: Actor, found: Container, answer: Answer | None) -> dict[str, Any]:
    figures = queries.counts(session, [found.id])[found.id]
    page = queries.list_items(session, found.id, flask.request.args.get("cursor"), LIMIT_DEFAULT)
    parent = queries.inside_of(session, found.id)
    said = queries.outer_scans(session, found.id)[:10]
    places = [found.from_facility_id, found.to_facility_id, found.received_facility_id]
    may = actor.may(Scope.CONTAINERS_WRITE)
    acts = [act for act in ContainerAct if may and (found.status, act) in TRANSITIONS]
    modes = sorted((act for act in acts if act in MODES), key=lambda act: act is ContainerAct.UNPACK)
    asked = flask.request.values.get("code") or flask.request.args.get("do")
    return {
        "answer": answer,
        "container": found,
        "counts": figures,
        "page": page,
        "parent": parent,
        "outer_scans": said,
        "places": shipments.facilities(session, [*places, *(one.facility_id for one in said)]),
        "acts": {act.value for act in acts},
        "modes": {mode: MODES[mode] for mode in modes},
        "mode": next((mode for mode in modes if mode.value == asked), _usual(modes)),
        "at_dock": found.received_at is not None,
    }


def _usual(modes: list[ContainerAct]) -> ContainerAct | None:
    """What is mostly done with it: packing while it is open, comparing at the dock."""
    return next((mode for mode in (ContainerAct.PACK, ContainerAct.CHECK) if mode in modes), None)
