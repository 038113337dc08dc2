"""Forms of the service desk's pages."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from app.servicedesk.events import TEXT_LENGTH_MAX
from app.servicedesk.queries import Show
from app.servicedesk.values import CaseCategory, CaseStatus
from app.servicedesk.wording import CATEGORIES, LOSSES, STATUSES
from settlement.compensation import LossKind
from settlement.errors import MoneyError
from settlement.money import Money

_ANY = SelectChoice("", _l("Any"))
_CATEGORY_CHOICES: list[Any] = [SelectChoice(key.value, name) for key, name in CATEGORIES.items()]


class MessageForm(FlaskForm):
    """Words on a case, written on the version of it that was shown."""

    body = TextAreaField(_l("Your words"), validators=[InputRequired(), Length(max=TEXT_LENGTH_MAX)])
    version = HiddenField(validators=[InputRequired(), Regexp(r"^\d{1,18}$")])


class OwnerForm(FlaskForm):
    """To whom a case is given."""

    owner_id = SelectField(_l("Owner"), coerce=int, validators=[InputRequired()])
    version = HiddenField(validators=[InputRequired(), Regexp(r"^\d{1,18}$")])


class StepForm(FlaskForm):
    """A button that changes a case, pressed on the version of it that was shown."""

    version = HiddenField(validators=[InputRequired(), Regexp(r"^\d{1,18}$")])


class ClaimForm(FlaskForm):
    """A loss that was shown; amounts in whole units with decimals, as people write them."""

    kind = SelectField(
        _l("What happened to it?"),
        choices=[SelectChoice(key.value, name) for key, name in LOSSES.items()],
        validators=[InputRequired()],
    )
    claimed = StringField(_l("Loss shown"), validators=[InputRequired(), Length(max=20)])
    total_value = StringField(_l("Value of all the goods"), validators=[Optional(), Length(max=20)])
    version = HiddenField(validators=[InputRequired(), Regexp(r"^\d{1,18}$")])

    currency = "CNY"

    def validate_claimed(self, field: StringField) -> None:
        """A positive amount of the currency."""
        if self._minor(field) == 0:
            raise ValidationError(_("The amount must be more than zero."))

    def validate_total_value(self, field: StringField) -> None:
        """An amount of the currency."""
        self._minor(field)

    @property
    def loss(self) -> LossKind:
        """What is claimed."""
        return LossKind(self.kind.data)

    @property
    def claimed_minor(self) -> int:
        """The loss in minor units."""
        return self._minor(self.claimed)

    @property
    def total_value_minor(self) -> int | None:
        """The value in minor units; None where none was given."""
        return self._minor(self.total_value) if (self.total_value.data or "").strip() else None

    def _minor(self, field: StringField) -> int:
        try:
            amount = Money.parse((field.data or "").strip(), self.currency)
        except MoneyError:
            raise ValidationError(_("Write an amount such as 12.50.")) from None
        if amount.amount_minor < 0:
            raise ValidationError(_("The amount must be more than zero."))
        return amount.amount_minor


class ReasonForm(FlaskForm):
    """Why a claim is not approved."""

    reason = TextAreaField(_l("Why not?"), validators=[InputRequired(), Length(max=TEXT_LENGTH_MAX)])


class CallerForm(FlaskForm):
    """Who is on the phone."""

    phone = StringField(_l("Caller's phone"), validators=[InputRequired(), Length(max=60)])
    name = StringField(_l("Name"), validators=[Optional(), Length(max=200)])


class NewCaseForm(FlaskForm):
    """What a case is about."""

    waybill_number = RadioField(_l("Which shipment?"), validators=[Optional()], choices=[])
    category = SelectField(_l("What is it about?"), choices=_CATEGORY_CHOICES, validators=[InputRequired()])
    subject = StringField(_l("In one line"), validators=[Optional(), Length(max=200)])
    body = TextAreaField(_l("What happened?"), validators=[InputRequired(), Length(max=TEXT_LENGTH_MAX)])


class PublicComplaintForm(FlaskForm):
    """A complaint of whoever holds the link."""

    category = SelectField(_l("What is it about?"), choices=_CATEGORY_CHOICES, validators=[InputRequired()])
    body = TextAreaField(_l("What happened?"), validators=[InputRequired(), Length(max=TEXT_LENGTH_MAX)])
    phone = StringField(_l("Your phone, for our answer"), validators=[Optional(), Length(max=60)])


class PublicMessageForm(FlaskForm):
    """One more word of whoever holds the link."""

    body = TextAreaField(
        _l("What do you want to add?"), validators=[InputRequired(), Length(max=TEXT_LENGTH_MAX)]
    )


class QueueForm(FlaskForm):
    """What the queue is narrowed to; in the address."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    show = HiddenField(default=Show.UNRESOLVED.value)
    status = SelectField(
        _l("State"),
        choices=[_ANY, *(SelectChoice(key.value, name) for key, (name, _tone) in STATUSES.items())],
        validators=[Optional()],
    )
    category = SelectField(_l("Matter"), choices=[_ANY, *_CATEGORY_CHOICES], validators=[Optional()])
    q = StringField(_l("Number, subject, name or waybill"), validators=[Optional(), Length(max=200)])

    @property
    def chosen_status(self) -> CaseStatus | None:
        """The status asked for; None for any."""
        return CaseStatus(self.status.data) if self.status.data else None

    @property
    def chosen_category(self) -> CaseCategory | None:
        """The category asked for; None for any."""
        return CaseCategory(self.category.data) if self.category.data else None
