"""Messages: written with their cause, sent after it, tried again, forgotten where they are secrets."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.notify import queries
from app.notify.jobs import ATTEMPTS_MAX, deliver_by
from app.notify.models import Channel, Notification
from app.notify.senders import Message, SendError, SmtpSender
from app.notify.service import send_later
from app.notify.template import Template, Wording
from tests.support.app import Logins

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
GREETING = Template(
    "greeting",
    {"zh": Wording("你好 {name}", "欢迎,{name}。"), "en": Wording("Hello {name}", "Welcome, {name}.")},
)


class Recorder:
    """A sender that keeps what it is given, and refuses while it is told to."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.refuses = False

    def send(self, message: Message) -> None:
        if self.refuses:
            raise SendError("the gateway is away")
        self.sent.append(message)


@pytest.fixture
def session(tenant: Logins, session_factory: Callable[..., Session]) -> Iterator[Session]:
    with session_factory(info={"tenant_id": tenant.tenant_id}) as opened:
        yield opened
        opened.rollback()


def write(session: Session, channel: Channel = Channel.MAIL, **options: object) -> Notification:
    return send_later(
        session,
        GREETING,
        {"name": "王芳"},
        channel=channel,
        recipient="wang@example.com",
        locale="zh",
        now=NOW,
        **options,  # type: ignore[arg-type]
    )


def test_a_message_is_sent_once(session: Session) -> None:
    row, recorder = write(session), Recorder()
    assert deliver_by(session, {Channel.MAIL: recorder}, NOW) == 1
    assert deliver_by(session, {Channel.MAIL: recorder}, NOW) == 0
    assert recorder.sent == [
        Message(f"notification-{row.id}", "wang@example.com", "你好 王芳", "欢迎,王芳。")
    ]
    assert (row.sent_at, row.body) == (NOW, "欢迎,王芳。")


def test_a_channel_without_a_sender_waits_and_is_counted(session: Session) -> None:
    row, recorder = write(session, Channel.SMS), Recorder()
    assert deliver_by(session, {Channel.MAIL: recorder}, NOW + timedelta(days=1)) == 0
    assert (row.sent_at, row.attempts, recorder.sent) == (None, 0, [])
    (waiting,) = queries.waiting(session)
    assert (waiting.channel, waiting.count, waiting.oldest_at) == (Channel.SMS, 1, NOW)


def test_a_refused_message_is_tried_again_later_and_not_for_ever(session: Session) -> None:
    row, recorder = write(session), Recorder()
    recorder.refuses = True
    moment, tries = NOW, []
    for _ in range(ATTEMPTS_MAX + 2):
        deliver_by(session, {Channel.MAIL: recorder}, moment)
        tries.append(row.available_at - moment)
        assert deliver_by(session, {Channel.MAIL: recorder}, moment) == 0
        moment = max(row.available_at, moment)
    assert row.attempts == ATTEMPTS_MAX
    assert tries[:3] == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    assert max(tries) == timedelta(hours=1)
    assert row.last_error == "the gateway is away"


def test_a_message_that_was_refused_once_arrives(session: Session) -> None:
    row, recorder = write(session), Recorder()
    recorder.refuses = True
    deliver_by(session, {Channel.MAIL: recorder}, NOW)
    recorder.refuses = False
    assert deliver_by(session, {Channel.MAIL: recorder}, NOW + timedelta(seconds=29)) == 0
    assert deliver_by(session, {Channel.MAIL: recorder}, NOW + timedelta(seconds=30)) == 1
    assert row.sent_at == NOW + timedelta(seconds=30)


def test_what_has_expired_is_dropped_and_a_secret_forgotten(session: Session) -> None:
    late = write(session, Channel.SMS, expires_at=NOW + timedelta(minutes=10), secret=True)
    sent = write(session, secret=True)
    recorder = Recorder()
    deliver_by(session, {Channel.MAIL: recorder}, NOW)
    assert (sent.sent_at, sent.body, sent.params) == (NOW, "", {})
    assert recorder.sent[0].body == "欢迎,王芳。"
    assert late.dropped_at is None
    deliver_by(session, {Channel.SMS: recorder}, NOW + timedelta(minutes=10))
    assert (late.dropped_at, late.body, late.params) == (NOW + timedelta(minutes=10), "", {})
    assert len(recorder.sent) == 1


def test_two_deliverers_do_not_send_the_same(
    session: Session, tenant: Logins, session_factory: Callable[..., Session]
) -> None:
    with session_factory(info={"tenant_id": tenant.tenant_id}) as writer:
        number = write(writer).id
        writer.commit()
    first, second = Recorder(), Recorder()
    assert deliver_by(session, {Channel.MAIL: first}, NOW) == 1
    with session_factory(info={"tenant_id": None}) as other:
        assert deliver_by(other, {Channel.MAIL: second}, NOW) == 0
    session.commit()
    assert [message.key for message in first.sent] == [f"notification-{number}"]
    assert session.scalar(sa.select(Notification.sent_at).where(Notification.id == number)) == NOW


def test_a_template_speaks_every_language_with_the_same_words_left_out() -> None:
    with pytest.raises(ValueError, match="zh and en"):
        Template("half", {"zh": Wording("你好", "你好")})
    with pytest.raises(ValueError, match="other placeholders"):
        Template("uneven", {"zh": Wording("", "{name}"), "en": Wording("", "{nam}")})
    assert GREETING.render("en", {"name": "A\r\nBcc: b@example.com"})[0] == "Hello A Bcc: b@example.com"


class Smtp(socketserver.StreamRequestHandler):
    """Enough of RFC 5321 to take a mail; refuses recipients at `nowhere.example`."""

    def handle(self) -> None:
        self.reply("220 ready")
        while line := self.rfile.readline().strip():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.reply("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mails.append(b"".join(lines))  # type: ignore[attr-defined]
                self.reply("250 taken")
            elif verb == b"QUIT":
                self.reply("221 bye")
                return
            else:
                self.reply("550 nobody there" if b"nowhere.example" in line else "250 ok")

    def reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def smtp() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.mails = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_mail_leaves_by_smtp(smtp: socketserver.ThreadingTCPServer) -> None:
    sender = SmtpSender("127.0.0.1", smtp.server_address[1], "Wheel <post@wheel.example>")
    sender.send(Message("notification-7", "wang@example.com", "你好", "欢迎,王芳。\n"))
    (raw,) = smtp.mails  # type: ignore[attr-defined]
    mail = message_from_bytes(raw, policy=default)
    assert (mail["To"], mail["Subject"]) == ("wang@example.com", "你好")
    assert mail["Message-ID"] == "<notification-7@wheel.example>"
    assert mail.get_content().strip() == "欢迎,王芳。"


def test_what_the_server_refuses_is_an_error_to_be_tried_again(smtp: socketserver.ThreadingTCPServer) -> None:
    sender = SmtpSender("127.0.0.1", smtp.server_address[1], "post@wheel.example")
    with pytest.raises(SendError, match="nobody there"):
        sender.send(Message("notification-8", "x@nowhere.example", "s", "b"))
    with pytest.raises(SendError):
        SmtpSender("127.0.0.1", 1, "post@wheel.example").send(Message("k", "x@example.com", "s", "b"))
