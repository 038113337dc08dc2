"""What stands on the page of a case: the conversation on one side, the evidence on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.queries import user_names
from app.accounts.roles import Role
from app.actor import Actor
from app.customers.models import Customer
from app.errors import NotFoundError
from app.formatting import money as format_money
from app.ledger import queries as ledger
from app.ledger.models import JournalEntry
from app.network.labels import facility_name
from app.orders import queries as orders
from app.orders.models import Order
from app.parties import queries as parties
from app.parties.models import Party
from app.servicedesk import queries
from app.servicedesk.clock import Clocks
from app.servicedesk.events import clock_of
from app.servicedesk.models import Case, Claim
from app.servicedesk.queries import Related
from app.servicedesk.values import CaseEventKind, ClaimStatus
from app.servicedesk.wording import EVENTS, article_text, formula_text
from app.shipments import phrases, story
from app.shipments import queries as shipments
from app.shipments.models import DeliveryProof, ScanRecord, Shipment
from app.shipments.words import CODES

# What the desk writes for itself; the customer reads the outcome.
INTERNAL = frozenset(
    {
        CaseEventKind.NOTE,
        CaseEventKind.ASSIGNED,
        CaseEventKind.CLAIM_PROPOSED,
        CaseEventKind.CLAIM_REFUSED,
    }
)
_OF_CUSTOMER = frozenset({CaseEventKind.OPENED, CaseEventKind.CUSTOMER_MESSAGE})


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of the conversation; `side` is customer, desk or internal."""

    side: str
    title: Any
    by: str
    at: datetime
    body: str
    amount: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The shipment of a case as its pages tell it: sentence, line of time, findings, proofs."""

    shipment: Shipment
    sentence: str
    events: Sequence[Mapping[str, Any]]
    findings: Sequence[Mapping[str, Any]]
    proofs: Sequence[DeliveryProof]


@dataclass(frozen=True, slots=True)
class Money:
    """The order of a case's shipment; shares and entries for the staff only."""

    order: Order
    owners: Mapping[int, Party]
    entries: Sequence[JournalEntry]


@dataclass(frozen=True, slots=True)
class Assessed:
    """A claim in words; who bears it, and why, for the staff only."""

    claim: Claim
    article: str
    formula: str
    bearer: Party | None
    scans: Sequence[tuple[Any, datetime, int]]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class CaseView:
    """Everything that the page of a case shows."""

    case: Case
    customer: Customer
    clocks: Clocks
    owner_name: str | None
    said: Sequence[Said]
    evidence: Evidence | None
    money: Money | None
    claims: Sequence[Assessed]
    related: Sequence[Related]


def view_of(session: Session, actor: Actor, case: Case, *, now: datetime) -> CaseView:
    """Gather what the asker may see of a case."""
    staff = actor.role != Role.SHIPPER
    people = {event.user_id for event in case.events} | {case.owner_id}
    for claim in case.claims:
        people |= {claim.proposed_by_id, claim.approved_by_id, claim.refused_by_id}
    names = user_names(session, {user_id for user_id in people if user_id is not None})
    shipment = None if case.shipment_id is None else session.get_one(Shipment, case.shipment_id)
    return CaseView(
        case=case,
        customer=session.get_one(Customer, case.customer_id),
        clocks=clock_of(case),
        owner_name=None if case.owner_id is None else names.get(case.owner_id),
        said=conversation(case, names, staff=staff),
        evidence=None if shipment is None else _evidence(session, shipment, now, staff=staff),
        money=None if shipment is None else _money(session, actor, shipment),
        claims=_claims(session, case, names, staff=staff),
        related=queries.related(session, actor, case),
    )


def conversation(case: Case, names: Mapping[int, str], *, staff: bool) -> list[Said]:
    """What was said and done on a case, oldest first; for a customer without what is the desk's own."""
    return [
        Said(
            side="internal"
            if event.kind in INTERNAL
            else "customer"
            if event.kind in _OF_CUSTOMER
            else "desk",
            title=EVENTS[event.kind],
            by=_by(event.user_id, names, staff=staff, customer=event.kind in _OF_CUSTOMER),
            at=event.at,
            body=event.body or event.details.get("owner_name", ""),
            amount=(event.details["award_minor"], event.details["currency"])
            if "award_minor" in event.details
            else None,
        )
        for event in case.events
        if staff or event.kind not in INTERNAL
    ]


def share_facts(money: Money) -> list[tuple[str, str]]:
    """Who earns how much of an order, for the `facts` macro."""
    return [
        (money.owners[share.party_id].name, format_money(share.amount_minor, money.order.currency))
        for share in money.order.shares
    ]


def _by(user_id: int | None, names: Mapping[int, str], *, staff: bool, customer: bool) -> str:
    """The desk's people have no names for the customer; what a customer wrote himself has no login."""
    if user_id is not None and (staff or customer):
        return names.get(user_id, "")
    return str(_("Customer") if customer else _("Service desk"))


def _evidence(session: Session, shipment: Shipment, now: datetime, *, staff: bool) -> Evidence:
    told = story.story_of(session, shipment, now=now)
    return Evidence(
        shipment,
        phrases.sentence_text(told, facility_name),
        phrases.timeline_rows(told, facility_name, detailed=staff),
        [phrases.finding_text(finding, now) for finding in shipments.findings(session, shipment)]
        if staff
        else [],
        shipments.proofs(session, shipment),
    )


def _money(session: Session, actor: Actor, shipment: Shipment) -> Money | None:
    found = orders.order_of_shipment(session, shipment.id)
    if found is None:
        return None
    try:
        order = orders.load_order(session, actor, found.number)
    except NotFoundError:  # the customer of the case receives what another one pays for
        return None
    if actor.role == Role.SHIPPER:
        return Money(order, {}, [])
    owners = parties.by_ids(session, [share.party_id for share in order.shares])
    entries = ledger.entries_with_evidence(session, "shipment", shipment.waybill_number)
    return Money(order, owners, entries)


def _claims(session: Session, case: Case, names: Mapping[int, str], *, staff: bool) -> list[Assessed]:
    if not case.claims:
        return []
    if not staff:
        return [
            Assessed(claim, article_text(claim), formula_text(claim), None, [], {})
            for claim in case.claims
            if claim.status is ClaimStatus.POSTED
        ]
    bearers = parties.by_ids(session, [claim.bearer_party_id for claim in case.claims])
    scans: dict[str, ScanRecord] = {}
    for claim in case.claims:
        shipment = session.get_one(Shipment, claim.shipment_id)
        scans |= {scan.scan_key: scan for scan in shipments.scans_of(session, shipment)}
    return [
        Assessed(
            claim,
            article_text(claim),
            formula_text(claim),
            bearers[claim.bearer_party_id],
            [
                (CODES[scans[key].code], scans[key].occurred_at, scans[key].offset_minutes)
                for key in claim.evidence
            ],
            names,
        )
        for claim in case.claims
    ]
