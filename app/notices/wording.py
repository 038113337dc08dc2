"""The words that are proposed for each milestone, and what may stand in them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from app.errors import InvalidInputError
from app.notify.models import Channel
from app.notify.template import Template, Wording
from tracking.shipment import Milestone

PLACEHOLDERS = frozenset({"company", "shipper", "number", "link", "stop"})
"""The company's name, the shipper's masked as on a label, the waybill number, the consignee's own page, and
the page on which he says that he wants no more."""
SUBJECT_LENGTH_MAX, BODY_LENGTH_MAX = 120, 500

_M = Milestone
_PROPOSED: Mapping[Milestone, tuple[str, str]] = {
    _M.ACCEPTED: (
        "【{company}】您的包裹 {number} 已揽收，物流详情：{link}",
        "{company}: your parcel {number} has been collected. Follow it: {link}",
    ),
    _M.OUT_FOR_DELIVERY: (
        "【{company}】您的包裹 {number} 正在派送，请保持电话畅通。{link}",
        "{company}: your parcel {number} is out for delivery today. {link}",
    ),
    _M.ATTEMPT_FAILED: (
        "【{company}】您的包裹 {number} 本次派送未成功，我们会再次联系您。{link}",
        "{company}: we could not deliver your parcel {number}. We will try again. {link}",
    ),
    _M.READY_FOR_PICKUP: (
        "【{company}】您的包裹 {number} 已到达，请凭取件信息领取：{link}",
        "{company}: your parcel {number} is ready to be fetched: {link}",
    ),
    _M.DELIVERED: (
        "【{company}】您的包裹 {number} 已签收。请确认收货或反馈问题：{link}",
        "{company}: your parcel {number} was delivered. Confirm its receipt or tell us what is wrong: {link}",
    ),
    _M.RETURNING: (
        "【{company}】您的包裹 {number} 正在退回寄件人。{link}",
        "{company}: your parcel {number} is on its way back to its sender. {link}",
    ),
}
MILESTONES = tuple(_PROPOSED)
"""The milestones that a consignee can be told of."""


@dataclass(frozen=True, slots=True)
class NoticeInput:
    """What is to be told at a milestone, as somebody wrote it."""

    enabled: bool
    channel: Channel
    subject_zh: str
    body_zh: str
    subject_en: str
    body_en: str

    def check(self) -> None:
        """Look at every text.

        Raises:
            InvalidInputError: Names each that is too long, empty, or has a placeholder that nobody fills in.
        """
        errors = []
        for name, length_max in _TEXTS.items():
            text: str = getattr(self, name)
            wrong = _wrong(text, length_max, may_be_empty=name.startswith("subject"))
            if wrong is not None:
                errors.append({"detail": wrong, "pointer": f"/{name}"})
        if errors:
            raise InvalidInputError("these words cannot be sent", errors)

    def template(self, milestone: Milestone) -> Template:
        """As `app.notify` renders it: every language may have placeholders of its own here."""
        return Template(
            f"notice_{milestone}",
            {"zh": Wording(self.subject_zh, self.body_zh), "en": Wording(self.subject_en, self.body_en)},
            same_placeholders=False,
        )


_TEXTS = {
    "subject_zh": SUBJECT_LENGTH_MAX,
    "body_zh": BODY_LENGTH_MAX,
    "subject_en": SUBJECT_LENGTH_MAX,
    "body_en": BODY_LENGTH_MAX,
}


def proposed(milestone: Milestone) -> NoticeInput:
    """What is proposed for a milestone of `MILESTONES`; switched off until somebody wants it."""
    body_zh, body_en = _PROPOSED[milestone]
    return NoticeInput(
        enabled=False,
        channel=Channel.SMS,
        subject_zh="包裹 {number}",
        body_zh=body_zh,
        subject_en="Your parcel {number}",
        body_en=body_en,
    )


def _wrong(text: str, length_max: int, *, may_be_empty: bool) -> str | None:
    """What is wrong with a text; plain placeholders only, since people write it and not programmers."""
    if not text.strip() and not may_be_empty:
        return "is empty"
    if len(text) > length_max:
        return f"at most {length_max} characters"
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return "a brace { or } is left open; write it twice where it is meant"
    for _literal, name, form, conversion in parts:
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            return f"{{{name}}} is not one of {', '.join(sorted(PLACEHOLDERS))}"
    return None
