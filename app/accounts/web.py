"""Pages: sign in, sign out, API tokens, the company."""

from __future__ import annotations

from urllib.parse import urlsplit

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts import queries, service
from app.accounts.company import company_of, set_gs1_company_prefix
from app.accounts.forms import CompanyForm, LoginForm, TokenForm
from app.accounts.roles import Scope
from app.accounts.signin import SESSION_HANDLE
from app.errors import TooManyTriesError
from app.security import current_actor, maybe_actor, public, requires, signed_in
from app.web import now, public_unit_of_work, services, unit_of_work

blueprint = APIBlueprint("accounts", __name__, enable_openapi=False)


@blueprint.route("/login", methods=["GET", "POST"])
@public
def login() -> flask.typing.ResponseReturnValue:
    """Sign in."""
    if maybe_actor() is not None:
        return flask.redirect(flask.url_for("home.index"))
    form = LoginForm()
    status = 200
    if form.validate_on_submit():
        message = _sign_in(form)
        if message is None:
            return flask.redirect(_local_target(flask.request.args.get("next")))
        form.form_errors.append(message)
        status = 422
    logins = []
    if services().settings.demo_logins:
        with public_unit_of_work() as session:
            logins = [(user.username, user.role, user.name) for user in queries.demo_logins(session)]
    return flask.render_template("accounts/login.html", form=form, demo_logins=logins), status


@blueprint.post("/logout")
@signed_in
def logout() -> flask.typing.ResponseReturnValue:
    """Sign out: the session row is gone, the cookie with it."""
    with unit_of_work() as session:
        service.close_session(session, flask.session[SESSION_HANDLE])
    flask.session.clear()
    return flask.redirect(flask.url_for("accounts.login"))


@blueprint.route("/tokens", methods=["GET", "POST"])
@requires(Scope.TOKENS_WRITE)
def tokens() -> flask.typing.ResponseReturnValue:
    """The asker's API tokens; a new one is shown once."""
    actor = current_actor()
    form = TokenForm()
    form.scopes.choices = [(scope, scope) for scope in sorted(actor.scopes)]
    secret = None
    with unit_of_work() as session:
        if form.validate_on_submit():
            assert form.name.data is not None, "validated above"
            assert form.scopes.data is not None, "validated above"
            token, secret = service.create_token(
                session, actor, name=form.name.data, scopes=frozenset(form.scopes.data), now=now()
            )
            service.audit(
                session, actor, "token.created", subject_kind="api_token", subject_id=token.id, now=now()
            )
        rows = queries.own_tokens(session, actor)
        return flask.render_template("accounts/tokens.html", form=form, tokens=rows, secret=secret, now=now())


@blueprint.post("/tokens/<int:token_id>/revoke")
@requires(Scope.TOKENS_WRITE)
def revoke_token(token_id: int) -> flask.typing.ResponseReturnValue:
    """End one of the asker's tokens."""
    actor = current_actor()
    with unit_of_work() as session:
        token = queries.own_token(session, actor, token_id)
        service.revoke_token(token, now=now())
        service.audit(
            session, actor, "token.revoked", subject_kind="api_token", subject_id=token.id, now=now()
        )
    flask.flash(_("The token no longer works."), "success")
    return flask.redirect(flask.url_for("accounts.tokens"))


@blueprint.get("/company")
@requires(Scope.ADMIN)
def company() -> flask.typing.ResponseReturnValue:
    """What the company has registered about itself."""
    with unit_of_work() as session:
        found = company_of(session)
        return flask.render_template("accounts/company.html", company=found, form=CompanyForm(obj=found))


@blueprint.post("/company")
@requires(Scope.ADMIN)
def change_company() -> flask.typing.ResponseReturnValue:
    """Register another GS1 company prefix, or none."""
    form = CompanyForm()
    with unit_of_work() as session:
        if not form.validate():
            found = company_of(session)
            return flask.render_template("accounts/company.html", company=found, form=form), 422
        prefix = form.gs1_company_prefix.data or None
        set_gs1_company_prefix(session, current_actor(), prefix, now=now())
    flask.flash(_("What is opened from now on is numbered so."), "success")
    return flask.redirect(flask.url_for(".company"))


def _sign_in(form: LoginForm) -> str | None:
    assert form.username.data is not None, "validated by the caller"
    assert form.password.data is not None, "validated by the caller"
    with public_unit_of_work() as session:
        try:
            user = service.check_password(session, form.username.data, form.password.data, now=now())
        except TooManyTriesError as error:
            minutes = -(-error.extra["retry_after_s"] // 60)
            return str(_("Too many wrong passwords. Try again in %(minutes)s minutes.", minutes=minutes))
        if user is None:
            return str(_("Username or password is wrong."))
        hours = services().settings.session_hours
        handle = service.open_session(session, user, now=now(), hours=hours)
    flask.session.clear()  # a new session for a new person, so that none can be planted beforehand
    flask.session[SESSION_HANDLE] = handle
    return None


def _local_target(target: str | None) -> str:
    """Where to go after signing in: a path of this site, never another's."""
    if target:
        parts = urlsplit(target)
        elsewhere = parts.scheme or parts.netloc or target.startswith(("//", "/\\"))
        if target.startswith("/") and not elsewhere:
            return target
    return flask.url_for("home.index")
