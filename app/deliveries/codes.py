"""The one-time code behind which a parcel waits: drawn, sent to its consignee, and tried at the point."""

from __future__ import annotations

import enum
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.accounts.models import Installation, Tenant
from app.customers.models import Customer
from app.deliveries.point_models import PointDeposit
from app.network.models import Compartment, Facility
from app.notices.service import reached_by
from app.notify import service as notify
from app.notify.models import Channel
from app.notify.template import Template, Wording
from app.shipments.models import Shipment
from tracking.pickup import PickupStep, due_step

TRIES_MAX = 5
LOCK = timedelta(hours=1)
_DIGITS = 6

WAITING = Template(
    "pickup_code",
    {
        "zh": Wording(
            "取件码", "【{company}】您的包裹 {number} 在 {place}，取件码 {code}，请于 {until} 前领取。"
        ),
        "en": Wording(
            "Your pickup code",
            "{company}: your parcel {number} waits at {place}. Code {code}, until {until}.",
        ),
    },
)
REMINDER = Template(
    "pickup_reminder",
    {
        "zh": Wording(
            "包裹待领取",
            "【{company}】您的包裹 {number} 仍在 {place}，新取件码 {code}，请于 {until} 前领取。",
        ),
        "en": Wording(
            "Your parcel still waits",
            "{company}: your parcel {number} still waits at {place}. New code {code}, until {until}.",
        ),
    },
)


class Try(enum.Enum):
    """What became of a try."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"


def new_code(session: Session, shipment: Shipment) -> tuple[str, bytes]:
    """A code, and what is stored of it."""
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
    return code, _hash(session, shipment.id, code)


def try_code(session: Session, deposit: PointDeposit, code: str, *, now: datetime) -> Try:
    """Try a code; a wrong one is counted, so the caller must commit. While it is locked no code opens it,
    and what has waited for too long is on its way back to the outlet.
    """
    if due_step(deposit.deposited_at, now) is PickupStep.TAKE_BACK:
        return Try.EXPIRED
    if deposit.locked_until is not None:
        if deposit.locked_until > now:
            return Try.LOCKED
        deposit.locked_until, deposit.tries = None, 0
    if hmac.compare_digest(deposit.code_hash, _hash(session, deposit.shipment_id, code.strip())):
        deposit.tries = 0
        return Try.RIGHT
    deposit.tries += 1
    if deposit.tries < TRIES_MAX:
        return Try.WRONG
    deposit.locked_until = now + LOCK
    return Try.LOCKED


def send(
    session: Session,
    template: Template,
    deposit: PointDeposit,
    shipment: Shipment,
    code: str,
    *,
    until: datetime,
    now: datetime,
) -> bool:
    """Write the code to the consignee, by SMS or else by mail; gives whether he can be reached at all.

    It is no news that he could opt out of: without it the parcel stays where it is.
    """
    consignee = session.get_one(Customer, shipment.consignee_customer_id)
    for channel in (Channel.SMS, Channel.MAIL):
        recipient = reached_by(session, shipment, channel)
        if recipient is not None:
            facility = session.get_one(Facility, deposit.facility_id)
            notify.send_later(
                session,
                template,
                {
                    "company": session.get_one(Tenant, shipment.tenant_id).name,
                    "number": shipment.waybill_number,
                    "place": _place(session, facility, deposit, consignee.locale),
                    "code": code,
                    "until": _local(until, facility),
                },
                channel=channel,
                recipient=recipient,
                locale=consignee.locale,
                now=now,
                expires_at=until,
                secret=True,
            )
            return True
    return False


def _place(session: Session, facility: Facility, deposit: PointDeposit, locale: str) -> str:
    name = facility.name_en if locale == "en" and facility.name_en else facility.name
    if deposit.compartment_id is None:
        return name
    return f"{name} {session.get_one(Compartment, deposit.compartment_id).code}"


def _local(moment: datetime, facility: Facility) -> str:
    local = moment + timedelta(minutes=facility.utc_offset_minutes)
    return f"{local:%Y-%m-%d %H:%M}"


def _hash(session: Session, shipment_id: int, code: str) -> bytes:
    key = session.get_one(Installation, 1).waybill_key
    return hmac.digest(key, b"pickup code %d " % shipment_id + code.encode(), "sha256")
