"""The desk's steps on a case, for machines: an owner, waiting, the outcome, an award and its approval."""

from __future__ import annotations

from collections.abc import Callable

import flask
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.api_schema import BEARER
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.servicedesk import queries, service
from app.servicedesk.answers import detail_answer
from app.servicedesk.api_blueprint import blueprint
from app.servicedesk.api_models import CaseDetail, ClaimIn, OwnerIn, ReasonIn, ResolutionIn, StepIn
from app.servicedesk.models import Case
from app.web import now, unit_of_work


@blueprint.post("/cases/<number>/owner")
@blueprint.input(OwnerIn)
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Give a case to somebody of the desk", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def assign(number: str, json_data: OwnerIn) -> flask.typing.ResponseReturnValue:
    """Give a case to somebody of the desk; to oneself where nobody is named."""
    actor = current_actor()
    owner_id = actor.user_id if json_data.owner_id is None else json_data.owner_id
    return _step(
        number,
        lambda session, case: service.assign(
            session, actor, case, owner_id, now=now(), version=json_data.version
        ),
    )


@blueprint.post("/cases/<number>/wait")
@blueprint.input(StepIn)
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Wait for the customer: the desk's clock stands still", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def wait(number: str, json_data: StepIn) -> flask.typing.ResponseReturnValue:
    """Wait for the customer."""
    actor = current_actor()
    return _step(
        number,
        lambda session, case: service.wait_for_customer(
            session, actor, case, now=now(), version=json_data.version
        ),
    )


@blueprint.post("/cases/<number>/resolve")
@blueprint.input(ResolutionIn)
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Tell the customer the outcome", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def resolve(number: str, json_data: ResolutionIn) -> flask.typing.ResponseReturnValue:
    """Resolve a case with the words that the customer reads."""
    actor = current_actor()
    return _step(
        number,
        lambda session, case: service.resolve(
            session, actor, case, json_data.resolution, now=now(), version=json_data.version
        ),
    )


@blueprint.post("/cases/<number>/close")
@blueprint.input(StepIn)
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Put a resolved case away", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def close(number: str, json_data: StepIn) -> flask.typing.ResponseReturnValue:
    """Put a resolved case away."""
    actor = current_actor()
    return _step(
        number,
        lambda session, case: service.close(session, actor, case, now=now(), version=json_data.version),
    )


@blueprint.post("/cases/<number>/claims")
@blueprint.input(ClaimIn)
@blueprint.output(CaseDetail, status_code=201)
@blueprint.doc(summary="Propose what the law and the scans say is due, and who bears it", security=BEARER)
@requires(Scope.CASES_WRITE)
@idempotent
def propose(number: str, json_data: ClaimIn) -> flask.typing.ResponseReturnValue:
    """Propose an award; another person must approve it."""
    actor = current_actor()
    return _step(
        number,
        lambda session, case: service.propose_claim(
            session,
            actor,
            case,
            kind=json_data.kind,
            claimed_minor=json_data.claimed_minor,
            total_value_minor=json_data.total_value_minor,
            version=json_data.version,
            now=now(),
        ),
        status=201,
    )


@blueprint.post("/cases/<number>/claims/<int:claim_id>/approve")
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Approve an award that another person proposed; it is posted at once", security=BEARER)
@requires(Scope.CLAIMS_APPROVE)
@idempotent
def approve(number: str, claim_id: int) -> flask.typing.ResponseReturnValue:
    """Approve another's proposal."""
    actor = current_actor()
    with unit_of_work() as session:
        claim = queries.load_claim(session, actor, number, claim_id)
        service.approve_claim(session, actor, claim, now=now())
        return detail_answer(session, claim.case, staff=True)


@blueprint.post("/cases/<number>/claims/<int:claim_id>/refuse")
@blueprint.input(ReasonIn)
@blueprint.output(CaseDetail)
@blueprint.doc(summary="Refuse an award that another person proposed", security=BEARER)
@requires(Scope.CLAIMS_APPROVE)
@idempotent
def refuse(number: str, claim_id: int, json_data: ReasonIn) -> flask.typing.ResponseReturnValue:
    """Refuse another's proposal, with the reason that the desk reads."""
    actor = current_actor()
    with unit_of_work() as session:
        claim = queries.load_claim(session, actor, number, claim_id)
        service.refuse_claim(session, actor, claim, reason=json_data.reason, now=now())
        return detail_answer(session, claim.case, staff=True)


def _step(
    number: str, act: Callable[[Session, Case], object], *, status: int = 200
) -> flask.typing.ResponseReturnValue:
    """One step of the desk's own; the service refuses a shipper."""
    with unit_of_work() as session:
        case = queries.load_case(session, current_actor(), number)
        act(session, case)
        return detail_answer(session, case, staff=True), status
