"""Forms of the pages about news for consignees."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields import TimeField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional

from app.errors import InvalidInputError
from app.notices.wording import BODY_LENGTH_MAX, PLACEHOLDERS, SUBJECT_LENGTH_MAX, NoticeInput
from app.notify.models import Channel


class NoticeForm(FlaskForm):
    """What is told at a milestone."""

    enabled = BooleanField(_l("Tell the consignee"))
    channel = SelectField(
        _l("By"),
        choices=[SelectChoice(Channel.SMS.value, _l("SMS")), SelectChoice(Channel.MAIL.value, _l("Mail"))],
    )
    body_zh = TextAreaField(_l("In Chinese"), validators=[InputRequired(), Length(max=BODY_LENGTH_MAX)])
    body_en = TextAreaField(_l("In English"), validators=[InputRequired(), Length(max=BODY_LENGTH_MAX)])
    subject_zh = StringField(
        _l("Subject of the mail, in Chinese"), validators=[Optional(), Length(max=SUBJECT_LENGTH_MAX)]
    )
    subject_en = StringField(
        _l("Subject of the mail, in English"), validators=[Optional(), Length(max=SUBJECT_LENGTH_MAX)]
    )

    def value(self) -> NoticeInput:
        """As the service takes it; call it when the form is valid."""
        return NoticeInput(
            enabled=bool(self.enabled.data),
            channel=Channel(self.channel.data),
            subject_zh=self.subject_zh.data or "",
            body_zh=self.body_zh.data or "",
            subject_en=self.subject_en.data or "",
            body_en=self.body_en.data or "",
        )

    def fill(self, found: NoticeInput) -> None:
        """Show words as they are."""
        self.enabled.data = found.enabled
        self.channel.data = found.channel.value
        self.subject_zh.data, self.body_zh.data = found.subject_zh, found.body_zh
        self.subject_en.data, self.body_en.data = found.subject_en, found.body_en

    def show(self, error: InvalidInputError) -> None:
        """Say beside each text that was refused what may stand in it."""
        allowed = ", ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        for one in error.extra["errors"]:
            field = self[one["pointer"].removeprefix("/")]
            field.errors = [*field.errors, _("Only these may stand in braces: %(names)s.", names=allowed)]


class QuietForm(FlaskForm):
    """When nobody is disturbed."""

    begins = TimeField(_l("From"), validators=[InputRequired()])
    ends = TimeField(_l("Until"), validators=[InputRequired()])
