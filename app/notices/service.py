"""What happens with news for consignees: words are written, quiet hours set, news sent and opted out of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Installation, Tenant
from app.accounts.service import audit
from app.actor import Actor
from app.customers.models import Customer, CustomerIdentity, IdentityKind
from app.db.outbox import Event
from app.db.session import tenant_of
from app.errors import InvalidInputError
from app.masking import mask_name
from app.notices import queries
from app.notices.models import NoticeWording, QuietTime
from app.notices.wording import MILESTONES, NoticeInput
from app.notify import service as notify
from app.notify.models import Channel
from app.notify.template import PUBLIC_URL
from app.shipments.models import Shipment
from app.shipments.values import link_token
from tracking.shipment import Milestone

# Later than this nobody wants to hear of it any more.
_STALE_AFTER = timedelta(hours=24)


def write(
    session: Session, actor: Actor, milestone: Milestone, wanted: NoticeInput, *, now: datetime
) -> NoticeWording:
    """Put the asker's words for a milestone in force: a shipper's for his parcels, else the company's.

    Raises:
        InvalidInputError: A text is wrong.
    """
    wanted.check()
    row = queries.own(session, actor, milestone)
    if row is None:
        row = NoticeWording(tenant_id=actor.tenant_id, customer_id=queries.whose(actor), milestone=milestone)
        session.add(row)
    row.enabled, row.channel = wanted.enabled, wanted.channel
    row.subject_zh, row.body_zh = wanted.subject_zh.strip(), wanted.body_zh.strip()
    row.subject_en, row.body_en = wanted.subject_en.strip(), wanted.body_en.strip()
    row.changed_at = now
    session.flush()  # the audit names its id
    audit(session, actor, "notice.written", subject_kind="notice_wording", subject_id=row.id, now=now)
    return row


def drop(session: Session, actor: Actor, milestone: Milestone, *, now: datetime) -> None:
    """Forget the asker's own words; the company's hold again, or nothing is told. Again is no harm."""
    row = queries.own(session, actor, milestone)
    if row is not None:
        audit(session, actor, "notice.dropped", subject_kind="notice_wording", subject_id=row.id, now=now)
        session.delete(row)


def set_quiet_time(
    session: Session, actor: Actor, *, from_minute: int, to_minute: int, now: datetime
) -> None:
    """Say when consignees are left in peace; the same minute twice means never.

    Raises:
        InvalidInputError: A minute is none of a day.
    """
    for name, minute in (("from_minute", from_minute), ("to_minute", to_minute)):
        if not 0 <= minute < 24 * 60:
            raise InvalidInputError(
                "no minute of a day", [{"detail": "between 0 and 1439", "pointer": f"/{name}"}]
            )
    row = session.scalar(sa.select(QuietTime))
    if row is None:
        row = QuietTime(tenant_id=actor.tenant_id)
        session.add(row)
    row.from_minute, row.to_minute = from_minute, to_minute
    details = {"from_minute": from_minute, "to_minute": to_minute}
    audit(
        session, actor, "notice.quiet_time", subject_kind="tenant", subject_id=actor.tenant_id, now=now,
        details=details,
    )  # fmt: skip


def tell(session: Session, events: Sequence[Event], now: datetime) -> None:
    """Write news of milestones to consignees, where somebody wants that told and they want to hear it."""
    news = [event for event in events if event.payload["is_new"]]
    reached = {event.payload["milestone"] for event in news} & {one.value for one in MILESTONES}
    told = queries.told_at_all(session, reached) if reached else frozenset()
    for event in news:
        milestone = Milestone(event.payload["milestone"])
        if milestone in told:
            _tell(session, event, milestone, now)


def _tell(session: Session, event: Event, milestone: Milestone, now: datetime) -> None:
    customer_id = sa.select(Shipment.customer_id).where(Shipment.id == event.payload["shipment_id"])
    words = queries.in_force(session, customer_id.scalar_subquery(), milestone)
    if words is None or not words.enabled:
        return
    shipment = session.get_one(Shipment, event.payload["shipment_id"])
    recipient = reached_by(session, shipment, words.channel)
    if recipient is None or not notify.wants_news(session, recipient):
        return
    path = _path(session, shipment)
    notify.send_later(
        session,
        queries.as_input(words).template(milestone),
        {
            "company": session.get_one(Tenant, tenant_of(session)).name,
            "shipper": mask_name(shipment.sender_name),
            "number": shipment.waybill_number,
            "link": PUBLIC_URL + path,
            "stop": PUBLIC_URL + path + "/notices",
        },
        channel=words.channel,
        recipient=recipient,
        locale=session.get_one(Customer, shipment.consignee_customer_id).locale,
        now=now,
        expires_at=now + _STALE_AFTER,
        courtesy=notify.Courtesy(
            f"shipment:{shipment.id}", queries.quiet_hours(session, shipment.booked_offset_minutes)
        ),
    )


def opt_out(session: Session, shipment: Shipment, *, now: datetime) -> None:
    """The consignee of a shipment wants no more news from this company, of this parcel or any other."""
    for recipient in _all_ways(session, shipment):
        notify.opt_out(session, recipient, now=now)


def opt_in(session: Session, shipment: Shipment) -> None:
    """The consignee wants news again."""
    for recipient in _all_ways(session, shipment):
        notify.opt_in(session, recipient)


def wants_news(session: Session, shipment: Shipment) -> bool:
    """Whether the consignee of a shipment has not opted out."""
    return all(notify.wants_news(session, recipient) for recipient in _all_ways(session, shipment))


def reached_by(session: Session, shipment: Shipment, channel: Channel) -> str | None:
    """The consignee's phone in international form, or his mail address; None where there is none."""
    if channel is Channel.SMS:
        return shipment.consignee_phone if shipment.consignee_phone.startswith("+") else None
    return session.scalar(
        sa.select(CustomerIdentity.value)
        .where(
            CustomerIdentity.customer_id == shipment.consignee_customer_id,
            CustomerIdentity.kind == IdentityKind.EMAIL,
        )
        .order_by(CustomerIdentity.id)
        .limit(1)
    )


def follow_merge(session: Session, *, keep_id: int, drop_id: int) -> None:
    """Two customer records became one: the dropped one's words hold where the kept one has none."""
    kept = sa.select(NoticeWording.milestone).where(NoticeWording.customer_id == keep_id)
    session.execute(
        sa.update(NoticeWording)
        .where(NoticeWording.customer_id == drop_id, NoticeWording.milestone.not_in(kept))
        .values(customer_id=keep_id)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.delete(NoticeWording)
        .where(NoticeWording.customer_id == drop_id)
        .execution_options(synchronize_session=False)
    )


def _all_ways(session: Session, shipment: Shipment) -> list[str]:
    found = (reached_by(session, shipment, channel) for channel in Channel)
    return [recipient for recipient in found if recipient is not None]


def _path(session: Session, shipment: Shipment) -> str:
    return f"/t/{link_token(shipment.id, session.get_one(Installation, 1).waybill_key)}"
