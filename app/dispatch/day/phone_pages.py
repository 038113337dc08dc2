"""Beside its acts the courier's page sends positions, and opens without a line by a service worker."""

from __future__ import annotations

import flask
import pydantic
from apiflask import APIBlueprint

from app.accounts.roles import Scope
from app.dispatch.day.api import taken
from app.dispatch.day.api_models import PositionsIn
from app.errors import BadRequestError
from app.security import public, requires

WORKER_SCOPE = "/run"


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/run/positions", "positions", positions, methods=["POST"])
    blueprint.add_url_rule("/run/worker.js", "worker", worker)


@requires(Scope.RUNS_READ)
def positions() -> flask.typing.ResponseReturnValue:
    """Where the phone has been, as JSON."""
    try:
        given = PositionsIn.model_validate_json(flask.request.get_data())
    except pydantic.ValidationError as error:
        raise BadRequestError(f"the positions cannot be read: {error.errors()[0]['msg']}") from error
    return flask.jsonify(taken(given))


@public
def worker() -> flask.typing.ResponseReturnValue:
    """The script that opens the round without a line; browsers look here whether there is a newer one."""
    name = flask.current_app.jinja_env.globals["asset"]("run-worker.js").rpartition("/")[2]  # type: ignore[operator]
    static = flask.current_app.static_folder
    assert static is not None, "the front end is served from it"
    response = flask.send_from_directory(f"{static}/build", name, mimetype="text/javascript")
    response.headers["Service-Worker-Allowed"] = WORKER_SCOPE
    response.headers["Cache-Control"] = "no-cache"
    return response
