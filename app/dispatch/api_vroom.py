"""VROOM's interface over HTTP: its problem document in, its answer out.

Whoever has a VROOM server today gives his client this address and a token. The planner works in a process of
its own: neither its work nor its crash is the server's, and it ends with the request.
"""

from __future__ import annotations

import subprocess
import sys
import threading

import flask
from pydantic import Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput
from app.config import REPOSITORY
from app.dispatch.api_blueprint import blueprint
from app.errors import BadRequestError, TooManyTriesError
from app.security import requires

SECONDS_MAX = 30
BODY_BYTES_MAX = 8 * 1024 * 1024
_AT_ONCE = 2  # a server process plans no more than this beside its pages
_START_AND_END_S = 30.0
_INPUT_ERROR_STATUS = 2  # of the planner's process
_turns = threading.BoundedSemaphore(_AT_ONCE)


class VroomQuery(ApiInput):
    """How to plan; the document's own `options` (`c`, `l`) are obeyed as well."""

    seconds: float = Field(default=5, ge=0, le=SECONDS_MAX, description="Limit of the search")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Of everything drawn at random")
    check: bool = Field(default=False, description="Plan mode: judge the rounds in the vehicles' `steps`")


@blueprint.post("/vroom")
@blueprint.input(VroomQuery, location="query")
@blueprint.doc(summary="Plan a VROOM document; answered in VROOM's form", security=BEARER)
@requires(Scope.DISPATCH_WRITE)
def vroom(query_data: VroomQuery) -> flask.typing.ResponseReturnValue:
    """Changes nothing here. What is not valid is answered 400 with VROOM's `code` 2 and `error`."""
    document = flask.request.get_data()
    if len(document) > BODY_BYTES_MAX:
        raise BadRequestError(f"a document may have {BODY_BYTES_MAX} bytes, not {len(document)}")
    if not _turns.acquire(blocking=False):
        raise TooManyTriesError("the planner is busy with other documents", retry_after_s=SECONDS_MAX)
    try:
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "routing.pickup", "solve", "-", "--format", "vroom"),
                *("--seconds", str(query_data.seconds), "--seed", str(query_data.seed)),
                *(["--check"] if query_data.check else []),
            ],
            input=document,
            capture_output=True,
            cwd=REPOSITORY,
            timeout=query_data.seconds + _START_AND_END_S,
            check=False,
        )
    finally:
        _turns.release()
    if ended.returncode not in (0, _INPUT_ERROR_STATUS):
        raise RuntimeError(f"the planner ended with status {ended.returncode}: {ended.stderr[-500:]!r}")
    return flask.Response(
        ended.stdout, 400 if ended.returncode else 200, content_type="application/json; charset=utf-8"
    )
