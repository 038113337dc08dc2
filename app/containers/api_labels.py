"""Labels and lists of containers for machines."""

from __future__ import annotations

import flask

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.containers.api_blueprint import blueprint
from app.containers.label_pages import label_answer, list_answer, zpl_label_answer
from app.security import requires
from app.shipments.label_pages import ZPL_TYPE


@blueprint.get("/containers/<number>/label.pdf")
@blueprint.doc(
    summary="The label of a container, 100 x 150 mm",
    security=BEARER,
    responses={200: "The label, as application/pdf"},
)
@requires(Scope.CONTAINERS_READ)
def label(number: str) -> flask.typing.ResponseReturnValue:
    """The label as a PDF."""
    return label_answer(number)


@blueprint.get("/containers/<number>/label.zpl")
@blueprint.doc(
    summary="The same for a label printer: ZPL II, 203 dots an inch",
    security=BEARER,
    responses={200: f"The label, as {ZPL_TYPE}"},
)
@requires(Scope.CONTAINERS_READ)
def label_zpl(number: str) -> flask.typing.ResponseReturnValue:
    """The label as ZPL."""
    return zpl_label_answer(number)


@blueprint.get("/containers/<number>/list.pdf")
@blueprint.doc(
    summary="The list of what is inside, on A4 over as many pages as it takes",
    security=BEARER,
    responses={200: "The list, as application/pdf"},
)
@requires(Scope.CONTAINERS_READ)
def contents_list(number: str) -> flask.typing.ResponseReturnValue:
    """The list as a PDF."""
    return list_answer(number)
