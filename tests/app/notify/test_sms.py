"""SMS through a gateway over a real socket: what it is given, and what counts as taken."""

from __future__ import annotations

import json
import socket

import pytest

from app.config import Settings
from app.notify.models import Channel
from app.notify.senders import HttpSmsSender, Message, SendError, senders_of
from tests.app.webhooks.receiver import Request, answering, receiver

MESSAGE = Message("notification-7", "+8613900000002", "", "您的包裹已签收。")


def test_the_gateway_is_given_key_number_and_text() -> None:
    with receiver(answering(202)) as gateway:
        HttpSmsSender(gateway.url, "secret").send(MESSAGE)
    (request,) = gateway.requests
    assert request.line == "POST /hooks HTTP/1.1"
    assert request.headers["authorization"] == "Bearer secret"
    assert json.loads(request.body) == {
        "key": "notification-7",
        "to": "+8613900000002",
        "text": "您的包裹已签收。",
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 400, 429, 500])
def test_what_is_not_taken_is_tried_again(status: int) -> None:
    with receiver() as elsewhere:
        redirect = answering(status, f"Location: {elsewhere.url}")
        with receiver(redirect) as gateway, pytest.raises(SendError, match=str(status)):
            HttpSmsSender(gateway.url).send(MESSAGE)
        assert elsewhere.connections == 0, "a redirected POST would lose its message"


def nonsense(connection: socket.socket, _request: Request) -> None:
    connection.sendall(b"hello\r\n\r\n")


def test_a_gateway_that_is_away_or_answers_nonsense() -> None:
    with pytest.raises(SendError):
        HttpSmsSender("http://127.0.0.1:1/").send(MESSAGE)
    with receiver(nonsense) as gateway, pytest.raises(SendError):
        HttpSmsSender(gateway.url).send(MESSAGE)


def test_the_channels_are_those_that_are_set_up() -> None:
    def channels(**options: object) -> set[Channel]:
        settings = Settings(database_url="postgresql://x@localhost/x", secret_key="x" * 32, **options)  # type: ignore[arg-type]
        return set(senders_of(settings))

    assert channels() == set()
    assert channels(smtp_host="mail.example") == {Channel.MAIL}
    assert channels(sms_url="https://sms.example/send") == {Channel.SMS}
