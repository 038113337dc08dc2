"""The machine's door to news for consignees."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput
from app.idempotency import idempotent
from app.notices import queries, service
from app.notices.wording import BODY_LENGTH_MAX, MILESTONES, SUBJECT_LENGTH_MAX, NoticeInput
from app.notify.models import Channel
from app.security import current_actor, public, requires
from app.shipments import queries as shipments
from app.web import now, public_unit_of_work, unit_of_work
from tracking.shipment import Milestone

blueprint = APIBlueprint("notices_api", __name__, url_prefix="/api/v1", tag="Notices")


class NoticeBody(ApiInput):
    """What is told at a milestone; {company}, {shipper}, {number}, {link} and {stop} are filled in."""

    enabled: bool = True
    channel: Channel = Channel.SMS
    body_zh: str = Field(min_length=1, max_length=BODY_LENGTH_MAX)
    body_en: str = Field(min_length=1, max_length=BODY_LENGTH_MAX)
    subject_zh: str = Field(default="", max_length=SUBJECT_LENGTH_MAX)
    subject_en: str = Field(default="", max_length=SUBJECT_LENGTH_MAX)


class QuietBody(ApiInput):
    """From and to which minute of the day; the same twice means never."""

    from_minute: int = Field(ge=0, le=1439)
    to_minute: int = Field(ge=0, le=1439)


class Choice(ApiInput):
    """Whether news may come."""

    wanted: bool


@blueprint.get("/notices")
@blueprint.doc(summary="What consignees of the asker's parcels are told, by milestone", security=BEARER)
@requires(Scope.NOTICES_WRITE)
def notices() -> flask.typing.ResponseReturnValue:
    """What consignees of the asker's parcels are told, by milestone, and when it is quiet."""
    actor = current_actor()
    with unit_of_work() as session:
        items = [_notice(one, *queries.shown(session, actor, one)) for one in MILESTONES]
        begins, ends = queries.quiet_minutes(session)
    return flask.jsonify(items=items, quiet_from_minute=begins, quiet_to_minute=ends)


@blueprint.post("/notices/<milestone>")
@blueprint.input(NoticeBody)
@blueprint.doc(summary="Write what is told at a milestone", security=BEARER)
@requires(Scope.NOTICES_WRITE)
@idempotent
def write(milestone: str, json_data: NoticeBody) -> flask.typing.ResponseReturnValue:
    """Write what is told at a milestone."""
    wanted = queries.milestone_of(milestone)
    with unit_of_work() as session:
        row = service.write(
            session, current_actor(), wanted, NoticeInput(**json_data.model_dump()), now=now()
        )
        return flask.jsonify(_notice(wanted, queries.as_input(row), True))


@blueprint.post("/notices/<milestone>/drop")
@blueprint.doc(summary="Forget one's own words for a milestone", security=BEARER)
@requires(Scope.NOTICES_WRITE)
@idempotent
def drop(milestone: str) -> flask.typing.ResponseReturnValue:
    """Forget one's own words for a milestone; again is no harm."""
    actor, wanted = current_actor(), queries.milestone_of(milestone)
    with unit_of_work() as session:
        service.drop(session, actor, wanted, now=now())
        session.flush()  # the answer says what holds now
        return flask.jsonify(_notice(wanted, *queries.shown(session, actor, wanted)))


@blueprint.post("/notices/quiet-hours")
@blueprint.input(QuietBody)
@blueprint.doc(summary="Say when consignees are left in peace", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def quiet_hours(json_data: QuietBody) -> flask.typing.ResponseReturnValue:
    """Say when consignees are left in peace."""
    with unit_of_work() as session:
        service.set_quiet_time(
            session,
            current_actor(),
            from_minute=json_data.from_minute,
            to_minute=json_data.to_minute,
            now=now(),
        )
    return flask.jsonify(json_data.model_dump())


@blueprint.post("/links/<token>/notices")
@blueprint.input(Choice)
@blueprint.doc(summary="The consignee of a link says whether news may come; again is no harm")
@public
def choose(token: str, json_data: Choice) -> flask.typing.ResponseReturnValue:
    """The consignee says whether news may come."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, token)
        if json_data.wanted:
            service.opt_in(session, shipment)
        else:
            service.opt_out(session, shipment, now=now())
    return flask.jsonify(wanted=json_data.wanted)


def _notice(milestone: Milestone, found: NoticeInput, own: bool) -> dict[str, Any]:
    return {
        "milestone": milestone.value,
        "enabled": found.enabled,
        "own": own,
        "channel": found.channel.value,
        "body_zh": found.body_zh,
        "body_en": found.body_en,
        "subject_zh": found.subject_zh,
        "subject_en": found.subject_en,
    }
