"""Hub studies for machines: ask for one, see how it stands, give it up."""

from __future__ import annotations

from typing import Any

import flask
from pydantic import AwareDatetime, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.idempotency import idempotent
from app.network import designing
from app.network.api_blueprint import blueprint
from app.network.designing import DAYS_MAX, HUBS_MAX, SECONDS_MAX, Wanted
from app.network.models import HubStudy, StudyStatus
from app.security import current_actor, requires
from app.web import now, unit_of_work


class StudyIn(ApiInput):
    """Which hubs are to be found, and by what."""

    gravity: bool = Field(default=False, description="By the gravity model, instead of what was sent")
    days: int = Field(default=30, ge=1, le=DAYS_MAX)
    hubs: int = Field(ge=1, le=HUBS_MAX)
    discount_percent: int = Field(default=60, ge=0, le=100)
    multiple: bool = Field(default=False, description="An outlet may use several hubs")
    seconds: int = Field(default=60, ge=1, le=SECONDS_MAX)


class StudyOut(ApiOutput):
    """A study; `answer` is what `python -m routing.network design` prints, with ids of facilities."""

    id: int
    status: StudyStatus
    asked_at: AwareDatetime
    ended_at: AwareDatetime | None
    error: str | None
    answer: dict[str, Any] | None


@blueprint.post("/network/designs")
@blueprint.input(StudyIn)
@blueprint.output(StudyOut, status_code=202)
@blueprint.doc(summary="Ask which outlets would best be hubs", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def request_design(json_data: StudyIn) -> flask.typing.ResponseReturnValue:
    """Ask for a study."""
    with unit_of_work() as session:
        study = designing.request_study(session, current_actor(), Wanted(**json_data.model_dump()), now=now())
        return flask.jsonify(_answer(study)), 202, {"Location": flask.url_for(".design", study_id=study.id)}


@blueprint.get("/network/designs/<int:study_id>")
@blueprint.output(StudyOut)
@blueprint.doc(summary="A hub study, with its answer when it is there", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
def design(study_id: int) -> flask.typing.ResponseReturnValue:
    """One study."""
    with unit_of_work() as session:
        return flask.jsonify(_answer(designing.load_study(session, study_id)))


@blueprint.post("/network/designs/<int:study_id>/cancel")
@blueprint.output(StudyOut)
@blueprint.doc(summary="Give a hub study up", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
@idempotent
def cancel_design(study_id: int) -> flask.typing.ResponseReturnValue:
    """Give a study up."""
    with unit_of_work() as session:
        study = designing.load_study(session, study_id)
        designing.cancel_study(session, study, now=now())
        return flask.jsonify(_answer(study))


def _answer(study: HubStudy) -> dict[str, Any]:
    return {
        "id": study.id,
        "status": study.status,
        "asked_at": study.asked_at.isoformat(),
        "ended_at": study.ended_at and study.ended_at.isoformat(),
        "error": study.error,
        "answer": study.answer,
    }
