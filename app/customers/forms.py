"""Forms of the customers' pages and of registration."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, Optional, Regexp

from app.accounts.service import PASSWORD_LENGTH_MIN
from app.customers.models import CustomerKind, IdentityKind

KINDS = {CustomerKind.PERSON: _l("Person"), CustomerKind.COMPANY: _l("Company")}
IDENTITY_KINDS = {
    IdentityKind.PHONE: _l("Phone"),
    IdentityKind.EMAIL: _l("Mail"),
    IdentityKind.CARD: _l("Card"),
}
LOCALES = {"zh": _l("Chinese"), "en": _l("English")}


class CustomerForm(FlaskForm):
    """A record's own facts."""

    name = StringField(_l("Name"), validators=[InputRequired(), Length(max=200)])
    kind = SelectField(
        _l("Kind"),
        choices=[SelectChoice(kind.value, name) for kind, name in KINDS.items()],
        validators=[InputRequired()],
    )
    contract_no = StringField(_l("Contract number"), validators=[Optional(), Length(max=100)])
    locale = SelectField(
        _l("Language of messages"),
        choices=[SelectChoice(code, name) for code, name in LOCALES.items()],
        validators=[InputRequired()],
    )
    notes = TextAreaField(_l("Notes"), validators=[Optional(), Length(max=10_000)])


class NewCustomerForm(CustomerForm):
    """A new record, with the phone it is recognised by."""

    phone = StringField(_l("Phone"), validators=[InputRequired(), Length(max=60)])


class EditCustomerForm(CustomerForm):
    """A change, made on the version of the record that was shown."""

    version = HiddenField(validators=[InputRequired(), Regexp(r"^\d{1,18}$")])


class IdentityForm(FlaskForm):
    """One more thing a customer is recognised by."""

    kind = SelectField(
        _l("Kind"),
        choices=[SelectChoice(kind.value, name) for kind, name in IDENTITY_KINDS.items()],
        validators=[InputRequired()],
    )
    value = StringField(_l("Number or address"), validators=[InputRequired(), Length(max=300)])


class ReasonForm(FlaskForm):
    """Why something is done that is written down."""

    # Blanks are no reason, so they go before it is looked at.
    reason = StringField(
        _l("Reason"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[DataRequired(), Length(max=500)],
    )


class RegisterForm(FlaskForm):
    """Who registers, and the phone that will prove it."""

    name = StringField(_l("Your name or your company's"), validators=[InputRequired(), Length(max=200)])
    phone = StringField(_l("Phone"), validators=[InputRequired(), Length(max=60)])


class CodeForm(FlaskForm):
    """The code from the phone, and the password to sign in with from now on."""

    code = StringField(
        _l("Code from the phone"),
        validators=[InputRequired(), Regexp(r"^\s*\d{6}\s*$", message=_l("Six digits."))],
    )
    password = PasswordField(
        _l("Choose a password"), validators=[InputRequired(), Length(min=PASSWORD_LENGTH_MIN, max=500)]
    )
