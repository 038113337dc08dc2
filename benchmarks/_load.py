"""A load that costs little itself: one loop over connections that ask again as soon as they are answered."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a load saw.

    Attributes:
        rate: answers a second.
        p50_ms: the median time of an answer.
        p99_ms: the time within which 99 of 100 answers came.
        body_bytes: the size of the last body.
    """

    rate: float
    p50_ms: float
    p99_ms: float
    body_bytes: int


class _Connection:
    """One socket: what it asked when, and what has come of the answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self.received = b""
        self.wanted = 0

    def ask(self, request: bytes) -> None:
        self.received, self.wanted = b"", 0
        self.asked_at = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> int | None:
        """Read what is there; the size of the body once all of it is."""
        content = self.socket.recv(262_144)
        if not content:
            raise SystemExit("the server closed a connection")
        self.received = self.received + content if self.received else content
        if not self.wanted:
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return None
            if not self.received.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"not answered as it should be: {self.received[:300]!r}")
            at = self.received[:head].lower().find(b"content-length:")
            self.wanted = head + 4 + int(self.received[at + 15 : head].partition(b"\r")[0])
            self._head = head + 4
        return self.wanted - self._head if len(self.received) >= self.wanted else None


def load(port: int, request: Callable[[], bytes], *, connections: int, seconds: float) -> Outcome:
    """Ask for some seconds.

    Args:
        port: of the loopback address.
        request: makes the next request, whole.
        connections: how many ask at once.
        seconds: for how long.
    """
    selector = selectors.DefaultSelector()
    opened = [_Connection(port) for _ in range(connections)]
    for one in opened:
        selector.register(one.socket, selectors.EVENT_READ, one)
    times: list[float] = []
    size = 0
    began = time.perf_counter()
    until = began + seconds
    for one in opened:
        one.ask(request())
    waiting = len(opened)
    while waiting:
        for key, _events in selector.select(30):
            one = key.data
            body = one.answered()
            if body is None:
                continue
            at = time.perf_counter()
            times.append(at - one.asked_at)
            size = body
            if at < until:
                one.ask(request())
            else:
                waiting -= 1
    spent = time.perf_counter() - began
    for one in opened:
        one.socket.close()
    selector.close()
    times.sort()
    return Outcome(
        len(times) / spent, 1000 * times[len(times) // 2], 1000 * times[int(len(times) * 0.99)], size
    )


def get(path: str, **headers: str) -> bytes:
    """A request of HTTP/1.1."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{''.join(lines)}\r\n".encode()
