"""The demo company before its first parcel: tenant, network, people, prices and terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.roles import Role
from app.actor import Actor
from app.customers import service as customers
from app.customers.models import CustomerKind
from app.db.session import Database
from app.demo.areas import draw_areas
from app.demo.geography import counties, english_name
from app.demo.logins import PASSWORD, STAFF
from app.demo.network_plan import FacilitySpec, NetworkPlan
from app.demo.parcels import SHIPPERS, Parcel, Sender
from app.demo.people import People
from app.dispatch import service as dispatch
from app.dispatch.models import VehicleClass
from app.network import service as network
from app.orders import service as orders
from app.orders.tariff import Band, Fee, Tariff
from app.parties import service as parties
from app.parties.models import PartyKind
from app.payouts import service as payouts
from app.shipments.models import Service
from routing.network import FacilityKind
from settlement.money import Ratio

TENANT_CODE = "demo"
TENANT_NAME = "轮毂速运 Wheelhouse Express"
HUB_CODE = "WUH-H"
"""The hub whose scan station and dock the demo's login works at."""
_COURIERS_BUSY = 8
_COURIERS_QUIET = 1
_BUSY_DISTRICTS = frozenset({"420106", "330106", "440106"})
_BANKS = (
    ("中国工商银行", "102100099996"),
    ("中国建设银行", "105100000017"),
    ("招商银行", "308584000013"),
    ("中国农业银行", "103100000026"),
)

_BANDS = (
    Band(Service.STANDARD, 200_000, 800, 100),
    Band(Service.STANDARD, 800_000, 1_200, 300),
    Band(Service.STANDARD, 1_800_000, 1_500, 600),
    Band(Service.STANDARD, 9_000_000, 1_800, 1_000),
    Band(Service.EXPRESS, 200_000, 1_200, 200),
    Band(Service.EXPRESS, 800_000, 1_800, 500),
    Band(Service.EXPRESS, 1_800_000, 2_200, 1_000),
    Band(Service.EXPRESS, 9_000_000, 2_600, 1_600),
)
TARIFF = Tariff(
    currency="CNY",
    volumetric_cm3_per_kg=6_000,
    insurance=Fee(Ratio(5, 1_000), minimum_minor=100, free_minor=10_000),
    cod=Fee(Ratio(3, 100), minimum_minor=300),
    bands=_BANDS,
)

TERMS: Mapping[str, Any] = {
    "currency": "CNY",
    "shortfall": "reduce",
    "shares": [
        {"kind": "percent", "party": {"role": "origin_outlet"}, "rate": "18%", "minimum_minor": 100},
        {"kind": "percent", "party": {"role": "delivery_outlet"}, "rate": "22%", "minimum_minor": 120},
        {"kind": "per_kg", "party": {"role": "hub"}, "rate_minor": 30, "minimum_minor": 60, "cap_minor": 900},
        {
            "kind": "tiers",
            "party": {"role": "linehaul_carrier"},
            "tiers": [{"up_to_g": 3_000, "rate_minor": 160}, {"up_to_g": None, "rate_minor": 90}],
            "minimum_minor": 150,
        },
        {"kind": "remainder", "party": {"role": "platform"}},
    ],
}


@dataclass(frozen=True, slots=True)
class Company:
    """What was set up: ids by code, and the people who act."""

    tenant_id: int
    staff: Mapping[str, Actor]
    shippers: Mapping[Sender, int]
    facilities: Mapping[str, int]
    couriers: Mapping[int, Sequence[int]]
    tokens: Mapping[str, str]


def make_tenant(database: Database, now: datetime) -> int:
    """The demo tenant, marked as such and not ready yet."""
    with database.unit_of_work(None) as session:
        return accounts.create_tenant(session, code=TENANT_CODE, name=TENANT_NAME, now=now, is_demo=True).id


def set_up(
    session: Session,
    tenant_id: int,
    plan: NetworkPlan,
    parcels: Sequence[Parcel],
    people: People,
    now: datetime,
) -> Company:
    """Make everything that must be there before the first booking."""
    staff = {login.username: _staff(session, login.username, login.name, login.role, now) for login in STAFF}
    facilities, outlet_parties = _network(session, plan, now)
    couriers = _couriers(session, plan, facilities, people, now)
    _bank_accounts(session, outlet_parties)
    orders.set_tariff(session, staff["finance"], TARIFF, effective_from=now, now=now)
    version = orders.create_terms_version(
        session, staff["finance"], name="standard", body=TERMS, effective_from=now, now=now
    )
    orders.approve_terms(session, staff["finance2"], version, now=now)
    shippers, shipper_logins = _shippers(session, parcels, now)
    hub = _staff(session, "hub", "武汉枢纽扫描台", Role.HUB, now, facilities[HUB_CODE])
    home = _home_outlet(plan)
    at_home = couriers[facilities[home.code]]
    draw_areas(session, staff["dispatcher"], home, facilities[home.code], at_home, now)
    courier = _staff(session, "courier", "陈小哥", Role.COURIER, now, at_home[0])
    actors = {**staff, **shipper_logins, "hub": hub, "courier": courier}
    tokens = {name: _token(session, actors[name], now) for name in ("dispatcher", "shipper3")}
    return Company(tenant_id, actors, shippers, facilities, couriers, tokens)


def _home_outlet(plan: NetworkPlan) -> FacilitySpec:
    """The outlet of the district where most private parcels start: the demo courier's."""
    return next(spec for spec in plan.facilities if spec.code.startswith("420106-"))


def _staff(
    session: Session, username: str, name: str, role: Role, now: datetime, subject_id: int | None = None
) -> Actor:
    user = accounts.create_user(
        session, username=username, name=name, role=role, password=PASSWORD, now=now, subject_id=subject_id
    )
    return accounts.actor_of(user)


def _token(session: Session, actor: Actor, now: datetime) -> str:
    _row, secret = accounts.create_token(session, actor, name="demo world", scopes=actor.scopes, now=now)
    return secret


def _network(
    session: Session, plan: NetworkPlan, now: datetime
) -> tuple[dict[str, int], list[tuple[int, str]]]:
    network.load_districts(
        session,
        [
            network.DistrictRow(
                adcode=county.adcode,
                name=county.name,
                city_name=county.prefecture_name,
                province_name=county.province_name,
                city_name_en=english_name(county.prefecture_adcode),
                province_name_en=english_name(county.province_adcode),
                latitude=county.latitude,
                longitude=county.longitude,
            )
            for county in counties()
        ],
    )
    platform = parties.create_party(
        session, code="PLATFORM", name=TENANT_NAME, kind=PartyKind.PLATFORM, now=now
    )
    carriers = {
        spec.code: parties.create_party(
            session, code=spec.code, name=f"{spec.name} {spec.name_en}", kind=PartyKind.CARRIER, now=now
        ).id
        for spec in plan.carriers
    }
    earners: list[tuple[int, str]] = [(party_id, code) for code, party_id in carriers.items()]
    owners: dict[str, int] = {}
    facilities: dict[str, int] = {}
    for spec in plan.facilities:
        owners[spec.code] = _owner(session, spec, platform.id, owners, earners, now)
        facilities[spec.code] = network.create_facility(
            session,
            code=spec.code,
            name=spec.name,
            name_en=spec.name_en,
            kind=spec.kind,
            operator=spec.operator,
            party_id=owners[spec.code],
            parent_id=None if spec.parent_code is None else facilities[spec.parent_code],
            district_adcode=spec.district_adcode,
            latitude=spec.latitude,
            longitude=spec.longitude,
            sort_s=spec.sort_s,
            hours=spec.hours,
            sort_per_hour=spec.sort_per_hour,
            now=now,
        ).id
    for lane in plan.lanes:
        network.create_lane(
            session,
            code=f"{lane.from_code}>{lane.to_code}:{lane.mode.value}",
            from_facility_id=facilities[lane.from_code],
            to_facility_id=facilities[lane.to_code],
            carrier_party_id=carriers[lane.carrier_code],
            mode=lane.mode,
            distance_m=lane.distance_m,
            cost_fixed_minor=lane.cost_fixed_minor,
            cost_per_kg_minor=lane.cost_per_kg_minor,
            capacity_g=lane.capacity_g,
            departures=lane.departures,
            now=now,
        )
    return facilities, earners


def _owner(
    session: Session,
    spec: FacilitySpec,
    platform_id: int,
    owners: Mapping[str, int],
    earners: list[tuple[int, str]],
    now: datetime,
) -> int:
    """Who earns what a facility earns: hubs and outlets themselves; points belong to their outlet."""
    kinds = {FacilityKind.HUB: PartyKind.HUB, FacilityKind.OUTLET: PartyKind.OUTLET}
    if spec.kind in kinds:
        party = parties.create_party(session, code=spec.code, name=spec.name, kind=kinds[spec.kind], now=now)
        earners.append((party.id, spec.code))
        return party.id
    return (
        platform_id
        if spec.parent_code is None or spec.kind is FacilityKind.GATEWAY
        else owners[spec.parent_code]
    )


def _couriers(
    session: Session, plan: NetworkPlan, facilities: Mapping[str, int], people: People, now: datetime
) -> dict[int, list[int]]:
    """Couriers of each outlet; the busy districts have enough for real rounds."""
    found: dict[int, list[int]] = {}
    for spec in plan.facilities:
        if spec.kind is not FacilityKind.OUTLET:
            continue
        facility_id = facilities[spec.code]
        count = _COURIERS_BUSY if spec.district_adcode in _BUSY_DISTRICTS else _COURIERS_QUIET
        for number in range(1, count + 1):
            name = people.name()
            party = parties.create_party(
                session, code=f"K{spec.code}-{number}", name=name, kind=PartyKind.COURIER, now=now
            )
            courier = dispatch.create_courier(
                session,
                code=f"{spec.code}-{number:02d}",
                name=name,
                phone=people.phone(),
                facility_id=facility_id,
                party_id=party.id,
                shift_start_s=8 * 3600 if number % 2 else 9 * 3600,
                shift_end_s=18 * 3600 if number % 2 else 19 * 3600 + 1800,
                capacity_g=80_000 if number % 4 else 600_000,
                capacity_cm3=900_000 if number % 4 else 5_000_000,
                capacity_pieces=60 if number % 4 else 300,
                vehicle_class=VehicleClass.CARGO_BIKE if number % 4 else VehicleClass.VAN,
            )
            found.setdefault(facility_id, []).append(courier.id)
    return found


def _bank_accounts(session: Session, earners: Sequence[tuple[int, str]]) -> None:
    for number, (party_id, code) in enumerate(earners):
        bank, cnaps = _BANKS[number % len(_BANKS)]
        payouts.set_bank_account(
            session,
            party_id=party_id,
            holder=f"{code} 结算户",
            account_number=f"62{party_id:014d}",
            bank_name=bank,
            cnaps_code=cnaps,
        )


def _shippers(
    session: Session, parcels: Sequence[Parcel], now: datetime
) -> tuple[dict[Sender, int], dict[str, Actor]]:
    found: dict[Sender, int] = {}
    logins: dict[str, Actor] = {}
    for shipper in SHIPPERS:
        home = next(parcel.request.sender for parcel in parcels if parcel.sender is shipper.sender)
        customer = customers.find_or_create(
            session, name=shipper.name, phone=home.phone, now=now, kind=CustomerKind.COMPANY
        )
        found[shipper.sender] = customer.id
        login = _staff(session, shipper.username, shipper.name, Role.SHIPPER, now, customer.id)
        logins[shipper.username] = login
    return found, logins
