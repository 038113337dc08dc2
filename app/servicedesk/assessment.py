"""From the records of a shipment to the award that the law gives for its loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, timezone

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.dispatch.models import Courier
from app.errors import ConflictError, InvalidInputError
from app.network.models import Facility
from app.orders import queries as orders
from app.orders.models import Order
from app.orders.tariff import ChargeKind
from app.servicedesk.custody import Parties, chain
from app.servicedesk.models import Case
from app.shipments.models import Shipment, ShipmentLeg
from app.shipments.scan_store import scans_by_shipment
from settlement import compensation
from settlement.compensation import Award, Custody, InsuranceRule, LossKind, MailClass
from settlement.money import Money
from tracking.shipment import Scan

# What the carrier agrees with senders who declare a value; those who do not are compensated by civil law,
# since the booking pages state no limit that could bind them.
INSURANCE_RULE = InsuranceRule.LOSS_UP_TO_INSURED


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the records say about a case's shipment."""

    shipment: Shipment
    scans: Sequence[Scan]
    order: Order | None


def assess(
    session: Session,
    case: Case,
    kind: LossKind,
    *,
    claimed_minor: int,
    total_value_minor: int | None,
) -> Award:
    """The award for a loss of a case's shipment, and its bearer.

    Args:
        case: about a shipment.
        kind: what happened to the parcel.
        claimed_minor: the loss that was shown, in the shipment's currency.
        total_value_minor: value of all the goods; the declared value, or at least the loss, when left out.

    Raises:
        InvalidInputError: the case is about no shipment, or the loss exceeds the value.
        ConflictError: no scan shows that anybody had the parcel.
        NoLegalBasisError: no rule covers the loss.
    """
    facts = _facts(session, case)
    shipment = facts.shipment
    currency = shipment.currency
    declared_minor = shipment.declared_value_minor
    value_minor = total_value_minor or declared_minor or claimed_minor
    if kind is not LossKind.DELAYED and claimed_minor > value_minor:
        raise InvalidInputError(
            "the loss exceeds the value of the goods",
            [{"detail": "is more than the goods are worth", "pointer": "/claimed_minor"}],
        )
    charges = [] if facts.order is None else facts.order.charges
    postage_minor = sum(row.amount_minor for row in charges if row.kind is ChargeKind.FREIGHT)
    custody = chain(facts.scans, _parties(session, facts))
    if not custody:
        raise ConflictError("no scan shows that anybody had the parcel", reason="no_custody")
    return compensation.propose(
        compensation.Claim(
            claim_id=case.number,
            kind=kind,
            mail_class=MailClass.EXPRESS,
            accepted_on=_accepted_on(shipment, custody),
            loss=Money(claimed_minor, currency),
        ),
        compensation.ClaimFacts(
            total_value=Money(value_minor, currency),
            postage=Money(postage_minor, currency),
            insured=Money(declared_minor, currency) if declared_minor else None,
            insurance_rule=INSURANCE_RULE if declared_minor else None,
            scan_chain=custody,
        ),
    )


def _facts(session: Session, case: Case) -> _Facts:
    if case.shipment_id is None:
        raise InvalidInputError("the case is about no shipment")
    shipment = session.get_one(Shipment, case.shipment_id)
    scans = scans_by_shipment(session, [shipment])[shipment.id]
    return _Facts(shipment, scans, orders.order_of_shipment(session, shipment.id))


def _accepted_on(shipment: Shipment, custody: Sequence[Custody]) -> date:
    """The local day on which the carrier took the parcel over."""
    return custody[0].from_at.astimezone(timezone(timedelta(minutes=shipment.booked_offset_minutes))).date()


def _parties(session: Session, facts: _Facts) -> Parties:
    shipment = facts.shipment
    legs = session.execute(
        sa.select(ShipmentLeg.from_facility_id, ShipmentLeg.carrier_party_id).where(
            ShipmentLeg.shipment_id == shipment.id
        )
    )
    places = {scan.facility_id for scan in facts.scans if scan.facility_id is not None}
    owners = session.execute(
        sa.select(Facility.id, Facility.party_id).where(
            Facility.id.in_({*places, shipment.origin_facility_id})
        )
    )
    couriers = session.execute(
        sa.select(Courier.id, Courier.party_id).where(
            Courier.id.in_({scan.courier_id for scan in facts.scans if scan.courier_id is not None})
        )
    )
    return Parties(
        of_facility=dict(owners.all()),
        of_courier=dict(couriers.all()),
        carrier_from=dict(legs.all()),
        origin_facility_id=shipment.origin_facility_id,
    )
