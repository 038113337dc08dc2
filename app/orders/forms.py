"""Forms of the booking page, the order list and the terms."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    DateTimeLocalField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation
from wtforms.widgets import TextInput

from app.orders.models import OrderStatus
from app.orders.wording import CHANNELS, DELIVERIES, PICKUPS, SERVICES, STATUSES
from app.shipments.booking_request import MERGE_SHIPMENTS_MAX

_PERSON = lazy_pgettext("person", "Name")
_AMOUNT_MINOR_MAX = 100_000_000
_WEIGHT_G_MAX = 1_000_000
# The limits are said in the units that people write, not in those that are stored.
_WEIGHT = NumberRange(1, _WEIGHT_G_MAX, _l("Between 0.001 and 1,000 kg."))
_AMOUNT = NumberRange(0, _AMOUNT_MINOR_MAX, _l("Between 0 and 1,000,000.00."))


class ScaledField(Field):
    """A decimal that people write (yuan, kilograms) as a whole number of its smallest units.

    `data` is that integer; what was typed is shown again if it is refused.
    """

    widget = TextInput()
    data: int | None

    def __init__(self, label: Any, *, scale: int, **options: Any) -> None:
        super().__init__(label, **options)
        self.scale = scale

    def pre_validate(self, form: Any) -> None:  # noqa: ARG002 - as WTForms calls it
        """What is no number is not also said to be too small."""
        if self.process_errors:
            raise StopValidation

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read a decimal with no more digits than the unit has."""
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            scaled = Decimal(text) * self.scale
        except InvalidOperation:
            self.data = None
            raise ValueError(_("This is not a number.")) from None
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            self.data = None
            raise ValueError(_("This has too many digits after the point."))
        self.data = int(scaled)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        return f"{(Decimal(self.data) / self.scale).normalize():f}"


def _choices(names: Any) -> list[SelectChoice]:
    return [SelectChoice(key.value, name) for key, name in names.items()]


class BookingForm(FlaskForm):
    """A parcel from somebody to somebody. `once` makes a form that is sent twice one booking."""

    once = HiddenField(validators=[InputRequired(), Length(max=64)])
    payer_phone = StringField(_l("Customer's phone"), validators=[InputRequired(), Length(max=30)])
    payer_name = StringField(_l("Customer's name"), validators=[Optional(), Length(max=100)])
    sender_name = StringField(_PERSON, validators=[InputRequired(), Length(max=100)])
    sender_phone = StringField(_l("Phone"), validators=[InputRequired(), Length(max=30)])
    sender_district = StringField(_l("District"), validators=[InputRequired(), Length(max=100)])
    sender_address = StringField(_l("Street, building, room"), validators=[InputRequired(), Length(max=200)])
    consignee_name = StringField(_PERSON, validators=[InputRequired(), Length(max=100)])
    consignee_phone = StringField(_l("Phone"), validators=[InputRequired(), Length(max=30)])
    consignee_district = StringField(_l("District"), validators=[InputRequired(), Length(max=100)])
    consignee_address = StringField(
        _l("Street, building, room"), validators=[InputRequired(), Length(max=200)]
    )
    goods = StringField(_l("What is in it?"), validators=[InputRequired(), Length(max=200)])
    pieces = IntegerField(_l("Pieces"), default=1, validators=[InputRequired(), NumberRange(1, 999)])
    weight_g = ScaledField(_l("Weight, all pieces"), scale=1000, validators=[InputRequired(), _WEIGHT])
    volume_cm3 = IntegerField(_l("Volume, all pieces"), validators=[Optional(), NumberRange(0, 20_000_000)])
    service = RadioField(
        _l("Service"), choices=_choices(SERVICES), default="standard", validators=[InputRequired()]
    )
    pickup_handover = SelectField(
        _l("How it is handed in"), choices=_choices(PICKUPS), default="door", validators=[InputRequired()]
    )
    delivery_handover = SelectField(_l("How it is handed over"), choices=_choices(DELIVERIES), default="door")
    declared_value_minor = ScaledField(_l("Declared value"), scale=100, validators=[Optional(), _AMOUNT])
    cod_minor = ScaledField(_l("Cash on delivery"), scale=100, validators=[Optional(), _AMOUNT])
    channel = RadioField(
        _l("Payment"), choices=_choices(CHANNELS), default="prepaid", validators=[InputRequired()]
    )
    reference = StringField(_l("Your own number for it"), validators=[Optional(), Length(max=100)])
    merge_reference = StringField(_l("Deliver together with"), validators=[Optional(), Length(max=100)])
    merge_shipments = IntegerField(
        _l("Shipments that belong together"), validators=[Optional(), NumberRange(1, MERGE_SHIPMENTS_MAX)]
    )


class OrderFilterForm(FlaskForm):
    """Which orders are shown; the address holds it."""

    class Meta:
        csrf = False  # it asks and changes nothing

    status = SelectField(
        _l("State"),
        choices=[
            SelectChoice("", _l("All")),
            *(SelectChoice(one.value, STATUSES[one][0]) for one in OrderStatus),
        ],
        default="",
    )
    channel = SelectField(
        _l("Payment"), choices=[SelectChoice("", _l("All")), *_choices(CHANNELS)], default=""
    )
    unpaid = SelectField(
        _l("Paid?"), choices=[SelectChoice("", _l("All")), SelectChoice("1", _l("Not paid yet"))], default=""
    )
    from_day = DateField(_l("From"), validators=[Optional()])
    to_day = DateField(_l("To"), validators=[Optional()])


class ReasonForm(FlaskForm):
    """Why an order is cancelled."""

    reason = StringField(_l("Reason"), validators=[InputRequired(), Length(max=500)])


class ChannelForm(FlaskForm):
    """What the payment channel has handed over."""

    amount_minor = ScaledField(_l("Amount"), scale=100, validators=[InputRequired(), NumberRange(1, 10**15)])
    reference = StringField(_l("Reference of the bank"), validators=[InputRequired(), Length(max=100)])


class TermsForm(FlaskForm):
    """The next version of the terms."""

    effective_from = DateTimeLocalField(
        _l("In force from"), format="%Y-%m-%dT%H:%M", validators=[InputRequired()]
    )
    body = TextAreaField(_l("Terms as JSON"), validators=[InputRequired(), Length(max=100_000)])

    def document(self) -> dict[str, Any] | None:
        """The JSON object in the field; None, with an error at the field, when it is none."""
        try:
            found = json.loads(self.body.data or "", parse_float=_no_fraction)
        except ValueError as error:
            self.body.errors = [_("This is not JSON: %(problem)s", problem=str(error))]
            return None
        if not isinstance(found, dict):
            self.body.errors = [_("A JSON object was expected.")]
            return None
        return found


def _no_fraction(text: str) -> int:
    raise ValueError(_("%(number)s is no whole number", number=text))
