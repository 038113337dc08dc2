"""What a shipment costs: a pure rule over a tariff, without a database.

Freight goes by service and distance between the first and the last facility: a price for the first
kilogram and one for each further kilogram begun. The chargeable weight is the actual or the volumetric
one, whichever is higher; volumetric is volume divided by `volumetric_cm3_per_kg`, 6,000 by the custom of
express and air freight (IATA), which is one gram for every 6 cm³. The insurance fee is a rate of the
declared value above a free part, the fee for cash on delivery a rate of the cash; both are rounded up to
the minor unit and have a minimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import InvalidInputError
from app.shipments.models import Service
from settlement.money import AMOUNT_LIMIT_MINOR, Money, Ratio, Rounding

GRAMS_PER_KILOGRAM = 1_000


class ChargeKind(StrEnum):
    """What a line of the price is for."""

    FREIGHT = "freight"
    INSURANCE = "insurance"
    COD_FEE = "cod_fee"
    REDIRECTION = "redirection"


@dataclass(frozen=True, slots=True)
class Band:
    """Prices of a service up to and including a distance."""

    service: Service
    distance_m_max: int
    first_kg_minor: int
    further_kg_minor: int

    def __post_init__(self) -> None:
        for name in ("distance_m_max", "first_kg_minor", "further_kg_minor"):
            value = getattr(self, name)
            if type(value) is not int or value < (0 if name == "further_kg_minor" else 1):
                raise _wrong(f"bands/{name}", f"a positive whole number was expected, not {value!r}")


@dataclass(frozen=True, slots=True)
class Fee:
    """A rate of an amount above a free part, at least the minimum where there is anything to charge."""

    rate: Ratio
    minimum_minor: int
    free_minor: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.rate.numerator <= self.rate.denominator:
            raise _wrong("rate", f"between 0% and 100%, not {self.rate.text()}")
        for name in ("minimum_minor", "free_minor"):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= AMOUNT_LIMIT_MINOR:
                raise _wrong(name, f"minor units, not negative, were expected, not {value!r}")

    def of(self, amount: Money) -> Money:
        """The fee for an amount."""
        base = amount.amount_minor - self.free_minor
        if base <= 0:
            return Money(0, amount.currency)
        fee = Money(base, amount.currency).times(self.rate, Rounding.UP)
        return max(fee, Money(self.minimum_minor, amount.currency))


@dataclass(frozen=True, slots=True)
class Tariff:
    """All prices and fees that hold at one time, in one currency.

    Raises:
        InvalidInputError: there are no bands, one stands twice, or a figure is impossible.
    """

    currency: str
    volumetric_cm3_per_kg: int
    insurance: Fee
    cod: Fee
    bands: tuple[Band, ...]
    by_service: Mapping[Service, tuple[Band, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.volumetric_cm3_per_kg) is not int or self.volumetric_cm3_per_kg <= 0:
            raise _wrong("volumetric_cm3_per_kg", "a positive whole number was expected")
        if not self.bands:
            raise _wrong("bands", "at least one was expected")
        by_service: dict[Service, list[Band]] = {}
        for band in sorted(self.bands, key=lambda band: band.distance_m_max):
            others = by_service.setdefault(band.service, [])
            if others and others[-1].distance_m_max == band.distance_m_max:
                raise _wrong("bands", f"{band.service} up to {band.distance_m_max} m stands twice")
            others.append(band)
        frozen = {service: tuple(bands) for service, bands in by_service.items()}
        object.__setattr__(self, "by_service", frozen)

    def chargeable_weight_g(self, weight_g: int, volume_cm3: int) -> int:
        """The higher of actual and volumetric weight, the latter rounded up to the gram."""
        return max(weight_g, -(-volume_cm3 * GRAMS_PER_KILOGRAM // self.volumetric_cm3_per_kg))

    def band(self, service: Service, distance_m: int) -> Band:
        """The band that a service and distance fall into.

        Raises:
            InvalidInputError: the tariff has no such service, or none that far.
        """
        for band in self.by_service.get(service, ()):
            if distance_m <= band.distance_m_max:
                return band
        raise _wrong("service", f"{service.value} is not offered over {distance_m // 1000} km")


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the price depends on."""

    service: Service
    distance_m: int
    weight_g: int
    volume_cm3: int
    declared_value_minor: int
    cod_minor: int


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the price, with the figures it was made from."""

    kind: ChargeKind
    amount: Money
    details: Mapping[str, int | str]


def price(tariff: Tariff, parcel: Parcel) -> tuple[Charge, ...]:
    """The lines of the price; fees that come to nothing are left out.

    Raises:
        InvalidInputError: the service is not offered, or not that far.
    """
    band = tariff.band(parcel.service, parcel.distance_m)
    weight_g = tariff.chargeable_weight_g(parcel.weight_g, parcel.volume_cm3)
    kilograms = max(1, -(-weight_g // GRAMS_PER_KILOGRAM))
    freight = Money(band.first_kg_minor + (kilograms - 1) * band.further_kg_minor, tariff.currency)
    lines = [
        Charge(
            ChargeKind.FREIGHT,
            freight,
            {
                "service": band.service.value,
                "distance_m": parcel.distance_m,
                "distance_m_max": band.distance_m_max,
                "chargeable_weight_g": weight_g,
                "first_kg_minor": band.first_kg_minor,
                "further_kg_minor": band.further_kg_minor,
                "further_kg": kilograms - 1,
            },
        )
    ]
    for kind, fee, base_minor in (
        (ChargeKind.INSURANCE, tariff.insurance, parcel.declared_value_minor),
        (ChargeKind.COD_FEE, tariff.cod, parcel.cod_minor),
    ):
        amount = fee.of(Money(base_minor, tariff.currency))
        if amount.amount_minor:
            details: dict[str, int | str] = {
                "base_minor": base_minor,
                "free_minor": fee.free_minor,
                "rate": fee.rate.text(),
                "minimum_minor": fee.minimum_minor,
            }
            lines.append(Charge(kind, amount, details))
    return tuple(lines)


def _wrong(field_name: str, detail: str) -> InvalidInputError:
    return InvalidInputError(f"{field_name}: {detail}", [{"detail": detail, "pointer": f"/{field_name}"}])
