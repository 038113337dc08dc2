"""The ways out: an adapter for each channel that has been set up."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal, Protocol

from app.config import Settings
from app.notify.models import Channel

_TIMEOUT_S = 10


@dataclass(frozen=True, slots=True)
class Message:
    """What a sender is given; `key` stays the same when a message is sent again after a crash."""

    key: str
    recipient: str
    subject: str
    body: str


class SendError(Exception):
    """The message was not taken; it will be tried again."""


class Sender(Protocol):
    """One way out."""

    def send(self, message: Message) -> None:
        """Hand the message on; SendError when it was not taken."""


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Mail through an SMTP server; `security` is how the connection is encrypted."""

    host: str
    port: int
    mail_from: str
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = None

    def send(self, message: Message) -> None:
        """Hand one mail to the server."""
        mail = EmailMessage()
        mail["From"] = self.mail_from
        mail["To"] = message.recipient
        mail["Subject"] = message.subject
        mail["Message-ID"] = f"<{message.key}@{self.mail_from.rpartition('@')[2].rstrip('>')}>"
        mail.set_content(message.body)
        try:
            with self._connect() as server:
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.username is not None:
                    server.login(self.username, self.password or "")
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as error:
            raise SendError(f"{type(error).__name__}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        if self.security == "tls":
            return smtplib.SMTP_SSL(
                self.host, self.port, timeout=_TIMEOUT_S, context=ssl.create_default_context()
            )
        return smtplib.SMTP(self.host, self.port, timeout=_TIMEOUT_S)


def senders_of(settings: Settings) -> Mapping[Channel, Sender]:
    """The channels that are set up. No SMS gateway is known yet, so SMS wait and are counted."""
    if settings.smtp_host is None:
        return {}
    password = settings.smtp_password
    return {
        Channel.MAIL: SmtpSender(
            host=settings.smtp_host,
            port=settings.smtp_port,
            mail_from=settings.mail_from,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=None if password is None else password.get_secret_value(),
        )
    }
