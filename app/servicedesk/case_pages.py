"""The page of a case, and what is done on it."""

from __future__ import annotations

from typing import Any

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs

from app.accounts.roles import Role, Scope
from app.errors import ConflictError, InvalidInputError, StaleVersionError
from app.security import current_actor, requires
from app.servicedesk import queries, service, transitions
from app.servicedesk.case_view import share_facts, view_of
from app.servicedesk.claims import LOSS_OF_CATEGORY
from app.servicedesk.forms import ClaimForm, MessageForm, OwnerForm, ReasonForm, StepForm
from app.servicedesk.models import Case
from app.servicedesk.values import CaseEventKind, ClaimStatus
from app.servicedesk.wording import NO_AWARD, REFUSALS
from app.web import now, unit_of_work
from settlement.errors import SettlementError

Answer = flask.typing.ResponseReturnValue


def register(blueprint: APIBlueprint) -> None:
    """Hang the pages on the room's blueprint."""
    for rule, endpoint, view in (
        ("/cases/<number>", "case", case),
        ("/cases/<number>/messages", "write", write),
        ("/cases/<number>/draft", "draft", draft),
        ("/cases/<number>/owner", "assign", assign),
        ("/cases/<number>/take", "take_one", take_one),
        ("/cases/<number>/wait", "wait", wait),
        ("/cases/<number>/close", "close", close),
        ("/cases/<number>/claims", "propose", propose),
        ("/cases/<number>/claims/<int:claim_id>/approve", "approve", approve),
        ("/cases/<number>/claims/<int:claim_id>/refuse", "refuse", refuse),
    ):
        blueprint.add_url_rule(rule, endpoint, view, methods=["GET" if view is case else "POST"])


@requires(Scope.CASES_READ)
def case(number: str) -> Answer:
    """Left the conversation, right the evidence."""
    with unit_of_work() as session:
        return _page(session, queries.load_case(session, current_actor(), number))


@requires(Scope.CASES_WRITE)
def write(number: str) -> Answer:
    """Answer, note, or resolve with these words; from a shipper it is the customer's message."""
    actor = current_actor()
    form = MessageForm()
    act = flask.request.form.get("act", "reply")
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        if not form.validate_on_submit():
            return _page(session, found, message=form), 422
        words, version = form.body.data or "", int(form.version.data or 0)
        try:
            with session.begin_nested():  # an answer that cannot be followed by waiting is not given either
                _write(session, found, act, words, version)
        except StaleVersionError as error:
            service.save_draft(session, actor, found, words, now=now())
            form.version.raw_data, form.version.data = None, str(found.version)
            return _page(session, found, message=form, stale=error), 409
        except ConflictError as error:
            service.save_draft(session, actor, found, words, now=now())
            return _page(session, found, message=form, refused=_refusal(error)), 409
    return _back(number)


@requires(Scope.CASES_WRITE)
def draft(number: str) -> Answer:
    """Keep what is being written; asked for by the page while somebody types."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        body = flask.request.form.get("body", "")
        service.save_draft(session, actor, found, body, now=now())
    return flask.render_template("servicedesk/_draft.html", saved_at=now() if body.strip() else None)


@requires(Scope.CASES_WRITE)
def assign(number: str) -> Answer:
    """Give the case to somebody of the desk."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        form = OwnerForm()
        form.owner_id.choices = [SelectChoice(user.id, user.name) for user in queries.desk(session)]
        if not form.validate_on_submit():
            return _page(session, found, owner=form), 422
        return _step(
            session,
            found,
            lambda version: service.assign(
                session, actor, found, form.owner_id.data, now=now(), version=version
            ),
        )


@requires(Scope.CASES_WRITE)
def take_one(number: str) -> Answer:
    """Take the case oneself."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        return _step(
            session,
            found,
            lambda version: service.assign(session, actor, found, actor.user_id, now=now(), version=version),
        )


@requires(Scope.CASES_WRITE)
def wait(number: str) -> Answer:
    """Wait for the customer."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        return _step(
            session,
            found,
            lambda version: service.wait_for_customer(session, actor, found, now=now(), version=version),
        )


@requires(Scope.CASES_WRITE)
def close(number: str) -> Answer:
    """Put a resolved case away."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        return _step(
            session, found, lambda version: service.close(session, actor, found, now=now(), version=version)
        )


@requires(Scope.CASES_WRITE)
def propose(number: str) -> Answer:
    """Ask the law and the scans what is due and who bears it."""
    actor = current_actor()
    form = ClaimForm()
    with unit_of_work() as session:
        found = queries.load_case(session, actor, number)
        if not form.validate_on_submit():
            return _page(session, found, claim=form), 422
        try:
            service.propose_claim(
                session,
                actor,
                found,
                kind=form.loss,
                claimed_minor=form.claimed_minor,
                total_value_minor=form.total_value_minor,
                version=int(form.version.data or 0),
                now=now(),
            )
        except StaleVersionError as error:
            form.version.raw_data, form.version.data = None, str(found.version)
            return _page(session, found, claim=form, stale=error), 409
        except (ConflictError, InvalidInputError, SettlementError) as error:
            form.claimed.errors = [_explained(error)]
            return _page(session, found, claim=form), 422
    return _back(number)


@requires(Scope.CLAIMS_APPROVE)
def approve(number: str, claim_id: int) -> Answer:
    """Approve another's proposal; it is posted at once."""
    actor = current_actor()
    with unit_of_work() as session:
        claim = queries.load_claim(session, actor, number, claim_id)
        service.approve_claim(session, actor, claim, now=now())
    flask.flash(_("The compensation is posted."), "success")
    return _back(number)


@requires(Scope.CLAIMS_APPROVE)
def refuse(number: str, claim_id: int) -> Answer:
    """Refuse another's proposal with a reason."""
    actor = current_actor()
    form = ReasonForm()
    with unit_of_work() as session:
        claim = queries.load_claim(session, actor, number, claim_id)
        if not form.validate_on_submit():
            return _page(session, claim.case, reason=form), 422
        service.refuse_claim(session, actor, claim, reason=form.reason.data or "", now=now())
    return _back(number)


def _write(session: Session, found: Case, act: str, words: str, version: int) -> None:
    actor = current_actor()
    if actor.role == Role.SHIPPER:
        service.customer_message(session, found, words, now=now(), actor=actor)
    elif act == "note":
        service.note(session, actor, found, words, now=now(), version=version)
    elif act == "resolve":
        service.resolve(session, actor, found, words, now=now(), version=version)
    else:
        service.reply(session, actor, found, words, now=now(), version=version)
        if act == "reply_and_wait":
            service.wait_for_customer(session, actor, found, now=now())


def _step(session: Session, found: Case, act: Any) -> Answer:
    """A button's change; refused with what was missed when the page is older than the case."""
    form = StepForm()
    if not form.validate_on_submit():
        return _page(session, found), 422
    try:
        act(int(form.version.data or 0))
    except StaleVersionError as error:
        return _page(session, found, stale=error), 409
    except ConflictError as error:
        return _page(session, found, refused=_refusal(error)), 409
    return _back(found.number)


def _back(number: str) -> Answer:
    return flask.redirect(flask.url_for("servicedesk.case", number=number))


def _page(
    session: Session,
    found: Case,
    *,
    message: MessageForm | None = None,
    owner: OwnerForm | None = None,
    claim: ClaimForm | None = None,
    reason: ReasonForm | None = None,
    stale: StaleVersionError | None = None,
    refused: str | None = None,
) -> str:
    actor = current_actor()
    staff = actor.role != Role.SHIPPER
    writes = actor.may(Scope.CASES_WRITE)
    version = str(found.version)
    kept = queries.draft(session, actor, found) if writes else None
    if message is None:
        message = MessageForm(formdata=None, body=kept.body if kept else "", version=version)
    if owner is None and staff and writes:
        owner = OwnerForm(formdata=None, owner_id=found.owner_id or actor.user_id, version=version)
        owner.owner_id.choices = [SelectChoice(user.id, user.name) for user in queries.desk(session)]
    if claim is None:
        likely = LOSS_OF_CATEGORY.get(found.category)
        claim = ClaimForm(formdata=None, kind=likely.value if likely else None, version=version)

    def can(event: CaseEventKind) -> bool:
        return writes and staff and transitions.after(found.status, event) is not None

    standing = any(row.status is not ClaimStatus.REFUSED for row in found.claims)
    return flask.render_template(
        "servicedesk/case.html",
        view=view_of(session, actor, found, now=now()),
        message=message,
        owner=owner,
        claim_form=claim,
        reason_form=reason or ReasonForm(formdata=None),
        step_form=StepForm(formdata=None, version=version),
        kept=kept,
        stale=stale,
        refused=refused,
        staff=staff,
        share_facts=share_facts,
        now=now(),
        may={
            "write": writes and (not staff or can(CaseEventKind.REPLY) or can(CaseEventKind.NOTE)),
            "reply": can(CaseEventKind.REPLY),
            "note": can(CaseEventKind.NOTE),
            "wait": can(CaseEventKind.WAITING),
            "resolve": can(CaseEventKind.RESOLVED),
            "close": can(CaseEventKind.CLOSED),
            "assign": can(CaseEventKind.ASSIGNED),
            "propose": can(CaseEventKind.CLAIM_PROPOSED) and found.shipment_id is not None and not standing,
            "approve": actor.may(Scope.CLAIMS_APPROVE),
        },
    )


def _refusal(error: ConflictError) -> str:
    return str(REFUSALS.get(error.extra.get("reason", ""), error.detail))


def _explained(error: Exception) -> str:
    """Why there is no award, in the page's language."""
    if isinstance(error, InvalidInputError):
        return str(_("The loss is more than the goods are worth. Correct it, or give their value."))
    if isinstance(error, ConflictError):
        return str(NO_AWARD.get(error.extra.get("reason", ""), error.detail))
    return str(error)
