"""Where a webhook may go: what a URL must look like, and which network addresses may be connected to.

Whoever registers an endpoint makes our server open a connection of his choosing. So every address of the name
must be one of the public internet, and the connection is made to an address that was checked, not to the
name again: a name that answers differently the second time gains nothing (DNS rebinding).
"""

from __future__ import annotations

import enum
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""From host and port to the texts of all its addresses; raises OSError when there is none."""

URL_LENGTH_MAX = 2000
_NOT_IN_URL = re.compile(r"[^\x21-\x7e]|[\\\"<>^`{|}]")
_HOST = re.compile(
    r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?"
)
# Below 1024 lie the doors of other protocols, which are not to be knocked at in our name.
_LOW_PORTS = (80, 443)

# What `is_global` of some version of the standard library takes for public: ways to another address inside,
# and blocks that were set aside later.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # NAT64 of a site (RFC 8215)
        "2002::/16",  # 6to4 (RFC 3056)
        "2001::/32",  # Teredo (RFC 4380)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "3fff::/20",  # documentation (RFC 9637)
    )
)
_GLOBAL_UNICAST_6 = ipaddress.ip_network("2000::/3")


class Refusal(enum.StrEnum):
    """Why no webhook may have a URL; the value is what a machine is told."""

    LONG = f"at most {URL_LENGTH_MAX} characters"
    CHARACTERS = "a URL has no blanks and only ASCII: write the host as xn--, the rest as %XX"
    NO_URL = "this is not a URL"
    SCHEME = "it must begin with https://"
    USER = "no user and password in the URL: the signature says who sends"
    FRAGMENT = "no fragment (#): it is never sent"
    PORT = "the port must be 443, or 1024 and above"
    INSIDE = "this address is not one of the public internet"
    HOST = "the host is missing or not a name"


class DestinationError(ValueError):
    """A URL that no webhook may have."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Destination:
    """A checked URL in its parts. `target` is what the request line asks for."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What the header `Host` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


def destination(url: str, *, allow_loopback: bool) -> Destination:
    """Take a URL apart.

    Args:
        url: As somebody typed it.
        allow_loopback: Plain http, and this machine itself, are allowed (development and tests).

    Raises:
        DestinationError: It is not one that may be delivered to.
    """
    if len(url) > URL_LENGTH_MAX:
        raise DestinationError(Refusal.LONG)
    if _NOT_IN_URL.search(url):
        raise DestinationError(Refusal.CHARACTERS)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DestinationError(Refusal.NO_URL) from error
    scheme = parts.scheme.lower()
    if scheme != "https" and not (allow_loopback and scheme == "http"):
        raise DestinationError(Refusal.SCHEME)
    if parts.username is not None or parts.password is not None:
        raise DestinationError(Refusal.USER)
    if parts.fragment:
        raise DestinationError(Refusal.FRAGMENT)
    port = port if port is not None else 443 if scheme == "https" else 80
    if port not in _LOW_PORTS and port < 1024:
        raise DestinationError(Refusal.PORT)
    host = (parts.hostname or "").lower()
    literal = _literal(host)
    if literal is not None and not is_allowed(literal, allow_loopback=allow_loopback):
        raise DestinationError(Refusal.INSIDE)
    if literal is None and not _HOST.fullmatch(host):
        raise DestinationError(Refusal.HOST)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(scheme, host, port, target)


def is_allowed(address: Address, *, allow_loopback: bool) -> bool:
    """Whether a connection may be made to an address: public unicast, or loopback where that is allowed."""
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    if inner is not None:
        address = inner
    if allow_loopback and address.is_loopback:
        return True
    if isinstance(address, ipaddress.IPv6Address) and (address.scope_id or address not in _GLOBAL_UNICAST_6):
        return False
    refused = (
        not address.is_global
        or address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    return not refused and not any(
        address in network for network in _NOT_PUBLIC if network.version == address.version
    )


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Every address that the system's resolver knows of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _literal(host: str) -> Address | None:
    """The address that a host is, where it is none that must be looked up."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
