"""The form of an area: its name, its corners as text, the hours in which it is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import FieldList, Form, FormField, SelectMultipleField, StringField, TextAreaField, TimeField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.dispatch.area_models import Area
from app.dispatch.areas import CLOSED_MAX, NAME_MAX, ClosedHours, closed_of
from app.dispatch.models import VehicleClass
from app.dispatch.rings import CORNERS_MAX, CORNERS_MIN, REACH_M, Fault, Found
from app.dispatch.words import VEHICLE_CLASSES

_DAY_S = 24 * 3600
_TEXT_MAX = 20_000
_APART = re.compile(r"\s*[,，、;；\s]\s*")

FAULT_WORDS: Mapping[Fault, Any] = {
    Fault.TOO_FEW: _l("An area has at least %(least)s corners."),
    Fault.TOO_MANY: _l("An area has at most %(most)s corners."),
    Fault.NO_PLACE: _l("Corner %(one)s is no place on earth: latitude first, then longitude."),
    Fault.TOO_FAR: _l("Corner %(one)s lies more than %(km)s km from the outlet."),
    Fault.CROSSES: _l("The side after corner %(one)s crosses the side after corner %(other)s."),
    Fault.TOO_SMALL: _l("The corners lie on a line."),
}


def fault_text(found: Found) -> str:
    """What is wrong with an area's corners, in the page's language."""
    one, other = (*found.corners, 0, 0)[:2]
    values = {"least": CORNERS_MIN, "most": CORNERS_MAX, "km": REACH_M // 1000, "one": one, "other": other}
    return str(FAULT_WORDS[found.fault]) % values


class ClosedForm(Form):
    """Hours in which some vehicles may not go there; without a time they are none."""

    vehicle_classes: Any = SelectMultipleField(
        _l("Closed to"),
        choices=[SelectChoice(one.value, label) for one, label in VEHICLE_CLASSES.items()],
        coerce=VehicleClass,
        validators=[Optional()],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    from_time = TimeField(_l("From"), validators=[Optional()])
    to_time = TimeField(_l("Until"), validators=[Optional()])

    def validate(self, extra_validators: Any = None) -> bool:
        """Hours that have a time have all of it, and are for somebody; 00:00 is the end of the day."""
        if not super().validate(extra_validators):
            return False
        start, end = self.from_time.data, self.to_time.data
        given = (start is not None, end is not None, bool(self.vehicle_classes.data))
        wrong = None
        if any(given) and not all(given):
            wrong = _("Say from when until when, and to which vehicles, or clear all of it.")
        elif all(given) and _seconds(start) >= (_seconds(end) or _DAY_S):
            wrong = _("It ends before it begins. Hours over midnight are two rows.")
        if wrong is not None:
            self.to_time.errors = [wrong]
        return wrong is None

    def wanted(self) -> ClosedHours | None:
        """The hours of a valid form; None where nothing was typed."""
        if self.from_time.data is None:
            return None
        return ClosedHours(
            frozenset(self.vehicle_classes.data or ()),
            _seconds(self.from_time.data),
            _seconds(self.to_time.data) or _DAY_S,
        )


class AreaForm(FlaskForm):
    """An area as it is drawn on the map or typed."""

    name = StringField(
        lazy_pgettext("place", "Name"), validators=[InputRequired(), Length(min=1, max=NAME_MAX)]
    )
    ring = TextAreaField(_l("Corners"), validators=[InputRequired(), Length(max=_TEXT_MAX)])
    closed = FieldList(FormField(ClosedForm), _l("Closed hours"), max_entries=CLOSED_MAX)

    @classmethod
    def of(cls, area: Area | None) -> AreaForm:
        """The form as the area stands; what was typed wins. None: a new one."""
        form = cls()
        if not form.is_submitted() and area is not None:
            form.name.data = area.name
            form.ring.data = "\n".join(
                f"{latitude:.6f}, {longitude:.6f}" for latitude, longitude in area.ring
            )
            for one in closed_of(area.closed):
                times = {"from_time": _time_of(one.from_s), "to_time": _time_of(one.to_s)}
                form.closed.append_entry({"vehicle_classes": sorted(one.vehicle_classes), **times})
        while len(form.closed) < CLOSED_MAX:
            form.closed.append_entry()
        return form

    def validate_ring(self, field: TextAreaField) -> None:
        """A latitude and a longitude on each line."""
        for number, line in enumerate((field.data or "").strip().splitlines(), 1):
            if line.strip() and _corner(line) is None:
                raise ValidationError(_("Line %(num)s is not a latitude and a longitude.", num=number))

    def corners(self) -> list[list[float]]:
        """The corners of a valid form: latitude and longitude of each."""
        found = map(_corner, (self.ring.data or "").splitlines())
        return [corner for corner in found if corner is not None]

    def hours(self) -> list[ClosedHours]:
        """The closed hours of a valid form."""
        found = [entry.form.wanted() for entry in self.closed]
        return [one for one in found if one is not None]


def _corner(line: str) -> list[float] | None:
    parts = _APART.split(line.strip())
    try:
        latitude, longitude = map(float, parts)
    except ValueError:
        return None
    return [latitude, longitude]


def _seconds(moment: time | None) -> int:
    return 0 if moment is None else moment.hour * 3600 + moment.minute * 60


def _time_of(seconds: int) -> time:
    return time(*divmod(seconds % _DAY_S // 60, 60))
