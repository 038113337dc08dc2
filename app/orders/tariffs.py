"""Versions of the tariff in the database."""

from __future__ import annotations

from datetime import datetime
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.accounts import service as accounts
from app.actor import Actor
from app.db.session import tenant_of
from app.errors import ConflictError, InvalidInputError
from app.orders.models import TariffBand, TariffVersion
from app.orders.tariff import Band, Fee, Tariff
from settlement.money import Ratio

# A stored version never changes, so what was read of it once is kept: by its id, for each database.
_VERSIONS = "orders.tariff_versions"
_read: WeakKeyDictionary[sa.Engine, dict[int, Tariff]] = WeakKeyDictionary()


def set_tariff(
    session: Session, actor: Actor, tariff: Tariff, *, effective_from: datetime, now: datetime
) -> TariffVersion:
    """Put prices and fees into force from a moment on; an earlier tariff holds until then.

    Raises:
        ConflictError: another tariff of this currency begins at the same moment.
    """
    same_moment = sa.select(TariffVersion.id).where(
        TariffVersion.currency == tariff.currency, TariffVersion.effective_from == effective_from
    )
    if session.scalar(same_moment) is not None:
        raise ConflictError("another tariff begins at the same moment")
    tenant_id = tenant_of(session)
    row = TariffVersion(
        tenant_id=tenant_id,
        currency=tariff.currency,
        effective_from=effective_from,
        volumetric_cm3_per_kg=tariff.volumetric_cm3_per_kg,
        insurance_free_minor=tariff.insurance.free_minor,
        insurance_numerator=tariff.insurance.rate.numerator,
        insurance_denominator=tariff.insurance.rate.denominator,
        insurance_minimum_minor=tariff.insurance.minimum_minor,
        cod_numerator=tariff.cod.rate.numerator,
        cod_denominator=tariff.cod.rate.denominator,
        cod_minimum_minor=tariff.cod.minimum_minor,
        bands=[
            TariffBand(
                tenant_id=tenant_id,
                service=band.service,
                distance_m_max=band.distance_m_max,
                first_kg_minor=band.first_kg_minor,
                further_kg_minor=band.further_kg_minor,
            )
            for band in tariff.bands
        ],
    )
    session.add(row)
    session.flush()  # the audit trail names its id
    session.info.pop(_VERSIONS, None)
    accounts.audit(session, actor, "tariff.set", subject_kind="tariff_version", subject_id=row.id, now=now)
    return row


def tariff_in_force(session: Session, currency: str, at: datetime) -> Tariff:
    """The tariff of a currency whose time has come last.

    Raises:
        InvalidInputError: nothing is offered in this currency yet.
    """
    version_id = next((one for since, one in _versions(session, currency) if since <= at), None)
    if version_id is None:
        raise InvalidInputError(
            f"there are no prices in {currency}",
            [{"detail": "is not a currency that prices are offered in", "pointer": "/currency"}],
        )
    known = _read.setdefault(session.get_bind().engine, {})
    if version_id not in known:
        known[version_id] = _value(session, version_id)
    return known[version_id]


def _versions(session: Session, currency: str) -> list[tuple[datetime, int]]:
    """The versions of a currency's tariff, the latest first; asked for once a session."""
    known: dict[str, list[tuple[datetime, int]]] = session.info.setdefault(_VERSIONS, {})
    if currency not in known:
        rows = session.execute(
            sa.select(TariffVersion.effective_from, TariffVersion.id)
            .where(TariffVersion.tenant_id == tenant_of(session), TariffVersion.currency == currency)
            .order_by(TariffVersion.effective_from.desc())
        )
        known[currency] = [(since, version_id) for since, version_id in rows]
    return known[currency]


def _value(session: Session, version_id: int) -> Tariff:
    row = session.scalars(
        sa.select(TariffVersion)
        .where(TariffVersion.id == version_id)
        .options(selectinload(TariffVersion.bands))
    ).one()
    return Tariff(
        currency=row.currency,
        volumetric_cm3_per_kg=row.volumetric_cm3_per_kg,
        insurance=Fee(
            Ratio(row.insurance_numerator, row.insurance_denominator),
            row.insurance_minimum_minor,
            row.insurance_free_minor,
        ),
        cod=Fee(Ratio(row.cod_numerator, row.cod_denominator), row.cod_minimum_minor),
        bands=tuple(
            Band(band.service, band.distance_m_max, band.first_kg_minor, band.further_kg_minor)
            for band in row.bands
        ),
    )
