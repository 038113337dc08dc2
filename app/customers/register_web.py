"""Pages: a shipper registers, proves his phone, and is signed in."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts import queries as accounts
from app.accounts.models import Tenant
from app.accounts.service import open_session
from app.accounts.signin import SESSION_HANDLE
from app.customers import registration
from app.customers.forms import CodeForm, RegisterForm
from app.customers.registration import CodeCheck
from app.errors import ConflictError, InvalidInputError, NotFoundError, TooManyTriesError
from app.i18n import current as current_language
from app.security import maybe_actor, public
from app.web import now, public_unit_of_work, services

# Registered within the blueprint of app.customers.web.
blueprint = APIBlueprint("registration", __name__, enable_openapi=False)

# Where the browser's signed cookie keeps which code it was sent: (tenant id, challenge id).
_CHALLENGE = "challenge"


@blueprint.route("/register", methods=["GET", "POST"])
@public
def begin() -> flask.typing.ResponseReturnValue:
    """Name and phone; a code is sent to the phone."""
    if maybe_actor() is not None:
        return flask.redirect(flask.url_for("home.index"))
    with public_unit_of_work() as session:
        tenant = _tenant(session, flask.request.args.get("tenant"))
    form = RegisterForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        refused = _send_code(tenant, form)
        if refused is None:
            return flask.redirect(flask.url_for(".code"))
        status = refused
    return flask.render_template("customers/register.html", form=form, company=tenant.name), status


@blueprint.route("/register/code", methods=["GET", "POST"])
@public
def code() -> flask.typing.ResponseReturnValue:
    """The code from the phone and a password; then the login is made and signed in."""
    sent = flask.session.get(_CHALLENGE)
    if sent is None:
        return flask.redirect(flask.url_for(".begin"))
    tenant_id, challenge_id = sent
    form = CodeForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        handle = _finish(tenant_id, challenge_id, form)
        if handle is not None:
            flask.session.clear()  # a new session for a new person, so that none can be planted beforehand
            flask.session[SESSION_HANDLE] = handle
            return flask.redirect(flask.url_for("home.index"))
    with services().database.unit_of_work(tenant_id) as session:
        challenge = registration.load_challenge(session, challenge_id)
        # Without a gateway nobody in the demo could ever read his code.
        waiting = services().settings.demo_logins and challenge.notification.sent_at is None
        return flask.render_template(
            "customers/register_code.html",
            form=form,
            phone=challenge.phone,
            demo_code=challenge.notification.params.get("code") if waiting else None,
        ), status


def _tenant(session: Session, code: str | None) -> Tenant:
    """The company somebody registers with: the only one, or the one that the link names."""
    tenants = [each for each in accounts.tenants(session) if code is None or each.code == code]
    if len(tenants) != 1:
        raise NotFoundError(_("This link does not say which company it belongs to."))
    return tenants[0]


def _send_code(tenant: Tenant, form: RegisterForm) -> int | None:
    """Send the code; gives the status of a refusal, with its words at the field."""
    try:
        with services().database.unit_of_work(tenant.id) as session:
            challenge = registration.send_code(
                session,
                name=form.name.data or "",
                phone=form.phone.data or "",
                company=tenant.name,
                address=flask.request.remote_addr or "",
                key=_key(),
                locale=current_language().code,
                now=now(),
            )
    except InvalidInputError:
        form.phone.errors = [_("This is not a phone number. Write a landline with its area code.")]
        return 422
    except TooManyTriesError as error:
        minutes = -(-error.extra["retry_after_s"] // 60)
        form.phone.errors = [
            _("Too many codes were asked for. Try again in %(minutes)s minutes.", minutes=minutes)
        ]
        return 429
    flask.session[_CHALLENGE] = [tenant.id, challenge.id]
    return None


def _finish(tenant_id: int, challenge_id: int, form: CodeForm) -> str | None:
    """Try the code; gives the handle of the new login's session, or None with the reason at the field."""
    try:
        with services().database.unit_of_work(tenant_id) as session:
            challenge = registration.load_challenge(session, challenge_id)
            result = registration.check_code(challenge, form.code.data or "", key=_key(), now=now())
            if result is CodeCheck.RIGHT:
                user = registration.complete(
                    session,
                    challenge,
                    password=form.password.data or "",
                    locale=current_language().code,
                    now=now(),
                )
                return open_session(session, user, now=now(), hours=services().settings.session_hours)
    except ConflictError:
        form.code.errors = [_("This phone has a login already. Sign in instead.")]
        return None
    form.code.errors = [
        _("This is not the code.")
        if result is CodeCheck.WRONG
        else _("This code is no longer valid. Begin again to get another.")
    ]
    return None


def _key() -> bytes:
    return services().settings.secret_key.get_secret_value().encode()
