"""The ways out: an adapter for each channel that has been set up."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal, Protocol

from pydantic import SecretStr

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


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would come as a GET without its message, and be answered 200 all the same."""

    def redirect_request(self, *_request: object) -> None:
        """Follow none."""


_GATEWAY = urllib.request.build_opener(_NoRedirect)


@dataclass(frozen=True, slots=True)
class HttpSmsSender:
    """SMS through a gateway, or a bridge to one, that takes a POST of `{"key", "to", "text"}` as JSON.

    The gateway knows a message that comes again by its key. Any 2xx says that it was taken.
    """

    url: str
    token: str | None = None

    def send(self, message: Message) -> None:
        """Hand one SMS to the gateway."""
        body = {"key": message.key, "to": message.recipient, "text": message.body}
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(  # noqa: S310 - the address is the operator's setting
            self.url, json.dumps(body, ensure_ascii=False).encode(), headers, method="POST"
        )
        try:
            with _GATEWAY.open(request, timeout=_TIMEOUT_S):
                return
        except urllib.error.HTTPError as error:
            error.close()
            raise SendError(f"the gateway answered {error.code}") from error
        except (OSError, http.client.HTTPException) as error:
            raise SendError(f"{type(error).__name__}: {error}") from error


def senders_of(settings: Settings) -> Mapping[Channel, Sender]:
    """The channels that are set up; messages on the others wait and are counted."""
    found: dict[Channel, Sender] = {}
    if settings.smtp_host is not None:
        found[Channel.MAIL] = SmtpSender(
            host=settings.smtp_host,
            port=settings.smtp_port,
            mail_from=settings.mail_from,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=_shown(settings.smtp_password),
        )
    if settings.sms_url is not None:
        found[Channel.SMS] = HttpSmsSender(settings.sms_url, _shown(settings.sms_token))
    return found


def _shown(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
