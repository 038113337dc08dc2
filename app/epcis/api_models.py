"""What the EPCIS doors take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from app.api_schema import ApiOutput
from app.epcis.queries import EventFilters
from tracking.epcis_shapes import moment_of

PER_PAGE_DEFAULT = 30
PER_PAGE_MAX = 500
VALUES_MAX = 100
_TEXT = r"^[^\x00]*$"


def _moment(value: Any) -> Any:
    # A plus that nobody escaped is a space in a query.
    return moment_of(value.replace(" ", "+")) if isinstance(value, str) else value


def _few(value: str | None) -> str | None:
    if value is not None and value.count("|") >= VALUES_MAX:
        raise ValueError(f"names more than {VALUES_MAX} values")
    return value


_Values = Annotated[
    str | None,
    Field(default=None, min_length=1, max_length=20_000, pattern=_TEXT),
    AfterValidator(_few),
]
_Moment = Annotated[AwareDatetime | None, BeforeValidator(_moment), Field(default=None)]


class EventsQuery(BaseModel):
    """Which events; several values of a parameter are alternatives, divided by `|`."""

    model_config = ConfigDict(extra="forbid")

    match_epc: _Values = Field(alias="MATCH_epc", description="In epcList or childEPCs")
    match_any_epc: _Values = Field(alias="MATCH_anyEPC", description="In any list of EPCs, or as parentID")
    ge_event_time: _Moment = Field(alias="GE_eventTime", description="At or after")
    lt_event_time: _Moment = Field(alias="LT_eventTime", description="Before")
    eq_biz_step: _Values = Field(alias="EQ_bizStep")
    eq_biz_location: _Values = Field(alias="EQ_bizLocation")
    per_page: int = Field(default=PER_PAGE_DEFAULT, ge=1, le=PER_PAGE_MAX, alias="perPage")
    next_page_token: str | None = Field(
        default=None, max_length=500, alias="nextPageToken", description="From the Link of the page before"
    )

    def filters(self) -> EventFilters:
        """The same as the questions take it."""
        return EventFilters(
            epcs=_divided(self.match_epc),
            any_epcs=_divided(self.match_any_epc),
            from_time=self.ge_event_time,
            until_time=self.lt_event_time,
            biz_steps=_divided(self.eq_biz_step),
            biz_locations=_divided(self.eq_biz_location),
        )


def _divided(values: str | None) -> tuple[str, ...]:
    return () if values is None else tuple(value for value in values.split("|") if value)


class CaptureOut(ApiOutput):
    """How a capture stands."""

    captureID: str  # noqa: N815  # the standard's names
    createdAt: datetime  # noqa: N815
    finishedAt: datetime | None  # noqa: N815
    running: bool
    success: bool
    captureErrorBehaviour: str  # noqa: N815
    errors: list[dict[str, Any]]
    given: int = Field(description="Events in the document")
    captured: int = Field(description="Events that are kept since")
    repeated: int = Field(description="Events that were known with the same content")


# For the OpenAPI document; what an event must hold is told by the standard, and checked by us.
EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An event of EPCIS 2.0 in JSON",
    "required": ["type", "eventTime", "eventTimeZoneOffset"],
    "properties": {
        "@context": {},
        "type": {"type": "string"},
        "eventID": {"type": "string", "format": "uri"},
        "eventTime": {"type": "string", "format": "date-time"},
        "eventTimeZoneOffset": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$"},
        "action": {"type": "string", "enum": ["ADD", "OBSERVE", "DELETE"]},
        "epcList": {"type": "array", "items": {"type": "string", "format": "uri"}},
    },
}
DOCUMENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "An EPCISDocument or an EPCISQueryDocument of EPCIS 2.0 in JSON",
    "required": ["@context", "type", "epcisBody"],
    "properties": {
        "@context": {},
        "type": {"type": "string", "enum": ["EPCISDocument", "EPCISQueryDocument"]},
        "schemaVersion": {"type": "string"},
        "creationDate": {"type": "string", "format": "date-time"},
        "epcisBody": {
            "type": "object",
            "properties": {"eventList": {"type": "array", "items": EVENT_SCHEMA}},
        },
    },
}
