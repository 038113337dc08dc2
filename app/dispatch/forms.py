"""Forms of the dispatch room."""

from __future__ import annotations

from datetime import time
from typing import TypedDict

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, TimeField
from wtforms.validators import InputRequired, NumberRange, ValidationError

from app.dispatch.models import Courier


class CourierChanges(TypedDict):
    """What `service.change_courier` takes of the form."""

    shift_start_s: int
    shift_end_s: int
    capacity_g: int
    capacity_cm3: int
    capacity_pieces: int
    active: bool


class CourierForm(FlaskForm):
    """A courier's shift and vehicle."""

    shift_start = TimeField(_l("Shift from"), validators=[InputRequired()])
    shift_end = TimeField(_l("Shift until"), validators=[InputRequired()])
    capacity_kg = IntegerField(_l("Weight aboard at most"), validators=[NumberRange(0, 100_000)])
    capacity_litres = IntegerField(_l("Volume aboard at most"), validators=[NumberRange(0, 100_000)])
    capacity_pieces = IntegerField(_l("Pieces aboard at most"), validators=[NumberRange(0, 100_000)])
    active = BooleanField(_l("At work: gets rounds"))

    @classmethod
    def of(cls, courier: Courier) -> CourierForm:
        """The form as the courier stands; what was typed wins."""
        form = cls()
        if not form.is_submitted():
            form.shift_start.data = _time_of(courier.shift_start_s)
            form.shift_end.data = _time_of(courier.shift_end_s)
            form.capacity_kg.data = courier.capacity_g // 1000
            form.capacity_litres.data = courier.capacity_cm3 // 1000
            form.capacity_pieces.data = courier.capacity_pieces
            form.active.data = courier.active
        return form

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
            "shift_start_s": start.hour * 3600 + start.minute * 60,
            "shift_end_s": end.hour * 3600 + end.minute * 60,
            "capacity_g": (self.capacity_kg.data or 0) * 1000,
            "capacity_cm3": (self.capacity_litres.data or 0) * 1000,
            "capacity_pieces": self.capacity_pieces.data or 0,
            "active": bool(self.active.data),
        }


def _time_of(seconds: int) -> time:
    return time(*divmod(min(seconds, 24 * 3600 - 60) // 60, 60))
