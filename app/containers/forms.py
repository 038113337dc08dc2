"""Forms of the containers room."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import Length, Optional

from app.containers.words import KINDS, STATUSES

_ALL = SelectChoice("", _l("All"))


def _number_or_none(text: str | None) -> int | None:
    return int(text) if text else None


class ListForm(FlaskForm):
    """Which containers."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    number = StringField(_l("Number"), validators=[Optional(), Length(max=60)])
    kind = SelectField(
        _l("Kind"),
        choices=[_ALL, *(SelectChoice(kind.value, word) for kind, word in KINDS.items())],
        validators=[Optional()],
    )
    status = SelectField(
        _l("State"),
        choices=[_ALL, *(SelectChoice(status.value, word) for status, (word, _tone) in STATUSES.items())],
        validators=[Optional()],
    )


class OpenForm(FlaskForm):
    """A new container; the choices of places are filled in by the view."""

    kind = SelectField(_l("Kind"), choices=[SelectChoice(kind.value, word) for kind, word in KINDS.items()])
    facility_id = SelectField(_l("From"), coerce=_number_or_none, validators=[Optional()])
    to_facility_id = SelectField(_l("To"), coerce=_number_or_none, validators=[Optional()])
    vehicle = StringField(_l("Vehicle"), validators=[Optional(), Length(max=60)])
