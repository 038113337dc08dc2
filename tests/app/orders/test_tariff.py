"""The price as a rule, without a database."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInputError
from app.orders.tariff import Band, ChargeKind, Fee, Parcel, Tariff, price
from app.shipments.models import Service
from settlement.money import Ratio
from tests.app.orders.build import TARIFF

PARCEL = Parcel(Service.STANDARD, 250_000, 1000, 0, 0, 0)


def total(parcel: Parcel) -> int:
    return sum(charge.amount.amount_minor for charge in price(TARIFF, parcel))


@pytest.mark.parametrize(
    ("weight_g", "expected"), [(1, 1000), (1000, 1000), (1001, 1200), (2000, 1200), (2001, 1400)]
)
def test_each_further_kilogram_begun_is_paid(weight_g: int, expected: int):
    assert total(replace(PARCEL, weight_g=weight_g)) == expected


@pytest.mark.parametrize(("distance_m", "expected"), [(0, 1000), (300_000, 1000), (300_001, 1400)])
def test_a_band_ends_with_its_distance(distance_m: int, expected: int):
    assert total(replace(PARCEL, distance_m=distance_m)) == expected


def test_the_higher_of_weight_and_volume_counts():
    assert TARIFF.chargeable_weight_g(1000, 6_000) == 1000
    assert TARIFF.chargeable_weight_g(1000, 6_001) == 1001
    assert TARIFF.chargeable_weight_g(5000, 6_001) == 5000


@pytest.mark.parametrize(
    ("declared_minor", "fee"), [(0, 0), (50_000, 0), (50_001, 100), (70_000, 100), (70_001, 101)]
)
def test_insurance_is_for_what_exceeds_the_free_part(declared_minor: int, fee: int):
    charges = price(TARIFF, replace(PARCEL, declared_value_minor=declared_minor))
    found = [charge.amount.amount_minor for charge in charges if charge.kind is ChargeKind.INSURANCE]
    assert found == ([fee] if fee else [])


def test_what_is_not_offered_is_refused():
    with pytest.raises(InvalidInputError):
        total(replace(PARCEL, distance_m=3_000_001))
    with pytest.raises(InvalidInputError):
        price(
            replace(TARIFF, bands=(Band(Service.STANDARD, 1, 1, 0),)),
            replace(PARCEL, service=Service.EXPRESS, distance_m=0),
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: Band(Service.STANDARD, 0, 100, 10),
        lambda: Band(Service.STANDARD, 100, 1.5, 10),
        lambda: Fee(Ratio(3, 2), 0),
        lambda: Fee(Ratio(1, 2), -1),
        lambda: replace(TARIFF, bands=()),
        lambda: replace(TARIFF, bands=(TARIFF.bands[0], TARIFF.bands[0])),
        lambda: replace(TARIFF, volumetric_cm3_per_kg=0),
    ],
)
def test_an_impossible_tariff_is_refused(make):
    with pytest.raises(InvalidInputError):
        make()


@given(
    weight_g=st.integers(1, 1_000_000),
    more_g=st.integers(0, 100_000),
    distance_m=st.integers(0, 3_000_000),
    declared_minor=st.integers(0, 100_000_000),
    cod_minor=st.integers(0, 100_000_000),
)
def test_more_never_costs_less(weight_g, more_g, distance_m, declared_minor, cod_minor):
    parcel = Parcel(Service.EXPRESS, distance_m, weight_g, 0, declared_minor, cod_minor)
    assert total(parcel) > 0
    assert total(replace(parcel, weight_g=weight_g + more_g)) >= total(parcel)
    assert total(replace(parcel, declared_value_minor=declared_minor + 1)) >= total(parcel)
    assert total(replace(parcel, cod_minor=cod_minor + 1)) >= total(parcel)


def test_a_tariff_is_what_it_says():
    assert isinstance(TARIFF, Tariff)
    assert [band.distance_m_max for band in TARIFF.by_service[Service.EXPRESS]] == [300_000, 3_000_000]
