"""Forms of the network's pages."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import DateField, DateTimeLocalField, IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, ValidationError

from app.network.comparing import Question
from app.network.labels import KINDS

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
    hubs = IntegerField(_l("Hubs"), validators=[InputRequired(), NumberRange(min=1, max=30)], default=6)
    discount = IntegerField(
        _l("Cost between hubs"), validators=[InputRequired(), NumberRange(min=0, max=100)], default=60
    )
    FIELDS = frozenset({"demand", "days", "parcels", "hubs", "discount"})

    @property
    def question(self) -> Question:
        """What is asked; of a form that was not filled in, what it offers."""
        return Question(
            gravity=self.demand.data == "gravity",
            days=self.days.data or 1,
            parcels=self.parcels.data or 1,
            hubs=self.hubs.data or 1,
            discount_percent=self.discount.data or 0,
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

    hubs = IntegerField(_l("Hubs"), validators=[InputRequired(), NumberRange(min=1, max=30)], default=6)
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
