"""The connections of those who look at parcels, as an ASGI application."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qs

import sqlalchemy as sa

from app import telemetry
from app.clock import Clock, utcnow
from app.errors import NotFoundError
from app.i18n import LANGUAGES, Language, wished
from app.live.watch import Onlooker, Watch
from app.problems import RETRY_AFTER_S, UNAVAILABLE, problem_body
from app.shipments.documents import Documents
from app.shipments.event_stream import CONTENT_TYPE, retry
from app.shipments.public_door import NOT_FOUND
from app.shipments.values import parse_number

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ROUTE: Final = "/api/v1/track/<number>/events"
LOOK_EVERY_S: Final = 1.0
HEARTBEAT_S: Final = 15.0
RECONNECT_MS: Final = 5000

_PATH: Final = re.compile(r"/api/v1/track/([^/]{1,60})/events")
_TOO_MANY: Final = (
    503,
    "too-many-onlookers",
    "Too many onlookers",
    "ask for the document now and then instead",
)


class LiveUpdates:
    """The ASGI application.

    Args:
        documents: reads them.
        clients_max: how many may look at once.
        allowed: headers of every answer.
        clock: tells the present moment.
        look_every_s: how often the database is asked.
        heartbeat_s: after how much silence a connection shows that it lives.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        clients_max: int,
        allowed: Iterable[tuple[str, str]],
        clock: Clock = utcnow,
        look_every_s: float = LOOK_EVERY_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._documents = documents
        self._watch = Watch(documents, clock, look_every_s)
        self._clients_max = clients_max
        # Public data, asked for without a cookie: a page served from another port may read it.
        self._headers = [*allowed, ("Access-Control-Allow-Origin", "*")]
        self._heartbeat_s = heartbeat_s
        self._count = 0
        self._watching: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        began = time.perf_counter()
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = telemetry.request_id(given.get("x-request-id"))
        match = _PATH.fullmatch(scope["path"])
        if scope["method"] != "GET" or match is None:
            missing = NotFoundError("no such page")
            problem = 404, missing.code, missing.title, missing.detail
            await self._refuse(send, scope, request_id, began, problem)
            return
        await self._answer(match[1], scope, given, receive, send, request_id, began)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._watching = asyncio.create_task(self._watch.run())
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def stop(self) -> None:
        """End every stream: who still looks comes back to whoever serves then."""
        self._stopping.set()
        self._watch.wake()
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        self._documents.close()

    async def _answer(
        self,
        asked: str,
        scope: Scope,
        given: MutableMapping[str, str],
        receive: Receive,
        send: Send,
        request_id: str,
        began: float,
    ) -> None:
        language = _language(scope, given)
        number, _piece_no = parse_number(asked)
        if self._count >= self._clients_max:
            await self._refuse(send, scope, request_id, began, _TOO_MANY)
            return
        self._count += 1  # before anything is waited for, so that the limit holds
        try:
            try:
                onlooker = await self._watch.came(number, language)
            except sa.exc.OperationalError:
                await self._refuse(send, scope, request_id, began, UNAVAILABLE)
                return
            if onlooker is None:
                missing = NotFoundError(NOT_FOUND)
                problem = 404, missing.code, missing.title, missing.detail
                await self._refuse(send, scope, request_id, began, problem)
                return
            try:
                seen = given.get("last-event-id")
                if onlooker.told.over and seen == onlooker.told.id:
                    # A browser that is told "no content" does not come again.
                    await self._start(send, 204, [], request_id, began)
                    await send({"type": "http.response.body", "body": b""})
                    return
                kind = ("Content-Type", CONTENT_TYPE)
                await self._start(send, 200, [kind, ("X-Accel-Buffering", "no")], request_id, began)
                await self._tell(onlooker, seen, receive, send)
            finally:
                self._watch.gone(onlooker)
        finally:
            self._count -= 1

    async def _tell(self, onlooker: Onlooker, seen: str | None, receive: Receive, send: Send) -> None:
        """Stream until there is nothing more to come, nobody listens, or the process ends."""

        async def write(content: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": content, "more_body": more})

        await write(retry(RECONNECT_MS))
        listening = asyncio.create_task(_until_gone(receive))
        try:
            while not self._stopping.is_set() and not listening.done():
                told = onlooker.told
                if news := told.after(seen):
                    await write(news)
                    seen = told.id
                if told.over:
                    break
                waiting = asyncio.create_task(onlooker.news.wait())
                await asyncio.wait(
                    (waiting, listening), timeout=self._heartbeat_s, return_when=asyncio.FIRST_COMPLETED
                )
                if waiting.done():
                    onlooker.news.clear()
                else:
                    waiting.cancel()
                    if not listening.done():
                        await write(b": still here\n\n")
            if not listening.done():
                await write(b"", more=False)
        finally:
            listening.cancel()

    async def _refuse(
        self, send: Send, scope: Scope, request_id: str, began: float, problem: tuple[int, str, str, str]
    ) -> None:
        status = problem[0]
        more, extra = [("Content-Type", "application/problem+json")], {}
        if status == 503:
            more.append(("Retry-After", str(RETRY_AFTER_S)))
            extra = {"retry_after_s": RETRY_AFTER_S}
        await self._start(send, status, more, request_id, began)
        body = json.dumps(problem_body(*problem, scope["path"], extra)).encode()
        await send({"type": "http.response.body", "body": body})

    async def _start(
        self, send: Send, status: int, more: list[tuple[str, str]], request_id: str, began: float
    ) -> None:
        told = [*more, *self._headers, ("X-Request-Id", request_id)]
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in told],
            }
        )
        telemetry.finished("GET", ROUTE, status, began, request_id)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _language(scope: Scope, given: MutableMapping[str, str]) -> Language:
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
    return LANGUAGES.get(asked) or wished(given.get("cookie", ""), given.get("accept-language", ""))
