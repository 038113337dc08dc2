"""The demo company's people at work: complaints and their answers, rounds, awards and payouts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import Database
from app.demo.journey import Heard
from app.demo.parcels import OFFSET_MINUTES, Parcel, Story
from app.demo.setup import Company
from app.dispatch import jobs as dispatch_jobs
from app.dispatch import queries as dispatch_queries
from app.dispatch import service as dispatch
from app.dispatch.models import PlanStatus
from app.ledger import queries as ledger
from app.orders import service as orders
from app.orders.models import Order, OrderStatus
from app.payouts import queries as payout_queries
from app.payouts import service as payouts
from app.servicedesk import queries as cases
from app.servicedesk import service as servicedesk
from app.servicedesk.models import CaseCategory, CaseChannel
from app.shipments import queries as shipments
from settlement.ledger import AccountKey, Purpose
from settlement.money import Money
from settlement.payout import BatchState, ItemState
from tracking.shipment import ScanCode

Action = Callable[[Session, datetime], None]

_COMPLAINTS: dict[Story, tuple[CaseCategory, int, tuple[str, ...]]] = {
    Story.LATE: (
        CaseCategory.LATE,
        35,
        (
            "说好昨天送到，到现在还没有动静，请尽快给个说法。",
            "快件停了两天没有更新，麻烦查一下。",
            "Where is my parcel? It was promised for yesterday.",
        ),
    ),
    Story.DAMAGED: (
        CaseCategory.DAMAGED,
        90,
        ("外箱压坏，里面的东西碎了，要求赔偿。", "开箱发现破损，已拍照，请按保价处理。"),
    ),
    Story.LOST: (CaseCategory.LOST, 100, ("快件一直没有到，是不是丢了？要求按声明价值赔偿。",)),
    Story.SECOND_ATTEMPT: (
        CaseCategory.COURIER,
        12,
        ("我一直在家，快递员没有打电话就说联系不上。", "派送没有提前联系，希望改进。"),
    ),
    Story.MISSORTED: (CaseCategory.LATE, 40, ("快件怎么跑到别的城市去了？",)),
    Story.REFUSED: (CaseCategory.OTHER, 15, ("退回的运费由谁承担？",)),
}
_REPLIES = (
    "非常抱歉给您带来不便，我们已联系处理站点，今天内给您答复。",
    "已核实扫描记录，正在加急处理，感谢您的耐心。",
)
_PLANNED_OUTLETS = 2
_PAYOUT_DAYS = (0, 3)
_PLAN_SECONDS = 1


class Office:
    """Who answers, plans and pays."""

    def __init__(self, company: Company, pick: random.Random) -> None:
        self._company = company
        self._pick = pick
        self._case_numbers: dict[str, str] = {}

    def complaint(self, parcel: Parcel, number: str, scans: list[Heard]) -> list[tuple[datetime, Action]]:
        """What a parcel's story makes its customer say, and what the desk does about it."""
        if parcel.story not in _COMPLAINTS or not scans:
            return []
        category, percent, words = _COMPLAINTS[parcel.story]
        if self._pick.randrange(100) >= percent:
            return []
        body = self._pick.choice(words)
        telling = {
            ScanCode.DAMAGED,
            ScanCode.LOST,
            ScanCode.DELAYED,
            ScanCode.ATTEMPT_FAILED,
            ScanCode.MISSORTED,
        }
        struck_at = next((scan.received_at for scan in scans if scan.code in telling), scans[-1].received_at)
        if parcel.story is Story.DAMAGED:
            struck_at = scans[-1].received_at  # seen when the box is opened
        opened_at = struck_at + timedelta(hours=self._pick.uniform(1, 12))
        answered_at = opened_at + timedelta(hours=self._pick.expovariate(1 / 5) + 0.3)
        on_phone = self._pick.random() < 0.4
        actions: list[tuple[datetime, Action]] = [
            (opened_at, lambda session, now: self._open(session, number, category, body, on_phone, now))
        ]
        if self._pick.random() < 0.85:
            actions.append((answered_at, lambda session, now: self._answer(session, number, now)))
            if category in (CaseCategory.DAMAGED, CaseCategory.LOST):
                claimed_minor = parcel.request.declared_value_minor or 10_000
                claimed_at = answered_at + timedelta(hours=3)
                decided_at = claimed_at + timedelta(hours=self._pick.uniform(4, 30))
                actions.append(
                    (claimed_at, lambda session, now: self._claim(session, number, claimed_minor, now))
                )
                actions.append((decided_at, lambda session, now: self._award(session, number, now)))
                actions.append((decided_at, lambda session, now: self._compensated(session, number, now)))
            elif self._pick.random() < 0.7:
                solved_at = answered_at + timedelta(hours=self._pick.uniform(2, 30))
                actions.append((solved_at, lambda session, now: self._solve(session, number, now)))
        return actions

    def plan_rounds(self, database: Database, now: datetime) -> None:
        """Rounds of the busiest outlets; all but the last are published."""
        local = now + timedelta(minutes=OFFSET_MINUTES)
        with database.unit_of_work(self._company.tenant_id) as session:
            busiest = dispatch_queries.busiest_outlets(session, day=local.date(), limit=_PLANNED_OUTLETS)
            plans = [
                dispatch.request_plan(
                    session,
                    self._company.staff["dispatcher"],
                    facility_id=facility_id,
                    day=local.date(),
                    seconds=_PLAN_SECONDS,
                    now=now,
                ).id
                for facility_id in busiest
            ]
        while dispatch_jobs.solve_next(database, lambda: now):
            pass
        with database.unit_of_work(self._company.tenant_id) as session:
            for plan_id in plans[:-1]:  # the last one waits for the dispatcher
                plan = dispatch_queries.load_plan(session, self._company.staff["dispatcher"], plan_id)
                if plan.status is PlanStatus.DRAFT:  # a day without couriers has no rounds
                    dispatch.publish(session, self._company.staff["dispatcher"], plan, now=now)

    def pay_out(self, database: Database, now: datetime) -> None:
        """Payouts on Mondays and Thursdays; the ones before are settled."""
        if (now + timedelta(minutes=OFFSET_MINUTES)).weekday() not in _PAYOUT_DAYS:
            return
        maker, checker = self._company.staff["finance"], self._company.staff["finance2"]
        tenant_id = self._company.tenant_id
        with database.unit_of_work(tenant_id) as session:
            self._collect_accounts(session, now)
        with database.unit_of_work(tenant_id) as session:
            self._collect_channel(session, now)
        with database.unit_of_work(tenant_id) as session:
            for batch in payout_queries.batches_in(session, BatchState.EXPORTED):
                reports = [
                    (item.party_id, self._pick.random() > 0.02)
                    for item in batch.items
                    if item.status is ItemState.OPEN
                ]
                payouts.settle_items(session, batch, reports, now=now)
            for batch in payout_queries.batches_in(session, BatchState.PREPARED):
                payouts.approve(session, checker, batch, now=now)
                payouts.export(session, batch, now=now)
        with database.unit_of_work(tenant_id) as session:
            preview = payout_queries.preview(session, "CNY", Money(payouts.THRESHOLD_MINOR, "CNY"))
            if preview.payable and preview.is_covered:
                payouts.prepare_batch(session, maker, currency="CNY", now=now)

    def _collect_accounts(self, session: Session, now: datetime) -> None:
        """Monthly accounts pay what is over three days old."""
        due = session.scalars(
            sa.select(Order).where(
                Order.paid_at.is_(None),
                Order.status != OrderStatus.CANCELLED,
                Order.placed_at < now - timedelta(days=3),
            )
        ).all()
        orders.pay_many(session, self._company.staff["finance"], due, now=now)

    def _collect_channel(self, session: Session, now: datetime) -> None:
        """The payment channel hands over what it confirmed."""
        clearing = AccountKey(self._company.tenant_id, None, Purpose.CHANNEL_CLEARING, "CNY")
        waiting_minor = ledger.balance(session, clearing)
        if waiting_minor > 0:
            orders.settle_channel(
                session,
                self._company.staff["finance"],
                amount=Money(waiting_minor, "CNY"),
                reference=f"demo-{now:%Y%m%d}",
                now=now,
            )

    def _open(
        self, session: Session, number: str, category: CaseCategory, body: str, on_phone: bool, now: datetime
    ) -> None:
        agent = self._company.staff["agent"]
        shipment = shipments.load_shipment(session, agent, number)
        case = servicedesk.open_case(
            session,
            customer_id=shipment.consignee_customer_id,
            shipment_id=shipment.id,
            channel=CaseChannel.PHONE if on_phone else CaseChannel.TRACKING_PAGE,
            category=category,
            subject=f"{number}",
            body=body,
            now=now,
            actor=agent if on_phone else None,
        )
        self._case_numbers[number] = case.number

    def _answer(self, session: Session, number: str, now: datetime) -> None:
        agent = self._company.staff[self._pick.choice(("agent", "agent2"))]
        case = cases.load_case(session, agent, self._case_numbers[number])
        servicedesk.assign(session, agent, case, agent.user_id, now=now)
        servicedesk.reply(session, agent, case, self._pick.choice(_REPLIES), now=now)

    def _solve(self, session: Session, number: str, now: datetime) -> None:
        agent = self._company.staff["agent"]
        case = cases.load_case(session, agent, self._case_numbers[number])
        servicedesk.resolve(session, agent, case, "已送达并向客户说明原因，客户认可。", now=now)

    def _claim(self, session: Session, number: str, claimed_minor: int, now: datetime) -> None:
        agent = self._company.staff["agent"]
        case = cases.load_case(session, agent, self._case_numbers[number])
        servicedesk.propose_claim(session, agent, case, claimed_minor=claimed_minor, now=now)

    def _award(self, session: Session, number: str, now: datetime) -> None:
        approver = self._company.staff["finance2"]
        case = cases.load_case(session, approver, self._case_numbers[number])
        servicedesk.approve_claim(session, approver, case.claims[-1], now=now)

    def _compensated(self, session: Session, number: str, now: datetime) -> None:
        agent = self._company.staff["agent"]
        case = cases.load_case(session, agent, self._case_numbers[number])
        servicedesk.resolve(session, agent, case, "已按规定赔付。", now=now)
