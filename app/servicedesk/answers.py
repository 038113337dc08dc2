"""Cases as the machine's door answers them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.queries import user_names
from app.servicedesk.api_models import CaseDetail, CaseOut, ClaimOut, EventOut
from app.servicedesk.case_view import INTERNAL
from app.servicedesk.models import Case, Claim
from app.servicedesk.queries import CaseRow
from app.servicedesk.values import ClaimStatus
from app.shipments.models import Shipment


def list_answer(row: CaseRow, *, staff: bool) -> dict[str, Any]:
    """A case in a list; who owns it is told to the staff."""
    return _case(row.case, row.waybill_number, row.owner_name if staff else None).model_dump(mode="json")


def detail_answer(session: Session, case: Case, *, staff: bool) -> dict[str, Any]:
    """A case with what happened to it; notes, names, bearers and open proposals are for the staff only."""
    names = user_names(
        session, {user_id for user_id in (case.owner_id, *(e.user_id for e in case.events)) if user_id}
    )
    shipment = None if case.shipment_id is None else session.get_one(Shipment, case.shipment_id)
    listed = _case(
        case,
        None if shipment is None else shipment.waybill_number,
        names.get(case.owner_id or 0) if staff else None,
    )
    detail = CaseDetail(
        **listed.model_dump(),
        resolution=case.resolution,
        events=[
            EventOut(
                sequence=event.sequence,
                kind=event.kind,
                at=event.at,
                by=names.get(event.user_id or 0) if staff else None,
                body=event.body,
            )
            for event in case.events
            if staff or event.kind not in INTERNAL
        ],
        claims=[
            _claim(claim, staff=staff) for claim in case.claims if staff or claim.status is ClaimStatus.POSTED
        ],
    )
    return detail.model_dump(mode="json")


def _case(case: Case, waybill_number: str | None, owner_name: str | None) -> CaseOut:
    return CaseOut(
        number=case.number,
        status=case.status,
        category=case.category,
        channel=case.channel,
        subject=case.subject,
        customer_id=case.customer_id,
        waybill_number=waybill_number,
        opened_at=case.opened_at,
        due_at=case.due_at,
        due_clock=case.due_clock,
        owner_name=owner_name,
        version=case.version,
    )


def _claim(claim: Claim, *, staff: bool) -> ClaimOut:
    return ClaimOut(
        id=claim.id,
        kind=claim.kind,
        status=claim.status,
        currency=claim.currency,
        claimed_minor=claim.claimed_minor,
        award_minor=claim.award_minor,
        instrument=claim.instrument,
        article=claim.article,
        formula=claim.formula,
        bearer_party_id=claim.bearer_party_id if staff else None,
        evidence=claim.evidence if staff else [],
    )
