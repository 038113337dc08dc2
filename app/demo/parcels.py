"""What is sent in the demo world: who sends what to whom, when, and what will become of it."""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TypeVar

from app.demo.geography import county
from app.demo.network_plan import FacilitySpec
from app.demo.people import Contact, People, spread
from app.shipments.models import Service
from app.shipments.service import BookingRequest, Merge, Place
from routing.network import FacilityKind, Handover

T = TypeVar("T")

CHINA = timezone(timedelta(hours=8))
OFFSET_MINUTES = 480


class Sender(enum.StrEnum):
    """The three shippers with a contract, by size, and everybody else."""

    LARGE = "large"
    MEDIUM = "medium"
    SMALL = "small"
    PRIVATE = "private"


class Story(enum.StrEnum):
    """What becomes of a parcel."""

    SMOOTH = "smooth"
    LATE = "late"
    SECOND_ATTEMPT = "second_attempt"
    DAMAGED = "damaged"
    LOST = "lost"
    MISSORTED = "missorted"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Shipper:
    """A shipper with a contract: name, place, what it sends, and its part of all parcels in percent."""

    sender: Sender
    username: str
    name: str
    county_adcode: str
    goods: tuple[str, ...]
    percent: int
    cod_percent: int
    weight_g: tuple[int, int]


SHIPPERS = (
    Shipper(
        Sender.LARGE,
        "shipper",
        "云栖优选电商",
        "330106",
        ("服装", "鞋靴", "家居用品", "图书"),
        44,
        6,
        (300, 4_000),
    ),
    Shipper(
        Sender.MEDIUM, "shipper2", "粤星电子", "440106", ("数码配件", "耳机", "小家电"), 20, 12, (400, 9_000)
    ),
    Shipper(Sender.SMALL, "shipper3", "蓉香茶坊", "510104", ("茶叶", "茶具"), 6, 0, (250, 2_500)),
)
PRIVATE_PERCENT = 100 - sum(shipper.percent for shipper in SHIPPERS)
PRIVATE_HOME = "420106"
"""Half of the private parcels start in this district of Wuhan: its outlet has rounds worth planning."""
_PRIVATE_GOODS = ("文件", "衣物", "土特产", "玩具", "书籍", "生日礼物")
_STORIES = (
    (Story.SMOOTH, 815),
    (Story.LATE, 90),
    (Story.SECOND_ATTEMPT, 50),
    (Story.DAMAGED, 10),
    (Story.LOST, 5),
    (Story.MISSORTED, 10),
    (Story.REFUSED, 10),
    (Story.CANCELLED, 10),
)
_HANDOVERS = (
    (Handover.DOOR, 70),
    (Handover.LOCKER, 12),
    (Handover.STORE, 8),
    (Handover.OUTLET, 6),
    (Handover.COLLECTIVE_POINT, 4),
)
_MERGED_PARCELS, _MERGED_DAYS_AGO, _MERGE_REFERENCE = 3, (5, 1), "HT-20261101"
_HOURS = (8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20)
_HOUR_WEIGHTS = tuple(zip(_HOURS, (6, 12, 14, 10, 5, 7, 12, 12, 9, 6, 4, 3), strict=True))


@dataclass(frozen=True, slots=True)
class Parcel:
    """One parcel to be booked, and its story."""

    index: int
    sender: Sender
    booked_at: datetime
    request: BookingRequest
    story: Story


def first_midnight(end: datetime, days: int) -> datetime:
    """The local midnight from which the bookings of so many days come until `end`.

    The day of `end` counts once something was booked on it: at two in the morning it is not one yet.
    """
    last = end.astimezone(CHINA)
    before = days - 1 if _day_weight(last.date(), last) else days
    return datetime.combine(last.date() - timedelta(days=before), time(), tzinfo=CHINA).astimezone(UTC)


def plan_parcels(
    facilities: Sequence[FacilitySpec],
    people: People,
    *,
    seed: int,
    count: int,
    start: datetime,
    end: datetime,
) -> list[Parcel]:
    """Every booking from `start`, a local midnight, until `end`, in the order of time."""
    pick = random.Random(f"parcels:{seed}")
    outlets = [spec for spec in facilities if spec.kind is FacilityKind.OUTLET]
    points = _points_by_outlet(facilities)
    senders = _senders(pick, count)
    homes = {shipper.sender: _company(shipper, people) for shipper in SHIPPERS}
    first_day, last = start.astimezone(CHINA).date(), end.astimezone(CHINA)
    in_days = [first_day + timedelta(days=number) for number in range((last.date() - first_day).days + 1)]
    by_day = spread(count, [_day_weight(day, last) for day in in_days])
    parcels: list[Parcel] = []
    for day, in_day in zip(in_days, by_day, strict=True):
        for booked_at in sorted(_moment(pick, day, end) for _ in range(in_day)):
            index = len(parcels)
            request = _request(pick, people, senders[index], homes, outlets, points)
            story = _weighted(pick, _STORIES)
            parcels.append(Parcel(index, senders[index], booked_at, request, story))
    return _merged(parcels, last)


def _merged(parcels: list[Parcel], last: datetime) -> list[Parcel]:
    """Let three parcels of the large shipper go to one consignee together: two early ones and a late one.

    They are of one storyteller, so that they are booked in the same order in every load.
    """
    first_day, last_day = (last.date() - timedelta(days=days) for days in _MERGED_DAYS_AGO)
    by_day = {
        day: [
            parcel
            for parcel in parcels
            if parcel.sender is Sender.LARGE
            and parcel.index % 2 == 0
            and parcel.booked_at.astimezone(CHINA).date() == day
        ]
        for day in (first_day, last_day)
    }
    chosen = by_day[first_day][:2] + by_day[last_day][-1:]
    if len(chosen) < _MERGED_PARCELS:
        return parcels  # so few are booked that there is nothing to be merged
    for parcel in chosen:
        request = replace(
            parcel.request,
            consignee=chosen[0].request.consignee,
            pieces=1,
            delivery_handover=Handover.DOOR,
            cod_minor=0,
            merge=Merge(_MERGE_REFERENCE, _MERGED_PARCELS),
        )
        parcels[parcel.index] = replace(parcel, request=request, story=Story.SMOOTH)
    return parcels


def _senders(pick: random.Random, count: int) -> list[Sender]:
    kinds = [shipper.sender for shipper in SHIPPERS] + [Sender.PRIVATE]
    parts = spread(count, [shipper.percent for shipper in SHIPPERS] + [PRIVATE_PERCENT])
    senders = [kind for kind, part in zip(kinds, parts, strict=True) for _ in range(part)]
    pick.shuffle(senders)
    return senders


def _company(shipper: Shipper, people: People) -> Contact:
    contact = people.contact(county(shipper.county_adcode))
    return Contact(
        shipper.name,
        contact.phone,
        contact.district_adcode,
        contact.address,
        contact.latitude,
        contact.longitude,
    )


def _points_by_outlet(facilities: Sequence[FacilitySpec]) -> dict[str, set[Handover]]:
    """Which ways of handing over an outlet's own neighbourhood knows."""
    ways = {
        FacilityKind.STORE: Handover.STORE,
        FacilityKind.LOCKER: Handover.LOCKER,
        FacilityKind.COLLECTIVE_POINT: Handover.COLLECTIVE_POINT,
    }
    found: dict[str, set[Handover]] = {}
    for spec in facilities:
        if spec.kind in ways and spec.parent_code is not None:
            found.setdefault(spec.parent_code, set()).add(ways[spec.kind])
    return found


def _day_weight(day: date, last: datetime) -> int:
    """How much is booked on a day; of the last one only the full hours that are over count."""
    weight = {5: 80, 6: 55}.get(day.weekday(), 100)
    hours = [part for hour, part in _HOUR_WEIGHTS if day < last.date() or hour < last.hour]
    return weight * sum(hours)


def _moment(pick: random.Random, day: date, end: datetime) -> datetime:
    last = end.astimezone(CHINA)
    hours = [(hour, part) for hour, part in _HOUR_WEIGHTS if day < last.date() or hour < last.hour]
    local = datetime.combine(
        day, time(_weighted(pick, hours), pick.randrange(60), pick.randrange(60)), tzinfo=CHINA
    )
    return local.astimezone(UTC)


def _request(
    pick: random.Random,
    people: People,
    sender: Sender,
    homes: dict[Sender, Contact],
    outlets: Sequence[FacilitySpec],
    points: dict[str, set[Handover]],
) -> BookingRequest:
    shipper = next((one for one in SHIPPERS if one.sender is sender), None)
    destination = pick.choice(outlets)
    consignee = people.contact(county(destination.district_adcode))
    ways = points.get(destination.code, set()) | {Handover.DOOR, Handover.OUTLET}
    delivery = _weighted(pick, [(way, weight) for way, weight in _HANDOVERS if way in ways])
    if shipper is None:
        home = PRIVATE_HOME if pick.random() < 0.5 else pick.choice(outlets).district_adcode
        origin = people.contact(county(home))
        goods, (least, most) = pick.choice(_PRIVATE_GOODS), (200, 12_000)
        pickup = Handover.DOOR if home == PRIVATE_HOME or pick.random() < 0.6 else Handover.OUTLET
        declared_minor = pick.choice((0, 0, 0, 50_000, 100_000, 300_000))
        cod_minor = 0
    else:
        origin, goods, (least, most) = homes[sender], pick.choice(shipper.goods), shipper.weight_g
        pickup = Handover.DOOR
        declared_minor = pick.choice((0, 0, 20_000, 80_000))
        cod_minor = pick.randrange(3_000, 80_000, 100) if pick.randrange(100) < shipper.cod_percent else 0
        # Cash is collected at doors only: a locker takes none, and the demo's counters are not people.
        cod_minor = cod_minor if delivery is Handover.DOOR else 0
    weight_g = int(least * (most / least) ** pick.random())
    return BookingRequest(
        sender=_place(origin),
        consignee=_place(consignee),
        goods=goods,
        pieces=1 if pick.random() < 0.94 else pick.randrange(2, 5),
        weight_g=weight_g,
        volume_cm3=weight_g * pick.randrange(3, 9),
        service=Service.EXPRESS if pick.random() < 0.25 else Service.STANDARD,
        pickup_handover=pickup,
        delivery_handover=delivery,
        declared_value_minor=declared_minor,
        cod_minor=cod_minor,
        offset_minutes=OFFSET_MINUTES,
    )


def _place(contact: Contact) -> Place:
    return Place(
        contact.name,
        contact.phone,
        contact.district_adcode,
        contact.address,
        contact.latitude,
        contact.longitude,
    )


def _weighted(pick: random.Random, options: Sequence[tuple[T, int]]) -> T:
    return pick.choices([value for value, _ in options], [weight for _, weight in options])[0]
