"""The filters above the journal and the accounts."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import Length, Optional

from app.ledger.wording import EVIDENCE, KINDS, PURPOSES


class _Filter(FlaskForm):
    """Read from the address; changes nothing, so needs no token."""

    class Meta:
        csrf = False


class JournalFilter(_Filter):
    """Which entries are shown."""

    kind = SelectField(
        _l("What happened"),
        choices=[SelectChoice("", _l("Anything")), *(SelectChoice(*one) for one in KINDS.items())],
        validators=[Optional()],
    )
    party = SelectField(_l("Party"), validators=[Optional()])
    evidence = SelectField(
        _l("Rests on"),
        choices=[SelectChoice("", _l("Anything")), *(SelectChoice(*one) for one in EVIDENCE.items())],
        validators=[Optional()],
    )
    ref = StringField(_l("Its number"), validators=[Optional(), Length(max=100)])
    day = DateField(_l("Day"), validators=[Optional()])


class AccountFilter(_Filter):
    """Which accounts are shown."""

    purpose = SelectField(
        _l("Purpose"),
        choices=[
            SelectChoice("", _l("Anything")),
            *(SelectChoice(purpose.value, name) for purpose, name in PURPOSES.items()),
        ],
        validators=[Optional()],
    )
    party = SelectField(_l("Party"), validators=[Optional()])
