"""News for consignees: in whose words, in which language, never at night, and not to who said no."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.accounts.roles import Role
from app.customers.models import Customer
from app.db.outbox import Event
from app.errors import InvalidInputError
from app.notices import service
from app.notices.models import NoticeWording, QuietTime
from app.notices.wording import MILESTONES, proposed
from app.notify.jobs import deliver_by
from app.notify.models import Channel, Notification, NotificationOptOut
from app.notify.senders import Message
from tests.support.app import Logins
from tests.support.company import CONSIGNEE_PHONE, Company, company
from tests.support.pages import visit
from tracking.shipment import Milestone

OUT, DELIVERED = Milestone.OUT_FOR_DELIVERY, Milestone.DELIVERED


class Recorder:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    def send(self, message: Message) -> None:
        self.sent.append(message)


@pytest.fixture(scope="module")
def made(tenant: Logins) -> Company:
    return company(tenant)


@pytest.fixture
def firm(made: Company) -> Iterator[Company]:
    yield made
    with made.work() as session:
        for table in (NoticeWording, QuietTime, Notification, NotificationOptOut):
            session.execute(sa.delete(table))


def write(firm: Company, milestone: Milestone, *, role: Role = Role.ADMIN, **changes: object) -> None:
    subject = firm.shipper_id if role is Role.SHIPPER else None
    wanted = replace(proposed(milestone), enabled=True)
    with firm.work() as session:
        service.write(
            session,
            firm.logins.actor(role, subject),
            milestone,
            replace(wanted, **changes),  # type: ignore[arg-type]
            now=firm.now,
        )


def happens(firm: Company, number: str, milestone: Milestone) -> None:
    """The event alone: what the parcel did before does not matter here."""
    with firm.work() as session:
        shipment = firm.shipment(number)
        payload = {"shipment_id": shipment.id, "milestone": milestone.value, "is_new": True}
        event = Event(1, firm.tenant_id, "shipment.state_changed", payload, firm.now)
        service.tell(session, [event], firm.now)


def written(firm: Company) -> list[Notification]:
    with firm.work() as session:
        return list(session.scalars(sa.select(Notification).order_by(Notification.id)))


def test_nobody_is_told_until_somebody_wants_it(firm: Company) -> None:
    number = firm.book()
    for milestone in Milestone:
        happens(firm, number, milestone)
    assert written(firm) == []


def test_the_consignee_is_told_with_a_link_to_his_own_page(firm: Company) -> None:
    write(firm, DELIVERED, body_zh="{company} {number} {link} {stop}")
    number = firm.book()
    happens(firm, number, DELIVERED)
    (news,) = written(firm)
    assert (news.channel, news.courtesy) == (Channel.SMS, True)
    assert news.recipient == f"+86{CONSIGNEE_PHONE}"
    recorder = Recorder()
    with firm.work() as session:
        deliver_by(session, {Channel.SMS: recorder}, firm.now, public_url="https://kd.example/")
    (sent,) = recorder.sent
    assert number in sent.body
    assert f"https://kd.example{firm.link(number)} https://kd.example{firm.link(number)}/notices" in sent.body
    assert "{" not in sent.body


def test_through_the_outbox_a_parcels_way_is_told(firm: Company) -> None:
    for milestone in MILESTONES:
        write(firm, milestone)
    number = firm.book()
    firm.deliver(number)
    # All its scans come at once here, so that it goes from booked to delivered in one step.
    assert [news.template for news in written(firm) if number in news.body] == ["notice_delivered"]


def test_a_shippers_words_go_before_the_companys_and_may_be_silence(firm: Company) -> None:
    write(firm, OUT, body_zh="公司 {number}")
    write(firm, OUT, role=Role.SHIPPER, body_zh="{shipper} 寄给您的 {number}")
    write(firm, DELIVERED)
    write(firm, DELIVERED, role=Role.SHIPPER, enabled=False)
    mine, other = firm.book(), firm.book(customer_id=firm.other_shipper_id)
    for number in (mine, other):
        happens(firm, number, OUT)
    bodies = [news.body for news in written(firm)]
    assert bodies[0].endswith(f"寄给您的 {mine}")
    assert "*" in bodies[0], "the shipper's name is masked"
    assert bodies[1] == f"公司 {other}"
    happens(firm, mine, DELIVERED)
    assert len(written(firm)) == 2
    with firm.work() as session:
        actor = firm.logins.actor(Role.SHIPPER, firm.shipper_id)
        service.drop(session, actor, OUT, now=firm.now)
    happens(firm, mine, OUT)
    assert written(firm)[-1].body == f"公司 {mine}"


def test_in_the_consignees_language(firm: Company) -> None:
    write(firm, DELIVERED, body_en="Parcel {number} was delivered.")
    number = firm.book()
    with firm.work() as session:
        session.get_one(Customer, firm.shipment(number).consignee_customer_id).locale = "en"
    happens(firm, number, DELIVERED)
    assert written(firm)[0].body == f"Parcel {number} was delivered."
    with firm.work() as session:
        session.get_one(Customer, firm.shipment(number).consignee_customer_id).locale = "zh"


def test_at_night_it_waits_and_only_the_newest_is_sent(firm: Company) -> None:
    write(firm, OUT)
    write(firm, DELIVERED)
    number = firm.book()
    morning = firm.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)  # 08:00 there
    firm.logins.clock.moment = morning - timedelta(hours=9, minutes=59, seconds=30)  # 22:00:30
    happens(firm, number, OUT)
    happens(firm, number, DELIVERED)
    stale, news = written(firm)
    assert stale.dropped_at == firm.now
    assert news.available_at == morning
    recorder = Recorder()
    with firm.work() as session:
        assert deliver_by(session, {Channel.SMS: recorder}, morning - timedelta(minutes=1)) == 0
        assert deliver_by(session, {Channel.SMS: recorder}, morning) == 1
    firm.logins.clock.moment = morning + timedelta(hours=1)


def test_who_says_no_is_left_in_peace_at_once_and_may_come_back(firm: Company) -> None:
    write(firm, OUT)
    write(firm, DELIVERED)
    number = firm.book()
    happens(firm, number, OUT)
    browser = firm.logins.app.test_client()
    page = visit(browser, firm.link(number))
    page = visit(browser, page.link("/notices"))
    page = page.submit("/notices", press=("wanted", "no"))
    happens(firm, number, DELIVERED)
    recorder = Recorder()
    with firm.work() as session:
        assert deliver_by(session, {Channel.SMS: recorder}, firm.now) == 0
    (dropped,) = written(firm)
    assert dropped.dropped_at == firm.now
    page.submit("/notices", press=("wanted", "yes"))
    happens(firm, number, DELIVERED)
    assert len(written(firm)) == 2
    link = firm.link(number).removeprefix("/t/")
    answer = browser.post(f"/api/v1/links/{link}/notices", json={"wanted": False})
    assert answer.json == {"wanted": False}
    happens(firm, number, OUT)
    assert len(written(firm)) == 2
    assert browser.post("/api/v1/links/1-wrong/notices", json={"wanted": False}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "{number",
        "{0}",
        "{}",
        "{name}",
        "{number.__class__}",
        "{number!r}",
        "{number:>9}",
        "x" * 501,
    ],
)
def test_words_that_cannot_be_sent_are_refused(firm: Company, body: str) -> None:
    with pytest.raises(InvalidInputError):
        replace(proposed(OUT), body_zh=body).check()


def test_what_is_proposed_can_be_sent() -> None:
    for milestone in MILESTONES:
        proposed(milestone).check()


def test_by_machine(firm: Company) -> None:
    admin = firm.logins.api(Role.ADMIN)
    shipper = firm.logins.api(Role.SHIPPER, firm.shipper_id)
    words = {"body_zh": "到了 {number}", "body_en": "{number} is there"}
    answer = shipper.post("/api/v1/notices/delivered", json=words)
    assert (answer.status_code, answer.json["own"], answer.json["enabled"]) == (200, True, True)
    assert shipper.post("/api/v1/notices/delivered", json=words | {"body_en": "{x}"}).status_code == 422
    assert shipper.post("/api/v1/notices/lost", json=words).status_code == 404
    assert admin.get("/api/v1/notices").json["items"][4]["own"] is False
    quiet = {"from_minute": 60, "to_minute": 120}
    assert shipper.post("/api/v1/notices/quiet-hours", json=quiet).status_code == 403
    assert admin.post("/api/v1/notices/quiet-hours", json=quiet).json == quiet
    found = shipper.get("/api/v1/notices").json
    assert (found["quiet_from_minute"], found["quiet_to_minute"]) == (60, 120)
    assert shipper.post("/api/v1/notices/delivered/drop").json["enabled"] is False


def test_by_page(firm: Company) -> None:
    browser = firm.logins.browser(Role.ADMIN)
    page = visit(browser, "/notices/delivered")
    refused = page.submit("/notices/delivered", body_zh="{wer}", expect=422)
    assert "{number}" in refused.text
    page = refused.submit("/notices/delivered", body_zh="到了", body_en="Here is {number}", enabled=True)
    assert page.path == "/notices"
    assert "Here is {number}" in page.text
    page = page.submit("/notices/quiet-hours", begins="21:30", ends="07:00")
    with firm.work() as session:
        row = session.scalars(sa.select(QuietTime)).one()
        assert (row.from_minute, row.to_minute) == (21 * 60 + 30, 7 * 60)
    assert "21:30" in visit(firm.logins.browser(Role.SHIPPER, firm.shipper_id), "/notices").text
    visit(browser, "/notices/delivered").submit("/delivered/drop")
    assert visit(browser, "/notices/lost", expect=404).answer.status_code == 404
