"""Forms of the dispatch room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from typing import Any, TypedDict

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import (
    BooleanField,
    DateField,
    DecimalField,
    FieldList,
    FloatField,
    Form,
    FormField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.dispatch.area_models import Area
from app.dispatch.breaks import BREAKS_MAX, MINUTES_MAX, breaks_of, rows_of_breaks
from app.dispatch.models import Courier, VehicleClass
from app.dispatch.service import CourierBreak, Wanted
from app.dispatch.skills import split_skills
from app.dispatch.words import VEHICLE_CLASSES
from app.errors import InvalidInputError
from app.network import queries as network

_ADCODE = re.compile(r"(\d{6})\s*$")
_WINDOW = re.compile(r"(\d{1,5})-(\d{1,5})")
WEEKDAYS = tuple(enumerate((_l("Mon"), _l("Tue"), _l("Wed"), _l("Thu"), _l("Fri"), _l("Sat"), _l("Sun"))))


class BreakForm(Form):
    """A break of a courier's shift; without a time it is none."""

    from_time = TimeField(_l("Starts from"), validators=[Optional()])
    to_time = TimeField(_l("Starts by"), validators=[Optional()])
    minutes = IntegerField(_l("Minutes"), validators=[Optional(), NumberRange(1, MINUTES_MAX)])
    paid = BooleanField(_l("Paid"))

    def validate_to_time(self, field: TimeField) -> None:
        """A break that has a time has all of it."""
        given = (self.from_time.data, field.data, self.minutes.data)
        if any(one is not None for one in given) and None in given:
            raise ValidationError(_("Give the time and the length of the break, or clear both."))
        if self.from_time.data is not None and field.data is not None and field.data < self.from_time.data:
            raise ValidationError(_("It ends before it starts."))

    def wanted(self) -> CourierBreak | None:
        """The break of a valid form; None where nothing was typed."""
        start, end, minutes = self.from_time.data, self.to_time.data, self.minutes.data
        if start is None or end is None or minutes is None:
            return None
        return CourierBreak(_seconds_of(start), _seconds_of(end), minutes, bool(self.paid.data))


class CourierChanges(TypedDict):
    """What `service.change_courier` takes of the form."""

    shift_start_s: int
    shift_end_s: int
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int
    vehicle_class: VehicleClass
    territory: list[int]
    skills: list[str]
    breaks: list[CourierBreak]
    active: bool


class CourierForm(FlaskForm):
    """A courier's shift and vehicle."""

    shift_start = TimeField(_l("Shift from"), validators=[InputRequired()])
    shift_end = TimeField(_l("Shift until"), validators=[InputRequired()])
    capacity_kg = IntegerField(_l("Weight aboard at most"), validators=[NumberRange(0, 100_000)])
    capacity_litres = IntegerField(_l("Volume aboard at most"), validators=[NumberRange(0, 100_000)])
    capacity_pieces = IntegerField(_l("Pieces aboard at most"), validators=[NumberRange(0, 100_000)])
    vehicle_class: Any = SelectField(
        _l("Vehicle"),
        choices=[SelectChoice(one.value, label) for one, label in VEHICLE_CLASSES.items()],
        coerce=VehicleClass,
    )
    territory: Any = SelectMultipleField(
        _l("At home in"),
        coerce=int,
        validators=[Optional()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    skills = StringField(_l("Skills"), validators=[Optional(), Length(max=500)])
    breaks = FieldList(FormField(BreakForm), _l("Breaks"), max_entries=BREAKS_MAX)
    active = BooleanField(_l("At work: gets rounds"))

    @classmethod
    def of(cls, courier: Courier, areas: Sequence[Area], territory: Sequence[int]) -> CourierForm:
        """The form as the courier stands; what was typed wins.

        Args:
            courier: who.
            areas: of his outlet.
            territory: ids of those in which he is at home.
        """
        form = cls()
        form.territory.choices = [SelectChoice(area.id, area.name) for area in areas]
        if not form.is_submitted():
            form.shift_start.data = _time_of(courier.shift_start_s)
            form.shift_end.data = _time_of(courier.shift_end_s)
            form.capacity_kg.data = courier.capacity_g // 1000
            form.capacity_litres.data = courier.capacity_cm3 // 1000
            form.capacity_pieces.data = courier.capacity_pieces
            form.vehicle_class.data = courier.vehicle_class
            form.territory.data = list(territory)
            form.active.data = courier.active
            form.skills.data = ", ".join(courier.skills)
            for one in breaks_of(courier.breaks):
                times = {"from_time": _time_of(one.from_s), "to_time": _time_of(one.to_s)}
                form.breaks.append_entry({**times, "minutes": one.minutes, "paid": one.paid})
        while len(form.breaks) < BREAKS_MAX:
            form.breaks.append_entry()
        return form

    def validate_skills(self, field: StringField) -> None:
        """Words of the company's own, not too many."""
        try:
            split_skills(field.data or "")
        except InvalidInputError as error:
            raise ValidationError(_("At most 20 skills, each of at most 40 letters.")) from error

    def validate_breaks(self, _field: FieldList[Any]) -> None:
        """Breaks lie one after the other."""
        try:
            rows_of_breaks(self._breaks())
        except InvalidInputError as error:
            raise ValidationError(_("A break begins before the one before it is over.")) from error

    def _breaks(self) -> list[CourierBreak]:
        found = [entry.form.wanted() for entry in self.breaks]
        return [one for one in found if one is not None]

    def validate_shift_end(self, field: TimeField) -> None:
        """A shift ends on the day it starts."""
        if (
            field.data is not None
            and self.shift_start.data is not None
            and field.data <= self.shift_start.data
        ):
            raise ValidationError(_("The shift ends before it starts."))

    def changes(self) -> CourierChanges:
        """The courier as typed; the form is valid."""
        start, end = self.shift_start.data, self.shift_end.data
        assert start is not None, "validated"
        assert end is not None, "validated"
        return {
            "shift_start_s": _seconds_of(start),
            "shift_end_s": _seconds_of(end),
            "capacity_g": (self.capacity_kg.data or 0) * 1000,
            "capacity_cm3": (self.capacity_litres.data or 0) * 1000,
            "capacity_pieces": self.capacity_pieces.data or 0,
            "vehicle_class": self.vehicle_class.data,
            "territory": self.territory.data or [],
            "skills": split_skills(self.skills.data or ""),
            "breaks": self._breaks(),
            "active": bool(self.active.data),
        }


def _time_of(seconds: int) -> time:
    return time(*divmod(min(seconds, 24 * 3600 - 60) // 60, 60))


def _seconds_of(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60


class _NeedsForm(FlaskForm):
    """What is needed at a stop."""

    skills = StringField(_l("The courier must be able to"), validators=[Optional(), Length(max=500)])

    def validate_skills(self, field: StringField) -> None:
        """Words of the company's own, not too many."""
        try:
            split_skills(field.data or "")
        except InvalidInputError as error:
            raise ValidationError(_("At most 20 skills, each of at most 40 letters.")) from error


class StopForm(_NeedsForm):
    """Where a stop is, and what is needed there."""

    latitude = FloatField(_l("Latitude"), validators=[InputRequired(), NumberRange(-90, 90)])
    longitude = FloatField(_l("Longitude"), validators=[InputRequired(), NumberRange(-180, 180)])


class PickupForm(_NeedsForm):
    """Who wants to be called on, where and when, and about how much there will be."""

    contact_name = StringField(lazy_pgettext("person", "Name"), validators=[InputRequired(), Length(max=100)])
    contact_phone = StringField(_l("Phone"), validators=[InputRequired(), Length(max=30)])
    pickup_district = StringField(_l("District"), validators=[InputRequired(), Length(max=100)])
    address = StringField(_l("Address"), validators=[InputRequired(), Length(max=300)])
    day = DateField(_l("Day"), validators=[InputRequired()])
    window = StringField(_l("Window"), validators=[InputRequired()])
    pieces = IntegerField(_l("Pieces"), default=1, validators=[NumberRange(1, 10_000)])
    weight_kg = DecimalField(
        _l("Weight together, about"), default=Decimal(1), validators=[NumberRange(Decimal("0.001"), 100_000)]
    )
    note = TextAreaField(_l("For the courier"), validators=[Optional(), Length(max=500)])
    weekdays: Any = SelectMultipleField(
        _l("Every week on"),
        choices=[SelectChoice(value, label) for value, label in WEEKDAYS],
        coerce=int,
        validators=[Optional()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    last_day = DateField(_l("Until"), validators=[Optional()])

    def validate_window(self, field: StringField) -> None:
        """One of the windows that were offered."""
        if not _WINDOW.fullmatch(field.data or ""):
            raise ValidationError(_("Choose one of the windows."))

    def wanted(self, session: Session) -> Wanted | None:
        """What a valid form asks for; None where the district is not one, which the form then says."""
        adcode = district_of(session, self.pickup_district.data or "")
        if adcode is None:
            self.pickup_district.errors = [_("Choose one of the districts that are suggested.")]
            return None
        window = _WINDOW.fullmatch(self.window.data or "")
        assert window is not None, "validated"
        assert self.day.data is not None, "validated"
        return Wanted(
            contact_name=self.contact_name.data or "",
            contact_phone=self.contact_phone.data or "",
            district_adcode=adcode,
            address=self.address.data or "",
            day=self.day.data,
            window_from_s=int(window[1]),
            window_to_s=int(window[2]),
            pieces=self.pieces.data or 1,
            weight_g=max(1, int((self.weight_kg.data or Decimal(0)) * 1000)),
            note=self.note.data or "",
            skills=split_skills(self.skills.data or ""),
        )


def district_of(session: Session, text: str) -> str | None:
    """The code of the district that somebody typed: with its code, or by words that only one has."""
    coded = _ADCODE.search(text)
    found = network.search_districts(session, coded[1] if coded else text[:100], 2)
    return found[0].adcode if len(found) == 1 else None
