"""Forms of the shipments room."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional, Regexp

from app.shipments.calibration import Stage
from app.shipments.words import MILESTONES, SERVICES, STAGES
from tracking.carriers import NUMBER_LENGTH_MAX, carriers

_POSTAL = "s10"


class TrackForm(FlaskForm):
    """Which parcel."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    number = StringField(_l("Waybill number"), validators=[InputRequired(), Length(max=60)])


class PhoneForm(FlaskForm):
    """The key to the details."""

    digits = StringField(
        _l("Last four digits of the sender's or consignee's phone"),
        validators=[InputRequired(), Regexp(r"^\s*[0-9]{4}\s*$", message=_l("Four digits."))],
    )


class ReceiptForm(FlaskForm):
    """Nothing but the protection of the button."""


class ComplaintForm(FlaskForm):
    """What is wrong; the service desk's door takes it."""

    category = SelectField(
        _l("What is it about?"),
        choices=[
            SelectChoice("late", _l("It is late")),
            SelectChoice("not_received", _l("It is said to be delivered, and I do not have it")),
            SelectChoice("damaged", _l("It is damaged")),
            SelectChoice("lost", _l("It is lost, or a part of it")),
            SelectChoice("courier", _l("How I was treated")),
            SelectChoice("price", _l("What it cost")),
            SelectChoice("other", _l("Something else")),
        ],
    )
    body = TextAreaField(_l("What happened?"), validators=[InputRequired(), Length(max=4000)])
    phone = StringField(_l("Your phone, for our answer"), validators=[Optional(), Length(max=30)])


class ListForm(FlaskForm):
    """What the list of shipments is narrowed to; in the address."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    text = StringField(_l("Number, reference or phone"), validators=[Length(max=60)])
    milestone = SelectField(
        _l("State"),
        choices=[
            SelectChoice("", _l("All")),
            *(SelectChoice(one.value, word) for one, (word, _tone) in MILESTONES.items()),
        ],
        validate_choice=True,
        default="",
    )
    from_day = DateField(_l("Booked from"), validators=[Optional()])
    to_day = DateField(_l("Booked to"), validators=[Optional()])


class PromiseForm(FlaskForm):
    """Which promises; in the address."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    stage = SelectField(
        _l("When it was told"),
        choices=[SelectChoice(one.value, word) for one, word in STAGES.items()],
        default=Stage.BOOKED.value,
    )
    service = SelectField(
        _l("Service"),
        choices=[
            SelectChoice("", _l("All")),
            *(SelectChoice(one.value, word) for one, word in SERVICES.items()),
        ],
        default="",
    )


class ForwardingForm(FlaskForm):
    """Under which number another carrier takes it further."""

    number = StringField(
        _l("The other carrier's number"), validators=[InputRequired(), Length(max=NUMBER_LENGTH_MAX)]
    )
    carrier = SelectField(
        _l("Carrier"),
        choices=[
            SelectChoice("", _l("By its number")),
            *(
                SelectChoice(code, _l("Post (international)") if code == _POSTAL else name)
                for code, name in sorted(carriers().items(), key=lambda one: one[1].casefold())
            ),
        ],
        default="",
    )
