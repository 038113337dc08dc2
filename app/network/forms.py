"""Forms of the network's pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import DateField, DateTimeLocalField, Field, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from app.network.comparing import Question
from app.network.hours_text import (
    WEEKDAYS,
    intervals_of,
    intervals_written,
    time_of,
    times_of,
    times_written,
    written,
)
from app.network.labels import KINDS, OPERATORS
from app.network.working import Operation
from routing.network import InvalidNetworkError, Operator, WorkingHours
from routing.network.clock import MINUTES_PER_DAY, zone
from routing.network.hours import weekly

_SORT_MINUTES_MAX = 7 * 24 * 60
_SORT_PER_HOUR_MAX = 10_000_000
_ALL = SelectChoice("", _l("All"))


class FacilityFilterForm(FlaskForm):
    """Which facilities the list shows; the address holds it."""

    class Meta:
        csrf = False  # it asks and changes nothing

    q = StringField(_l("Name or code"), validators=[Optional(), Length(max=100)])
    kind = SelectField(
        _l("Kind"),
        choices=[_ALL, *(SelectChoice(kind.value, name) for kind, name in KINDS.items())],
        default="",
    )
    province = SelectField(_l("Province"), default="")
    state = SelectField(
        _l("State"),
        choices=[
            _ALL,
            SelectChoice("open", lazy_pgettext("facility", "Open")),
            SelectChoice("closed", lazy_pgettext("facility", "Closed")),
        ],
        default="",
    )

    def offer_provinces(self, names: Iterable[str]) -> None:
        """Fill in the provinces to choose from."""
        self.province.choices = [_ALL, *(SelectChoice(name, name) for name in names)]


class RouteForm(FlaskForm):
    """A parcel to be routed; the address holds it."""

    class Meta:
        csrf = False  # it asks and changes nothing

    origin = StringField(lazy_pgettext("place", "From"), validators=[InputRequired(), Length(max=100)])
    destination = StringField(lazy_pgettext("place", "To"), validators=[InputRequired(), Length(max=100)])
    ready = DateTimeLocalField(_l("Ready at"), format="%Y-%m-%dT%H:%M", validators=[InputRequired()])
    weight_g = IntegerField(_l("Weight"), validators=[InputRequired(), NumberRange(min=1, max=100_000_000)])

    def validate_ready(self, field: DateTimeLocalField) -> None:
        """Refuse what is no date of ours, and what calendars cannot add days to."""
        if field.data is not None and not 2000 <= field.data.year < 2100:
            raise ValidationError(_("This is not a date of this century."))


class _DemandForm(FlaskForm):
    """What is to be carried, as both studies of a network ask for it."""

    demand = SelectField(
        _l("Demand"),
        choices=[
            SelectChoice("own", _l("What was sent")),
            SelectChoice("gravity", _l("Gravity model on what outlets sent and received")),
        ],
        default="own",
    )
    days = IntegerField(
        _l("Days looked back on"), validators=[InputRequired(), NumberRange(min=1, max=90)], default=30
    )


class CompareForm(_DemandForm):
    """Which demand is put on several topologies; the address holds it."""

    class Meta:
        csrf = False  # it asks and changes nothing

    parcels = IntegerField(
        _l("Parcels a day"), validators=[InputRequired(), NumberRange(min=1, max=1_000_000)], default=100_000
    )
    hubs = IntegerField(
        _l("Number of hubs"), validators=[InputRequired(), NumberRange(min=1, max=30)], default=6
    )
    discount = IntegerField(
        _l("Cost between hubs"), validators=[InputRequired(), NumberRange(min=0, max=100)], default=60
    )
    capacity = IntegerField(
        _l("A hub sorts"), validators=[Optional(), NumberRange(min=1, max=_SORT_PER_HOUR_MAX)]
    )
    FIELDS = frozenset({"demand", "days", "parcels", "hubs", "discount", "capacity"})

    @property
    def question(self) -> Question:
        """What is asked; of a form that was not filled in, what it offers."""
        return Question(
            gravity=self.demand.data == "gravity",
            days=self.days.data or 1,
            parcels=self.parcels.data or 1,
            hubs=self.hubs.data or 1,
            discount_percent=self.discount.data or 0,
            hub_per_hour=self.capacity.data,
        )


class ReasonForm(FlaskForm):
    """Why something is closed or opened again."""

    # Blanks are no reason, so they go before it is looked at.
    reason = StringField(
        _l("Reason"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[DataRequired(), Length(max=500)],
    )


class HolidayForm(FlaskForm):
    """Days on which a lane does not run."""

    first_day = DateField(_l("First day"), validators=[InputRequired()])
    last_day = DateField(_l("Last day"), validators=[Optional()])
    # Beside the reason for closing the lane, on the same page.
    why = StringField(
        _l("Reason"),
        filters=[lambda typed: (typed or "").strip()],
        validators=[DataRequired(), Length(max=500)],
    )


class DesignForm(_DemandForm):
    """Which outlets would best be hubs."""

    hubs = IntegerField(
        _l("Number of hubs"), validators=[InputRequired(), NumberRange(min=1, max=30)], default=6
    )
    discount = IntegerField(
        _l("Cost between hubs"), validators=[InputRequired(), NumberRange(min=0, max=100)], default=60
    )
    allocation = SelectField(
        _l("An outlet uses"),
        choices=[
            SelectChoice("single", _l("One hub")),
            SelectChoice("multiple", _l("Several hubs")),
        ],
        default="single",
    )
    seconds = IntegerField(
        _l("Time to search"), validators=[InputRequired(), NumberRange(min=1, max=600)], default=60
    )


def _reads(parse: Callable[[str], object], message: Callable[[], str]) -> Callable[[FlaskForm, Field], None]:
    """A validator: what was typed can be read."""

    def validate(_form: FlaskForm, field: Field) -> None:
        try:
            parse(field.data or "")
        except (ValueError, InvalidNetworkError) as error:
            raise ValidationError(message()) from error

    return validate


def _hours(label: str) -> StringField:
    return StringField(
        label,
        validators=[
            Optional(),
            Length(max=200),
            _reads(intervals_of, lambda: _("Write it like 08:00-12:00, 14:00-20:00.")),
        ],
    )


class OperationForm(FlaskForm):
    """When a facility works, how much it sorts, and who runs it."""

    operator = SelectField(
        _l("Who runs it"), choices=[SelectChoice(one.value, name) for one, name in OPERATORS.items()]
    )
    timezone = StringField(
        _l("Time zone"),
        validators=[
            InputRequired(),
            Length(max=64),
            _reads(zone, lambda: _("There is no such time zone. Write it like Asia/Shanghai.")),
        ],
    )
    monday = _hours(_l("Monday"))
    tuesday = _hours(_l("Tuesday"))
    wednesday = _hours(_l("Wednesday"))
    thursday = _hours(_l("Thursday"))
    friday = _hours(_l("Friday"))
    saturday = _hours(_l("Saturday"))
    sunday = _hours(_l("Sunday"))
    cutoff = StringField(
        _l("Cut-off"),
        validators=[InputRequired(), Length(max=5), _reads(time_of, lambda: _("Write it like 16:00."))],
    )
    rounds = StringField(
        _l("Delivery rounds start at"),
        validators=[
            InputRequired(),
            Length(max=100),
            _reads(times_of, lambda: _("Write it like 08:00, 14:00.")),
        ],
    )
    sort_minutes = IntegerField(
        _l("Sorting takes"), validators=[InputRequired(), NumberRange(min=0, max=_SORT_MINUTES_MAX)]
    )
    sort_per_hour = IntegerField(
        _l("Sorting capacity"), validators=[Optional(), NumberRange(min=1, max=_SORT_PER_HOUR_MAX)]
    )

    def show(self, operation: Operation) -> None:
        """Fill it in with how a facility is run now."""
        hours = operation.hours
        self.operator.data = operation.operator.value
        self.timezone.data = hours.timezone
        for name, of_day in zip(WEEKDAYS, hours.intervals_by_weekday(), strict=True):
            self[name].data = ", ".join(intervals_written(of_day))
        self.cutoff.data = written(hours.collection_cutoff_minute)
        self.rounds.data = times_written(hours.round_minutes)
        self.sort_minutes.data = operation.sort_s // 60
        self.sort_per_hour.data = operation.sort_per_hour

    def operation(self) -> Operation | None:
        """What is asked for, of a valid form; None, with the faults at their fields, if it cannot be."""
        days = [intervals_of(self[name].data or "") for name in WEEKDAYS]
        rounds, cutoff = times_of(self.rounds.data or ""), time_of(self.cutoff.data or "")
        if not any(days):
            self.monday.errors = [_("It must open on some day. To shut it down, close it on its page.")]
        elif not rounds or list(rounds) != sorted(set(rounds)) or rounds[-1] >= MINUTES_PER_DAY:
            self.rounds.errors = [_("Give the times in order, each once, before midnight.")]
        elif not cutoff:
            self.cutoff.errors = [_("It must lie after the opening of some day.")]
        else:
            return Operation(
                WorkingHours(self.timezone.data or "", weekly(days), frozenset(), cutoff, rounds),
                (self.sort_minutes.data or 0) * 60,
                self.sort_per_hour.data,
                Operator(self.operator.data),
            )
        return None
