"""The queue and its deliverer: the schedule, bad receivers, throttling, fairness, leases, replay."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.errors import ConflictError
from app.notify.models import Channel, Notification
from app.webhooks import jobs, queries, queue, service
from app.webhooks.client import Answer, Client
from app.webhooks.jobs import MESSAGES_KEPT
from app.webhooks.models import EndpointState, Failure, MessageState, WebhookMessage, WebhookSecret
from app.webhooks.signing import key_of, signature
from app.webhooks.values import GIVEN_UP_AFTER, TRIES_MAX, WAITS, rest_after, throttle_after, wait_before
from tests.app.webhooks.conftest import Post
from tests.app.webhooks.receiver import Receiver, answering, dripping, hanging, receiver


@dataclass
class Scripted:
    """A way out without sockets, where only the schedule is looked at."""

    status: int = 500
    retry_after_s: int | None = None
    ids: list[str] = field(default_factory=list)

    def post(self, _url: str, headers: Mapping[str, str], _body: bytes) -> Answer:
        self.ids.append(headers["webhook-id"])
        return Answer(self.status, self.retry_after_s)


# The schedule


def test_the_waits_are_those_of_the_standard() -> None:
    assert [wait.total_seconds() for wait in WAITS] == [
        0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400
    ]  # fmt: skip
    chance = random.Random(3)
    for tries, wait in enumerate(WAITS):
        drawn = {wait_before(tries, chance) for _ in range(50)}
        assert all(one is not None and wait <= one <= wait * 1.2 for one in drawn)
        assert len(drawn) > 10 or tries == 0
    assert wait_before(TRIES_MAX, chance) is None


def test_a_message_is_tried_ten_times_under_one_id_and_then_the_owner_is_told(post: Post) -> None:
    endpoint_id = post.endpoint("https://shop.example/")
    post.waiting(endpoint_id)
    begun, scripted = post.clock(), Scripted()
    for tries in range(1, TRIES_MAX + 1):
        post.deliver(scripted)
        (message,) = post.messages(endpoint_id)
        assert (message.tries, message.attempts) == (tries, tries)
        if tries < TRIES_MAX:
            assert message.state is MessageState.WAITING
            wait = message.due_at - post.clock()
            assert WAITS[tries] <= wait <= WAITS[tries] * 1.2
            post.at(message.due_at - timedelta(seconds=1))
            post.deliver(scripted)
            assert len(scripted.ids) == tries, "tried too early"
            post.at(max(message.due_at, post.state(endpoint_id).rest_until or message.due_at))
    assert message.state is MessageState.FAILED
    assert timedelta(hours=75) < post.clock() - begun < timedelta(hours=92)
    assert scripted.ids == [message.message_key] * TRIES_MAX
    assert post.state(endpoint_id).failing_since == post.clock()
    assert [(one.number, one.status, one.failure) for one in post.attempts(endpoint_id)] == [
        (number, 500, Failure.STATUS) for number in range(1, TRIES_MAX + 1)
    ]
    (mail,) = mails(post)
    assert (mail.template, mail.channel, mail.recipient) == (
        "webhook_failing", Channel.MAIL, "dev@shop.example"
    )  # fmt: skip
    assert "shop.example" in mail.body


def test_the_owner_is_told_once_until_a_message_arrives_again(post: Post) -> None:
    endpoint_id, scripted = post.endpoint("https://shop.example/"), Scripted()
    post.waiting(endpoint_id, count=3)
    exhaust(post, endpoint_id, scripted)
    assert {one.state for one in post.messages(endpoint_id)} == {MessageState.FAILED}
    assert len(mails(post)) == 1
    scripted.status = 200
    post.waiting(endpoint_id)
    post.at(post.clock() + timedelta(hours=2))
    post.deliver(scripted)
    found = post.state(endpoint_id)
    assert (found.failing_since, found.failures_running, found.rest_until) == (None, 0, None)
    scripted.status = 500
    post.waiting(endpoint_id)
    exhaust(post, endpoint_id, scripted)
    assert len(mails(post)) == 2


def test_a_success_ends_it_and_nothing_of_the_answer_is_kept(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(200, "X-Word: geheim", body=b"geheim")
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    post.deliver()
    (message,), (attempt,) = post.messages(endpoint_id), post.attempts(endpoint_id)
    assert (message.state, message.ended_at) == (MessageState.DELIVERED, post.clock())
    assert (attempt.number, attempt.status, attempt.failure, attempt.detail) == (1, 200, None, None)
    assert attempt.at == post.clock()
    assert 0 <= attempt.duration_ms < 1000
    assert len(shop.requests) == 1
    with post.database.engine.connect() as connection:
        for table in ("webhook_message", "webhook_attempt", "webhook_endpoint"):
            rows = connection.execute(sa.text(f"SELECT t::text FROM {table} AS t")).scalars()
            assert not [row for row in rows if "geheim" in row]


def test_the_request_is_signed_with_the_endpoints_secret(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    (request,), (message,) = shop.requests, post.messages(endpoint_id)
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        (key,) = queue.keys_in_force(session, endpoint_id, post.clock())
    assert request.headers["webhook-id"] == message.message_key
    assert request.headers["content-type"] == "application/json"
    timestamp_s = int(request.headers["webhook-timestamp"])
    assert timestamp_s == int(post.clock().timestamp())
    assert request.headers["webhook-signature"] == signature(
        key, message.message_key, timestamp_s, request.body
    )
    assert request.body == message.body.encode()


# Receivers


def test_a_redirect_is_a_failure(post: Post, shop: Receiver) -> None:
    with receiver() as elsewhere:
        shop.behaviour = answering(307, f"Location: {elsewhere.url}")
        endpoint_id = post.endpoint(shop.url)
        post.waiting(endpoint_id)
        post.deliver()
        assert elsewhere.connections == 0
    (attempt,) = post.attempts(endpoint_id)
    assert (attempt.status, attempt.failure) == (307, Failure.REDIRECT)
    assert post.messages(endpoint_id)[0].state is MessageState.WAITING


def test_410_switches_the_endpoint_off_and_tells_its_owner(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(410)
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id, count=3)
    post.deliver()
    assert len(shop.requests) == 1
    assert post.state(endpoint_id).state is EndpointState.GONE
    assert [(one.state, one.attempts) for one in post.messages(endpoint_id)] == [
        (MessageState.FAILED, 1), (MessageState.FAILED, 0), (MessageState.FAILED, 0)
    ]  # fmt: skip
    assert [mail.template for mail in mails(post)] == ["webhook_gone"]


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_receiver_that_has_too_much_is_left_alone_as_long_as_it_says(
    post: Post, shop: Receiver, status: int
) -> None:
    shop.behaviour = answering(status, "Retry-After: 120")
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id, count=2)
    begun = post.clock()
    post.deliver()
    assert len(shop.requests) == 1, "the second message must wait too"
    assert post.state(endpoint_id).rest_until == begun + timedelta(seconds=120)
    first, _second = post.messages(endpoint_id)
    assert first.due_at == begun + timedelta(seconds=120)
    shop.behaviour = answering(200)
    post.at(begun + timedelta(seconds=119))
    post.deliver()
    assert len(shop.requests) == 1
    post.at(begun + timedelta(seconds=120))
    post.deliver()
    assert [one.state for one in post.messages(endpoint_id)] == [MessageState.DELIVERED] * 2


def test_retry_after_as_a_date_and_far_away(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(429, "Retry-After: Wed, 02 Mar 2050 00:02:00 GMT")
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    assert post.messages(endpoint_id)[0].due_at == post.clock() + timedelta(days=1)


def test_without_a_word_how_long_the_rest_grows() -> None:
    assert [throttle_after(times, None).total_seconds() for times in (1, 2, 3, 7, 8, 400)] == [
        30, 60, 120, 1920, 3600, 3600
    ]  # fmt: skip
    assert [rest_after(times).total_seconds() for times in (1, 2, 5, 12, 13, 400)] == [
        1, 2, 16, 2048, 3600, 3600
    ]  # fmt: skip


def test_503_with_retry_after_puts_its_message_off(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(503, "Retry-After: 900")
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    assert post.messages(endpoint_id)[0].due_at == post.clock() + timedelta(seconds=900)
    assert post.state(endpoint_id).rest_until == post.clock() + timedelta(seconds=1)


def test_slow_and_broken_receivers_do_not_hold_up_the_others(post: Post, shop: Receiver) -> None:
    """Three endpoints hang, drip and refuse, with much waiting; with four threads the fourth gets its all."""
    over = threading.Event()
    drip = dripping(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000)
    with receiver(hanging(over)) as silent, receiver(drip) as slow, receiver(answering(500)) as broken:
        bad = [post.endpoint(one.url) for one in (silent, slow, broken)]
        good = post.endpoint(shop.url)
        post.waiting(*bad, count=30)
        post.waiting(good, count=100)
        deliverer = post.deliverer(poster=Client(allow_loopback=True, timeout_s=5))
        begun = time.monotonic()
        while len(shop.requests) < 100:
            deliverer.step(patience_s=0.01)
            time.sleep(0.01)
            assert time.monotonic() - begun < 4, f"only {len(shop.requests)} of 100 after 4 s"
        over.set()
        assert (silent.connections, slow.connections, broken.connections) == (1, 1, 1)
        deliverer.close()
    assert [one.failure for one in post.attempts(bad[2])] == [Failure.STATUS]


def test_messages_arrive_in_their_order(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id, count=50)
    post.deliver(threads=8)
    assert [request.body for request in shop.requests] == [b'{"number":%d}' % number for number in range(50)]


def test_two_deliverers_send_nothing_twice(post: Post, shop: Receiver) -> None:
    endpoint_ids = [post.endpoint(shop.url) for _ in range(6)]
    post.waiting(*endpoint_ids, count=40)
    threads = [threading.Thread(target=post.deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [request.headers["webhook-id"] for request in shop.requests]
    assert len(ids) == 240
    assert len(set(ids)) == 240


def test_the_longest_unserved_comes_first(post: Post) -> None:
    endpoint_ids = [post.endpoint("https://shop.example/") for _ in range(5)]
    post.waiting(*endpoint_ids, count=2)
    taken = []
    for _ in range(5):
        post.at(post.clock() + timedelta(seconds=1))
        with post.database.unit_of_work(None) as session:
            (lease,) = [
                one
                for one in queue.claim(session, post.clock(), slots=1, lease_for=timedelta(0))
                if one.tenant_id == post.logins.tenant_id
            ]
            taken.append(lease.endpoint_id)
    assert sorted(taken) == endpoint_ids


def test_a_lease_that_was_left_behind_ends(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    with post.database.unit_of_work(None) as session:
        assert queue.claim(session, post.clock(), slots=9, lease_for=timedelta(minutes=1))
    post.deliver()
    assert shop.requests == []
    post.at(post.clock() + timedelta(minutes=1))
    post.deliver()
    assert len(shop.requests) == 1


def test_no_transaction_is_open_while_a_receiver_is_waited_for(post: Post, shop: Receiver) -> None:
    over = threading.Event()
    shop.behaviour = hanging(over)
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    deliverer = post.deliverer()
    deliverer.step()
    while not shop.requests:
        time.sleep(0.01)
    with post.database.engine.connect() as connection:
        in_transaction = connection.scalar(
            sa.text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND state LIKE 'idle in transaction%'"
            )
        )
    over.set()
    assert in_transaction == 0


# People


def test_while_secrets_overlap_both_sign_and_then_only_the_new_one(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        old = session.scalars(
            sa.select(WebhookSecret.key).where(WebhookSecret.endpoint_id == endpoint_id)
        ).one()
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        new = key_of(service.rotate(session, post.admin, endpoint, overlap_hours=24, now=post.clock()))
    for hours, keys in ((23, [new, old]), (1, [new])):
        post.at(post.clock() + timedelta(hours=hours))
        post.waiting(endpoint_id)
        post.deliver()
        request = shop.requests[-1]
        at = int(request.headers["webhook-timestamp"])
        assert request.headers["webhook-signature"].split(" ") == [
            signature(key, request.headers["webhook-id"], at, request.body) for key in keys
        ]


def test_after_a_leak_the_old_secret_ends_at_once(post: Post) -> None:
    endpoint_id = post.endpoint("https://shop.example/")
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        for _ in range(4):
            service.rotate(session, post.admin, endpoint, overlap_hours=24, now=post.clock())
        with pytest.raises(ConflictError, match="in force"):
            service.rotate(session, post.admin, endpoint, overlap_hours=24, now=post.clock())
        new = service.rotate(session, post.admin, endpoint, overlap_hours=0, now=post.clock())
        assert list(queue.keys_in_force(session, endpoint_id, post.clock())) == [key_of(new)]


def test_a_pause_ends_what_waits_and_a_replay_brings_it_back(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id, count=3)
    since = post.clock()
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        service.pause(session, post.admin, endpoint, now=post.clock())
        for act in (
            lambda: service.ping(session, endpoint, now=post.clock()),
            lambda: service.replay_failed(session, endpoint, since=since, now=post.clock()),
        ):
            with pytest.raises(ConflictError, match="switched off"):
                act()
    post.deliver()
    assert shop.requests == []
    post.at(post.clock() + timedelta(hours=1))
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        service.resume(session, post.admin, endpoint, now=post.clock())
        later = since + timedelta(seconds=1)
        assert service.replay_failed(session, endpoint, since=later, now=post.clock()) == 0
        assert service.replay_failed(session, endpoint, since=since, now=post.clock()) == 3
    post.deliver()
    assert len(shop.requests) == 3


def test_one_message_is_replayed_under_its_id_with_all_its_tries(post: Post, shop: Receiver) -> None:
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        (key,) = [message.message_key for message in post.messages(endpoint_id)]
        message = queries.load_message(session, endpoint, key)
        service.replay(session, endpoint, message, now=post.clock())
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        message = queries.load_message(session, endpoint, key)
        with pytest.raises(ConflictError, match="waits"):
            service.replay(session, endpoint, message, now=post.clock())
    shop.behaviour = answering(500)
    post.deliver()
    (message,) = post.messages(endpoint_id)
    assert (message.state, message.tries, message.attempts) == (MessageState.WAITING, 1, 2)
    assert [request.headers["webhook-id"] for request in shop.requests] == [key, key]
    assert [one.number for one in post.attempts(endpoint_id)] == [1, 2]


def test_a_ping_wakes_an_endpoint_that_rests(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(429, "Retry-After: 600")
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id)
    post.deliver()
    shop.behaviour = answering(200)
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        service.ping(session, queries.load_endpoint(session, post.admin, endpoint_id), now=post.clock())
    post.deliver()
    first, ping = post.messages(endpoint_id)
    assert (first.state, ping.state) == (MessageState.WAITING, MessageState.DELIVERED)


def test_a_ping_is_tried_once_and_alarms_nobody(post: Post, shop: Receiver) -> None:
    shop.behaviour = answering(500)
    endpoint_id = post.endpoint(shop.url)
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        service.ping(session, queries.load_endpoint(session, post.admin, endpoint_id), now=post.clock())
    post.deliver()
    (message,) = post.messages(endpoint_id)
    assert (message.state, message.event_type) == (MessageState.FAILED, "webhook.ping")
    assert post.state(endpoint_id).failing_since is None
    assert mails(post) == []


def test_an_endpoint_that_is_removed_while_it_is_served_stops_quietly(post: Post, shop: Receiver) -> None:
    over = threading.Event()
    shop.behaviour = hanging(over)
    endpoint_id = post.endpoint(shop.url)
    post.waiting(endpoint_id, count=2)
    deliverer = post.deliverer()
    deliverer.step()
    while not shop.requests:
        time.sleep(0.01)
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        endpoint = queries.load_endpoint(session, post.admin, endpoint_id)
        service.pause(session, post.admin, endpoint, now=post.clock())
        service.remove(session, post.admin, endpoint, now=post.clock())
    over.set()
    deliverer.close()
    assert len(shop.requests) == 1
    assert post.messages(endpoint_id) == []


# The clock's work


def test_what_waits_too_long_is_given_up_and_what_is_old_is_forgotten(post: Post) -> None:
    endpoint_id, scripted = post.endpoint("https://shop.example/"), Scripted()
    post.waiting(endpoint_id, count=2)
    post.deliver(scripted)
    assert len(scripted.ids) == 1, "the endpoint rests after its failure"
    post.at(post.clock() + GIVEN_UP_AFTER + timedelta(seconds=1))
    with post.database.unit_of_work(None) as session:
        assert jobs.tidy(session, None, post.clock()) == 2  # type: ignore[arg-type]
    assert {one.state for one in post.messages(endpoint_id)} == {MessageState.FAILED}
    assert post.state(endpoint_id).failing_since == post.clock()
    assert [mail.template for mail in mails(post)] == ["webhook_failing"]
    post.at(post.clock() + MESSAGES_KEPT)
    with post.database.unit_of_work(None) as session:
        jobs.tidy(session, None, post.clock())  # type: ignore[arg-type]
    assert post.messages(endpoint_id) == []


# At size


def test_claiming_does_not_scan_what_is_done_or_what_waits(post: Post) -> None:
    """200 endpoints with 100 messages each, most of them done: the queue's index alone is walked."""
    endpoint_ids = [post.endpoint("https://shop.example/")]
    with post.database.unit_of_work(None) as session:
        session.execute(
            sa.text(
                "INSERT INTO webhook_endpoint (tenant_id, url, description, event_types, milestones, locale,"
                " state, created_by_id, created_at, failures_running)"
                " SELECT tenant_id, url, description, event_types, milestones, locale, state, created_by_id,"
                " created_at, 0 FROM webhook_endpoint, generate_series(1, 199) WHERE id = :id"
            ),
            {"id": endpoint_ids[0]},
        )
        session.execute(
            sa.text(
                "INSERT INTO webhook_message (tenant_id, endpoint_id, message_key, event_key, event_type,"
                " body, state, created_at, released_at, due_at, tries, attempts)"
                " SELECT e.tenant_id, e.id, 'm' || e.id || '-' || n, n, 'x', '{}',"
                " CASE WHEN n % 10 = 0 THEN 'waiting' ELSE 'delivered' END, :now, :now, :now, 0, 0"
                " FROM webhook_endpoint AS e, generate_series(1, 100) AS n WHERE e.tenant_id = :tenant"
            ),
            {"now": post.clock(), "tenant": post.logins.tenant_id},
        )
    with post.database.engine.begin() as connection:
        connection.execute(sa.text("ANALYZE webhook_message"))
        connection.execute(sa.text("ANALYZE webhook_endpoint"))
        plan = "\n".join(
            connection.execute(
                sa.text("EXPLAIN (ANALYZE, BUFFERS) " + queue.CLAIM.text),
                {"now": post.clock(), "slots": 16, "lease": "x", "until": post.clock()},
            ).scalars()
        )
        rows = connection.scalar(sa.select(sa.func.count()).select_from(WebhookMessage))
    assert rows >= 20_000
    assert "Seq Scan on webhook_message" not in plan, plan
    assert "ix_webhook_message_waiting" in plan


def mails(post: Post) -> list[Notification]:
    with post.database.unit_of_work(post.logins.tenant_id) as session:
        return list(session.scalars(sa.select(Notification).order_by(Notification.id)))


def exhaust(post: Post, endpoint_id: int, scripted: Scripted) -> None:
    """Let time pass until no message of an endpoint waits any more."""
    for _ in range(200):
        waiting = [one for one in post.messages(endpoint_id) if one.state is MessageState.WAITING]
        if not waiting:
            return
        rest = post.state(endpoint_id).rest_until or post.clock()
        post.at(max(min(one.due_at for one in waiting), rest, post.clock()))
        post.deliver(scripted)
    raise AssertionError("they wait for ever")
