"""Pages of the terms: versions, what they say, a new one with its dry run, approval by a second person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.roles import Scope
from app.errors import InvalidInputError
from app.orders import queries, terms
from app.orders.forms import TermsForm
from app.orders.models import TermsStatus, TermsVersion
from app.orders.wording import ACTIONS, TERMS_STATUSES, line_text
from app.parties import queries as parties
from app.parties.models import Party
from app.security import current_actor, requires
from app.web import now, unit_of_work
from settlement.terms import Terms, describe

_ZONE = timezone(timedelta(hours=8))  # finance writes China's time


@dataclass(frozen=True, slots=True)
class Rule:
    """One share of the terms: its sentence, then its bounds and conditions."""

    sentence: str
    notes: tuple[str, ...]


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    blueprint.add_url_rule("/terms", "terms", index)
    blueprint.add_url_rule("/terms/new", "new_terms", new, methods=["GET", "POST"])
    blueprint.add_url_rule("/terms/try", "try_terms", try_out, methods=["POST"])
    blueprint.add_url_rule("/terms/<int:version_id>", "terms_version", show)
    blueprint.add_url_rule("/terms/<int:version_id>/approve", "approve_terms", approve, methods=["POST"])
    blueprint.add_url_rule("/terms/<int:version_id>/withdraw", "withdraw_terms", withdraw, methods=["POST"])


@requires(Scope.TERMS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """Every version; the one in force first in words."""
    with unit_of_work() as session:
        versions = terms.list_terms(session)
        current = _in_force(versions, now())
        rules, ending = ([], "") if current is None else _readable(session, terms.value_of(current))
        people = accounts.user_names(session, _people(versions))
        return flask.render_template(
            "orders/terms.html",
            versions=versions,
            current=current,
            rules=rules,
            ending=ending,
            people=people,
            statuses=TERMS_STATUSES,
        )


@requires(Scope.TERMS_READ)
def show(version_id: int) -> flask.typing.ResponseReturnValue:
    """One version: what it says, what it would change, who did what to it."""
    actor = current_actor()
    with unit_of_work() as session:
        version = terms.load_terms(session, actor, version_id)
        rules, ending = _readable(session, terms.value_of(version))
        trial = terms.dry_run(session, terms.without_head(version.body), now=now())
        trail = queries.terms_trail(session, version.id)
        return flask.render_template(
            "orders/terms_version.html",
            version=version,
            rules=rules,
            ending=ending,
            trial=trial,
            parties=parties.by_ids(session, [row.party_id for row in trial.differences]),
            trail=trail,
            actions=ACTIONS,
            statuses=TERMS_STATUSES,
            people=accounts.user_names(session, {row.user_id for row in trail if row.user_id is not None}),
            document=_pretty(terms.without_head(version.body)),
            may_approve=version.status is TermsStatus.DRAFT
            and actor.may(Scope.TERMS_APPROVE)
            and version.created_by_id != actor.user_id,
        )


@requires(Scope.TERMS_WRITE)
def new() -> flask.typing.ResponseReturnValue:
    """Write the next version, beginning with the text of another."""
    form = TermsForm()
    actor = current_actor()
    with unit_of_work() as session:
        if not form.is_submitted():
            _begin(session, form)
            return flask.render_template("orders/terms_new.html", form=form)
        document = form.document() if form.validate() else None
        if document is not None:
            assert form.effective_from.data is not None, "validated above"
            effective_from = form.effective_from.data.replace(tzinfo=_ZONE).astimezone(UTC)
            try:
                version = terms.create_terms_version(
                    session,
                    actor,
                    name=terms.STANDARD,
                    body=terms.without_head(document),
                    effective_from=effective_from,
                    now=now(),
                )
            except InvalidInputError as error:
                _put_at_body(form, error)
            else:
                return flask.redirect(flask.url_for("orders.terms_version", version_id=version.id))
        return flask.render_template("orders/terms_new.html", form=form), 422


@requires(Scope.TERMS_WRITE)
def try_out() -> flask.typing.ResponseReturnValue:
    """What the text says and would change, before it is saved."""
    form = TermsForm()
    form.validate()  # only the text is looked at
    document = form.document()
    context: dict[str, Any] = {"trial": None, "rules": [], "ending": "", "parties": {}, "problems": []}
    if document is not None:
        with unit_of_work() as session:
            try:
                body = terms.without_head(document)
                value = terms.parse(body, name=terms.STANDARD, version=1, effective_from=now())
                trial = terms.dry_run(session, body, now=now())
            except InvalidInputError as error:
                _put_at_body(form, error)
            else:
                rules, ending = _readable(session, value)
                owners = parties.by_ids(session, [row.party_id for row in trial.differences])
                context.update(trial=trial, rules=rules, ending=ending, parties=owners)
    context["problems"] = form.body.errors
    return flask.render_template("orders/_trial.html", **context)


@requires(Scope.TERMS_APPROVE)
def approve(version_id: int) -> flask.typing.ResponseReturnValue:
    """Let a draft of somebody else come into force."""
    with unit_of_work() as session:
        version = terms.load_terms(session, current_actor(), version_id)
        terms.approve_terms(session, current_actor(), version, now=now())
    flask.flash(_("The version is approved; orders follow it from its date on."), "success")
    return flask.redirect(flask.url_for("orders.terms_version", version_id=version_id))


@requires(Scope.TERMS_WRITE)
def withdraw(version_id: int) -> flask.typing.ResponseReturnValue:
    """Lay a draft aside."""
    with unit_of_work() as session:
        version = terms.load_terms(session, current_actor(), version_id)
        terms.withdraw_terms(session, current_actor(), version, now=now())
    flask.flash(_("The draft is withdrawn."), "success")
    return flask.redirect(flask.url_for("orders.terms"))


def _begin(session: Session, form: TermsForm) -> None:
    """The text of the version that `from` names, else of the one in force; tomorrow's date."""
    start_id = flask.request.args.get("from", type=int)
    versions = terms.list_terms(session)
    start = (
        terms.load_terms(session, current_actor(), start_id)
        if start_id is not None
        else _in_force(versions, now())
    )
    if start is not None:
        form.body.data = _pretty(terms.without_head(start.body))
    tomorrow = now().astimezone(_ZONE) + timedelta(days=1)
    form.effective_from.data = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _put_at_body(form: TermsForm, error: InvalidInputError) -> None:
    form.body.errors = [item["detail"] for item in error.extra["errors"]] or [error.detail]


def _in_force(versions: Any, at: datetime) -> TermsVersion | None:
    covering: Iterator[TermsVersion] = (
        version
        for version in versions
        if version.name == terms.STANDARD
        and version.status is TermsStatus.APPROVED
        and version.effective_from <= at
    )
    return max(covering, key=lambda version: version.version, default=None)


def _readable(session: Session, value: Terms) -> tuple[list[Rule], str]:
    """The terms in words: a rule for each share, and what holds when they exceed the price."""
    lines = describe(value)
    named = {line.params["party_id"] for line in lines if "party_id" in line.params}
    owners: dict[int, Party] = parties.by_ids(session, [int(party_id) for party_id in named])
    by_share: dict[int | str, list[str]] = {}
    for line in lines[:-1]:
        by_share.setdefault(line.params["share"], []).append(
            line_text(line.key, line.params, owners, value.currency)
        )
    ending = line_text(lines[-1].key, lines[-1].params, owners, value.currency)
    return [Rule(texts[0], tuple(texts[1:])) for texts in by_share.values()], ending


def _people(versions: Any) -> set[int]:
    found = {version.created_by_id for version in versions} | {v.approved_by_id for v in versions}
    return found - {None}


def _pretty(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2)
