"""A receiver of webhooks: a real server on a real socket, that behaves as well or badly as it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """What came: the request line, headers in lower case, the body."""

    line: str
    headers: dict[str, str]
    body: bytes


# Given the connection and the request; writes what it likes.
Behaviour = Callable[[socket.socket, Request], None]


def answering(status: int, *headers: str, body: bytes = b"") -> Behaviour:
    """Answer properly."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers, "", ""]

    def behave(connection: socket.socket, _request: Request) -> None:
        connection.sendall("\r\n".join(lines).encode() + body)

    return behave


def hanging(until: threading.Event) -> Behaviour:
    """Say nothing."""

    def behave(_connection: socket.socket, _request: Request) -> None:
        until.wait(30)

    return behave


def dripping(text: bytes, *, every_s: float = 0.05) -> Behaviour:
    """Say it one byte after the other, and never end."""

    def behave(connection: socket.socket, _request: Request) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(every_s)

    return behave


@dataclass
class Receiver:
    """Listens on 127.0.0.1 until `stop`; each connection in a thread of its own."""

    behaviour: Behaviour = field(default_factory=lambda: answering(204))
    wrap: Callable[[socket.socket], socket.socket] = lambda connection: connection
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._lock = threading.Lock()
        self._thread.start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/hooks"

    def stop(self) -> None:
        # shutdown wakes accept, which close alone does not
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with self.wrap(connection) as wrapped:
                request = read_request(wrapped)
                with self._lock:
                    self.requests.append(request)
                self.behaviour(wrapped, request)
        except OSError:
            connection.close()  # the other side went away, which is what some tests are about


def read_request(connection: socket.socket) -> Request:
    """Read one request as a server does."""
    with connection.makefile("rb") as stream:
        line = stream.readline().decode().strip()
        headers: dict[str, str] = {}
        while (raw := stream.readline().decode().strip()) != "":
            name, _colon, value = raw.partition(":")
            headers[name.lower()] = value.strip()
        return Request(line, headers, stream.read(int(headers.get("content-length", "0"))))


@contextmanager
def receiver(behaviour: Behaviour | None = None, **options: object) -> Iterator[Receiver]:
    """A receiver for the length of a test."""
    made = Receiver(behaviour or answering(204), **options)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.stop()
