"""Versions of the terms that orders are split by: written by one person, tried out, approved by another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts import service as accounts
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.orders import facts
from app.orders.models import Order, OrderStatus, TermsStatus, TermsVersion
from app.parties import queries as parties
from app.shipments.models import Shipment
from settlement import terms as engine
from settlement.errors import NoTermsInForceError, SettlementError, TermsError
from settlement.split import split

STANDARD = "standard"
"""The name of the terms that orders are split by; terms of single customers would have names of their own."""

DRY_RUN_ORDERS = 200
_HEAD = ("terms_id", "version", "effective_from", "effective_to")


@dataclass(frozen=True, slots=True)
class InForce:
    """The version that applies, as row id and as the engine's value."""

    version_id: int
    terms: engine.Terms


@dataclass(frozen=True, slots=True)
class Difference:
    """What a party would have earned by other terms."""

    party_id: int
    before_minor: int
    after_minor: int

    @property
    def difference_minor(self) -> int:
        """Positive where the party gains."""
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class DryRun:
    """The last orders, split anew; `refused` holds (order number, why) of those the terms cannot split."""

    orders: int
    currency: str
    differences: tuple[Difference, ...]
    refused: tuple[tuple[str, str], ...]


def in_force(session: Session, at: datetime, *, name: str = STANDARD) -> InForce:
    """The approved version of the highest number whose time has come.

    Raises:
        NoTermsInForceError: there is none.
    """
    for version_id, known_name, terms in _approved(session):
        if known_name == name and terms.effective_from <= at:
            return InForce(version_id, terms)
    raise NoTermsInForceError(f"no approved version of the terms {name!r} is in force; finance sets them")


def _approved(session: Session) -> list[tuple[int, str, engine.Terms]]:
    """Approved versions, highest number first; read once a session, since approved ones never change."""
    key = _approved_key(session)
    if key not in session.info:
        rows = session.execute(
            sa.select(TermsVersion.id, TermsVersion.name, TermsVersion.body)
            .where(TermsVersion.tenant_id == tenant_of(session), TermsVersion.status == TermsStatus.APPROVED)
            .order_by(TermsVersion.version.desc())
        )
        session.info[key] = [(row.id, row.name, engine.terms_from_json(row.body)) for row in rows]
    found: list[tuple[int, str, engine.Terms]] = session.info[key]
    return found


def _approved_key(session: Session) -> str:
    return f"orders.approved_terms.{tenant_of(session)}"


def value_of(version: TermsVersion) -> engine.Terms:
    """A stored version as the engine's value."""
    return engine.terms_from_json(version.body)


def without_head(document: Mapping[str, Any]) -> dict[str, Any]:
    """What people write of a version's body: name, number and dates are set beside it."""
    return {key: value for key, value in document.items() if key not in _HEAD}


def create_terms_version(
    session: Session,
    actor: Actor,
    *,
    name: str,
    body: Mapping[str, Any],
    effective_from: datetime,
    now: datetime,
) -> TermsVersion:
    """Write the next version as a draft.

    Args:
        body: `settlement.terms` in JSON; its id, version and dates are set here.

    Raises:
        InvalidInputError: the body is no valid terms; the pointer names the place.
    """
    last = session.scalar(
        sa.select(sa.func.max(TermsVersion.version)).where(
            TermsVersion.tenant_id == tenant_of(session), TermsVersion.name == name
        )
    )
    number = (last or 0) + 1
    terms = parse(body, name=name, version=number, effective_from=effective_from)
    row = TermsVersion(
        tenant_id=tenant_of(session),
        name=name,
        version=number,
        status=TermsStatus.DRAFT,
        body=engine.terms_to_json(terms),
        effective_from=effective_from,
        created_by_id=actor.user_id,
        created_at=now,
    )
    session.add(row)
    session.flush()  # two writers of the same number meet here; callers need the id
    _audit(session, actor, "terms.drafted", row, now)
    return row


def approve_terms(session: Session, actor: Actor, version: TermsVersion, *, now: datetime) -> None:
    """Let a draft come into force at its time.

    Raises:
        ForbiddenError: the asker wrote it.
        ConflictError: it is no draft.
    """
    _draft(session, version)
    if version.created_by_id == actor.user_id:
        raise ForbiddenError("terms are approved by somebody else than their writer")
    version.status = TermsStatus.APPROVED
    version.approved_by_id = actor.user_id
    version.approved_at = now
    session.info.pop(_approved_key(session), None)
    _audit(session, actor, "terms.approved", version, now)


def withdraw_terms(session: Session, actor: Actor, version: TermsVersion, *, now: datetime) -> None:
    """Lay a draft aside; its number is not used again.

    Raises:
        ConflictError: it is no draft.
    """
    _draft(session, version)
    version.status = TermsStatus.RETIRED
    _audit(session, actor, "terms.withdrawn", version, now)


def parse(body: Mapping[str, Any], *, name: str, version: int, effective_from: datetime) -> engine.Terms:
    """The body as terms of a name, version and date.

    Raises:
        InvalidInputError: it is no valid terms; the pointer names the place.
    """
    document = {
        **body,
        "terms_id": name,
        "version": version,
        "effective_from": effective_from.isoformat(),
        "effective_to": None,
    }
    try:
        return engine.terms_from_json(document)
    except TermsError as error:
        raise InvalidInputError(
            "these are no valid terms", [{"detail": str(error), "pointer": _pointer(str(error))}]
        ) from error


def dry_run(
    session: Session, body: Mapping[str, Any], *, now: datetime, orders: int = DRY_RUN_ORDERS
) -> DryRun:
    """Split the last orders by other terms and compare with what their parties got.

    Raises:
        InvalidInputError: the body is no valid terms.
    """
    terms = parse(body, name="dry-run", version=1, effective_from=now)
    recent = session.scalars(
        sa.select(Order)
        .where(Order.currency == terms.currency, Order.status != OrderStatus.CANCELLED)
        .order_by(Order.placed_at.desc(), Order.id.desc())
        .limit(orders)
        .options(selectinload(Order.shares))
    ).all()
    shipments = _shipments(session, recent)
    owner_of = facts.owners(
        session, {place for shipment in shipments.values() for place in facts.facility_ids(shipment)}
    )
    platform_party_id = parties.platform_id(session)
    before: dict[int, int] = {}
    after: dict[int, int] = {}
    refused: list[tuple[str, str]] = []
    for order in recent:
        try:
            result = split(
                terms,
                facts.facts(facts.priced(order), shipments[order.shipment_id], owner_of, platform_party_id),
            )
        except SettlementError as error:
            refused.append((order.number, str(error)))
            continue
        for party_id, amount in result.by_party().items():
            after[party_id] = after.get(party_id, 0) + amount.amount_minor
        for share in order.shares:
            before[share.party_id] = before.get(share.party_id, 0) + share.amount_minor
    return DryRun(
        orders=len(recent) - len(refused),
        currency=terms.currency,
        differences=tuple(
            Difference(party_id, before.get(party_id, 0), after.get(party_id, 0))
            for party_id in sorted(before.keys() | after.keys())
        ),
        refused=tuple(refused),
    )


def load_terms(session: Session, actor: Actor, version_id: int) -> TermsVersion:
    """A version of terms.

    Raises:
        NotFoundError: there is none in the asker's tenant.
    """
    version = session.scalar(
        sa.select(TermsVersion).where(
            TermsVersion.id == version_id, TermsVersion.tenant_id == actor.tenant_id
        )
    )
    if version is None:
        raise NotFoundError("no such version of terms")
    return version


def list_terms(session: Session) -> Sequence[TermsVersion]:
    """Every version, newest first."""
    return session.scalars(
        sa.select(TermsVersion).order_by(TermsVersion.name, TermsVersion.version.desc())
    ).all()


def _shipments(session: Session, orders: Sequence[Order]) -> dict[int, Shipment]:
    rows = session.scalars(
        sa.select(Shipment)
        .where(Shipment.id.in_([order.shipment_id for order in orders]))
        .options(selectinload(Shipment.legs))
    )
    return {shipment.id: shipment for shipment in rows}


def _draft(session: Session, version: TermsVersion) -> None:
    session.flush()  # a refresh would forget what is not written yet
    session.refresh(version, attribute_names=["status"], with_for_update=True)
    if version.status is not TermsStatus.DRAFT:
        raise ConflictError(f"version {version.version} is no draft any more")


def _audit(session: Session, actor: Actor, action: str, version: TermsVersion, now: datetime) -> None:
    accounts.audit(
        session,
        actor,
        action,
        subject_kind="terms_version",
        subject_id=version.id,
        now=now,
        details={"name": version.name, "version": version.version},
    )


def _pointer(message: str) -> str:
    """Where in the document: from msgspec's `$.shares[0].rate` or the engine's `shares[0].rate: ...`."""
    found = re.search(r"\$\.([\w.\[\]]+)", message) or re.match(r"([a-z_]+(?:\[\d+\])?(?:\.\w+)*):?", message)
    if found is None:
        return "/body"
    return "/body/" + re.sub(r"\[(\d+)\]", r"/\1", found[1]).replace(".", "/")
