"""Hub studies as pages: the question, its progress, and its answer as a map and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.errors import ConflictError
from app.formatting import number
from app.network import designing, labels, queries
from app.network.designing import Wanted
from app.network.forms import DesignForm
from app.network.labels import SERIES, facility_name
from app.network.models import Facility
from app.security import current_actor, requires
from app.web import now, unit_of_work
from routing.network import FacilityKind

_SHOWN = 10
_HUBS, _SPOKES = SERIES[FacilityKind.HUB], SERIES[FacilityKind.OUTLET]


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/network/design", "design", design)
    blueprint.add_url_rule("/network/design", "request_design", request_design, methods=["POST"])
    blueprint.add_url_rule("/network/design/<int:study_id>", "study", study)
    blueprint.add_url_rule("/network/design/<int:study_id>/progress", "study_progress", progress)
    blueprint.add_url_rule("/network/design/<int:study_id>/cancel", "cancel_study", cancel, methods=["POST"])


@requires(Scope.DISPATCH_WRITE)
def design() -> flask.typing.ResponseReturnValue:
    """Ask which outlets would best be hubs; the studies asked for last."""
    with unit_of_work() as session:
        return _index(session, DesignForm())


@requires(Scope.DISPATCH_WRITE)
def request_design() -> flask.typing.ResponseReturnValue:
    """Ask for a study."""
    form = DesignForm()
    with unit_of_work() as session:
        if not form.validate():
            return _index(session, form), 422
        wanted = Wanted(
            gravity=form.demand.data == "gravity",
            days=form.days.data or 0,
            hubs=form.hubs.data or 0,
            discount_percent=form.discount.data or 0,
            multiple=form.allocation.data == "multiple",
            seconds=form.seconds.data or 0,
        )
        try:
            study_id = designing.request_study(session, current_actor(), wanted, now=now()).id
        except ConflictError:
            form.form_errors.append(_("Others are waiting already; let them end first."))
            return _index(session, form), 409
    return flask.redirect(flask.url_for("network.study", study_id=study_id))


@requires(Scope.DISPATCH_WRITE)
def study(study_id: int) -> flask.typing.ResponseReturnValue:
    """One study: how far it has come, or its answer."""
    with unit_of_work() as session:
        found = designing.load_study(session, study_id)
        answer = found.answer
        named = _named(session, answer) if answer is not None else {}
        return flask.render_template(
            "network/study.html",
            study=found,
            now=now(),
            statuses=labels.STUDIES,
            unfinished=designing.UNFINISHED,
            answer=answer,
            hubs=[] if answer is None else _hub_rows(answer, named),
            data=None if answer is None else _map(answer, named),
            legend_items=[
                (_HUBS, _("Hubs and the lines between them")),
                (_SPOKES, _("Lines of the outlets")),
            ],
        )


@requires(Scope.DISPATCH_WRITE)
def progress(study_id: int) -> flask.typing.ResponseReturnValue:
    """How far a study has come, for its page; when it has ended, the page is asked anew."""
    with unit_of_work() as session:
        found = designing.load_study(session, study_id)
        if found.status not in designing.UNFINISHED:
            return "", 200, {"HX-Refresh": "true"}
        return flask.render_template(
            "network/_study_progress.html", study=found, now=now(), statuses=labels.STUDIES
        )


@requires(Scope.DISPATCH_WRITE)
def cancel(study_id: int) -> flask.typing.ResponseReturnValue:
    """Give a study up."""
    try:
        with unit_of_work() as session:
            designing.cancel_study(session, designing.load_study(session, study_id), now=now())
    except ConflictError:
        flask.flash(_("It had ended already."), "info")
    return flask.redirect(flask.url_for("network.study", study_id=study_id))


def _index(session: Session, form: DesignForm) -> str:
    return flask.render_template(
        "network/design.html",
        form=form,
        studies=designing.latest_studies(session, _SHOWN),
        statuses=labels.STUDIES,
    )


def _named(session: Session, answer: Mapping[str, Any]) -> dict[int, Facility]:
    return queries.facilities_by_id(session, {int(name) for name in answer["allocation"]})


def _users(answer: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Each outlet with each of its hubs."""
    return [
        (int(name), int(hub))
        for name, hubs in answer["allocation"].items()
        for hub in ([hubs] if isinstance(hubs, str) else hubs)
    ]


def _hub_rows(answer: Mapping[str, Any], named: Mapping[int, Facility]) -> list[dict[str, Any]]:
    """Each hub and how many outlets use it, the busiest first."""
    users = Counter(hub for _outlet, hub in _users(answer))
    hubs = [int(name) for name in answer["hubs"]]
    return [
        {"facility": named[hub], "name": facility_name(named[hub]), "outlets": users[hub]}
        for hub in sorted(hubs, key=lambda hub: (-users[hub], hub))
        if hub in named
    ]


def _map(answer: Mapping[str, Any], named: Mapping[int, Facility]) -> dict[str, Any]:
    """Hubs with their outlets, as GeoJSON."""
    hubs = [int(name) for name in answer["hubs"] if int(name) in named]
    users = Counter(hub for _outlet, hub in _users(answer))
    lines = [
        _line(named[outlet], named[hub], _SPOKES, 1)
        for outlet, hub in _users(answer)
        if outlet != hub and outlet in named and hub in named
    ]
    lines += [_line(named[one], named[other], _HUBS, 3) for one in hubs for other in hubs if one < other]
    return {
        "type": "FeatureCollection",
        "features": [*lines, *(_point(named[hub], users[hub]) for hub in hubs)],
    }


def _line(start: Facility, end: Facility, series: int, width: int) -> dict[str, Any]:
    ends = [[start.longitude, start.latitude], [end.longitude, end.latitude]]
    return {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": ends},
        "properties": {
            "title": f"{facility_name(start)} – {facility_name(end)}",
            "series": series,
            "width": width,
        },
    }


def _point(facility: Facility, outlets: int) -> dict[str, Any]:
    name = facility_name(facility)
    used = ngettext(
        "used by %(outlets)s outlet", "used by %(outlets)s outlets", outlets, outlets=number(outlets)
    )
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [facility.longitude, facility.latitude]},
        "properties": {"title": name, "detail": used, "label": name, "series": _HUBS, "radius": 9},
    }
