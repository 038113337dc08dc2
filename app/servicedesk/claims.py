"""Claims: the award by law and its bearer by the scans; proposed by one, approved by another, posted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.roles import Scope
from app.actor import Actor
from app.customers.models import Customer
from app.customers.party import party_id_of
from app.db.session import tenant_of
from app.errors import ConflictError, ForbiddenError, InvalidInputError
from app.ledger import service as ledger
from app.orders import queries as orders
from app.orders.models import Order
from app.parties import queries as parties
from app.servicedesk.assessment import assess
from app.servicedesk.events import happen, lock, require_staff, required_text
from app.servicedesk.models import Case, Claim
from app.servicedesk.values import CaseCategory, CaseEventKind, ClaimStatus
from app.shipments.models import Shipment
from settlement import posting
from settlement.compensation import Award, LossKind
from settlement.ledger import AccountKey, EvidenceRef, Purpose
from settlement.money import Money

LOSS_OF_CATEGORY = {
    CaseCategory.DAMAGED: LossKind.PARTLY_DAMAGED,
    CaseCategory.LOST: LossKind.LOST,
    CaseCategory.NOT_RECEIVED: LossKind.LOST,
    CaseCategory.LATE: LossKind.DELAYED,
}
"""What a complaint most likely claims; the agent may say otherwise."""


def propose_claim(
    session: Session,
    actor: Actor,
    case: Case,
    *,
    claimed_minor: int,
    now: datetime,
    kind: LossKind | None = None,
    total_value_minor: int | None = None,
    version: int | None = None,
) -> Claim:
    """Propose the award that the law in force gives for a loss, and who bears it by the chain of custody.

    Args:
        claimed_minor: the loss that was shown, in the shipment's currency.
        kind: what happened to the parcel; by the case's category when left out.
        total_value_minor: value of all the goods; the declared value, or at least the loss, when left out.

    Raises:
        InvalidInputError: the amounts cannot be, or the case is about no shipment.
        ConflictError: the shipment has a claim that stands, or by the scans nobody bears the loss; `reason`
            says which.
        CompensationError: the law gives no award.
    """
    require_staff(actor)
    loss_kind = kind or LOSS_OF_CATEGORY.get(case.category)
    if loss_kind is None:
        raise InvalidInputError(
            "say what happened to the parcel", [{"detail": "is missing", "pointer": "/kind"}]
        )
    if claimed_minor <= 0:
        raise InvalidInputError(
            "the claimed amount must be positive",
            [{"detail": "must be positive", "pointer": "/claimed_minor"}],
        )
    lock(session, case, version=version)
    award = assess(session, case, loss_kind, claimed_minor=claimed_minor, total_value_minor=total_value_minor)
    claim = _store(session, actor, case, award, loss_kind, claimed_minor, now)
    details = {"claim_id": claim.id, "award_minor": claim.award_minor, "currency": claim.currency}
    happen(case, CaseEventKind.CLAIM_PROPOSED, now=now, actor=actor, details=details)
    return claim


def _store(
    session: Session,
    actor: Actor,
    case: Case,
    award: Award,
    kind: LossKind,
    claimed_minor: int,
    now: datetime,
) -> Claim:
    bearer = award.bearer
    if bearer is None or bearer.party_id is None:
        raise ConflictError(
            "by the scans the damage was there when the parcel was accepted: nobody in the chain bears it",
            reason="noted_at_acceptance",
        )
    assert case.shipment_id is not None, "an award is made for a shipment"
    claim = Claim(
        tenant_id=case.tenant_id,
        case_id=case.id,
        shipment_id=case.shipment_id,
        kind=kind,
        currency=award.amount.currency,
        claimed_minor=claimed_minor,
        award_minor=award.amount.amount_minor,
        jurisdiction=award.jurisdiction,
        instrument=award.instrument,
        instrument_version=award.version,
        article=award.article,
        formula={"key": award.formula, "params": dict(award.params)},
        bearer_party_id=bearer.party_id,
        bearer_facility_id=bearer.facility_id,
        bearer_reason=bearer.reason,
        evidence=list(bearer.scan_ids),
        status=ClaimStatus.PROPOSED,
        proposed_by_id=actor.user_id,
        proposed_at=now,
    )
    try:
        with session.begin_nested():
            case.claims.append(claim)
            session.flush()  # the event names the claim's id, and the database says whether one stands
    except IntegrityError as error:
        if "uq_claim_shipment_id_standing" not in str(error.orig):
            raise
        raise ConflictError(
            "this shipment has a claim already; a shipment is compensated once", reason="claimed_already"
        ) from error
    return claim


def approve_claim(session: Session, actor: Actor, claim: Claim, *, now: datetime) -> Claim:
    """Approve another's proposal and post it: the bearer pays, the customer's balance grows. Twice is once.

    Raises:
        ForbiddenError: the asker may not approve claims, or proposed this one himself.
        ConflictError: it was refused.
        PostingError: bearer and customer are one party.
    """
    case = _decide(session, actor, claim)
    if claim.status is ClaimStatus.POSTED:
        return claim
    if claim.status is ClaimStatus.REFUSED:
        raise ConflictError("the claim was refused")
    shipment = session.get_one(Shipment, claim.shipment_id)
    claimant_id = party_id_of(session, session.get_one(Customer, case.customer_id), now=now)
    claim.status = ClaimStatus.POSTED
    claim.approved_by_id, claim.approved_at = actor.user_id, now
    claim.entry_key = f"claim:{claim.id}:awarded"
    details = {"claim_id": claim.id, "award_minor": claim.award_minor, "currency": claim.currency}
    happen(case, CaseEventKind.CLAIM_POSTED, now=now, actor=actor, details=details)
    accounts.audit(session, actor, "claim.approved", subject_kind="claim", subject_id=claim.id, now=now)

    # Last, since every posting of the tenant waits for the commit from here on.
    amount = Money(claim.award_minor, claim.currency)
    bearers = AccountKey(tenant_of(session), claim.bearer_party_id, Purpose.AVAILABLE, claim.currency)
    available_minor = -ledger.lock_accounts(session, [bearers])[bearers]
    order = orders.order_of_shipment(session, shipment.id)
    entry = posting.compensation_awarded(
        posting.Chart(tenant_of(session), parties.platform(session).id),
        posting.Header(claim.entry_key, now, _evidence(case, claim, shipment, order)),
        amount,
        claim.bearer_party_id,
        Money(available_minor, claim.currency),
        claimant_id,
    )
    ledger.post(session, entry, now=now)
    return claim


def refuse_claim(session: Session, actor: Actor, claim: Claim, *, reason: str, now: datetime) -> None:
    """Refuse another's proposal, with the reason that the desk will read.

    Raises:
        ForbiddenError: the asker may not approve claims, or proposed this one himself.
        InvalidInputError: no reason is given.
        ConflictError: it is decided already.
    """
    words = required_text(reason, "/reason")
    case = _decide(session, actor, claim)
    if claim.status is not ClaimStatus.PROPOSED:
        raise ConflictError(f"the claim is {claim.status.value} already")
    claim.status = ClaimStatus.REFUSED
    claim.refused_by_id, claim.refused_at, claim.refusal = actor.user_id, now, words
    details = {"claim_id": claim.id}
    happen(case, CaseEventKind.CLAIM_REFUSED, now=now, actor=actor, body=words, details=details)
    accounts.audit(
        session, actor, "claim.refused", subject_kind="claim", subject_id=claim.id, now=now, reason=words
    )


def _decide(session: Session, actor: Actor, claim: Claim) -> Case:
    """The locked case of a claim that the asker may decide on; the claim is as it stands now."""
    if not actor.may(Scope.CLAIMS_APPROVE):
        raise ForbiddenError("this needs the scope claims:approve")
    if actor.user_id == claim.proposed_by_id:
        raise ForbiddenError("whoever proposed a claim does not decide on it")
    case = session.get_one(Case, claim.case_id)
    lock(session, case)
    session.refresh(claim)
    return case


def _evidence(case: Case, claim: Claim, shipment: Shipment, order: Order | None) -> tuple[EvidenceRef, ...]:
    return (
        EvidenceRef("case", case.number),
        EvidenceRef("claim", str(claim.id)),
        EvidenceRef("shipment", shipment.waybill_number),
        *(() if order is None else (EvidenceRef("order", order.number),)),
        *(EvidenceRef("scan", key) for key in claim.evidence),
    )
