"""How promises were kept: a page of what was measured, by month and service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Role, Scope
from app.errors import ForbiddenError
from app.security import current_actor, requires
from app.shipments import calibration
from app.shipments.calibration import Stage
from app.shipments.forms import PromiseForm
from app.shipments.history_models import PromiseCalibration
from app.shipments.models import Service
from app.shipments.words import SERVICES, STAGES
from app.web import unit_of_work

_PERCENTS = (50, 80, 95)


def register(blueprint: APIBlueprint) -> None:
    """Hang the page on the room's blueprint."""
    blueprint.add_url_rule("/shipments/promises", "promises", promises)


@requires(Scope.SHIPMENTS_READ)
def promises() -> flask.typing.ResponseReturnValue:
    """What was promised against what came."""
    if current_actor().role == Role.SHIPPER:
        raise ForbiddenError("how promises are kept is for the staff")
    form = PromiseForm(flask.request.args)
    status = 200 if form.validate() else 422
    stage = Stage(form.stage.data) if status == 200 else Stage.BOOKED
    service = Service(form.service.data) if status == 200 and form.service.data else None
    with unit_of_work() as session:
        rows = calibration.measured(session, stage=stage, service=service)
    by_month = _by(rows)
    return flask.render_template(
        "shipments/promises.html",
        form=form,
        stage=stage,
        stages=STAGES,
        table=_table(by_month),
        chart=_chart(by_month) if rows else None,
        headline=_headline(rows),
        measured_at=max((row.measured_at for row in rows), default=None),
        percents=_percents(rows),
    ), status


def _by(rows: Sequence[PromiseCalibration]) -> dict[tuple[date, Service], dict[int, PromiseCalibration]]:
    found: defaultdict[tuple[date, Service], dict[int, PromiseCalibration]] = defaultdict(dict)
    for row in rows:
        found[row.month, row.service][row.promised_percent] = row
    return dict(found)


def _percents(rows: Sequence[PromiseCalibration]) -> list[int]:
    """Which shares were promised at this stage: the window that customers are told has one only."""
    return [percent for percent in _PERCENTS if any(row.promised_percent == percent for row in rows)]


def _table(
    by_month: dict[tuple[date, Service], dict[int, PromiseCalibration]],
) -> list[dict[str, Any]]:
    return [
        {
            "month": month,
            "service": SERVICES[service],
            "parcels": max(row.parcels for row in found.values()),
            "kept": {percent: _share(row.kept, row.parcels) for percent, row in found.items()},
        }
        for (month, service), found in by_month.items()
    ]


def _share(kept: int, parcels: int) -> float:
    """Per cent with one decimal."""
    return round(kept / parcels * 100, 1)


def _headline(rows: Sequence[PromiseCalibration]) -> str | None:
    """Over all that is shown: of 100 promised by the 80 % quantile, how many came by then."""
    told = [row for row in rows if row.promised_percent == 80]
    parcels = sum(row.parcels for row in told)
    if not parcels:
        return None
    share = _share(sum(row.kept for row in told), parcels)
    return str(
        _(
            "Of 100 parcels 80 were to come by the time told; %(share)s did (%(parcels)s parcels).",
            share=share,
            parcels=parcels,
        )
    )


def _chart(by_month: dict[tuple[date, Service], dict[int, PromiseCalibration]]) -> dict[str, Any]:
    """A line for each promised share over the months, and where it should lie."""
    months = sorted({month for month, _service in by_month})
    percents = sorted({percent for found in by_month.values() for percent in found})
    series = []
    for percent in percents:
        points = []
        for month in months:
            rows = [
                found[percent] for (one, _), found in by_month.items() if one == month and percent in found
            ]
            parcels = sum(row.parcels for row in rows)
            points.append(_share(sum(row.kept for row in rows), parcels) if parcels else None)
        series.append(
            {
                "name": str(_("%(percent)s %% promised", percent=percent)),
                "type": "line",
                "data": points,
                "symbolSize": 8,
                "markLine": {
                    "symbol": "none",
                    "silent": True,
                    "lineStyle": {"type": "dashed"},
                    "label": {"formatter": f"{percent} %"},
                    "data": [{"yAxis": percent}],
                },
            }
        )
    return {
        "legend": {"top": 0},
        "grid": {"left": 48, "right": 56, "top": 40, "bottom": 32},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [month.strftime("%Y-%m") for month in months]},
        "yAxis": {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "series": series,
    }
