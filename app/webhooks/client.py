"""One POST to one checked address, all of it within one span of time.

The standard library's `http.client` speaks HTTP; this module decides what it speaks over: a connection to an
address that was checked, TLS to the name, and a reader that looks at the clock before every byte, so that a
receiver that drips gets no more time than one that is silent. No redirect is followed, no proxy of the
environment is used, and of the answer only status and `Retry-After` are kept.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LookupTimeoutError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from app.webhooks.destinations import (
    Destination,
    DestinationError,
    Resolve,
    destination,
    is_allowed,
    system_addresses,
)
from app.webhooks.models import Failure

TIMEOUT_S = 15.0
RETRY_AFTER_S_MAX = 24 * 3600
_HEAD_BYTES_MAX = 64 * 1024
_BODY_BYTES_MAX = 16 * 1024
# So many addresses of one name are tried before the time is given to the next try.
_ADDRESSES_MAX = 4
_LOOKUPS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said; `retry_after_s` is already capped."""

    status: int
    retry_after_s: int | None


class DeliveryError(Exception):
    """No answer was had. `detail` is in our words or the TLS library's, never the receiver's."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail


class Poster(Protocol):
    """The way out."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body; DeliveryError when no answer was had."""


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@dataclass(frozen=True)
class Client:
    """Posts to the outside.

    Args:
        allow_loopback: This machine may be posted to, also over plain http (development and tests).
        resolve: From a name to its addresses.
        tls: Verifies certificates against the name.
        timeout_s: For all of it: look-up, connection, handshake, sending, answer.
    """

    allow_loopback: bool = False
    resolve: Resolve = system_addresses
    tls: ssl.SSLContext = field(default_factory=_tls)
    timeout_s: float = TIMEOUT_S
    _lookups: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="lookup")
    )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body and wait for the whole answer.

        Raises:
            DeliveryError: The URL or an address of it may not be used, or no answer came in time.
        """
        deadline = time.monotonic() + self.timeout_s
        try:
            target = destination(url, allow_loopback=self.allow_loopback)
        except DestinationError as error:
            raise DeliveryError(Failure.ADDRESS, str(error)) from error
        addresses = self._addresses(target, deadline)
        try:
            with _connected(addresses, target.port, deadline) as plain:
                if target.scheme == "http":
                    return _exchange(plain, target, headers, body, deadline)
                plain.settimeout(_left_s(deadline))
                with self.tls.wrap_socket(plain, server_hostname=target.host.rstrip(".")) as secured:
                    return _exchange(secured, target, headers, body, deadline)
        except TimeoutError as error:
            raise DeliveryError(Failure.TIMEOUT, f"no whole answer within {self.timeout_s:g} s") from error
        except ssl.SSLError as error:
            raise DeliveryError(Failure.TLS, _tls_reason(error)) from error
        except OSError as error:
            raise DeliveryError(Failure.CONNECTION, error.strerror or type(error).__name__) from error
        except (http.client.HTTPException, ValueError) as error:
            raise DeliveryError(Failure.PROTOCOL, f"not an HTTP answer: {type(error).__name__}") from error

    def _addresses(self, target: Destination, deadline: float) -> Sequence[str]:
        """Every address of the host, each of them checked."""
        lookup: Future[Sequence[str]] = self._lookups.submit(self.resolve, target.host, target.port)
        try:
            found = lookup.result(timeout=_left_s(deadline))
        except LookupTimeoutError as error:
            lookup.cancel()
            raise DeliveryError(Failure.TIMEOUT, "the name was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise DeliveryError(Failure.NAME, "the name has no address") from error
        if not found:
            raise DeliveryError(Failure.NAME, "the name has no address")
        for text in found:
            address = ipaddress.ip_address(text)
            inside = target.scheme == "http" and not address.is_loopback
            if inside or not is_allowed(address, allow_loopback=self.allow_loopback):
                raise DeliveryError(Failure.ADDRESS, f"{target.host} has an address that is not public")
        return found


def _left_s(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _connected(addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers; each gets its part of the time that is left."""
    tried = addresses[:_ADDRESSES_MAX]
    for place, address in enumerate(tried):
        share_s = _left_s(deadline) / (len(tried) - place)
        try:
            # The address is numeric, so nothing is looked up again here.
            return socket.create_connection((address, port), timeout=share_s)
        except OSError:
            if place == len(tried) - 1:
                raise
    raise AssertionError("there was at least one address")


def _exchange(
    connected: socket.socket, target: Destination, headers: Mapping[str, str], body: bytes, deadline: float
) -> Answer:
    connection = http.client.HTTPConnection(target.host, target.port)
    # http.client asks of its socket only what `_TimedSocket` has.
    connection.sock = _TimedSocket(connected, deadline)
    connection.request(
        "POST",
        target.target,
        body,
        {"Host": target.authority, "Connection": "close", "Accept": "*/*", **headers},
    )
    response = connection.getresponse()
    # An answer that is still coming when the time is up is none. What is in it is looked at by nobody.
    response.read(_BODY_BYTES_MAX)
    return Answer(response.status, retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC)))


class _TimedSocket:
    """A socket as `http.client` uses it, whose every wait ends with the time for all of it."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(_left_s(self._deadline))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._socket, self._deadline), buffer_size=4096)

    def close(self) -> None:
        """The socket is closed by whoever opened it."""


class _TimedReader(io.RawIOBase):
    """Reads until the time is up, or more has come than any answer needs."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        super().__init__()
        self._socket = connected
        self._deadline = deadline
        self._bytes_left = _HEAD_BYTES_MAX + _BODY_BYTES_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._bytes_left <= 0:
            raise http.client.LineTooLong("answer")
        self._socket.settimeout(_left_s(self._deadline))
        count = self._socket.recv_into(buffer)
        self._bytes_left -= count
        return count


def retry_after_s(header: str | None, now: datetime) -> int | None:
    """Seconds that a receiver asks to wait (RFC 9110: a number of seconds or a date), capped at a day.

    None where it asks nothing, or says something that is neither.
    """
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,18}", text):
        return min(int(text), RETRY_AFTER_S_MAX)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(math.ceil((moment - now).total_seconds()), 0), RETRY_AFTER_S_MAX)


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid: {error.verify_message}"
    return f"no TLS connection: {error.reason or type(error).__name__}"
