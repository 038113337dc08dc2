"""All that happened with one customer on one line of time: one statement, continued after its last row."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from app.db.session import tenant_of
from app.network.models import Facility
from app.orders.models import Order
from app.pagination import Page, decode_cursor, page_of
from app.servicedesk.models import Case, CaseEvent, Claim
from app.servicedesk.values import CaseEventKind
from app.shipments.models import ScanRecord, Shipment
from tracking.shipment import ScanCode


class EntryKind(enum.StrEnum):
    """What can be looked at alone."""

    SHIPMENT = "shipment"
    SCAN = "scan"
    ORDER = "order"
    CASE = "case"
    CLAIM = "claim"


KEY_MOMENTS = (
    ScanCode.COLLECTED,
    ScanCode.DAMAGED,
    ScanCode.HELD,
    ScanCode.ATTEMPT_FAILED,
    ScanCode.REFUSED,
    ScanCode.PICKUP_OVERDUE,
    ScanCode.LOST,
    ScanCode.RETURNED,
    ScanCode.DELIVERED,
    ScanCode.DELIVERED_TO_PROXY,
    ScanCode.TAKEN_FROM_POINT,
    ScanCode.TAKEN_FROM_LOCKER,
    ScanCode.RECEIPT_CONFIRMED,
)
"""Of all scans those that a customer would tell; the rest stands on the shipment's own page."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened.

    Args:
        at: when.
        what: what exactly: sent, received; a scan's code; placed, paid, released, cancelled; an event of a
            case; claim_proposed, claim_posted, claim_refused.
        ref_id: tells two things of one moment apart.
        kind: by which it is filtered.
        number: of the shipment, order or case that it leads to.
        text: words that belong to it: the goods, the subject.
        amount_minor: money that belongs to it, in `currency`.
        place: the facility's name and its name in English.
        offset_minutes: local time of the place.
    """

    at: datetime
    what: str
    ref_id: int
    kind: EntryKind
    number: str
    text: str
    amount_minor: int | None
    currency: str | None
    place: str | None
    place_en: str | None
    offset_minutes: int


_CHINA_OFFSET_MINUTES = 480
_TOLD = (
    CaseEventKind.OPENED,
    CaseEventKind.CUSTOMER_MESSAGE,
    CaseEventKind.REPLY,
    CaseEventKind.RESOLVED,
    CaseEventKind.CLOSED,
)
_ORDER_MOMENTS = (
    ("placed", Order.placed_at),
    ("paid", Order.paid_at),
    ("released", Order.released_at),
    ("cancelled", Order.cancelled_at),
)
_CLAIM_MOMENTS = (
    ("claim_proposed", Claim.proposed_at),
    ("claim_posted", Claim.approved_at),
    ("claim_refused", Claim.refused_at),
)


def timeline(
    session: Session,
    customer_ids: Collection[int],
    *,
    kinds: Collection[EntryKind] = frozenset(EntryKind),
    cursor: str | None,
    limit: int,
) -> Page[TimelineEntry]:
    """A page of what happened with a customer, newest first.

    Args:
        session: of the customer's tenant.
        customer_ids: the record, and those that were merged into it.
        kinds: which kinds are wanted; all when left out.
        cursor: of the page before.
        limit: rows a page.
    """
    wanted = [branch for kind, branch in _branches(tenant_of(session), customer_ids) if kind in kinds]
    if not wanted:
        return Page([], None)
    # Each branch is cut to a page by itself, so that what is sorted together is small.
    parts = [_newest(branch.subquery(), cursor, limit) for branch in wanted]
    rows = session.execute(_newest(sa.union_all(*parts).subquery(), None, limit))
    entries = [TimelineEntry(**{**row._mapping, "kind": EntryKind(row.kind)}) for row in rows]
    return page_of(entries, limit, lambda entry: (entry.at, entry.what, entry.ref_id))


def _newest(entries: sa.Subquery, cursor: str | None, limit: int) -> sa.Select[Any]:
    at, what, ref_id = entries.c.at, entries.c.what, entries.c.ref_id
    query = sa.select(entries).order_by(at.desc(), what.desc(), ref_id.desc()).limit(limit + 1)
    if cursor is None:
        return query
    last = [sa.literal(part) for part in decode_cursor(cursor, tuple[datetime, str, int])]
    return query.where(sa.tuple_(at, what, ref_id) < sa.tuple_(*last))


def _branches(tenant_id: int, ids: Collection[int]) -> Iterator[tuple[EntryKind, sa.Select[Any]]]:
    sends = sa.and_(Shipment.tenant_id == tenant_id, Shipment.customer_id.in_(ids))
    receives = sa.and_(Shipment.tenant_id == tenant_id, Shipment.consignee_customer_id.in_(ids))
    for what, condition in (("sent", sends), ("received", receives)):
        yield EntryKind.SHIPMENT, _shipments(what).where(condition)
    yield EntryKind.SCAN, _scans(sends, receives)
    for what, moment in _ORDER_MOMENTS:
        own = (Order.tenant_id == tenant_id, Order.customer_id.in_(ids), moment.is_not(None))
        yield EntryKind.ORDER, _orders(what, moment).where(*own)
    mine = (Case.tenant_id == tenant_id, Case.customer_id.in_(ids))
    yield EntryKind.CASE, _case_events().where(*mine)
    for what, moment in _CLAIM_MOMENTS:
        yield EntryKind.CLAIM, _claims(what, moment).where(*mine, moment.is_not(None))


def _entry(
    kind: EntryKind,
    what: Any,
    at: Any,
    ref_id: Any,
    number: Any,
    text: Any,
    *,
    money: tuple[Any, Any] | None = None,
    place: tuple[Any, Any] | None = None,
    offset_minutes: Any = _CHINA_OFFSET_MINUTES,
) -> sa.Select[Any]:
    """The columns of a TimelineEntry, of one type in every branch."""
    amount_minor, currency = money or (sa.null(), sa.null())
    place_name, place_name_en = place or (sa.null(), sa.null())
    return sa.select(
        at.label("at"),
        sa.cast(what, sa.Text).label("what"),
        ref_id.label("ref_id"),
        sa.cast(sa.literal(kind.value), sa.Text).label("kind"),
        number.label("number"),
        sa.cast(text, sa.Text).label("text"),
        sa.cast(amount_minor, sa.BigInteger).label("amount_minor"),
        sa.cast(currency, sa.Text).label("currency"),
        sa.cast(place_name, sa.Text).label("place"),
        sa.cast(place_name_en, sa.Text).label("place_en"),
        sa.cast(offset_minutes, sa.BigInteger).label("offset_minutes"),
    )


def _shipments(what: str) -> sa.Select[Any]:
    return _entry(
        EntryKind.SHIPMENT,
        what,
        Shipment.booked_at,
        Shipment.id,
        Shipment.waybill_number,
        Shipment.goods,
        offset_minutes=Shipment.booked_offset_minutes,
    )


def _scans(sends: sa.ColumnElement[bool], receives: sa.ColumnElement[bool]) -> sa.Select[Any]:
    error = aliased(ScanRecord)
    # Both ends may be one person: a union, so that each scan comes once, over the index of each end.
    of_both = sa.union(
        *(
            sa.select(
                Shipment.id,
                Shipment.waybill_number,
                sa.cast(
                    sa.func.date_trunc("month", sa.func.timezone("UTC", Shipment.booked_at)), sa.Date
                ).label("month"),
            ).where(condition)
            for condition in (sends, receives)
        )
    ).subquery()
    declared_wrong = sa.exists().where(
        error.shipment_id == ScanRecord.shipment_id,
        error.shipment_month == ScanRecord.shipment_month,
        error.corrects == ScanRecord.scan_key,
    )
    return (
        _entry(
            EntryKind.SCAN,
            ScanRecord.code,
            ScanRecord.occurred_at,
            sa.func.hashtextextended(ScanRecord.scan_key, 0),
            of_both.c.waybill_number,
            sa.func.coalesce(ScanRecord.reason, ""),
            place=(Facility.name, Facility.name_en),
            offset_minutes=ScanRecord.offset_minutes,
        )
        .select_from(of_both)
        .join(
            ScanRecord,
            sa.and_(ScanRecord.shipment_id == of_both.c.id, ScanRecord.shipment_month == of_both.c.month),
        )
        .outerjoin(Facility, Facility.id == ScanRecord.facility_id)
        .where(ScanRecord.code.in_(KEY_MOMENTS), ~declared_wrong)
    )


def _orders(what: str, moment: Any) -> sa.Select[Any]:
    amount = (Order.total_minor, Order.currency)
    return _entry(EntryKind.ORDER, what, moment, Order.id, Order.number, "", money=amount)


def _case_events() -> sa.Select[Any]:
    told = _entry(EntryKind.CASE, CaseEvent.kind, CaseEvent.at, CaseEvent.id, Case.number, Case.subject)
    return told.join(Case, Case.id == CaseEvent.case_id).where(CaseEvent.kind.in_(_TOLD))


def _claims(what: str, moment: Any) -> sa.Select[Any]:
    amount = (Claim.award_minor, Claim.currency)
    claimed = _entry(EntryKind.CLAIM, what, moment, Claim.id, Case.number, Case.subject, money=amount)
    return claimed.join(Case, Case.id == Claim.case_id)
