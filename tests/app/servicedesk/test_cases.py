"""Cases on a real database: opened without collisions, handled by the table, never overwritten unseen."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    StaleVersionError,
    TooManyTriesError,
)
from app.notify.models import Notification
from app.servicedesk import queries, service
from app.servicedesk.models import CaseDraft, CaseEvent
from app.servicedesk.queries import CaseFilter, Show
from app.servicedesk.values import CaseCategory, CaseChannel, CaseEventKind, CaseStatus, ClockKind
from tests.app.servicedesk.build import Desk


@pytest.fixture(scope="module")
def shipment(desk: Desk):
    with desk.work() as session:
        return desk.book(session)


def test_a_case_is_numbered_by_its_local_day_and_due_by_the_desks_hours(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment)
    assert case.number.startswith("CS-20260302-")
    assert (case.due_at, case.due_clock) == (desk.now + timedelta(hours=1), ClockKind.ANSWER)
    assert case.owner_id is None
    assert case.subject == "茶叶盒破损"


def test_cases_opened_at_once_have_different_numbers(desk: Desk, shipment):
    numbers: list[str] = []
    start = threading.Barrier(8)

    def complain() -> None:
        start.wait()
        with desk.work() as session:
            numbers.append(desk.complain(session, shipment).number)

    threads = [threading.Thread(target=complain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 8


def test_whoever_takes_the_call_owns_the_case(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment, channel=CaseChannel.PHONE, actor=desk.agent)
    assert case.owner_id == desk.agent.user_id


def test_a_subject_is_made_of_the_words_where_none_is_given(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment, subject=" ", body="第一行\n第二行")
    assert case.subject == "第一行 第二行"


def test_what_cannot_be_a_case_is_refused(desk: Desk, shipment, new_tenant):
    with desk.work() as session:
        with pytest.raises(InvalidInputError):
            desk.complain(session, shipment, body="   ")
        with pytest.raises(InvalidInputError):
            desk.complain(session, shipment, body="x" * 5001)
        with pytest.raises(NotFoundError):
            desk.complain(session, None, customer_id=10**9)
        with pytest.raises(NotFoundError):
            desk.complain(session, None, shipment_id=10**9)
    with desk.work() as session:
        other = desk.shop.logins
        stranger = _customer(session, other)
        with pytest.raises(InvalidInputError, match="neither sends nor receives"):
            desk.complain(session, shipment, customer_id=stranger)
    elsewhere = new_tenant()
    with elsewhere.database.unit_of_work(elsewhere.tenant_id) as session, pytest.raises(NotFoundError):
        desk.complain(session, None)


def _customer(session, logins) -> int:
    from app.customers import service as customers

    return customers.find_or_create(session, name="路人", phone="13600000008", now=logins.clock()).id


def test_the_public_page_knows_the_complainant_by_the_phone(desk: Desk):
    bodies = count(1)

    def complainant(phone):
        case = service.open_from_tracking_page(
            session,
            shipment,
            category=CaseCategory.LATE,
            body=f"还没到 {next(bodies)}",
            phone=phone,
            now=desk.now,
        )
        return case.customer_id

    with desk.work() as session:
        shipment = desk.book(session)
        assert complainant(None) == shipment.consignee_customer_id
        assert complainant("138 0000 0001") == shipment.customer_id
        assert complainant("+86 139 0000 0002") == shipment.consignee_customer_id
        assert complainant("13500000000") == shipment.consignee_customer_id
        with pytest.raises(InvalidInputError):
            complainant("12")
        complainant("")
        with pytest.raises(TooManyTriesError):
            complainant(None)


def test_the_same_complaint_sent_twice_is_one_case(desk: Desk):
    def complain(session, body, category=CaseCategory.LATE, phone=None):
        return service.open_from_tracking_page(
            session, shipment, category=category, body=body, phone=phone, now=desk.now
        )

    with desk.work() as session:
        shipment = desk.book(session)
        first = complain(session, "还没到")
        assert complain(session, " 还没到 ") is first
        assert complain(session, "还没到", CaseCategory.LOST) is not first
        assert complain(session, "还没到", phone=shipment.sender_phone) is not first
        service.resolve(session, desk.agent, first, "到了。", now=desk.now)
        assert complain(session, "还没到") is not first, "the first is not open any more"


def test_an_answer_goes_out_and_stops_the_clock(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment)
        service.save_draft(session, desk.agent, case, "我们在查", now=desk.now)
        service.reply(session, desk.agent, case, "我们在查。", now=desk.now, version=case.version)
        assert queries.draft(session, desk.agent, case) is None
        assert case.due_clock is ClockKind.LAW
        told = session.scalars(
            sa.select(Notification).where(Notification.params["number"].astext == case.number)
        ).one()
    assert told.recipient == "+8613800000001"
    assert "我们在查。" in told.body
    assert case.number in told.body


def test_a_note_is_not_told_and_does_not_stop_the_clock(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment)
        service.note(session, desk.agent, case, "客户很生气", now=desk.now)
        assert case.due_clock is ClockKind.ANSWER
        sent = session.scalar(
            sa.select(sa.func.count()).where(Notification.params["number"].astext == case.number)
        )
    assert sent == 0


def test_a_case_is_resolved_only_with_an_outcome_closed_after_it_and_reopened_by_the_customer(desk: Desk):
    with desk.work() as session:
        case = desk.complain(session, None)
        with pytest.raises(ConflictError):
            service.close(session, desk.agent, case, now=desk.now)
        with pytest.raises(InvalidInputError):
            service.resolve(session, desk.agent, case, " ", now=desk.now)
        service.resolve(session, desk.agent, case, "已赔付。", now=desk.now)
        assert (case.status, case.resolution) == (CaseStatus.RESOLVED, "已赔付。")
        service.close(session, desk.agent, case, now=desk.now)
        assert (case.status, case.closed_at) == (CaseStatus.CLOSED, desk.now)
        with pytest.raises(ConflictError):
            service.reply(session, desk.agent, case, "还有事吗", now=desk.now)
        service.customer_message(session, case, "没有收到赔款", now=desk.now)
    assert (case.status, case.closed_at, case.due_clock) == (CaseStatus.OPEN, None, ClockKind.ANSWER)


def test_waiting_for_the_customer_ends_with_the_customers_word(desk: Desk):
    with desk.work() as session:
        case = desk.complain(session, None)
        service.wait_for_customer(session, desk.agent, case, now=desk.now)
        assert (case.status, case.due_clock) == (CaseStatus.WAITING_CUSTOMER, ClockKind.LAW)
        service.customer_message(session, case, "照片在这里", now=desk.now + timedelta(hours=30))
    assert case.status is CaseStatus.OPEN


def test_a_stale_save_is_refused_and_told_what_it_missed(desk: Desk, shipment):
    with desk.work() as session:
        case = desk.complain(session, shipment)
        seen = case.version
    with desk.work() as session:
        first = queries.load_case(session, desk.agent, case.number)
        service.reply(session, desk.agent, first, "已联系网点。", now=desk.now, version=seen)
    with desk.work() as session:
        second = queries.load_case(session, desk.second_agent, case.number)
        with pytest.raises(StaleVersionError) as refused:
            service.reply(session, desk.second_agent, second, "请稍等。", now=desk.now, version=seen)
    (change,) = refused.value.extra["changes"]
    assert (change["kind"], change["by"], change["body"]) == ("reply", desk.agent.name, "已联系网点。")
    with desk.work() as session:
        kinds = [event.kind for event in queries.load_case(session, desk.agent, case.number).events]
    assert kinds == [CaseEventKind.OPENED, CaseEventKind.REPLY]


def test_a_save_that_waits_for_another_is_stale_too(desk: Desk):
    with desk.work() as session:
        case = desk.complain(session, None)
    outcome: list[object] = []

    def late() -> None:
        try:
            with desk.work() as session:
                again = queries.load_case(session, desk.second_agent, case.number)
                loaded.set()
                service.note(session, desk.second_agent, again, "第二条", now=desk.now, version=1)
        except StaleVersionError as error:
            outcome.append(error)

    loaded = threading.Event()
    thread = threading.Thread(target=late)
    with desk.work() as session:
        mine = queries.load_case(session, desk.agent, case.number)
        service.note(session, desk.agent, mine, "第一条", now=desk.now, version=1)
        session.flush()
        thread.start()
        assert loaded.wait(10)
    thread.join(10)
    assert len(outcome) == 1


def test_taking_several_answers_row_by_row(desk: Desk):
    with desk.work() as session:
        free, mine, theirs, done = (desk.complain(session, None) for _ in range(4))
        service.assign(session, desk.agent, mine, desk.agent.user_id, now=desk.now)
        service.assign(session, desk.agent, theirs, desk.second_agent.user_id, now=desk.now)
        service.resolve(session, desk.agent, done, "好了", now=desk.now)
        service.close(session, desk.agent, done, now=desk.now)
        numbers = [free.number, mine.number, theirs.number, done.number, "CS-19990101-0001"]
    with desk.work() as session:
        results = service.take_many(session, desk.agent, numbers, now=desk.now)
    assert [(row.number, row.taken) for row in results] == list(
        zip(numbers, (True, True, False, False, False), strict=True)
    )
    with desk.work() as session:
        assert queries.load_case(session, desk.agent, free.number).owner_id == desk.agent.user_id
        assert queries.load_case(session, desk.agent, theirs.number).owner_id == desk.second_agent.user_id


def test_only_the_desk_owns_cases_and_only_it_answers(desk: Desk):
    shipper = desk.shop.shipper
    with desk.work() as session:
        case = desk.complain(session, None)
        for owner in (shipper.user_id, desk.finance.user_id, 10**9):
            with pytest.raises(InvalidInputError):
                service.assign(session, desk.agent, case, owner, now=desk.now)
        for act in (service.reply, service.note, service.resolve):
            with pytest.raises(ForbiddenError):
                act(session, shipper, case, "我来答", now=desk.now)
        for act in (service.wait_for_customer, service.close):
            with pytest.raises(ForbiddenError):
                act(session, shipper, case, now=desk.now)


def test_a_case_is_known_to_staff_and_to_its_own_customer_only(desk: Desk, new_tenant):
    with desk.work() as session:
        case = desk.complain(session, None)
        of_consignee = desk.complain(session, None, customer_id=desk.consignee_id)
        queries.load_case(session, desk.shop.shipper, case.number)
        for asker, number in (
            (desk.shop.shipper, of_consignee.number),
            (desk.logins.actor("courier", desk.courier_id), case.number),
            (new_tenant().actor("agent"), case.number),
        ):
            with pytest.raises(NotFoundError):
                queries.load_case(session, asker, number)
        shown = queries.list_cases(
            session, desk.shop.shipper, CaseFilter(Show.ALL), now=desk.now, cursor=None, limit=500
        )
    assert {row.case.customer_id for row in shown.rows} == {desk.shop.customer_id}


def test_the_queue_shows_first_what_runs_out_first_page_by_page(desk: Desk):
    with desk.work() as session:
        chosen = CaseFilter(Show.UNRESOLVED)
        whole = queries.list_cases(session, desk.agent, chosen, now=desk.now, cursor=None, limit=500)
        dues = [row.case.due_at for row in whole.rows]
        assert dues == sorted(dues)
        numbers, cursor = [], None
        while True:
            page = queries.list_cases(session, desk.agent, chosen, now=desk.now, cursor=cursor, limit=3)
            numbers += [row.number for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
    assert numbers == [row.number for row in whole.rows]


def test_the_parts_of_the_queue_hold_what_they_say_and_count_it(desk: Desk):
    later = desk.now + timedelta(hours=2)
    with desk.work() as session:
        overdue = desk.complain(session, None)
        mine = desk.complain(session, None)
        service.assign(session, desk.agent, mine, desk.agent.user_id, now=desk.now)
        shown = {
            show: {
                row.number
                for row in queries.list_cases(
                    session, desk.agent, CaseFilter(show), now=later, cursor=None, limit=500
                ).rows
            }
            for show in Show
        }
        counted = queries.counts(session, desk.agent, now=later)
    assert overdue.number in shown[Show.OVERDUE] & shown[Show.UNOWNED]
    assert mine.number in shown[Show.MINE] - shown[Show.UNOWNED]
    assert counted == {show: len(shown[show]) for show in Show if show is not Show.ALL}


@pytest.mark.parametrize("text", ["number", "waybill", "subject", "name"])
def test_a_case_is_found_by_what_is_known_of_it(desk: Desk, shipment, text):
    with desk.work() as session:
        case = desk.complain(session, shipment, subject="百分之百%损坏")
        wanted = {
            "number": case.number.lower(),
            "waybill": shipment.waybill_number.lower(),
            "subject": "百%",
            "name": "锦城",
        }[text]
        found = queries.list_cases(
            session, desk.agent, CaseFilter(Show.ALL, text=wanted), now=desk.now, cursor=None, limit=500
        )
    assert case.number in {row.number for row in found.rows}


def test_repeated_complaints_are_shown_as_related_and_not_merged(desk: Desk):
    with desk.work() as session:
        parcel = desk.book(session)
        first = desk.complain(session, parcel)
        again = desk.complain(session, parcel, now=desk.now + timedelta(hours=20))
        late = desk.complain(session, parcel, now=desk.now + timedelta(days=3))
        other = desk.complain(session, parcel, customer_id=desk.consignee_id)
        found = {row.case.number: row.repeated for row in queries.related(session, desk.agent, first)}
    assert found == {again.number: True, late.number: False, other.number: False}


def test_a_draft_is_kept_for_its_writer_and_forgotten_when_emptied(desk: Desk):
    with desk.work() as session:
        case = desk.complain(session, None)
    for text in ("一", "一二"):
        with desk.work() as session:
            service.save_draft(session, desk.agent, case, text, now=desk.now)
    with desk.work() as session:
        kept = queries.draft(session, desk.agent, case)
        assert kept is not None
        assert kept.body == "一二"
        assert queries.draft(session, desk.second_agent, case) is None
        service.save_draft(session, desk.agent, case, " ", now=desk.now)
    with desk.work() as session:
        assert session.scalar(sa.select(sa.func.count()).where(CaseDraft.case_id == case.id)) == 0


def test_what_happened_to_a_case_stays_as_it_was_written(desk: Desk):
    with desk.work() as session:
        case = desk.complain(session, None)
    with pytest.raises(DBAPIError, match="append-only"), desk.work() as session:
        session.execute(sa.update(CaseEvent).where(CaseEvent.case_id == case.id).values(body="别的"))


def test_cases_follow_a_merged_customer(desk: Desk):
    with desk.work() as session:
        other = _customer(session, desk.logins)
        case = desk.complain(session, None, customer_id=other)
        service.follow_merge(session, keep_id=desk.consignee_id, drop_id=other)
    with desk.work() as session:
        assert queries.load_case(session, desk.agent, case.number).customer_id == desk.consignee_id
