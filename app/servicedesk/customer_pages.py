"""The customer's page: who, what is open, one line of time, money, and what to know before a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flask
from apiflask import APIBlueprint
from markupsafe import Markup

from app import i18n
from app.accounts.roles import Scope
from app.customers.queries import load_customer
from app.formatting import money
from app.security import current_actor, requires
from app.servicedesk import record
from app.servicedesk.timeline import EntryKind, TimelineEntry, timeline
from app.servicedesk.wording import ENTRY_KINDS, happening, happening_tone
from app.shipments.words import reason_text
from app.web import now, unit_of_work

_PAGE_ROWS = 40


def register(blueprint: APIBlueprint) -> None:
    """Hang the page on the room's blueprint."""
    blueprint.add_url_rule("/customers/<int:customer_id>", "customer", customer)


_LINKS = {
    EntryKind.SHIPMENT: "shipments.show",
    EntryKind.SCAN: "shipments.show",
    EntryKind.ORDER: "orders.show",
    EntryKind.CASE: "servicedesk.case",
    EntryKind.CLAIM: "servicedesk.case",
}


def entry_rows(entries: Sequence[TimelineEntry]) -> list[dict[str, Any]]:
    """Rows of the `timeline` macro; each leads to what it is about."""
    return [_row(entry) for entry in entries]


def _row(entry: TimelineEntry) -> dict[str, Any]:
    reason = entry.kind is EntryKind.SCAN and entry.text
    about = [
        Markup('<a href="{}">{}</a>').format(
            flask.url_for(_LINKS[entry.kind], number=entry.number), entry.number
        ),
        reason_text(entry.text) if reason else entry.text,
    ]
    if entry.amount_minor is not None and entry.currency is not None:
        about.append(money(entry.amount_minor, entry.currency))
    return {
        "title": happening(entry.kind, entry.what),
        "at": entry.at,
        "offset_minutes": entry.offset_minutes,
        "place": entry.place_en if i18n.current() is i18n.ENGLISH and entry.place_en else entry.place,
        "detail": Markup(" · ").join(part for part in about if part),
        "tone": happening_tone(entry.what),
    }


def chosen_kinds() -> frozenset[EntryKind]:
    """Which kinds the address asks for; all when it names none."""
    asked = frozenset(kind for kind in EntryKind if kind.value in flask.request.args.getlist("kind"))
    return asked or frozenset(EntryKind)


@requires(Scope.CUSTOMERS_READ)
def customer(customer_id: int) -> flask.typing.ResponseReturnValue:
    """Everything about one customer, one link away."""
    actor = current_actor()
    kinds = chosen_kinds()
    with unit_of_work() as session:
        found = load_customer(session, actor, customer_id)
        if found.id != customer_id:  # merged into another record
            return flask.redirect(flask.url_for("servicedesk.customer", customer_id=found.id))
        ids = record.all_ids(session, found)
        page = timeline(session, ids, kinds=kinds, cursor=flask.request.args.get("cursor"), limit=_PAGE_ROWS)
        return flask.render_template(
            "servicedesk/customer.html",
            customer=found,
            matters=record.open_matters(session, ids),
            money_rows=record.money(session, ids),
            balances=record.balances(session, found),
            activity=record.activity(session, ids, now=now()),
            page=page,
            entry_rows=entry_rows,
            tabs=[
                {
                    "label": name,
                    "url": flask.url_for("servicedesk.customer", customer_id=found.id, kind=kind.value),
                    "active": kinds == {kind},
                }
                for kind, name in ENTRY_KINDS.items()
            ],
            everything=len(kinds) == len(EntryKind),
            now=now(),
        )
