"""How fast parcels are planned anew when the busiest hub of a national network closes.

2,852 places, 30 hubs, parcels booked, waiting and on vehicles, all with the hub ahead of them, in a durable
private PostgreSQL. The hub is closed by the service, and the relay hands on events until none is left: found,
planned from where each is, legs written, estimates renewed, one event a parcel. The limit is the engine
alone, which holds the parcels in memory. The peer is what the same service would do for one parcel at a
time: load it, search its way, write its legs.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import _measure  # noqa: F401 - puts the project on the path
import sqlalchemy as sa
from _national import national_network
from _stored_network import UnderWay, store_network, store_parcels

from app.actor import Actor
from app.db import embedded
from app.db.outbox import OutboxEvent, relay
from app.db.session import Database
from app.network import queries
from app.network import service as networks
from app.network.models import Facility
from app.shipments.models import Shipment, ShipmentLeg
from app.subscriptions import SUBSCRIPTIONS
from routing.network import (
    Closure,
    FacilityKind,
    Itinerary,
    Network,
    NoRoute,
    PlannedHop,
    Query,
    Underway,
    itineraries,
    itinerary,
    replan,
)

LIMIT_S = 60
_NOW = datetime(2026, 3, 3, 12, 30, tzinfo=UTC)  # in the evening, when the first vehicles have left
_ONE_BY_ONE = 300


def under_way(network: Network, count: int, random: Random) -> tuple[int, list[UnderWay]]:
    """A hub with many places below it, and so many parcels that have it ahead of them and a way round it."""
    joined: dict[int, set[int]] = defaultdict(set)
    for lane in network.lanes:
        joined[lane.from_facility_id].add(lane.to_facility_id)
    hubs = {place.facility_id for place in network.facilities if place.kind is FacilityKind.HUB}
    ids = [place.facility_id for place in network.facilities if place.facility_id not in hubs]
    twice = [place_id for place_id in ids if len(joined[place_id]) > 1]
    hub_id = Counter(hub for place_id in twice for hub in joined[place_id]).most_common(1)[0][0]
    near = [place_id for place_id in twice if hub_id in joined[place_id]]
    found: list[UnderWay] = []
    while len(found) < count:
        asked = [
            Query(
                *random.sample((random.choice(near), random.choice(twice)), 2),
                _NOW - timedelta(minutes=random.randrange(24 * 60)),
                1_500,
            )
            for _ in range(20_000)
        ]
        asked = [query for query in asked if query.origin_id != query.destination_id]
        candidates = [
            _placed(query, way)
            for query, way in zip(asked, itineraries(network, asked), strict=True)
            if isinstance(way, Itinerary)
        ]
        closed = Closure(frozenset({hub_id}))
        answers = replan(network, [engine_value(parcel) for parcel in candidates], closed, now=_NOW)
        found += [
            parcel
            for parcel, answer in zip(candidates, answers, strict=True)
            if answer is not None and isinstance(answer.way, Itinerary)
        ]
    return hub_id, found[:count]


def _placed(query: Query, way: Itinerary) -> UnderWay:
    behind = sum(leg.arrival_at <= _NOW for leg in way.legs)
    departed = behind < len(way.legs) and way.legs[behind].departure_at <= _NOW
    return UnderWay(way, query.origin_id, query.destination_id, query.weight_g, behind, departed)


def engine_value(parcel: UnderWay) -> Underway:
    """A parcel as the engine takes it."""
    legs = parcel.way.legs
    place_id = legs[parcel.behind].from_facility_id if parcel.behind < len(legs) else parcel.destination_id
    return Underway(
        tuple(
            PlannedHop(leg.lane_id, leg.from_facility_id, leg.to_facility_id, leg.arrival_at) for leg in legs
        ),
        parcel.destination_id,
        parcel.weight_g,
        place_id,
        parcel.way.ready_at,
        parcel.departed,
    )


def engine_s(network: Network, hub_id: int, parcels: list[UnderWay]) -> float:
    """Seconds of the engine alone, on a network that has found no way yet."""
    fresh = Network(network.facilities, network.lanes)
    waiting = [engine_value(parcel) for parcel in parcels]
    began = time.perf_counter()
    answers = replan(fresh, waiting, Closure(frozenset({hub_id})), now=_NOW)
    spent = time.perf_counter() - began
    assert all(answers)
    return spent


def one_by_one_s(database: Database, tenant_id: int, hub_id: int) -> float:
    """Seconds a parcel when each is loaded, searched and written alone; nothing is kept."""
    with database.unit_of_work(tenant_id) as session:
        value = queries.routing_network(session)
        ids = session.scalars(sa.select(Shipment.id).order_by(Shipment.id).limit(_ONE_BY_ONE)).all()
        began = time.perf_counter()
        for shipment_id in ids:
            shipment = session.get_one(Shipment, shipment_id, with_for_update=True)
            try:
                way = itinerary(
                    value,
                    shipment.state_facility_id or shipment.origin_facility_id,
                    shipment.destination_facility_id,
                    _NOW,
                    weight_g=shipment.weight_g,
                    closed_facilities=frozenset({hub_id}),
                )
            except NoRoute:  # from where its vehicle comes from; where that goes to, there is one
                continue
            shipment.legs.clear()
            session.flush()  # the old legs go before the new ones with their numbers come
            shipment.legs = [
                ShipmentLeg(
                    tenant_id=tenant_id,
                    sequence=leg.sequence,
                    lane_id=leg.lane_id,
                    from_facility_id=leg.from_facility_id,
                    to_facility_id=leg.to_facility_id,
                    carrier_party_id=1,
                    mode=leg.mode,
                    distance_m=leg.distance_m,
                    planned_departure_at=leg.departure_at,
                    planned_arrival_at=leg.arrival_at,
                )
                for leg in way.legs
            ]
            session.flush()
        spent = time.perf_counter() - began
        session.rollback()
    return spent / len(ids)


def service_s(database: Database, tenant_id: int, actor: Actor, hub_id: int) -> tuple[float, float, int]:
    """Seconds from the closing to the last parcel's new way, of the longest transaction, and how many."""
    began = time.perf_counter()
    with database.unit_of_work(tenant_id) as session:
        networks.close_facility(session, actor, session.get_one(Facility, hub_id), reason="bench", now=_NOW)
    longest = 0.0
    waiting = _waiting(database, tenant_id)
    while waiting:
        step = time.perf_counter()
        relay(database, SUBSCRIPTIONS, lambda: _NOW + timedelta(seconds=time.perf_counter() - began))
        longest = max(longest, time.perf_counter() - step)
        waiting = _waiting(database, tenant_id)
    spent = time.perf_counter() - began
    with database.unit_of_work(tenant_id) as session:
        told = session.scalar(sa.select(sa.func.count()).where(OutboxEvent.topic == "shipment.replanned"))
    return spent, longest, told or 0


def _waiting(database: Database, tenant_id: int) -> bool:
    """Whether shipments are still to be planned; the events that tell of each one are not waited for."""
    topics = ("network.closed", "shipments.replan")
    with database.unit_of_work(tenant_id) as session:
        return bool(
            session.scalar(
                sa.select(sa.exists().where(OutboxEvent.topic.in_(topics), OutboxEvent.handled_at.is_(None)))
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Parcels planned anew when the busiest hub closes")
    parser.add_argument("--parcels", type=int, default=100_000, help="(default 100,000)")
    parser.add_argument("--seconds", type=float, help="as many parcels as the limit allows in that time")
    arguments = parser.parse_args()
    count = arguments.parcels
    if arguments.seconds is not None:
        count = max(100, round(arguments.seconds * count / LIMIT_S))
    network = national_network()
    hub_id, parcels = under_way(network, count, Random(42))
    alone_s = engine_s(network, hub_id, parcels)
    booked = sum(not parcel.behind and not parcel.departed for parcel in parcels)
    moving = sum(parcel.departed for parcel in parcels)
    home = Path(tempfile.mkdtemp(prefix="wheelhouse-bench-"))
    try:
        with embedded.start(home / "postgres") as cluster:
            cluster.create_database("bench")
            database = Database(cluster.url("bench"))
            tenant_id, actor = store_network(database, network, now=_NOW)
            with database.unit_of_work(tenant_id) as session:
                store_parcels(session, network, parcels, now=_NOW)
            # What this file holds in memory the service does not; its collector need not look at it.
            del parcels
            gc.collect()
            gc.freeze()
            each_s = one_by_one_s(database, tenant_id, hub_id)
            spent_s, longest_s, told = service_s(database, tenant_id, actor, hub_id)
            database.dispose()
    finally:
        embedded.discard(home / "postgres")
        shutil.rmtree(home, ignore_errors=True)
    if told != count:
        raise SystemExit(f"{told} of {count} parcels were planned anew")
    print(
        f"{count:,} parcels over one hub: {booked:,} booked, {moving:,} on vehicles, the rest at facilities"
    )
    print(f"{'':34} {'seconds':>8} {'parcels/s':>10}")
    print(f"{'limit: the engine alone':34} {alone_s:8.1f} {count / alone_s:10,.0f}  in memory, nothing kept")
    tried = f"from {min(_ONE_BY_ONE, count)}"
    print(f"{'peer: one parcel at a time':34} {each_s * count:8.1f} {1 / each_s:10,.0f}  {tried}")
    remark = f"at most {LIMIT_S} s; longest transaction {longest_s:.1f} s"
    print(f"{'app.shipments.replanning':34} {spent_s:8.1f} {count / spent_s:10,.0f}  {remark}")
    # Of few parcels, reading the network would be the most.
    if count >= 100_000 and spent_s > LIMIT_S * count / 100_000:
        raise SystemExit(f"it took {spent_s:.0f} s")


if __name__ == "__main__":
    main()
