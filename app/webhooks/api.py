"""The machine's door to webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import flask
from apiflask import APIBlueprint
from pydantic import AwareDatetime, Field

from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, PageQuery, page_answer
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, services, unit_of_work
from app.webhooks import queries, service
from app.webhooks.destinations import URL_LENGTH_MAX
from app.webhooks.models import MessageState, WebhookAttempt, WebhookEndpoint, WebhookMessage
from app.webhooks.values import DESCRIPTION_LENGTH_MAX, EndpointInput, EventType
from tracking.shipment import Milestone

blueprint = APIBlueprint("webhooks_api", __name__, url_prefix="/api/v1", tag="Webhooks")


class EndpointBody(ApiInput):
    """An endpoint as it is wanted."""

    url: str = Field(min_length=1, max_length=URL_LENGTH_MAX, examples=["https://shop.example/hooks"])
    event_types: list[EventType] = Field(min_length=1, max_length=len(EventType))
    milestones: list[Milestone] = Field(
        default_factory=list,
        max_length=len(Milestone),
        description="Of shipment.state_changed only these; none means all",
    )
    description: str = Field(default="", max_length=DESCRIPTION_LENGTH_MAX)
    contact_email: str | None = Field(
        default=None, max_length=255, description="Who is written to when deliveries fail for good"
    )
    locale: str = Field(default="zh", pattern="^(zh|en)$")

    def value(self) -> EndpointInput:
        """As the service takes it."""
        return EndpointInput(
            self.url,
            frozenset(self.event_types),
            frozenset(self.milestones),
            self.description,
            self.contact_email or None,
            self.locale,
        )


class Rotation(ApiInput):
    """How long the old secret still signs beside the new one."""

    overlap_hours: int = Field(default=service.OVERLAP_HOURS, ge=0, le=service.OVERLAP_HOURS_MAX)


class Since(ApiInput):
    """From when on."""

    since: AwareDatetime


class MessageQuery(PageQuery):
    """Which messages."""

    state: MessageState | None = None
    since: AwareDatetime | None = None


@blueprint.get("/webhooks")
@blueprint.input(PageQuery, location="query")
@blueprint.doc(summary="Webhook endpoints, newest first", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
def endpoints(query_data: PageQuery) -> flask.typing.ResponseReturnValue:
    """Webhook endpoints, newest first."""
    with unit_of_work() as session:
        page = queries.endpoints(session, current_actor(), query_data.cursor, query_data.limit)
        return page_answer([_endpoint(row) for row in page.rows], page.next_cursor)


@blueprint.post("/webhooks")
@blueprint.input(EndpointBody)
@blueprint.doc(summary="Register a webhook endpoint; its secret is in this answer only", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def register(json_data: EndpointBody) -> flask.typing.ResponseReturnValue:
    """Register a webhook endpoint."""
    with unit_of_work() as session:
        made, secret = service.register(
            session, current_actor(), json_data.value(), allow_loopback=_to_loopback(), now=now()
        )
        response = flask.jsonify(**_endpoint(made), secret=secret)
        response.status_code = 201
        response.headers["Location"] = flask.url_for("webhooks_api.endpoint", endpoint_id=made.id)
        return response


@blueprint.get("/webhooks/<int:endpoint_id>")
@blueprint.doc(summary="A webhook endpoint, with how much waits and failed", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
def endpoint(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """A webhook endpoint."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        tally = queries.tallies(session, [found.id])[found.id]
        return flask.jsonify(**_endpoint(found), waiting=tally.waiting, failed=tally.failed)


@blueprint.post("/webhooks/<int:endpoint_id>")
@blueprint.input(EndpointBody)
@blueprint.doc(summary="Change a webhook endpoint; what is left out gets its default", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def change(endpoint_id: int, json_data: EndpointBody) -> flask.typing.ResponseReturnValue:
    """Change a webhook endpoint."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.change(
            session, current_actor(), found, json_data.value(), allow_loopback=_to_loopback(), now=now()
        )
        return flask.jsonify(_endpoint(found))


@blueprint.post("/webhooks/<int:endpoint_id>/pause")
@blueprint.doc(summary="Send nothing more to an endpoint; what waits has failed", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def pause(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send nothing more; again is no harm."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.pause(session, current_actor(), found, now=now())
        return flask.jsonify(_endpoint(found))


@blueprint.post("/webhooks/<int:endpoint_id>/resume")
@blueprint.doc(summary="Send to an endpoint again, from the next event on", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def resume(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send again; again is no harm."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.resume(session, current_actor(), found, now=now())
        return flask.jsonify(_endpoint(found))


@blueprint.post("/webhooks/<int:endpoint_id>/remove")
@blueprint.doc(summary="Forget a paused endpoint with its messages and its log", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def remove(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Forget an endpoint with its messages and its log."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.remove(session, current_actor(), found, now=now())
    return flask.jsonify(removed=endpoint_id)


@blueprint.post("/webhooks/<int:endpoint_id>/rotate")
@blueprint.input(Rotation)
@blueprint.doc(summary="Give an endpoint a new secret; it is in this answer only", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def rotate(endpoint_id: int, json_data: Rotation) -> flask.typing.ResponseReturnValue:
    """Give an endpoint a new secret; the old ones sign beside it for a while."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        secret = service.rotate(
            session, current_actor(), found, overlap_hours=json_data.overlap_hours, now=now()
        )
        return flask.jsonify(**_endpoint(found), secret=secret)


@blueprint.post("/webhooks/<int:endpoint_id>/ping")
@blueprint.doc(summary="Send a test message", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def ping(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send a test message; how it ended stands in its log a moment later."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        made = service.ping(session, found, now=now())
        response = flask.jsonify(_message(made))
        response.status_code = 202
        response.headers["Location"] = flask.url_for(
            "webhooks_api.message", endpoint_id=found.id, message_key=made.message_key
        )
        return response


@blueprint.post("/webhooks/<int:endpoint_id>/replay")
@blueprint.input(Since)
@blueprint.doc(summary="Send again everything that failed since a time", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def replay_failed(endpoint_id: int, json_data: Since) -> flask.typing.ResponseReturnValue:
    """Send again everything that failed and was made since a time."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        count = service.replay_failed(session, found, since=json_data.since, now=now())
    return flask.jsonify(replayed=count)


@blueprint.get("/webhooks/<int:endpoint_id>/messages")
@blueprint.input(MessageQuery, location="query")
@blueprint.doc(summary="An endpoint's messages, newest first", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
def messages(endpoint_id: int, query_data: MessageQuery) -> flask.typing.ResponseReturnValue:
    """An endpoint's messages, newest first."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        page = queries.messages(
            session,
            found,
            state=query_data.state,
            since=query_data.since,
            cursor=query_data.cursor,
            limit=query_data.limit,
        )
        return page_answer([_message(row) for row in page.rows], page.next_cursor)


@blueprint.get("/webhooks/<int:endpoint_id>/messages/<message_key>")
@blueprint.doc(summary="A message with its body and every try to deliver it", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
def message(endpoint_id: int, message_key: str) -> flask.typing.ResponseReturnValue:
    """A message with its body and every try to deliver it, the latest first."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        row = queries.load_message(session, found, message_key)
        tries = [_attempt(one) for one in queries.attempts(session, row)]
        return flask.jsonify(**_message(row), body=row.body, log=tries)


@blueprint.post("/webhooks/<int:endpoint_id>/messages/<message_key>/replay")
@blueprint.doc(summary="Send a message again under its id", security=BEARER)
@requires(Scope.WEBHOOKS_WRITE)
@idempotent
def replay(endpoint_id: int, message_key: str) -> flask.typing.ResponseReturnValue:
    """Send a message again, delivered or not, under its id."""
    with unit_of_work() as session:
        found = queries.load_endpoint(session, current_actor(), endpoint_id)
        row = queries.load_message(session, found, message_key)
        service.replay(session, found, row, now=now())
        return flask.jsonify(_message(row))


def _to_loopback() -> bool:
    return services().settings.webhooks_to_loopback


def _endpoint(row: WebhookEndpoint) -> dict[str, Any]:
    return {
        "id": row.id,
        "url": row.url,
        "description": row.description,
        "event_types": row.event_types,
        "milestones": row.milestones,
        "contact_email": row.contact_email,
        "locale": row.locale,
        "state": row.state.value,
        "created_at": row.created_at.isoformat(),
        "failing_since": _time(row.failing_since),
        "rests_until": _time(row.rest_until),
    }


def _message(row: WebhookMessage) -> dict[str, Any]:
    return {
        "id": row.message_key,
        "type": row.event_type,
        "state": row.state.value,
        "created_at": row.created_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.state is MessageState.WAITING else None,
        "ended_at": _time(row.ended_at),
        "attempts": row.attempts,
    }


def _attempt(row: WebhookAttempt) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at.isoformat(),
        "duration_ms": row.duration_ms,
        "status": row.status,
        "failure": None if row.failure is None else row.failure.value,
        "detail": row.detail,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
