"""Pages: the endpoints, one endpoint with its deliveries, one message with every try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta, timezone
from urllib.parse import urlsplit

import flask
import msgspec
from apiflask import APIBlueprint
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.errors import ConflictError
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.shipments.words import MILESTONES
from app.web import now, services, unit_of_work
from app.webhooks import queries, service
from app.webhooks.forms import EndpointForm, ReplayForm, RotateForm
from app.webhooks.models import EndpointState, MessageState, WebhookEndpoint
from app.webhooks.wording import ENDPOINT_STATES, EVENT_TYPES, FAILURES, MESSAGE_STATES, MESSAGE_TYPES

blueprint = APIBlueprint("webhooks", __name__, enable_openapi=False, url_prefix="/webhooks")

# Pages show and ask for times at the company's own place.
_OFFSET_MINUTES = 480
_HERE = timezone(timedelta(minutes=_OFFSET_MINUTES))


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "ENDPOINT_STATES": ENDPOINT_STATES,
        "MESSAGE_STATES": MESSAGE_STATES,
        "FAILURES": FAILURES,
        "EVENT_TYPES": MESSAGE_TYPES,
        "MILESTONES": MILESTONES,
        "offset_minutes": _OFFSET_MINUTES,
        "name_of": _name_of,
    }


@blueprint.get("/")
@requires(Scope.WEBHOOKS_WRITE)
def index() -> flask.typing.ResponseReturnValue:
    """The endpoints with how they are doing."""
    with unit_of_work() as session:
        page = queries.endpoints(session, current_actor(), flask.request.args.get("cursor"), LIMIT_DEFAULT)
        tallies = queries.tallies(session, [row.id for row in page.rows])
        return flask.render_template(
            "webhooks/index.html",
            page=page,
            tallies=tallies,
            troubled=_troubled(page.rows),
            customers=queries.customer_names(session, page.rows),
        )


@blueprint.route("/new", methods=["GET", "POST"])
@requires(Scope.WEBHOOKS_WRITE)
def new() -> flask.typing.ResponseReturnValue:
    """Register an endpoint; its secret is shown once, on the page that answers."""
    form = EndpointForm()
    if not form.is_submitted():
        form.locale.data = "zh" if str(get_locale()).startswith("zh") else "en"
        form.event_types.data = list(EVENT_TYPES)
    if not form.validate_on_submit():
        status = 422 if form.is_submitted() else 200
        return flask.render_template("webhooks/edit.html", form=form, endpoint=None), status
    with unit_of_work() as session:
        try:
            endpoint, secret = service.register(
                session, current_actor(), form.value(), allow_loopback=_to_loopback(), now=now()
            )
        except ConflictError as error:
            form.form_errors.append(_("There are enough of them: remove one first."))
            return flask.render_template("webhooks/edit.html", form=form, endpoint=None), error.status
        return _shown(session, endpoint, secret=secret)


@blueprint.get("/<int:endpoint_id>")
@requires(Scope.WEBHOOKS_WRITE)
def show(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """One endpoint with its deliveries; the filters are in the address."""
    with unit_of_work() as session:
        return _shown(session, queries.load_endpoint(session, current_actor(), endpoint_id))


@blueprint.route("/<int:endpoint_id>/edit", methods=["GET", "POST"])
@requires(Scope.WEBHOOKS_WRITE)
def edit(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Change an endpoint."""
    form = EndpointForm()
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        if not form.is_submitted():
            form.fill(endpoint)
        if not form.validate_on_submit():
            status = 422 if form.is_submitted() else 200
            return flask.render_template("webhooks/edit.html", form=form, endpoint=endpoint), status
        service.change(
            session, current_actor(), endpoint, form.value(), allow_loopback=_to_loopback(), now=now()
        )
    flask.flash(_("Saved."), "success")
    return flask.redirect(flask.url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.post("/<int:endpoint_id>/pause")
@requires(Scope.WEBHOOKS_WRITE)
def pause(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send nothing more to an endpoint."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.pause(session, current_actor(), endpoint, now=now())
    flask.flash(_("Paused: nothing is sent until it is switched on again."), "success")
    return flask.redirect(flask.url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.post("/<int:endpoint_id>/resume")
@requires(Scope.WEBHOOKS_WRITE)
def resume(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send to an endpoint again."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.resume(session, current_actor(), endpoint, now=now())
    flask.flash(_("Switched on. What was missed can be sent again below."), "success")
    return flask.redirect(flask.url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.post("/<int:endpoint_id>/remove")
@requires(Scope.WEBHOOKS_WRITE)
def remove(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Forget a paused endpoint with its messages and its log."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        service.remove(session, current_actor(), endpoint, now=now())
    flask.flash(_("Removed with its messages and its log."), "success")
    return flask.redirect(flask.url_for("webhooks.index"))


@blueprint.post("/<int:endpoint_id>/rotate")
@requires(Scope.WEBHOOKS_WRITE)
def rotate(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Give an endpoint a new secret, shown once on the page that answers."""
    form = RotateForm()
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        if not form.validate_on_submit():
            return _shown(session, endpoint), 422
        secret = service.rotate(
            session, current_actor(), endpoint, overlap_hours=form.overlap_hours.data, now=now()
        )
        session.flush()  # the page counts the secrets in force
        return _shown(session, endpoint, secret=secret)


@blueprint.post("/<int:endpoint_id>/ping")
@requires(Scope.WEBHOOKS_WRITE)
def ping(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send a test message, and show it."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        key = service.ping(session, endpoint, now=now()).message_key
    return flask.redirect(flask.url_for("webhooks.message", endpoint_id=endpoint_id, message_key=key))


@blueprint.post("/<int:endpoint_id>/replay")
@requires(Scope.WEBHOOKS_WRITE)
def replay_failed(endpoint_id: int) -> flask.typing.ResponseReturnValue:
    """Send again everything that failed since a time."""
    form = ReplayForm()
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        if not form.validate_on_submit():
            return _shown(session, endpoint, replay_form=form), 422
        assert form.since.data is not None, "validated above"
        since = form.since.data.replace(tzinfo=_HERE).astimezone(UTC)
        count = service.replay_failed(session, endpoint, since=since, now=now())
    if count:
        flask.flash(
            ngettext("One message is sent again.", "%(num)s messages are sent again.", count), "success"
        )
    else:
        flask.flash(_("Nothing has failed since then."), "info")
    return flask.redirect(flask.url_for("webhooks.show", endpoint_id=endpoint_id))


@blueprint.get("/<int:endpoint_id>/messages/<message_key>")
@requires(Scope.WEBHOOKS_WRITE)
def message(endpoint_id: int, message_key: str) -> flask.typing.ResponseReturnValue:
    """One message: what is sent, and every try."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        row = queries.load_message(session, endpoint, message_key)
        return flask.render_template(
            "webhooks/message.html",
            endpoint=endpoint,
            message=row,
            body=msgspec.json.format(row.body, indent=2),
            attempts=queries.attempts(session, row),
        )


@blueprint.post("/<int:endpoint_id>/messages/<message_key>/replay")
@requires(Scope.WEBHOOKS_WRITE)
def replay(endpoint_id: int, message_key: str) -> flask.typing.ResponseReturnValue:
    """Send one message again."""
    with unit_of_work() as session:
        endpoint = queries.load_endpoint(session, current_actor(), endpoint_id)
        row = queries.load_message(session, endpoint, message_key)
        service.replay(session, endpoint, row, now=now())
    flask.flash(_("The message is sent again."), "success")
    return flask.redirect(flask.url_for("webhooks.message", endpoint_id=endpoint_id, message_key=message_key))


def _shown(
    session: Session,
    endpoint: WebhookEndpoint,
    *,
    secret: str | None = None,
    replay_form: ReplayForm | None = None,
) -> str:
    wanted = flask.request.args.get("state")
    state = next((one for one in MessageState if one == wanted), None)
    page = queries.messages(
        session, endpoint, state=state, cursor=flask.request.args.get("cursor"), limit=LIMIT_DEFAULT
    )
    if replay_form is None:
        replay_form = ReplayForm(formdata=None)
        replay_form.since.data = (
            (now() - timedelta(days=1)).astimezone(_HERE).replace(second=0, microsecond=0)
        )
    return flask.render_template(
        "webhooks/show.html",
        endpoint=endpoint,
        secret=secret,
        secrets=queries.secrets_of(session, endpoint, now()),
        tally=queries.tallies(session, [endpoint.id])[endpoint.id],
        page=page,
        state=state,
        last=queries.last_attempts(session, [row.id for row in page.rows]),
        rotate_form=RotateForm(formdata=None),
        replay_form=replay_form,
        now=now(),
    )


def _name_of(endpoint: WebhookEndpoint) -> str:
    """What people call it: its description, else the host; the whole address can be long."""
    return endpoint.description or urlsplit(endpoint.url).netloc


def _troubled(rows: Sequence[WebhookEndpoint]) -> int:
    """How many need a person: nothing arrives, or the receiver wants no more."""
    return sum(row.failing_since is not None or row.state is EndpointState.GONE for row in rows)


def _to_loopback() -> bool:
    return services().settings.webhooks_to_loopback
