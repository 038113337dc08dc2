"""Forms of the webhook pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields import DateTimeLocalField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its stubs
from wtforms.validators import InputRequired, Length, Optional, Regexp, ValidationError

from app.shipments.words import MILESTONES
from app.web import services
from app.webhooks.destinations import URL_LENGTH_MAX, DestinationError, destination
from app.webhooks.models import WebhookEndpoint
from app.webhooks.values import DESCRIPTION_LENGTH_MAX, MAIL_PATTERN, EndpointInput, EventType
from app.webhooks.wording import EVENT_TYPES, REFUSALS
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
    contact_email = StringField(
        _l("Mail when it fails"),
        validators=[
            Optional(),
            Length(max=255),
            Regexp(rf"\s*{MAIL_PATTERN}\s*\Z", message=_l("This is not a mail address.")),
        ],
    )
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

    def validate_url(self, field: StringField) -> None:
        """Only addresses that may be delivered to."""
        try:
            destination((field.data or "").strip(), allow_loopback=services().settings.webhooks_to_loopback)
        except DestinationError as error:
            raise ValidationError(REFUSALS[error.refusal]) from error


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
