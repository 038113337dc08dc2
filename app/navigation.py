"""The navigation of each role: what is shown is what is installed and may be opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flask
from flask_babel import lazy_gettext as _l

from app.accounts.roles import Scope
from app.security import maybe_actor

# (endpoint, label, scope that the page needs)
_ITEMS = (
    ("home.index", _l("Today"), None),
    ("orders.book", _l("Book"), Scope.SHIPMENTS_BOOK),
    ("shipments.index", _l("Shipments"), Scope.SHIPMENTS_READ),
    ("shipments.scan_station", _l("Scan station"), Scope.SCANS_WRITE),
    ("dispatch.board", _l("Dispatch"), Scope.DISPATCH_READ),
    ("dispatch.run", _l("My round"), Scope.RUNS_READ),
    ("servicedesk.queue", _l("Cases"), Scope.CASES_READ),
    ("customers.index", _l("Customers"), Scope.CUSTOMERS_READ),
    ("orders.index", _l("Orders"), Scope.ORDERS_READ),
    ("orders.terms", _l("Terms"), Scope.TERMS_READ),
    ("payouts.index", _l("Payouts"), Scope.PAYOUTS_READ),
    ("ledger.journal", _l("Journal"), Scope.LEDGER_READ),
    ("network.index", _l("Network"), Scope.NETWORK_READ),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation."""

    url: str
    label: Any
    active: bool


def items() -> list[NavItem]:
    """What the asker may open, in the order of a working day."""
    actor = maybe_actor()
    if actor is None:
        return []
    here = flask.request.blueprint
    return [
        NavItem(
            flask.url_for(endpoint), label, endpoint == flask.request.endpoint or _same_room(endpoint, here)
        )
        for endpoint, label, scope in _ITEMS
        if endpoint in flask.current_app.view_functions
        and (scope is None or actor.may(scope))
        and not (endpoint == "dispatch.run" and actor.role != "courier")
    ]


def init_app(app: flask.Flask) -> None:
    """Give every page the navigation and who is signed in."""

    def context() -> dict[str, Any]:
        return {"nav": items(), "actor": maybe_actor()}

    app.context_processor(context)


def _same_room(endpoint: str, blueprint: str | None) -> bool:
    """Whether an item is the only one of its room, so that it stays marked on the room's inner pages."""
    room = endpoint.partition(".")[0]
    alone = sum(item[0].startswith(room + ".") for item in _ITEMS) == 1
    return alone and room == blueprint
