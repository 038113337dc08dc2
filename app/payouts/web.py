"""Pages of the payouts room: what can be paid, batches, and one batch from preparation to the bank."""

from __future__ import annotations

from collections.abc import Sequence

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.roles import Scope
from app.pagination import LIMIT_DEFAULT
from app.parties import queries as parties
from app.payouts import queries, service
from app.payouts.exporting import export_response
from app.payouts.models import PayoutBatch
from app.payouts.wording import BATCH_STATES, ITEM_STATES
from app.security import current_actor, requires
from app.web import now, unit_of_work
from settlement.money import Money
from settlement.payout import BatchState, ItemState

blueprint = APIBlueprint("payouts", __name__, enable_openapi=False, url_prefix="/payouts")

CURRENCY = "CNY"


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"BATCH_STATES": BATCH_STATES, "ITEM_STATES": ITEM_STATES}


@blueprint.get("/")
@requires(Scope.PAYOUTS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """What could be paid now, what stays behind and why, and every batch."""
    status = _status(flask.request.args.get("status"))
    with unit_of_work() as session:
        preview = queries.preview(session, CURRENCY, Money(service.THRESHOLD_MINOR, CURRENCY))
        page = queries.list_batches(
            session, status=status, cursor=flask.request.args.get("cursor"), limit=LIMIT_DEFAULT
        )
        named = {
            party_id
            for group in (preview.without_account, preview.awaiting_funds, preview.debts)
            for party_id, _minor in group
        }
        return flask.render_template(
            "payouts/index.html",
            preview=preview,
            batches=page.rows,
            next_cursor=page.next_cursor,
            counts=queries.item_counts(session, [batch.id for batch in page.rows]),
            parties=parties.by_ids(session, named),
            names=_people(session, page.rows),
            status=status,
        )


@blueprint.post("/")
@requires(Scope.PAYOUTS_PREPARE)
def prepare() -> flask.typing.ResponseReturnValue:
    """Make a batch of everything that can be paid."""
    with unit_of_work() as session:
        batch = service.prepare_batch(session, current_actor(), currency=CURRENCY, now=now())
        number = batch.number
    flask.flash(_("The batch waits for another person's approval."), "success")
    return flask.redirect(flask.url_for("payouts.show", number=number))


@blueprint.get("/<number>")
@requires(Scope.PAYOUTS_READ)
def show(number: str) -> flask.typing.ResponseReturnValue:
    """One batch with its items."""
    actor = current_actor()
    with unit_of_work() as session:
        batch = queries.load_batch(session, actor, number)
        return flask.render_template(
            "payouts/show.html",
            batch=batch,
            parties=parties.by_ids(session, [item.party_id for item in batch.items]),
            names=_people(session, [batch]),
            open_items=sum(item.status is ItemState.OPEN for item in batch.items),
            own=batch.prepared_by_id == actor.user_id,
        )


@blueprint.post("/<number>/approve")
@requires(Scope.PAYOUTS_APPROVE)
def approve(number: str) -> flask.typing.ResponseReturnValue:
    """Another person's yes."""
    with unit_of_work() as session:
        batch = queries.load_batch(session, current_actor(), number)
        service.approve(session, current_actor(), batch, now=now())
    flask.flash(_("Approved: the file may go to the bank."), "success")
    return flask.redirect(flask.url_for("payouts.show", number=number))


@blueprint.post("/<number>/cancel")
@requires(Scope.PAYOUTS_PREPARE)
def cancel(number: str) -> flask.typing.ResponseReturnValue:
    """Drop a batch that the bank has not been given."""
    with unit_of_work() as session:
        batch = queries.load_batch(session, current_actor(), number)
        reason = flask.request.form.get("reason", "")
        service.cancel(session, current_actor(), batch, reason=reason, now=now())
    flask.flash(_("Cancelled: every amount is available again."), "success")
    return flask.redirect(flask.url_for("payouts.show", number=number))


@blueprint.post("/<number>/export")
@requires(Scope.PAYOUTS_PREPARE)
def export(number: str) -> flask.typing.ResponseReturnValue:
    """The file for the bank."""
    with unit_of_work() as session:
        batch = queries.load_batch(session, current_actor(), number)
        text = service.export(session, batch, now=now())
    return export_response(number, text)


@blueprint.post("/<number>/settle")
@requires(Scope.PAYOUTS_PREPARE)
def settle(number: str) -> flask.typing.ResponseReturnValue:
    """What the bank says of chosen items; each is answered for itself, none is lost to another's trouble."""
    paid = flask.request.form.get("outcome") == "paid"
    chosen = {int(text) for text in flask.request.form.getlist("item") if text.isdecimal()}
    with unit_of_work() as session:
        batch = queries.load_batch(session, current_actor(), number)
        reports = [(item.party_id, paid) for item in batch.items if item.id in chosen]
        refusals = service.settle_items(session, batch, reports, now=now()) if reports else []
        names = parties.by_ids(session, [party_id for party_id, _paid in reports])
    done = refusals.count(None)
    if done:
        flask.flash(ngettext("Recorded for one item.", "Recorded for %(num)s items.", done), "success")
    for (party_id, _paid), why in zip(reports, refusals, strict=True):
        if why is not None:
            flask.flash(
                _("%(name)s: reported before, so this report changed nothing.", name=names[party_id].name),
                "error",
            )
    if not reports:
        flask.flash(_("Choose the items that the bank has reported."), "warning")
    return flask.redirect(flask.url_for("payouts.show", number=number))


def _status(text: str | None) -> BatchState | None:
    return next((state for state in BatchState if state == text), None)


def _people(session: Session, batches: Sequence[PayoutBatch]) -> dict[int, str]:
    ids = {user for batch in batches for user in (batch.prepared_by_id, batch.approved_by_id) if user}
    return accounts.user_names(session, ids)
