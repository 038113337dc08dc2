"""Forms of the board of exceptions."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import Length, NumberRange, Optional

from app.exceptions.queries import Show, Whose
from app.shipments.words import FINDINGS

_ID_MAX = 2**63 - 1

AGES = {"": _l("Any time"), "4": _l("4 hours"), "24": _l("1 day"), "72": _l("3 days"), "168": _l("1 week")}
WAITS = {
    "4": _l("4 hours"),
    "24": _l("1 day"),
    "72": _l("3 days"),
    "168": _l("1 week"),
    "": _l("Take up again"),
}


class BoardForm(FlaskForm):
    """Which findings; in the address."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    kind = SelectField(
        _l("Kind"),
        choices=[
            SelectChoice("", _l("All")),
            *(SelectChoice(one.value, title) for one, (title, _meaning) in FINDINGS.items()),
        ],
        default="",
    )
    place = StringField(_l("Place (its code)"), validators=[Length(max=60)])
    age = SelectField(_l("For at least"), choices=[SelectChoice(*one) for one in AGES.items()], default="")
    whose = SelectField(
        _l("Owner"),
        choices=[
            SelectChoice(Whose.ANYBODY.value, _l("Everybody's")),
            SelectChoice(Whose.MINE.value, _l("Me")),
            SelectChoice(Whose.NOBODY.value, _l("Nobody yet")),
        ],
        default=Whose.ANYBODY.value,
    )
    show = SelectField(
        _l("Show"),
        choices=[
            SelectChoice(Show.DUE.value, _l("What is due")),
            SelectChoice(Show.ASIDE.value, _l("What was put aside")),
            SelectChoice(Show.ALL.value, _l("Both")),
        ],
        default=Show.DUE.value,
    )
    customer = IntegerField(_l("Customer"), validators=[Optional(), NumberRange(1, _ID_MAX)])


class ActionForm(FlaskForm):
    """What is done with the marked findings; which fields count depends on the button."""

    assignee = SelectField(_l("Give to"), validators=[Optional()])
    body = TextAreaField(_l("Note, or what the case is about"), validators=[Length(max=4000)])
    hours = SelectField(
        _l("Put aside for"), choices=[SelectChoice(*one) for one in WAITS.items()], default="24"
    )
    found_at = StringField(_l("Found at (the place's code)"), validators=[Length(max=60)])
