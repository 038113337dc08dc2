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
    ("dispatch.pickups", _l("Pickups"), Scope.SHIPMENTS_BOOK),
    ("shipments.index", _l("Shipments"), Scope.SHIPMENTS_READ),
    ("shipments.scan_station", _l("Scan station"), Scope.SCANS_WRITE),
    ("containers.index", _l("Bags and trips"), Scope.CONTAINERS_READ),
    ("deliveries.points", _l("Points"), Scope.SCANS_WRITE),
    ("dispatch.board", _l("Dispatch"), Scope.DISPATCH_READ),
    ("dispatch.run", _l("My round"), Scope.RUNS_READ),
    ("deliveries.index", _l("Instructions"), Scope.SHIPMENTS_READ),
    ("servicedesk.queue", _l("Cases"), Scope.CASES_READ),
    ("customers.index", _l("Customers"), Scope.CUSTOMERS_READ),
    ("orders.index", _l("Orders"), Scope.ORDERS_READ),
    ("orders.terms", _l("Terms"), Scope.TERMS_READ),
    ("payouts.index", _l("Payouts"), Scope.PAYOUTS_READ),
    ("ledger.journal", _l("Journal"), Scope.LEDGER_READ),
    ("network.index", _l("Network"), Scope.NETWORK_READ),
)
# What is set up once and then left alone: in the menu of the account. (endpoint, label, scope, icon)
_SETTINGS = (
    ("accounts.company", _l("Company settings"), Scope.ADMIN, "building"),
    ("notices.index", _l("Notices"), Scope.NOTICES_WRITE, "bell"),
    ("webhooks.index", _l("Webhooks"), Scope.WEBHOOKS_WRITE, "broadcast"),
    ("accounts.tokens", _l("API tokens"), Scope.TOKENS_WRITE, "key"),
)


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation."""

    url: str
    label: Any
    active: bool
    icon: str = ""


def items() -> list[NavItem]:
    """What the asker may open, in the order of a working day."""
    actor = maybe_actor()
    if actor is None:
        return []
    open_to_him = [
        (flask.url_for(endpoint), label)
        for endpoint, label, scope in _ITEMS
        if endpoint in flask.current_app.view_functions
        and (scope is None or actor.may(scope))
        and not (endpoint == "dispatch.run" and actor.role != "courier")
    ]
    here = max(
        (url for url, _label in open_to_him if _leads_to(url, flask.request.path)), key=len, default=""
    )
    return [NavItem(url, label, url == here) for url, label in open_to_him]


def settings() -> list[NavItem]:
    """What the asker may set up, for himself and for others."""
    actor = maybe_actor()
    if actor is None:
        return []
    here = flask.request.path
    return [
        NavItem(url := flask.url_for(endpoint), label, _leads_to(url, here), icon)
        for endpoint, label, scope, icon in _SETTINGS
        if endpoint in flask.current_app.view_functions and actor.may(scope)
    ]


def init_app(app: flask.Flask) -> None:
    """Give every page the navigation and who is signed in."""

    def context() -> dict[str, Any]:
        return {"nav": items(), "settings": settings(), "actor": maybe_actor()}

    app.context_processor(context)


def _leads_to(url: str, path: str) -> bool:
    """Whether a page lies at an item's address or below it; nothing lies below the home page."""
    return path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
