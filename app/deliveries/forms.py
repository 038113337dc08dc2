"""Forms of the last door."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from app.deliveries.point_models import DisputeKind
from app.deliveries.values import ADDRESS_LENGTH_MAX, NOTE_LENGTH_MAX, Window, Wish
from app.deliveries.words import DISPUTES, KINDS, MEANS, STANDINGS, WINDOWS
from app.formatting import calendar_date
from app.network.labels import facility_name
from app.network.models import District, Facility
from app.orders.forms import ScaledField
from tracking.instructions import InstructionKind, Standing
from tracking.pickup import SIDE_MM_MAX


class RedeliverForm(FlaskForm):
    """When to come again."""

    day = SelectField(_l("Day"), validators=[InputRequired()])
    window = RadioField(
        _l("When somebody is there"),
        choices=[SelectChoice(window.value, word) for window, word in WINDOWS.items()],
        default=Window.DAY.value,
    )
    note = StringField(_l("A word to the courier"), validators=[Optional(), Length(max=NOTE_LENGTH_MAX)])

    def offer(self, days: Sequence[date]) -> None:
        """Let one of these days be chosen."""
        self.day.choices = [SelectChoice(day.isoformat(), calendar_date(day)) for day in days]

    def wish(self) -> Wish:
        """What was asked; the form is valid."""
        return Wish(
            InstructionKind.REDELIVER,
            day=date.fromisoformat(str(self.day.data)),
            window=Window(self.window.data),
            note=self.note.data or "",
        )


class AddressForm(FlaskForm):
    """Another door of the same city."""

    district = SelectField(_l("District"), validators=[InputRequired()])
    address = StringField(
        _l("Street and number"), validators=[InputRequired(), Length(max=ADDRESS_LENGTH_MAX)]
    )
    note = StringField(_l("A word to the courier"), validators=[Optional(), Length(max=NOTE_LENGTH_MAX)])

    def offer(self, districts: Sequence[District]) -> None:
        """Let one of these districts be chosen."""
        self.district.choices = [SelectChoice(one.adcode, one.name) for one in districts]

    def wish(self) -> Wish:
        """What was asked; the form is valid."""
        return Wish(
            InstructionKind.REDIRECT,
            district_adcode=self.district.data,
            address=self.address.data,
            note=self.note.data or "",
        )


class PointForm(FlaskForm):
    """A place to fetch it from."""

    facility = SelectField(_l("Place"), coerce=int, validators=[InputRequired()])

    def offer(self, points: Sequence[Facility]) -> None:
        """Let one of these places be chosen."""
        self.facility.choices = [SelectChoice(one.id, facility_name(one)) for one in points]

    def wish(self) -> Wish:
        """What was asked; the form is valid."""
        return Wish(InstructionKind.REDIRECT, facility_id=self.facility.data)


class StopForm(FlaskForm):
    """Hold, intercept or send back: nothing but a word to whoever does it."""

    note = StringField(_l("Why"), validators=[Optional(), Length(max=NOTE_LENGTH_MAX)])


class PlainForm(FlaskForm):
    """Nothing but the protection of a button."""


class InstructionFilterForm(FlaskForm):
    """Which instructions; in the address."""

    class Meta:
        """A GET form: it changes nothing."""

        csrf = False

    standing = SelectField(
        _l("State"),
        choices=[
            SelectChoice("", _l("Open")),
            *(SelectChoice(one.value, word) for one, (word, _tone) in STANDINGS.items()),
        ],
        default="",
    )
    kind = SelectField(
        _l("Kind"),
        choices=[
            SelectChoice("", _l("All")),
            *(SelectChoice(one.value, word) for one, word in KINDS.items()),
        ],
        default="",
    )

    def standings(self) -> list[Standing]:
        """What was chosen; nothing means those that are open."""
        return [Standing(self.standing.data)] if self.standing.data else []

    def chosen_kind(self) -> InstructionKind | None:
        """What was chosen."""
        return InstructionKind(self.kind.data) if self.kind.data else None


class DepositForm(FlaskForm):
    """Parcels that are left here."""

    numbers = TextAreaField(_l("Waybill numbers, one a line"), validators=[InputRequired(), Length(max=8000)])
    compartment = StringField(_l("Compartment"), validators=[Optional(), Length(max=20)])

    def listed(self) -> list[str]:
        """The numbers, each once, in their order."""
        return list(dict.fromkeys((self.numbers.data or "").split()))


class FetchForm(FlaskForm):
    """Somebody with a code."""

    number = StringField(_l("Waybill number or compartment"), validators=[InputRequired(), Length(max=60)])
    code = StringField(_l("Code"), validators=[InputRequired(), Length(max=20)])
    paid = ScaledField(_l("Paid, where cash is due"), scale=2, validators=[Optional(), NumberRange(0)])
    means = SelectField(_l("By"), choices=[SelectChoice(one.value, word) for one, word in MEANS.items()])


class CompartmentForm(FlaskForm):
    """A door of a locker."""

    code = StringField(_l("Compartment"), validators=[InputRequired(), Length(max=20)])
    length_mm = IntegerField(_l("Length, mm"), validators=[InputRequired(), NumberRange(1, SIDE_MM_MAX)])
    width_mm = IntegerField(_l("Width, mm"), validators=[InputRequired(), NumberRange(1, SIDE_MM_MAX)])
    height_mm = IntegerField(_l("Height, mm"), validators=[InputRequired(), NumberRange(1, SIDE_MM_MAX)])


class DisputeForm(FlaskForm):
    """What is wrong with a parcel that was to be fetched."""

    kind = RadioField(
        _l("What is wrong?"),
        choices=[SelectChoice(one.value, word) for one, word in DISPUTES.items()],
        default=DisputeKind.NOT_THERE.value,
    )
    body = TextAreaField(_l("What happened?"), validators=[InputRequired(), Length(max=4000)])
    phone = StringField(_l("Your phone, for our answer"), validators=[Optional(), Length(max=30)])
