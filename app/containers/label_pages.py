"""Labels and lists of containers as answers, for people and for machines."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint

from app.accounts.roles import Scope
from app.containers import labels, queries
from app.security import current_actor, requires
from app.shipments.label_pages import pdf_answer, zpl_answer
from app.web import services, unit_of_work


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/containers/<number>/label.pdf", "label", label)
    blueprint.add_url_rule("/containers/<number>/label.zpl", "label_zpl", label_zpl)
    blueprint.add_url_rule("/containers/<number>/list.pdf", "contents_list", contents_list)


@requires(Scope.CONTAINERS_READ)
def label(number: str) -> flask.typing.ResponseReturnValue:
    """The label as a PDF."""
    return label_answer(number)


@requires(Scope.CONTAINERS_READ)
def label_zpl(number: str) -> flask.typing.ResponseReturnValue:
    """The label for a label printer."""
    return zpl_label_answer(number)


@requires(Scope.CONTAINERS_READ)
def contents_list(number: str) -> flask.typing.ResponseReturnValue:
    """What is inside, as a PDF over pages."""
    return list_answer(number)


def label_answer(number: str) -> flask.Response:
    """The label of a container that the asker may know of, as a PDF."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        made = labels.container_label_of(session, found)
        return pdf_answer(labels.label_pdf(made), made.number)


def zpl_label_answer(number: str) -> flask.Response:
    """The same as ZPL."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        made = labels.container_label_of(session, found)
        return zpl_answer(labels.label_zpl(made, font=services().settings.zpl_font), made.number)


def list_answer(number: str) -> flask.Response:
    """The list of what is inside, as a PDF over pages."""
    with unit_of_work() as session:
        found = queries.load_container(session, current_actor(), number)
        made = labels.container_label_of(session, found)
        inside = list(labels.numbers_inside(session, found))
        return pdf_answer(labels.list_pdf(made, inside), f"{made.number}-list")
