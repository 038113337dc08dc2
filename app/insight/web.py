"""The home page: what needs a person now, for each role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.formatting import datetime_local
from app.insight import queries
from app.insight.queries import Matter, Waiting
from app.security import current_actor, signed_in
from app.web import now, unit_of_work

# Home pages have no place of their own; the tenant's clock is China's.
CHINA_OFFSET_MINUTES = 480

blueprint = APIBlueprint("home", __name__, enable_openapi=False)


@dataclass(frozen=True, slots=True)
class Sign:
    """How a matter is named, how loud it is, and where it is dealt with."""

    label: Any
    tone: str
    endpoint: str
    arguments: dict[str, Any]


SIGNS: dict[Matter, Sign] = {
    Matter.PROBLEM_SHIPMENTS: Sign(
        _l("Shipments with a problem"), "bad", "shipments.index", {"show": "problems"}
    ),
    Matter.READY_FOR_PICKUP: Sign(
        _l("Waiting for the consignee to fetch them"),
        "info",
        "shipments.index",
        {"milestone": "ready_for_pickup"},
    ),
    Matter.UNMATCHED_SCANS: Sign(_l("Scans of unknown numbers"), "warn", "shipments.unmatched", {}),
    Matter.FINDINGS: Sign(_l("Shipments late, stuck or off their route"), "warn", "exceptions.board", {}),
    Matter.STOPS_UNPLANNED: Sign(_l("Stops that no round has yet"), "warn", "dispatch.board", {}),
    Matter.PLANS_TO_PUBLISH: Sign(_l("Drafts of rounds to publish"), "info", "dispatch.board", {}),
    Matter.STOPS_FAILED: Sign(_l("Stops that failed"), "bad", "dispatch.board", {}),
    Matter.CASES_OVERDUE: Sign(_l("Cases past their time"), "bad", "servicedesk.queue", {"show": "overdue"}),
    Matter.CASES_UNOWNED: Sign(
        _l("Cases that nobody has taken"), "warn", "servicedesk.queue", {"show": "unowned"}
    ),
    Matter.CASES_MINE: Sign(_l("Your open cases"), "info", "servicedesk.queue", {"show": "mine"}),
    Matter.CASES_OPEN: Sign(_l("Your open complaints"), "info", "servicedesk.queue", {}),
    Matter.CLAIMS_TO_APPROVE: Sign(_l("Awards to approve"), "warn", "servicedesk.queue", {"show": "claims"}),
    Matter.PAYOUTS_TO_APPROVE: Sign(
        _l("Payout batches to approve"), "warn", "payouts.index", {"status": "prepared"}
    ),
    Matter.TERMS_TO_APPROVE: Sign(_l("Terms to approve"), "info", "orders.terms", {}),
    Matter.EVENTS_STUCK: Sign(_l("Events that nobody could handle"), "bad", "home.index", {}),
}


@blueprint.get("/")
@signed_in
def index() -> flask.typing.ResponseReturnValue:
    """What waits for the asker, each with its count and since when."""
    actor = current_actor()
    if actor.role == "courier":
        return flask.redirect(flask.url_for("dispatch.run"))
    with unit_of_work() as session:
        waiting = queries.waiting(session, actor, now=now())
    return flask.render_template(
        "insight/home.html", total=sum(row.count for row in waiting), items=[_item(row) for row in waiting]
    )


def _item(row: Waiting) -> dict[str, Any]:
    """A row of the `attention` macro."""
    sign = SIGNS[row.matter]
    since = None if row.oldest_at is None else datetime_local(row.oldest_at, CHINA_OFFSET_MINUTES, "short")
    return {
        "label": sign.label,
        "count": row.count,
        "tone": sign.tone,
        "url": flask.url_for(sign.endpoint, **sign.arguments),
        "note": None if since is None else _("oldest since %(time)s", time=since),
    }
