"""Payouts: what is available is set aside, another person approves, the bank's word is posted once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy.orm import Session

from app.accounts.roles import Role
from app.actor import Actor
from app.db.session import Database
from app.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from app.ledger import queries as ledger_queries
from app.ledger import service as ledger
from app.parties import service as parties
from app.parties.models import PartyKind
from app.payouts import queries, service
from app.payouts.models import PayoutBatch
from settlement.errors import PayoutError, PayoutTransitionError
from settlement.ledger import AccountKey, Entry, JournalEntry, Purpose
from settlement.payout import BatchState, ItemState
from tests.support.app import Logins, StepClock


class Desk:
    """A tenant with parties that have money available, and two people in finance."""

    def __init__(self, database: Database, logins: Logins, clock: StepClock) -> None:
        self.database, self.logins, self.clock = database, logins, clock
        self.maker: Actor = logins.actor(Role.FINANCE, who="maker")
        self.checker: Actor = logins.actor(Role.FINANCE, who="checker")
        with self.work() as session:
            self.platform = self._party(session, "PLATFORM", PartyKind.PLATFORM)
            self.outlet = self._party(session, "OUT", PartyKind.OUTLET)
            self.carrier = self._party(session, "CAR", PartyKind.CARRIER)
            self.unbanked = self._party(session, "NOB", PartyKind.HUB)
            for party_id in (self.outlet, self.carrier):
                service.set_bank_account(
                    session,
                    party_id=party_id,
                    holder="=SUM(A1)" if party_id == self.outlet else "承运商",
                    account_number=f"6222 0000 {party_id:06d}",
                    bank_name="工商银行",
                    cnaps_code="102100099996",
                )

    def work(self) -> AbstractContextManager[Session]:
        return self.database.unit_of_work(self.logins.tenant_id)

    def _party(self, session: Session, code: str, kind: PartyKind) -> int:
        return parties.create_party(session, code=code, name=code, kind=kind, now=self.clock()).id

    def fund(self, key: str, amounts: dict[int, int]) -> None:
        """Custody money that belongs to parties: as if orders had been paid and released."""
        lines = [Entry(self.key(None, Purpose.CUSTODY), sum(amounts.values()))]
        lines += [Entry(self.key(party, Purpose.AVAILABLE), -minor) for party, minor in amounts.items()]
        with self.work() as session:
            ledger.post(session, JournalEntry(key, "test", self.clock(), tuple(lines)), now=self.clock())

    def key(self, party_id: int | None, purpose: Purpose) -> AccountKey:
        return AccountKey(self.logins.tenant_id, party_id, purpose, "CNY")

    def balance(self, party_id: int | None, purpose: Purpose) -> int:
        with self.work() as session:
            return ledger_queries.balance(session, self.key(party_id, purpose))

    def prepare(self) -> str:
        with self.work() as session:
            return service.prepare_batch(session, self.maker, currency="CNY", now=self.clock()).number

    def on(self, number: str, act: Callable[[Session, PayoutBatch], None]) -> PayoutBatch:
        with self.work() as session:
            batch = queries.load_batch(session, self.maker, number)
            act(session, batch)
            return batch

    def approve(self, number: str) -> None:
        self.on(
            number, lambda session, batch: service.approve(session, self.checker, batch, now=self.clock())
        )

    def export(self, number: str) -> str:
        texts: list[str] = []
        self.on(number, lambda session, batch: texts.append(service.export(session, batch, now=self.clock())))
        return texts[0]

    def settle(self, number: str, party_id: int, *, paid: bool) -> None:
        def act(session: Session, batch: PayoutBatch) -> None:
            (why,) = service.settle_items(session, batch, [(party_id, paid)], now=self.clock())
            if why is not None:
                raise PayoutTransitionError(why)

        self.on(number, act)


@pytest.fixture
def desk(database: Database, new_tenant: Callable[[], Logins], clock: StepClock) -> Desk:
    return Desk(database, new_tenant(), clock)


def test_a_batch_from_preparation_to_the_bank(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 12_345, desk.carrier: 700, desk.unbanked: 900})
    number = desk.prepare()
    assert desk.balance(desk.outlet, Purpose.AVAILABLE) == 0
    assert desk.balance(desk.outlet, Purpose.IN_PAYOUT) == -12_345
    assert desk.balance(desk.unbanked, Purpose.AVAILABLE) == -900, "no bank account: it stays"
    desk.approve(number)
    text = desk.export(number)
    assert "123.45" in text
    assert "'=SUM(A1)" in text, "no spreadsheet runs it as a formula"
    assert desk.export(number) == text
    desk.settle(number, desk.outlet, paid=True)
    desk.settle(number, desk.carrier, paid=False)
    assert desk.balance(None, Purpose.CUSTODY) == 700 + 900
    assert desk.balance(desk.outlet, Purpose.IN_PAYOUT) == 0
    assert desk.balance(desk.carrier, Purpose.AVAILABLE) == -700, "bounced: available again"
    batch = desk.on(number, lambda *_: None)
    assert batch.status is BatchState.SETTLED
    assert {item.status for item in batch.items} == {ItemState.PAID, ItemState.BOUNCED}


def test_nobody_approves_his_own_batch(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    number = desk.prepare()
    with pytest.raises(ForbiddenError):
        desk.on(number, lambda session, batch: service.approve(session, desk.maker, batch, now=desk.clock()))
    assert desk.on(number, lambda *_: None).status is BatchState.PREPARED


def test_an_unapproved_batch_does_not_leave_the_house(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    number = desk.prepare()
    with pytest.raises(PayoutError):
        desk.export(number)
    with pytest.raises(PayoutTransitionError):
        desk.settle(number, desk.outlet, paid=True)


def test_an_item_is_paid_once(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    number = desk.prepare()
    desk.approve(number)
    desk.export(number)
    desk.settle(number, desk.outlet, paid=True)
    with pytest.raises(PayoutTransitionError):
        desk.settle(number, desk.outlet, paid=True)
    assert desk.balance(None, Purpose.CUSTODY) == 0


def test_a_report_that_waited_for_another_sees_it(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500, desk.carrier: 700})
    number = desk.prepare()
    desk.approve(number)
    desk.export(number)
    with desk.work() as session:
        batch = queries.load_batch(session, desk.maker, number)
        assert {item.status for item in batch.items} == {ItemState.OPEN}
        desk.settle(number, desk.outlet, paid=True)
        reports = [(desk.outlet, False), (desk.carrier, True), (desk.carrier, True), (desk.unbanked, True)]
        refusals = service.settle_items(session, batch, reports, now=desk.clock())
    assert [why is None for why in refusals] == [False, True, False, False]
    assert desk.balance(None, Purpose.CUSTODY) == 0
    assert desk.on(number, lambda *_: None).status is BatchState.SETTLED


def test_two_batches_never_take_the_same_money(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    first = desk.prepare()
    with pytest.raises(ConflictError):
        desk.prepare()
    desk.fund("f2", {desk.outlet: 300})
    second = desk.prepare()
    assert first != second
    assert desk.balance(desk.outlet, Purpose.IN_PAYOUT) == -800


def test_a_cancelled_batch_gives_everything_back(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    number = desk.prepare()
    with pytest.raises(InvalidInputError):
        desk.on(
            number,
            lambda session, batch: service.cancel(session, desk.maker, batch, reason=" ", now=desk.clock()),
        )
    desk.on(
        number,
        lambda session, batch: service.cancel(
            session, desk.maker, batch, reason="wrong day", now=desk.clock()
        ),
    )
    assert desk.balance(desk.outlet, Purpose.AVAILABLE) == -500
    assert desk.balance(desk.outlet, Purpose.IN_PAYOUT) == 0


def test_what_the_channel_has_not_handed_over_is_not_paid_out(desk: Desk) -> None:
    lines = (
        Entry(desk.key(None, Purpose.CHANNEL_CLEARING), 500),
        Entry(desk.key(desk.outlet, Purpose.AVAILABLE), -500),
    )
    with desk.work() as session:
        ledger.post(session, JournalEntry("paid", "test", desk.clock(), lines), now=desk.clock())
    with pytest.raises(ConflictError, match="handed over") as caught:
        desk.prepare()
    assert caught.value.extra["missing_minor"] == 500
    assert desk.balance(desk.outlet, Purpose.AVAILABLE) == -500
    page = desk.logins.browser(Role.FINANCE, who="maker").get("/payouts/", headers={"Accept-Language": "en"})
    assert "Record what the payment channel has handed over" in page.text
    assert "Prepare batch" not in page.text


def test_debts_are_recovered_before_anything_is_paid(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 1_000, desk.platform: 400})
    debt = (
        Entry(desk.key(desk.outlet, Purpose.PARTY_DEBT), 400),
        Entry(desk.key(desk.platform, Purpose.PLATFORM_REVENUE), -400),
    )
    with desk.work() as session:
        ledger.post(session, JournalEntry("debt", "test", desk.clock(), debt), now=desk.clock())
    number = desk.prepare()
    batch = desk.on(number, lambda *_: None)
    assert {item.party_id: item.amount_minor for item in batch.items} == {desk.outlet: 600}
    assert desk.balance(desk.outlet, Purpose.PARTY_DEBT) == 0
    assert desk.balance(desk.outlet, Purpose.AVAILABLE) == 0


def test_a_batch_of_another_tenant_is_not_known(desk: Desk, tenant: Logins) -> None:
    desk.fund("f1", {desk.outlet: 500})
    number = desk.prepare()
    stranger = tenant.actor(Role.FINANCE)
    with pytest.raises(NotFoundError), desk.database.unit_of_work(tenant.tenant_id) as session:
        queries.load_batch(session, stranger, number)
    assert tenant.browser(Role.FINANCE).get(f"/payouts/{number}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("holder", " "), ("account_number", "12-34"), ("cnaps_code", "12345"), ("bank_name", "")],
)
def test_a_bank_account_that_cannot_be_right_is_refused(desk: Desk, field: str, value: str) -> None:
    good = {"holder": "A", "account_number": "62", "bank_name": "B", "cnaps_code": "102100099996"}
    with pytest.raises(InvalidInputError) as caught, desk.work() as session:
        service.set_bank_account(session, party_id=desk.carrier, **{**good, field: value})
    assert [error["pointer"] for error in caught.value.extra["errors"]] == [f"/{field}"]


def test_the_pages_walk_a_batch_through_two_people(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 12_345})
    maker, checker = (desk.logins.browser(Role.FINANCE, who=who) for who in ("maker", "checker"))
    assert "123.45" in maker.get("/payouts/?lang=en", follow_redirects=True).text
    location = maker.post("/payouts/").location
    assert maker.post(f"{location}/approve").status_code == 403
    assert checker.post(f"{location}/approve").status_code == 302
    file = maker.post(f"{location}/export")
    assert file.mimetype == "text/csv"
    assert "123.45" in file.text
    page = maker.get(location).text
    item_id = page.split('name="item" value="')[1].split('"')[0]
    maker.post(f"{location}/settle", data={"item": item_id, "outcome": "paid"})
    assert desk.balance(desk.outlet, Purpose.IN_PAYOUT) == 0
    again = maker.post(f"{location}/settle", data={"item": item_id, "outcome": "paid"}, follow_redirects=True)
    assert again.status_code == 200
    assert desk.balance(None, Purpose.CUSTODY) == 0


def test_the_api_prepares_once_for_a_key(desk: Desk) -> None:
    desk.fund("f1", {desk.outlet: 500})
    api = desk.logins.api(Role.FINANCE, who="maker")
    first = api.post("/api/v1/payouts", key="one", json={"currency": "CNY"})
    assert first.status_code == 201, first.text
    again = api.post("/api/v1/payouts", key="one", json={"currency": "CNY"})
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = api.post("/api/v1/payouts", key="one", json={"currency": "USD"})
    assert other.status_code == 422
    assert api.post("/api/v1/payouts", key=None, json={"currency": "CNY"}).status_code == 400
    unknown = api.post("/api/v1/payouts", json={"currency": "CNY", "extra": 1})
    assert unknown.status_code == 422
    assert unknown.json["errors"], unknown.text
    assert api.post(f"{first.headers['Location']}/approve").status_code == 403
    checker = desk.logins.api(Role.FINANCE, who="checker")
    assert checker.post(f"{first.headers['Location']}/approve").json["status"] == "approved"
