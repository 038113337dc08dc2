"""Forms of the sign-in and token pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length, Optional, Regexp

from app.accounts.company import GS1_PREFIX


class LoginForm(FlaskForm):
    """Username and password."""

    username = StringField(_l("Username"), validators=[InputRequired(), Length(max=200)])
    password = PasswordField(_l("Password"), validators=[InputRequired(), Length(max=500)])


class TokenForm(FlaskForm):
    """A new API token: what it is for and what it may do."""

    name = StringField(_l("What is it for?"), validators=[InputRequired(), Length(max=100)])
    scopes = SelectMultipleField(_l("What may it do?"), validators=[InputRequired()])


class CompanyForm(FlaskForm):
    """What a company has registered about itself."""

    gs1_company_prefix = StringField(
        _l("GS1 company prefix"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[
            Optional(),
            Regexp(rf"^(?:{GS1_PREFIX.pattern})\Z", message=_l("It has 4 to 12 digits.")),
        ],
    )
