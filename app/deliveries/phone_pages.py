"""Where the script of the courier's page sends what it kept; the answers are in his words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flask
import pydantic
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.accounts.roles import Scope
from app.deliveries.api_phone import ActsIn, result_answer, take_all
from app.deliveries.phone import Result
from app.dispatch.day.told import Why
from app.errors import BadRequestError
from app.security import requires

WHY: Mapping[str, Any] = {
    Why.OTHER_COURIER: _l("Another courier has this stop now. What you told is kept."),
    Why.NOT_IN_ROUND: _l("This stop was taken out of your round. What you told is kept."),
    Why.FINISHED: _l("This stop was finished before. What you told is kept."),
    Why.NOT_RECORDED: _l("It could not be recorded."),
    Why.STOPPED: _l("The sender has stopped this parcel. Bring it back to the outlet."),
    Why.NO_CONSENT: _l("The consignee has not agreed that somebody else takes it. Hand it to him only."),
    Why.WRONG_CODE: _l("That is not the consignee's code. Take a signature or a photo."),
    Why.CODE_LOCKED: _l("Too many wrong codes: take a signature or a photo."),
    Why.NOT_PAID: _l("Not paid in full: keep the parcel. It is recorded as not handed over."),
}
"""What the courier is told of an act that did not simply go through."""


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/run/acts", "phone_acts", acts, methods=["POST"])


@requires(Scope.SCANS_WRITE)
def acts() -> flask.typing.ResponseReturnValue:
    """What the phone kept, as JSON; a result for each act, told in the page's language."""
    try:
        given = ActsIn.model_validate_json(flask.request.get_data())
    except pydantic.ValidationError as error:
        raise BadRequestError(f"the acts cannot be read: {error.errors()[0]['msg']}") from error
    return flask.jsonify([result_answer(one) | {"text": told(one)} for one in take_all(given)])


def told(result: Result) -> str | None:
    """What the courier is told; None where nothing needs to be said."""
    if result.why is None:
        return None
    return str(WHY[result.why]) if result.why in WHY else str(_("It could not be recorded."))
