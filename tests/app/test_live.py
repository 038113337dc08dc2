"""Live updates: over a real socket, and what they cost the database."""

from __future__ import annotations

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from apiflask import APIFlask

from app.config import Settings
from app.factory import create_app
from app.i18n import Language
from app.live.asgi import LiveUpdates
from tests.app.shipments.conftest import Desk, desk, new_desk
from tests.support.app import StepClock
from tests.support.live import Start, live_processes

__all__ = ["desk", "new_desk"]

CLIENTS_MAX = 4


@dataclass
class Stream:
    """One onlooker: reads event by event."""

    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse

    def event(self) -> dict[str, str]:
        """The next event by its fields; empty at the end of the stream. Comments are passed over."""
        fields: dict[str, str] = {}
        while line := self.answer.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n" and "event" in fields:
                return fields
            if line != "\n" and name != "":
                fields[name.rstrip(":")] = value
        return {}

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@pytest.fixture(scope="module")
def serve(database_url: str) -> Iterator[Start]:
    with live_processes(database_url, clients_max=CLIENTS_MAX) as start:
        yield start


@pytest.fixture(scope="module")
def port(serve: Start) -> int:
    return serve()[0]


def look(port: int, number: str, *, query: str = "", **headers: str) -> Stream:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", f"/api/v1/track/{number}/events{query}", headers=named)
    return Stream(connection, connection.getresponse())


def test_an_onlooker_is_told_what_happens_and_when_it_is_over(desk: Desk, port: int) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    stream = look(port, shipment.waybill_number, query="?lang=zh", X_Request_Id="live-1")
    assert stream.answer.status == 200
    assert stream.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    assert stream.answer.headers["X-Request-Id"] == "live-1"
    first = stream.event()
    assert (first["event"], first["retry"]) == ("document", "5000")
    assert json.loads(first["data"])["milestone"] == "booked"
    assert first["id"]

    desk.record(life[0])
    began = time.monotonic()
    told = json.loads(stream.event()["data"])
    assert time.monotonic() - began < 5
    assert told["milestone"] == "accepted"
    assert "揽收" in told["sentence"]

    desk.record(*life[1:])
    last = stream.event()
    assert json.loads(last["data"])["milestone"] == "delivered"
    assert stream.event()["event"] == "end"
    assert stream.event() == {}
    stream.close()
    again = look(port, shipment.waybill_number, query="?lang=zh", Last_Event_ID=last["id"])
    assert again.answer.status == 204
    again.close()


def test_who_comes_back_is_told_only_what_is_new(desk: Desk, port: int) -> None:
    shipment = desk.book()
    life = desk.life(shipment)
    stream = look(port, shipment.waybill_number)
    seen = stream.event()["id"]
    stream.close()
    again = look(port, shipment.waybill_number, Last_Event_ID=seen)
    desk.record(life[0])
    assert json.loads(again.event()["data"])["milestone"] == "accepted"
    again.close()


def test_what_nobody_booked_is_not_found(port: int) -> None:
    for path in ("WH000000000000", "%00", "x%20y"):
        stream = look(port, path)
        assert stream.answer.status == 404
        assert stream.answer.headers["Content-Type"] == "application/problem+json"
        assert json.loads(stream.answer.read())["type"].endswith("/not-found")
        stream.close()


def test_one_too_many_is_sent_away_until_another_leaves(desk: Desk, port: int) -> None:
    number = desk.book().waybill_number
    deadline = time.monotonic() + 20
    streams: list[Stream] = []
    while len(streams) < CLIENTS_MAX and time.monotonic() < deadline:  # those of other tests are leaving
        stream = look(port, number)
        if stream.answer.status == 200:
            streams.append(stream)
        else:
            stream.close()
            time.sleep(0.2)
    assert len(streams) == CLIENTS_MAX
    refused = look(port, number)
    assert refused.answer.status == 503
    assert refused.answer.headers["Retry-After"]
    refused.close()
    streams.pop().close()
    while (stream := look(port, number)).answer.status == 503:
        stream.close()
        assert time.monotonic() < deadline, "a place that was left stays taken"
        time.sleep(0.2)
    for one in (*streams, stream):
        one.close()


def test_streams_end_whole_when_the_process_is_told_to_stop(desk: Desk, serve: Start) -> None:
    port, process = serve()
    stream = look(port, desk.book().waybill_number)
    stream.event()
    process.terminate()
    assert stream.event() == {}  # the last chunk came: anything else is an IncompleteRead
    assert process.wait(15) == 0
    stream.close()


class FakeDocuments:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.version = b"1"
        self.away = False

    def versions(self, numbers: list[str]) -> dict[str, bytes]:
        self.asked.append(("versions", len(numbers)))
        if self.away:
            raise sa.exc.OperationalError("versions", None, Exception("gone"))
        return dict.fromkeys(numbers, self.version)

    def many(self, numbers: list[str], *, language: Language, now: datetime) -> dict[str, bytes]:
        self.asked.append(("many", len(numbers)))
        body = {"milestone": "booked", "version": self.version.decode(), "language": language.code}
        return {number: json.dumps(body).encode() for number in numbers}

    def close(self) -> None:
        self.asked.append(("close", 0))


@dataclass
class FakeClient:
    """One ASGI connection: what was sent to it."""

    updates: LiveUpdates
    number: str
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.sent: list[bytes] = []
        self.leave = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"])

    def start(self) -> FakeClient:
        path = f"/api/v1/track/{self.number}/events"
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        self.task = asyncio.create_task(self.updates(scope, self.receive, self.send))
        return self


async def until(true: Callable[[], bool]) -> None:
    """Wait for it, however busy the machine is."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


def test_all_onlookers_together_cost_one_look() -> None:
    async def story() -> None:
        documents = FakeDocuments()
        updates = LiveUpdates(
            documents,  # type: ignore[arg-type]
            clients_max=500,
            allowed=(),
            look_every_s=0.05,
            heartbeat_s=0.2,
        )
        watching = asyncio.create_task(updates._watch.run())
        clients = [FakeClient(updates, f"WH{place % 10}").start() for place in range(200)]
        await until(lambda: all(client.sent for client in clients))
        await until(lambda: [kind for kind, _count in documents.asked[-3:]] == ["versions"] * 3)
        documents.asked.clear()
        since = time.monotonic()
        await until(lambda: len(documents.asked) >= 6)
        kinds = [kind for kind, _count in documents.asked]
        # a look each 0.05 s, whoever looks; nothing has changed
        assert kinds == ["versions"] * len(kinds)
        assert len(kinds) <= 1 + (time.monotonic() - since) / 0.05
        await until(lambda: all(b": still here\n\n" in client.sent for client in clients))

        documents.away = True
        await asyncio.sleep(0.2)
        documents.away, documents.version = False, b"2"
        documents.asked.clear()
        await until(lambda: all(b'"version": "2"' in b"".join(client.sent) for client in clients))
        assert [one for one in documents.asked if one[0] == "many"] == [("many", 10)]

        clients[0].leave.set()
        await until(lambda: clients[0].task is not None and clients[0].task.done())
        await updates.stop()
        await asyncio.wait_for(asyncio.gather(*[one.task for one in clients if one.task]), 2)
        assert updates._count == 0
        watching.cancel()

    asyncio.run(story())


def test_without_a_process_of_live_updates_a_stream_is_told_what_is_new(desk: Desk, app: APIFlask) -> None:
    shipment = desk.book()
    client, path = app.test_client(), f"/api/v1/track/{shipment.waybill_number}/events"
    first = client.get(path)
    assert first.content_type == "text/event-stream; charset=utf-8"
    assert first.text.startswith("retry: 15000\n\nid: ")
    seen = first.text.split("id: ")[1].split("\n")[0]
    assert client.get(path, headers={"Last-Event-ID": seen}).text == "retry: 15000\n\n"
    desk.record(*desk.life(shipment))
    last = client.get(path, headers={"Last-Event-ID": seen})
    assert last.text.endswith("event: end\ndata:\n\n")
    seen = last.text.split("id: ")[1].split("\n")[0]
    assert client.get(path, headers={"Last-Event-ID": seen}).status_code == 204
    assert client.get("/api/v1/track/WH000000000000/events").status_code == 404


def test_the_web_server_leads_to_the_process_and_lets_pages_listen_to_it(
    desk: Desk, settings: Settings, clock: StepClock
) -> None:
    address = "http://127.0.0.1:8123"
    app = create_app(settings.model_copy(update={"live_url": address}), clock=clock)
    client, number = app.test_client(), desk.book().waybill_number
    answer = client.get(f"/api/v1/track/{number}/events?lang=zh")
    assert (answer.status_code, answer.location) == (307, f"{address}/api/v1/track/{number}/events?lang=zh")
    page = client.get(f"/track/{number}")
    assert f'data-live="{address}/api/v1/track/{number}/events?lang=en"' in page.text
    assert f"connect-src 'self' {address};" in page.headers["Content-Security-Policy"]
    app.extensions["wheelhouse"].database.dispose()
