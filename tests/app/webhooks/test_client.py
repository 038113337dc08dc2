"""One POST, over real sockets, to receivers that behave well and badly."""

from __future__ import annotations

import datetime as dt
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from app.webhooks.client import Answer, Client, DeliveryError, retry_after_s
from app.webhooks.models import Failure
from tests.app.webhooks.receiver import Request, answering, dripping, hanging, receiver

NAME = "hooks.shop.example"
FAST_S = 0.6


def client(**options: object) -> Client:
    return Client(allow_loopback=True, **options)  # type: ignore[arg-type]


def refused(url: str, sender: Client) -> tuple[Failure, str]:
    with pytest.raises(DeliveryError) as caught:
        sender.post(url, {}, b"{}")
    return caught.value.failure, caught.value.detail


def resolving(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


def test_body_and_headers_arrive_as_they_were_given() -> None:
    with receiver(answering(200, body=b"thanks")) as shop:
        answer = client().post(
            shop.url + "?from=us",
            {"webhook-id": "msg_1", "Content-Type": "application/json"},
            b'{"a": "\xe4"}',
        )
    assert answer == Answer(200, None)
    (request,) = shop.requests
    assert request.line == "POST /hooks?from=us HTTP/1.1"
    assert request.body == b'{"a": "\xe4"}'
    assert request.headers["host"] == f"127.0.0.1:{shop.port}"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["connection"] == "close"


@pytest.mark.parametrize("status", [204, 301, 302, 400, 410, 429, 500, 503])
def test_every_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    with receiver() as elsewhere, receiver(answering(status, f"Location: {elsewhere.url}")) as shop:
        assert client().post(shop.url, {}, b"{}").status == status
        assert (shop.connections, elsewhere.connections) == (1, 0)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver() as proxy, receiver() as shop:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        client().post(shop.url, {}, b"{}")
        assert (shop.connections, proxy.connections) == (1, 0)


def test_a_receiver_that_hangs_is_left_in_time() -> None:
    over = threading.Event()
    with receiver(hanging(over)) as shop:
        begun = time.monotonic()
        failure, _detail = refused(shop.url, client(timeout_s=FAST_S))
        took_s = time.monotonic() - begun
        over.set()
    assert failure is Failure.TIMEOUT
    assert FAST_S * 0.9 < took_s < FAST_S + 1


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200,
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"b" * 500,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"c" * 500,
    ],
    ids=["its head", "its body", "a body without length"],
)
def test_a_receiver_that_drips_gets_no_more_time_than_one_that_hangs(said: bytes) -> None:
    # It sends half of it at once, so that the clock and not the patience of one read is what ends it.
    def behave(connection: socket.socket, request: Request) -> None:
        connection.sendall(said[:40])
        dripping(said[40:], every_s=FAST_S / 6)(connection, request)

    with receiver(behave) as shop:
        begun = time.monotonic()
        failure, _detail = refused(shop.url, client(timeout_s=FAST_S))
        took_s = time.monotonic() - begun
    assert failure is Failure.TIMEOUT
    assert FAST_S * 0.9 < took_s < FAST_S + 1


def test_a_receiver_that_accepts_and_never_reads_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        begun = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            client(timeout_s=FAST_S).post(url, {}, b"x" * 50_000_000)
        assert caught.value.failure is Failure.TIMEOUT
        assert time.monotonic() - begun < FAST_S + 1


def test_no_more_is_read_than_an_answer_needs() -> None:
    sent = 0

    def flood(connection: socket.socket, _request: Request) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 1 << 30:
            sent += connection.send(b"x" * 65536)

    with receiver(flood) as shop:
        assert client().post(shop.url, {}, b"{}").status == 200
        time.sleep(0.1)
    assert sent < 64 << 20, "the socket's buffers hold some; a gigabyte was on offer"


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (b"", Failure.CONNECTION),
        (b"hello\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 abc OK\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000, Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Failure.PROTOCOL),
    ],
    ids=["nothing", "no HTTP", "no status", "many headers", "a long header", "a broken chunk"],
)
def test_what_is_not_http_is_a_failure_of_the_receiver(said: bytes, failure: Failure) -> None:
    with receiver(lambda connection, _request: connection.sendall(said)) as shop:
        found, detail = refused(shop.url, client(timeout_s=5))
    assert found in (failure, Failure.CONNECTION)  # unread bytes may come back as a reset
    assert "yyyy" not in detail, "what the receiver wrote is kept nowhere"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    failure, detail = refused(f"http://127.0.0.1:{port}/", client())
    assert (failure, detail) == (Failure.CONNECTION, "Connection refused")


def test_an_informational_answer_before_the_real_one_is_passed_over() -> None:
    def behave(connection: socket.socket, _request: Request) -> None:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n")

    with receiver(behave) as shop:
        assert client().post(shop.url, {}, b"{}").status == 201


# Addresses


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_with_an_address_inside_is_not_connected_to(inside: str) -> None:
    with receiver() as shop:
        sender = Client(resolve=resolving("93.184.215.14", inside), timeout_s=2)
        failure, detail = refused(f"https://{NAME}:{shop.port}/", sender)
        assert shop.connections == 0
    assert failure is Failure.ADDRESS
    assert inside not in detail, "which addresses a name has inside is not told outside"


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "localhost", "0"])
def test_other_ways_of_writing_this_machine_are_seen_through(host: str) -> None:
    """With the system's own resolver, which knows all of them."""
    with receiver() as shop:
        failure, _detail = refused(f"https://{host}:{shop.port}/", Client(timeout_s=2))
        assert shop.connections == 0
    assert failure in (Failure.ADDRESS, Failure.NAME)


def test_plain_http_goes_to_this_machine_only() -> None:
    sender = client(resolve=resolving("93.184.215.14"), timeout_s=2)
    assert refused(f"http://{NAME}/", sender)[0] is Failure.ADDRESS


def test_a_name_that_answers_differently_the_second_time_gains_nothing() -> None:
    """DNS rebinding: what was checked is what is connected to, and the name is asked once a try."""
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with receiver() as checked, socket.create_server(("127.0.0.2", checked.port)) as inside:
        inside.setblocking(False)
        answer = client(resolve=rebinding).post(f"http://{NAME}:{checked.port}/", {}, b"{}")
        assert answer.status == 204
        assert (asked, checked.connections) == ([NAME], 1)
        with pytest.raises(BlockingIOError):
            inside.accept()


def test_the_second_address_is_tried_when_the_first_does_not_answer() -> None:
    with receiver() as shop:
        sender = client(resolve=resolving("127.0.0.3", "127.0.0.1"))
        assert sender.post(f"http://{NAME}:{shop.port}/", {}, b"{}").status == 204


def test_a_name_that_does_not_exist() -> None:
    def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    assert refused(f"https://{NAME}/", Client(resolve=unknown))[0] is Failure.NAME
    assert refused(f"https://{NAME}/", Client(resolve=resolving()))[0] is Failure.NAME


def test_a_name_server_that_hangs_costs_no_more_than_the_time() -> None:
    over = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        over.wait(10)
        return []

    begun = time.monotonic()
    failure, _detail = refused(f"https://{NAME}/", Client(resolve=slow, timeout_s=FAST_S))
    over.set()
    assert failure is Failure.TIMEOUT
    assert time.monotonic() - begun < FAST_S + 1


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own, and what it signed for `NAME` and for another name."""
    if shutil.which("openssl") is None:
        pytest.skip("NO OPENSSL: TLS of webhooks was NOT tested")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "2", "-subj", "/CN=Authority", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    for name, days in ((NAME, "2"), ("other.example", "2")):
        (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", "csr",
                "-subj", f"/CN={name}")  # fmt: skip
        openssl("x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", days, "-extfile", "ext")  # fmt: skip
    return folder


def presenting(folder: Path, name: str, seen: list[str | None]) -> Callable[[socket.socket], socket.socket]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    context.sni_callback = lambda _socket, asked, _context: seen.append(asked)
    return lambda connection: context.wrap_socket(connection, server_side=True)


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


def test_tls_is_spoken_to_the_name_over_the_address_that_was_checked(certificates: Path) -> None:
    seen: list[str | None] = []
    with receiver(wrap=presenting(certificates, NAME, seen)) as shop:
        sender = client(resolve=resolving("127.0.0.1"), tls=trusting(certificates))
        assert sender.post(f"https://{NAME}:{shop.port}/hooks", {}, b"{}").status == 204
    assert seen == [NAME]
    assert shop.requests[0].headers["host"] == f"{NAME}:{shop.port}"


@pytest.mark.parametrize(("presented", "trusted"), [("other.example", True), (NAME, False)])
def test_a_certificate_of_another_name_or_of_nobody_we_trust_is_refused(
    certificates: Path, presented: str, trusted: bool
) -> None:
    with receiver(wrap=presenting(certificates, presented, [])) as shop:
        tls = {"tls": trusting(certificates)} if trusted else {}
        sender = client(resolve=resolving("127.0.0.1"), **tls)
        failure, detail = refused(f"https://{NAME}:{shop.port}/", sender)
    assert failure is Failure.TLS
    assert "certificate is not valid" in detail
    assert shop.requests == [], "nothing is sent before the certificate is right"


def test_a_handshake_that_hangs_is_left_in_time(certificates: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sender = client(resolve=resolving("127.0.0.1"), tls=trusting(certificates), timeout_s=FAST_S)
        begun = time.monotonic()
        failure, _detail = refused(f"https://{NAME}:{silent.getsockname()[1]}/", sender)
        assert time.monotonic() - begun < FAST_S + 1
    assert failure is Failure.TIMEOUT


def test_a_receiver_that_speaks_no_tls(certificates: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def speak() -> None:
            connection, _peer = plain.accept()
            connection.sendall(b"220 mail.example ESMTP\r\n")
            connection.recv(1)
            connection.close()

        threading.Thread(target=speak, daemon=True).start()
        sender = client(resolve=resolving("127.0.0.1"), tls=trusting(certificates), timeout_s=3)
        assert refused(f"https://{NAME}:{plain.getsockname()[1]}/", sender)[0] is Failure.TLS


# Retry-After


NOW = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("999999999999999999", 86_400),
        ("Mon, 02 Mar 2026 01:02:00 GMT", 120),
        ("Mon, 02 Mar 2026 00:02:00 GMT", 0),
        ("Wed, 02 Mar 2033 00:02:00 GMT", 86_400),
        ("Monday, 02-Mar-26 01:02:00 GMT", 120),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("9" * 5000, None),
        ("Mon, 99 Mar 2026 01:02:00 GMT", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date_capped_at_a_day(
    header: str | None, seconds: int | None
) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_retry_after_is_read_from_the_answer() -> None:
    with receiver(answering(429, "Retry-After: 33")) as shop:
        assert client().post(shop.url, {}, b"{}") == Answer(429, 33)


def test_an_ipv6_receiver() -> None:
    try:
        with receiver(host="::1") as shop:
            assert client().post(shop.url, {}, b"{}").status == 204
            assert shop.requests[0].headers["host"] == f"[::1]:{shop.port}"
    except OSError:
        pytest.skip("NO IPV6 on this machine: webhooks to IPv6 addresses were NOT tested")
