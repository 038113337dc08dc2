"""The pages of the last door as people see them: the consignee, the sender, the courier, the counter."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.deliveries import queries, service
from app.deliveries.models import ConsentChannel, ConsentSource
from app.deliveries.service import Leaving, Wish
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.dispatch.models import StopKind, StopRequest
from app.network import service as network
from app.network.models import Facility
from app.orders import queries as orders
from app.shipments import queries as shipments
from app.shipments.service import Merge
from tests.browser.look import Visitor, look
from tests.support.company import Company
from tracking.instructions import InstructionKind
from tracking.shipment import ScanCode

LOCKER = "HGH-L1"


@pytest.fixture(scope="module")
def doors(firm: Company) -> dict[str, str]:
    """Parcels to Hangzhou: on their way, redirected for more money, in a locker, of several pieces."""
    numbers = {
        "moving": firm.book("chengdu", "hangzhou"),
        "locker": firm.book("chengdu", "hangzhou", volume_cm3=9_000),
        "cash": firm.book("chengdu", "hangzhou", cod_minor=128_00),
        "pieces": firm.book("chengdu", "hangzhou", pieces=3, merge=Merge("单-7", 2)),
    }
    for name, until in (("moving", ScanCode.ARRIVED), ("pieces", ScanCode.ARRIVED)):
        firm.deliver(numbers[name], until=until)
    for name in ("locker", "cash"):
        firm.deliver(numbers[name], until=ScanCode.OUT_FOR_DELIVERY)
    failed = {
        **firm.life(numbers["cash"], until=ScanCode.OUT_FOR_DELIVERY)[-1],
        "code": "attempt_failed",
        "occurred_at": firm.now.isoformat(),
        "client_scan_id": "nobody-there",
        "reason": "consignee_absent",
    }
    firm.record([failed])
    firm.relay()
    with firm.work() as session:
        locker = session.get_one(Facility, firm.facilities[LOCKER])
        admin = firm.logins.actor(Role.ADMIN)
        for number in range(1, 5):
            network.set_compartment(
                session, admin, locker, code=f"A{number:02}", size=(400, 350, 300), now=firm.now
            )
        parcel = shipments.load_shipment(session, firm.shop.agent, numbers["locker"])
        service.record_consent(
            session,
            parcel,
            ConsentChannel.LOCKER,
            granted=True,
            source=ConsentSource.TRACKING_LINK,
            now=firm.now,
        )
        service.deposit(session, firm.dispatcher, parcel, Leaving(locker.id), now=firm.now)
        moving = shipments.load_shipment(session, firm.shop.agent, numbers["moving"])
        order = orders.order_of_shipment(session, moving.id)
        assert order is not None
        order.distance_m = 200_000  # so that the same city is dearer now
        wish = Wish(InstructionKind.REDIRECT, district_adcode="330106", address="古墩路 700 号 2 幢")
        service.ask(session, moving, wish, queries.BY_LINK, now=firm.now)
    firm.relay()
    return numbers


def test_the_consignee_says_what_should_happen(
    doors: dict[str, str], firm: Company, newcomer: Callable[[], Visitor]
) -> None:
    visitor = newcomer()
    for name in ("pieces", "moving", "locker", "cash"):
        page = visitor.open(f"{firm.link(doors[name])}/delivery")
        for summary in page.locator("main details summary").all():
            summary.click()
        look(visitor, f"door-choose-{name}")
    visitor.open(firm.link(doors["pieces"]))
    look(visitor, "door-pieces")


def test_the_sender_and_the_staff_give_instructions(
    doors: dict[str, str], member: Callable[..., Visitor], firm: Company
) -> None:
    shipper = member(Role.SHIPPER, firm.shipper_id)
    page = shipper.open(f"/shipments/{doors['pieces']}/instructions")
    for summary in page.locator("main details summary").all():
        summary.click()
    look(shipper, "door-shipper")
    agent = member(Role.AGENT)
    agent.open("/instructions")
    look(agent, "door-board")
    agent.open(f"/shipments/{doors['pieces']}")
    look(agent, "door-shipment")


def test_the_courier_collects_at_the_door(
    doors: dict[str, str], member: Callable[..., Visitor], firm: Company
) -> None:
    with firm.work() as session:
        stop = session.scalars(
            sa.select(StopRequest)
            .where(StopRequest.shipment_id == firm.shipment(doors["cash"]).id)
            .where(StopRequest.kind == StopKind.DELIVERY)
        ).one()
        day = stop.day
        plan_id = dispatch.request_plan(
            session, firm.dispatcher, facility_id=stop.facility_id, day=day, seconds=1, now=firm.now
        ).id
    while not _planned(firm, plan_id):
        dispatch_jobs.solve_next(firm.logins.database, firm.logins.clock)
    with firm.work() as session:
        plan = dispatch_queries.load_plan(session, firm.dispatcher, plan_id)
        dispatch.publish(session, firm.dispatcher, plan, now=firm.now)
    clock = firm.logins.clock
    clock.moment = clock.moment.replace(year=day.year, month=day.month, day=day.day, hour=2)
    courier = member(Role.COURIER, firm.couriers["HGH-01"])
    page = courier.open("/run")
    for summary in page.locator("main details summary").all():
        if summary.is_visible():
            summary.click()
    look(courier, "door-run")


def _planned(firm: Company, plan_id: int) -> bool:
    """The scheduler beside the server may have taken it first."""
    with firm.work() as session:
        return dispatch_queries.load_plan(session, firm.dispatcher, plan_id).status == "draft"


def test_what_waits_at_a_locker(doors: dict[str, str], member: Callable[..., Visitor], firm: Company) -> None:
    assert doors["locker"]
    admin = member(Role.ADMIN)
    admin.open("/points")
    look(admin, "door-points")
    admin.open(f"/points/{firm.facilities[LOCKER]}")
    look(admin, "door-point")
