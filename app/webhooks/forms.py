"""Forms of the webhook pages."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields import DateTimeLocalField, Field
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional

from app.errors import InvalidInputError
from app.shipments.words import MILESTONES
from app.webhooks.destinations import URL_LENGTH_MAX
from app.webhooks.models import WebhookEndpoint
from app.webhooks.values import DESCRIPTION_LENGTH_MAX, EndpointInput, EventType
from app.webhooks.wording import EVENT_TYPES
from tracking.shipment import Milestone


class EndpointForm(FlaskForm):
    """An endpoint as it is wanted."""

    url = StringField(_l("Address (https)"), validators=[InputRequired(), Length(max=URL_LENGTH_MAX)])
    description = StringField(
        _l("What is it for?"), validators=[Optional(), Length(max=DESCRIPTION_LENGTH_MAX)]
    )
    event_types = SelectMultipleField(
        _l("Events"),
        choices=[SelectChoice(key.value, word) for key, word in EVENT_TYPES.items()],
        validators=[InputRequired()],
    )
    milestones = SelectMultipleField(
        _l("Only these states"),
        choices=[SelectChoice(key.value, word) for key, (word, _tone) in MILESTONES.items()],
        validators=[Optional()],
    )
    contact_email = StringField(_l("Mail when it fails"), validators=[Optional(), Length(max=255)])
    locale = SelectField(
        _l("Language of the mail"), choices=[SelectChoice("zh", "中文"), SelectChoice("en", "English")]
    )

    def value(self) -> EndpointInput:
        """As the service takes it; call it when the form is valid."""
        return EndpointInput(
            (self.url.data or "").strip(),
            frozenset(EventType(key) for key in self.event_types.data or ()),
            frozenset(Milestone(key) for key in self.milestones.data or ()),
            (self.description.data or "").strip(),
            (self.contact_email.data or "").strip() or None,
            self.locale.data,
        )

    def fill(self, endpoint: WebhookEndpoint) -> None:
        """Show an endpoint as it is."""
        self.url.data = endpoint.url
        self.description.data = endpoint.description
        self.event_types.data = endpoint.event_types
        self.milestones.data = endpoint.milestones
        self.contact_email.data = endpoint.contact_email
        self.locale.data = endpoint.locale

    def show(self, error: InvalidInputError) -> None:
        """Put what the service found wrong beside its fields."""
        fields: Mapping[str, Field] = self._fields
        for one in error.extra["errors"]:
            field = fields[one["pointer"].removeprefix("/")]
            field.errors = [*field.errors, one["detail"]]


class RotateForm(FlaskForm):
    """How long the old secret still signs."""

    overlap_hours = SelectField(
        _l("The old secret"),
        coerce=int,
        choices=[
            SelectChoice(24, _l("works one more day")),
            SelectChoice(168, _l("works one more week")),
            SelectChoice(0, _l("ends now, since others may know it")),
        ],
    )


class ReplayForm(FlaskForm):
    """From when on failed messages are sent again; in the company's time."""

    since = DateTimeLocalField(_l("Failed since"), validators=[InputRequired()])
