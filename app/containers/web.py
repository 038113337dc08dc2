"""Pages of the containers: the list, one container, and what is done with it by buttons."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.accounts.roles import Role, Scope
from app.actor import Actor
from app.containers import dock_pages, label_pages, queries, service
from app.containers.forms import ListForm, OpenForm
from app.containers.queries import ContainerFilters
from app.containers.service import ContainerInput, Deed
from app.containers.words import KINDS, STATUSES
from app.errors import ConflictError, InvalidInputError
from app.network.labels import facility_name
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.shipments import queries as shipments
from app.shipments.container_models import Container
from app.shipments.words import CODES
from app.web import now, unit_of_work
from tracking.container_states import ContainerStatus
from tracking.containers import ContainerKind

blueprint = APIBlueprint("containers", __name__, enable_openapi=False)
dock_pages.register(blueprint)
label_pages.register(blueprint)

# What the page says after an act, and in which tone.
_Said: TypeAlias = tuple[str, str]


@blueprint.context_processor
def _words() -> dict[str, Any]:
    """What the room's templates call things."""
    return {
        "kind_word": KINDS.__getitem__,
        "status_word": STATUSES.__getitem__,
        "code_word": CODES.__getitem__,
        "facility_name": facility_name,
    }


@blueprint.get("/containers")
@requires(Scope.CONTAINERS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """Containers that are not emptied yet, the latest opened first; the filters are in the address."""
    with unit_of_work() as session:
        return _index(session, current_actor(), OpenForm(formdata=None))


@blueprint.post("/containers")
@requires(Scope.CONTAINERS_WRITE)
def open_container() -> flask.typing.ResponseReturnValue:
    """Open a container and go to it."""
    actor, form = current_actor(), OpenForm()
    with unit_of_work() as session:
        _offer(session, actor, form)
        if not form.validate():
            return _index(session, actor, form), 422
        wanted = ContainerInput(
            ContainerKind(form.kind.data), form.to_facility_id.data, vehicle=form.vehicle.data
        )
        deed = Deed(f"page:{actor.user_id}", uuid.uuid4().hex, now(), facility_id=form.facility_id.data)
        try:
            made = service.open_container(session, actor, wanted, deed, now=now())
        except InvalidInputError as error:
            form.form_errors.append(str(_OPENING.get(error.detail, error.detail)))
            return _index(session, actor, form), 422
        return flask.redirect(flask.url_for("containers.show", number=made.number))


@blueprint.post("/containers/<number>/<any(seal, dispatch, receive, count, break):act>")
@requires(Scope.CONTAINERS_WRITE)
def step(number: str, act: str) -> flask.typing.ResponseReturnValue:
    """Seal, send, receive, count or break a container; the page says what came of it."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_container(session, actor, number)
        deed = Deed(f"page:{actor.user_id}", uuid.uuid4().hex, now())
        try:
            text, tone = _STEPS[act](session, actor, found, deed)
            flask.flash(text, tone)
        except ConflictError:
            session.rollback()
            flask.flash(_("That is not possible any more: somebody was quicker."), "error")
    return flask.redirect(flask.url_for("containers.show", number=number))


def _seal(session: Session, actor: Actor, found: Container, deed: Deed) -> _Said:
    seal_number = flask.request.form.get("seal_number", "")[:60]
    service.seal(session, actor, found, seal_number, deed, now=now())
    return str(_("Sealed. Nothing goes in or out until it is received.")), "success"


def _dispatch(session: Session, actor: Actor, found: Container, deed: Deed) -> _Said:
    moved = service.dispatch(session, actor, found, deed, now=now())
    return str(ngettext("It left with %(num)s piece.", "It left with %(num)s pieces.", moved)), "success"


def _receive(session: Session, actor: Actor, found: Container, deed: Deed) -> _Said:
    moved = service.receive(session, actor, found, deed, now=now())
    text = ngettext("Received: %(num)s piece arrived.", "Received: %(num)s pieces arrived.", moved)
    return str(text), "success"


def _count(session: Session, actor: Actor, found: Container, deed: Deed) -> _Said:
    missing = service.count(session, actor, found, deed, now=now())
    return _missing(missing)


def _break(session: Session, actor: Actor, found: Container, deed: Deed) -> _Said:
    missing = service.break_up(session, actor, found, deed, now=now())
    text = str(_("Emptied. What was inside is on its own again."))
    return _missing(missing) if missing else (text, "success")


def _missing(missing: int) -> _Said:
    if not missing:
        return str(_("Complete: nothing is missing.")), "success"
    text = ngettext(
        "%(num)s piece is missing; it stands among the exceptions until it is seen again.",
        "%(num)s pieces are missing; they stand among the exceptions until they are seen again.",
        missing,
    )
    return str(text), "warning"


_STEPS: dict[str, Callable[[Session, Actor, Container, Deed], _Said]] = {
    "seal": _seal,
    "dispatch": _dispatch,
    "receive": _receive,
    "count": _count,
    "break": _break,
}
_OPENING = {
    "say at which facility": dock_pages.SAY_WHERE,
    "it must go to another place": dock_pages.ANOTHER_PLACE,
}


def _index(session: Session, actor: Actor, form: OpenForm) -> str:
    wanted = ListForm(flask.request.args)
    valid = wanted.validate()
    filters = ContainerFilters(
        kind=ContainerKind(wanted.kind.data) if valid and wanted.kind.data else None,
        status=ContainerStatus(wanted.status.data) if valid and wanted.status.data else None,
        facility_id=flask.request.args.get("facility", type=int),
        number=(wanted.number.data or "").strip() or None,
        open_only=not (valid and (wanted.status.data or wanted.number.data)),
    )
    cursor = flask.request.args.get("cursor")
    page = queries.list_containers(session, actor, filters, cursor, LIMIT_DEFAULT)
    _offer(session, actor, form)
    return flask.render_template(
        "containers/index.html",
        form=form,
        filters=wanted,
        page=page,
        counts=queries.counts(session, [row.id for row in page.rows]),
        places=shipments.facilities(
            session, [place for row in page.rows for place in (row.from_facility_id, row.to_facility_id)]
        ),
        may_write=actor.may(Scope.CONTAINERS_WRITE),
        own_place=actor.role == Role.HUB and actor.subject_id is not None,
    )


def _offer(session: Session, actor: Actor, form: OpenForm) -> None:
    """The places to choose from; a hub's own place is not asked."""
    places = [
        SelectChoice(place.id, f"{place.code} {facility_name(place)}")
        for place in shipments.open_facilities(session)
    ]
    form.to_facility_id.choices = [SelectChoice("", _("Anywhere")), *places]
    own = actor.role == Role.HUB and actor.subject_id is not None
    form.facility_id.choices = [
        SelectChoice("", "" if own else _("Choose a place")),
        *([] if own else places),
    ]
