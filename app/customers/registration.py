"""A shipper registers himself: a one-time code proves that the phone is his, then he gets a login.

A code of six digits lives ten minutes and bears five tries; a phone is sent three an hour, and a network
address may ask for ten. So a guesser has 15 tries an hour at one phone: a chance of 1 in 67,000.
"""

from __future__ import annotations

import enum
import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.accounts.roles import Role
from app.accounts.service import audit, create_user
from app.customers.identities import local_phone
from app.customers.models import IdentityKind, PhoneChallenge
from app.customers.service import find_or_create, normalise
from app.db.session import tenant_of
from app.errors import InvalidInputError, NotFoundError, TooManyTriesError
from app.notify.models import Channel
from app.notify.service import send_later
from app.notify.template import Template, Wording

CODE_LIFETIME = timedelta(minutes=10)
TRIES_MAX = 5
CODES_PER_PHONE = 3
CODES_PER_ADDRESS = 10
_WINDOW = timedelta(hours=1)
_KEPT = timedelta(days=1)

CODE_MESSAGE = Template(
    "registration_code",
    {
        "zh": Wording("验证码", "{company}：您的验证码是 {code}，10 分钟内有效。请勿告诉任何人。"),
        "en": Wording(
            "Your code", "{company}: your code is {code}. It is valid for 10 minutes. Tell it to nobody."
        ),
    },
)


class CodeCheck(enum.Enum):
    """What a code was worth."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"


def send_code(
    session: Session,
    *,
    name: str,
    phone: str,
    company: str,
    address: str,
    key: bytes,
    locale: str,
    now: datetime,
) -> PhoneChallenge:
    """Send a code to a phone.

    Args:
        company: The tenant's name, as it stands in the message.
        address: The network address that asks; counted, not kept.
        key: Keys the stored hashes.
        locale: The language of the message.

    Raises:
        InvalidInputError: The name is empty or the phone is not one.
        TooManyTriesError: This phone was sent, or this address asked for, too many codes within the hour.
    """
    if not name.strip():
        raise InvalidInputError("the name is empty", [{"detail": "is empty", "pointer": "/name"}])
    normal = normalise(IdentityKind.PHONE, phone)
    address_hash = _keyed(key, "address", address)
    _refuse_too_many(session, normal, address_hash, now)
    code = f"{secrets.randbelow(1_000_000):06d}"
    notification = send_later(
        session,
        CODE_MESSAGE,
        {"company": company, "code": code},
        channel=Channel.SMS,
        recipient=normal,
        locale=locale,
        now=now,
        expires_at=now + CODE_LIFETIME,
        secret=True,
    )
    challenge = PhoneChallenge(
        tenant_id=tenant_of(session),
        phone=normal,
        name=name.strip(),
        code_hash=_keyed(key, normal, code),
        address_hash=address_hash,
        notification=notification,
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    session.add(challenge)
    session.flush()  # the browser keeps its id
    return challenge


def load_challenge(session: Session, challenge_id: int) -> PhoneChallenge:
    """A challenge by the id that the browser kept in its signed cookie.

    Raises:
        NotFoundError: There is none, or it was cleared away.
    """
    challenge = session.scalar(
        sa.select(PhoneChallenge).where(PhoneChallenge.id == challenge_id).with_for_update()
    )
    if challenge is None:
        raise NotFoundError("this registration has ended; begin again")
    return challenge


def check_code(challenge: PhoneChallenge, code: str, *, key: bytes, now: datetime) -> CodeCheck:
    """Try a code. A try is counted in the session, so the caller must commit a wrong one too."""
    if challenge.used_at is not None or challenge.expires_at <= now or challenge.tries >= TRIES_MAX:
        return CodeCheck.SPENT
    challenge.tries += 1
    if hmac.compare_digest(challenge.code_hash, _keyed(key, challenge.phone, code.strip())):
        challenge.used_at = now
        return CodeCheck.RIGHT
    return CodeCheck.SPENT if challenge.tries >= TRIES_MAX else CodeCheck.WRONG


def complete(
    session: Session, challenge: PhoneChallenge, *, password: str, locale: str, now: datetime
) -> User:
    """Make the login of a proven phone; the customer record is found by the phone, or made.

    Raises:
        InvalidInputError: The password is too short.
        ConflictError: The phone has a login already.
    """
    assert challenge.used_at is not None, "the code was checked before"
    customer = find_or_create(session, name=challenge.name, phone=challenge.phone, locale=locale, now=now)
    user = create_user(
        session,
        username=local_phone(challenge.phone),
        name=challenge.name,
        role=Role.SHIPPER,
        password=password,
        subject_id=customer.id,
        locale=locale,
        now=now,
    )
    audit(session, None, "shipper.registered", subject_kind="customer", subject_id=customer.id, now=now)
    return user


def drop_old_challenges(session: Session, *, now: datetime) -> int:
    """Clear away challenges a day after they were made; gives how many."""
    rows = session.execute(
        sa.delete(PhoneChallenge).where(PhoneChallenge.created_at <= now - _KEPT).returning(PhoneChallenge.id)
    )
    return len(rows.all())


def _refuse_too_many(session: Session, phone: str, address_hash: bytes, now: datetime) -> None:
    # Counted under a lock, so that many requests at once count each other.
    for counted in (phone.encode(), address_hash):
        session.execute(
            sa.select(sa.func.pg_advisory_xact_lock(int.from_bytes(_keyed(b"", "lock", counted.hex())[:7])))
        )
    for column, value, allowed in (
        (PhoneChallenge.phone, phone, CODES_PER_PHONE),
        (PhoneChallenge.address_hash, address_hash, CODES_PER_ADDRESS),
    ):
        sent_at = session.scalars(
            sa.select(PhoneChallenge.created_at)
            .where(column == value, PhoneChallenge.created_at > now - _WINDOW)
            .order_by(PhoneChallenge.created_at)
        ).all()
        if len(sent_at) >= allowed:
            free_at = sent_at[-allowed] + _WINDOW
            raise TooManyTriesError(
                "too many codes were asked for", retry_after_s=int((free_at - now).total_seconds()) + 1
            )


def _keyed(key: bytes, *parts: str) -> bytes:
    return hmac.digest(key, "\n".join(parts).encode(), "sha256")
