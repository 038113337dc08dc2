"""Pages of the ledger room: the journal, an entry, accounts with statements, and what rests on a fact."""

from __future__ import annotations

from typing import Any

import flask
import sqlalchemy as sa
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.accounts.roles import Scope
from app.errors import NotFoundError
from app.ledger import queries
from app.ledger.forms import AccountFilter, JournalFilter
from app.ledger.models import Account, JournalEntry
from app.ledger.wording import PURPOSES, evidence_name, evidence_page, kind_name
from app.pagination import LIMIT_DEFAULT
from app.parties import queries as parties
from app.parties.models import Party
from app.security import current_actor, requires
from app.web import unit_of_work
from settlement.ledger import Book, Purpose

blueprint = APIBlueprint("ledger", __name__, enable_openapi=False, url_prefix="/ledger")

OFFSET_MINUTES = 480  # the days of the filters are days in China


@blueprint.get("/")
@requires(Scope.LEDGER_READ)
def journal() -> flask.typing.ResponseReturnValue:
    """Every entry, newest first; the filters are in the address."""
    form = JournalFilter(flask.request.args)
    with unit_of_work() as session:
        form.party.choices = _party_choices(session)
        if not form.validate():
            return flask.render_template("ledger/journal.html", form=form, entries=[], parties={}), 422
        chosen = queries.EntryFilter(
            kind=form.kind.data or None,
            party_id=int(form.party.data) if form.party.data else None,
            evidence_kind=form.evidence.data or None,
            evidence_ref=(form.ref.data or "").strip() or None,
            day=form.day.data,
            offset_minutes=OFFSET_MINUTES,
        )
        page = queries.list_entries(
            session, chosen, cursor=flask.request.args.get("cursor"), limit=LIMIT_DEFAULT
        )
        return flask.render_template(
            "ledger/journal.html",
            form=form,
            entries=page.rows,
            next_cursor=page.next_cursor,
            parties=_parties_of(session, page.rows),
        )


@blueprint.get("/entries/<int:entry_id>")
@requires(Scope.LEDGER_READ)
def entry(entry_id: int) -> flask.typing.ResponseReturnValue:
    """One entry: its lines, what it rests on, and its place in the chain."""
    with unit_of_work() as session:
        found = queries.load_entry(session, current_actor(), entry_id)
        return flask.render_template(
            "ledger/entry.html", entry=found, parties=_parties_of(session, [found]), custody=Book.CUSTODY
        )


@blueprint.get("/keys/<path:key>")
@requires(Scope.LEDGER_READ)
def entry_of_key(key: str) -> flask.typing.ResponseReturnValue:
    """The entry that was posted under a key."""
    with unit_of_work() as session:
        found = queries.entry_by_key(session, key)
        if found is None:
            raise NotFoundError("no such journal entry")
        return flask.redirect(flask.url_for("ledger.entry", entry_id=found.id))


@blueprint.get("/accounts")
@requires(Scope.LEDGER_READ)
def accounts() -> flask.typing.ResponseReturnValue:
    """Every account with its balance."""
    form = AccountFilter(flask.request.args)
    with unit_of_work() as session:
        form.party.choices = _party_choices(session)
        if not form.validate():
            return flask.render_template("ledger/accounts.html", form=form, accounts=[], parties={}), 422
        page = queries.list_accounts(
            session,
            party_id=int(form.party.data) if form.party.data else None,
            purpose=Purpose(form.purpose.data) if form.purpose.data else None,
            cursor=flask.request.args.get("cursor"),
            limit=LIMIT_DEFAULT,
        )
        return flask.render_template(
            "ledger/accounts.html",
            form=form,
            accounts=page.rows,
            next_cursor=page.next_cursor,
            parties=parties.by_ids(session, {row.party_id for row in page.rows if row.party_id is not None}),
        )


@blueprint.get("/accounts/<int:account_id>")
@requires(Scope.LEDGER_READ)
def account(account_id: int) -> flask.typing.ResponseReturnValue:
    """One account with its statement, newest first."""
    with unit_of_work() as session:
        found: Account = queries.load_account(session, current_actor(), account_id)
        page = queries.statement(session, found, cursor=flask.request.args.get("cursor"), limit=LIMIT_DEFAULT)
        owner = (
            parties.by_ids(session, [found.party_id]).get(found.party_id)
            if found.party_id is not None
            else None
        )
        return flask.render_template(
            "ledger/account.html",
            account=found,
            owner=owner,
            statement=page.rows,
            next_cursor=page.next_cursor,
        )


@blueprint.get("/evidence/<kind>/<path:ref>")
@requires(Scope.LEDGER_READ)
def evidence(kind: str, ref: str) -> flask.typing.ResponseReturnValue:
    """Everything in the journal that rests on one order, shipment, scan or other fact."""
    with unit_of_work() as session:
        entries = queries.entries_with_evidence(session, kind, ref)
        if not entries:
            raise NotFoundError("nothing in the journal rests on that")
        return flask.render_template(
            "ledger/evidence.html",
            kind=kind,
            ref=ref,
            entries=entries,
            parties=_parties_of(session, entries),
        )


@blueprint.app_context_processor
def _names() -> dict[str, Any]:
    return {
        "posting_name": kind_name,
        "purpose_name": PURPOSES.__getitem__,
        "evidence_name": evidence_name,
        "evidence_page": evidence_page,
        "moved_minor": moved_minor,
    }


def moved_minor(row: JournalEntry) -> int:
    """What an entry moves: the debits of the custody book, or of the own book where only that is touched."""
    debits = {Book.CUSTODY: 0, Book.OWN: 0}
    for line in row.lines:
        debits[line.account.purpose.book] += max(0, line.amount_minor)
    return debits[Book.CUSTODY] or debits[Book.OWN]


def _party_choices(session: Session) -> list[SelectChoice]:
    rows = session.execute(
        sa.select(Party.id, Party.name)
        .where(Party.tenant_id == current_actor().tenant_id)
        .order_by(Party.kind, Party.code)
    )
    return [SelectChoice("", _("Anybody")), *(SelectChoice(str(row.id), row.name) for row in rows)]


def _parties_of(session: Session, entries: Any) -> dict[int, Party]:
    wanted = {line.account.party_id for row in entries for line in row.lines}
    return parties.by_ids(session, wanted - {None})
