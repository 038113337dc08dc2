"""Which URLs and which addresses a webhook may go to."""

from __future__ import annotations

import ipaddress

import pytest

from app.webhooks.destinations import DestinationError, destination, is_allowed

PUBLIC = ["8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700:4700::1111", "2400:3200::1", "::ffff:8.8.8.8"]
INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:0a00:0001::",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "3fff::1",
    "5f00::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_the_public_internet_may_be_connected_to(text: str) -> None:
    assert is_allowed(ipaddress.ip_address(text), allow_loopback=False)


@pytest.mark.parametrize("text", INSIDE)
def test_what_lies_inside_may_not(text: str) -> None:
    assert not is_allowed(ipaddress.ip_address(text), allow_loopback=False)


def test_loopback_is_allowed_by_the_setting_and_nothing_else_is() -> None:
    allowed = {text for text in INSIDE if is_allowed(ipaddress.ip_address(text), allow_loopback=True)}
    assert allowed == {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "authority"),
    [
        ("https://shop.example/hooks", "shop.example", 443, "/hooks", "shop.example"),
        ("HTTPS://Shop.Example", "shop.example", 443, "/", "shop.example"),
        ("https://shop.example:8443/a?b=c&d", "shop.example", 8443, "/a?b=c&d", "shop.example:8443"),
        ("https://xn--fiq228c.example/%E4%B8%AD", "xn--fiq228c.example", 443, "/%E4%B8%AD", None),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/", "8.8.8.8"),
        ("https://[2606:4700::1]:8443/", "2606:4700::1", 8443, "/", "[2606:4700::1]:8443"),
    ],
)
def test_a_url_in_its_parts(url: str, host: str, port: int, target: str, authority: str | None) -> None:
    found = destination(url, allow_loopback=False)
    assert (found.host, found.port, found.target) == (host, port, target)
    assert found.authority == (authority or host)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example/", "https://"),
        ("ftp://shop.example/", "https://"),
        ("//shop.example/", "https://"),
        ("shop.example", "https://"),
        ("https://", "host"),
        ("https:///path", "host"),
        ("https://user@shop.example/", "user"),
        ("https://user:word@shop.example/", "user"),
        ("https://shop.example/#part", "fragment"),
        ("https://shop.example/a b", "blanks"),
        ("https://shop.example/\r\nHost: inside", "blanks"),
        ("https://例子.example/", "xn--"),
        ("https://shop.example\\@inside/", "blanks"),
        ("https://shop..example/", "host"),
        ("https://-shop.example/", "host"),
        ("https://shop.example:22/", "port"),
        ("https://shop.example:0/", "port"),
        ("https://shop.example:99999/", "URL"),
        ("https://[::1/", "URL"),
        ("https://127.0.0.1/", "public"),
        ("https://[::1]/", "public"),
        ("https://[fe80::1%25eth0]/", "blanks|public|host|URL"),
        ("https://169.254.169.254/latest/meta-data", "public"),
        ("https://shop.example/" + "a" * 2000, "2000"),
    ],
)
def test_a_url_that_is_refused(url: str, why: str) -> None:
    with pytest.raises(DestinationError, match=why):
        destination(url, allow_loopback=False)


def test_the_setting_opens_http_and_this_machine_only() -> None:
    assert destination("http://127.0.0.1:8080/", allow_loopback=True).port == 8080
    with pytest.raises(DestinationError, match="public"):
        destination("http://10.0.0.1/", allow_loopback=True)
