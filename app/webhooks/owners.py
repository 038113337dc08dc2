"""Telling the people behind an endpoint that it no longer works, once, by mail or phone."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.accounts.models import Tenant
from app.customers.models import CustomerIdentity, IdentityKind
from app.db.session import tenant_of
from app.notify import service as notify
from app.notify.models import Channel
from app.notify.template import Template, Wording
from app.webhooks.destinations import destination
from app.webhooks.models import WebhookEndpoint

FAILING = Template(
    "webhook_failing",
    {
        "zh": Wording(
            "{company}：Webhook 投递失败",
            "【{company}】发往 {host} 的消息多次投递失败，已停止重试。"
            "请修复接收端，然后在“Webhook 推送”页面重新投递。",
        ),
        "en": Wording(
            "{company}: your webhook is failing",
            "{company}: messages to {host} failed on every try and were given up. "
            "Mend the receiver, then replay them on the page Webhooks.",
        ),
    },
)
GONE = Template(
    "webhook_gone",
    {
        "zh": Wording(
            "{company}：Webhook 已停用",
            "【{company}】{host} 回答 410，已停用该接收端，不再投递。需要时请在“Webhook 推送”页面重新启用。",
        ),
        "en": Wording(
            "{company}: your webhook was switched off",
            "{company}: {host} answered 410, so nothing is sent to it any more. "
            "Switch it on again on the page Webhooks when it is wanted.",
        ),
    },
)


def tell_failing(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """A message was given up on."""
    _tell(session, endpoint, FAILING, now)


def tell_gone(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """The receiver wants no more."""
    _tell(session, endpoint, GONE, now)


def _tell(session: Session, endpoint: WebhookEndpoint, template: Template, now: datetime) -> None:
    """To the address that was given, else to the customer; the page shows it to everybody else."""
    reached = (
        (Channel.MAIL, endpoint.contact_email) if endpoint.contact_email else _customer(session, endpoint)
    )
    if reached is None:
        return
    channel, recipient = reached
    notify.send_later(
        session,
        template,
        {
            "company": session.get_one(Tenant, tenant_of(session)).name,
            "host": destination(endpoint.url, allow_loopback=True).authority,
        },
        channel=channel,
        recipient=recipient,
        locale=endpoint.locale,
        now=now,
    )


def _customer(session: Session, endpoint: WebhookEndpoint) -> tuple[Channel, str] | None:
    row = session.execute(
        sa.select(CustomerIdentity.kind, CustomerIdentity.value)
        .where(
            CustomerIdentity.customer_id == endpoint.customer_id,
            CustomerIdentity.kind.in_((IdentityKind.EMAIL, IdentityKind.PHONE)),
        )
        .order_by((CustomerIdentity.kind == IdentityKind.EMAIL).desc(), CustomerIdentity.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return (Channel.MAIL if row.kind is IdentityKind.EMAIL else Channel.SMS), row.value
