"""create_app: wiring only."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import flask
from apiflask import APIFlask
from flask_wtf.csrf import CSRFProtect

from app import assets, formatting, health, i18n, navigation, problems, security, telemetry, web
from app.accounts.signin import identify
from app.clock import Clock, utcnow
from app.config import Settings
from app.db.session import Database
from app.dispatch.vroom_alias import VroomAlias
from app.shipments import documents
from app.shipments.public_door import PublicDoor

# One line a door, in the order of the arrows; `blueprint` in each module.
DOORS = (
    "app.accounts.web",
    "app.accounts.api",
    "app.network.web",
    "app.network.api",
    "app.customers.web",
    "app.customers.api",
    "app.shipments.web",
    "app.shipments.api",
    "app.containers.web",
    "app.containers.api",
    "app.orders.web",
    "app.orders.api",
    "app.ledger.web",
    "app.ledger.api",
    "app.dispatch.web",
    "app.dispatch.api",
    "app.dispatch.day.web",
    "app.dispatch.day.api",
    "app.epcis.api",
    "app.payouts.web",
    "app.payouts.api",
    "app.servicedesk.web",
    "app.servicedesk.api",
    "app.deliveries.web",
    "app.deliveries.api",
    "app.notices.web",
    "app.notices.api",
    "app.webhooks.web",
    "app.webhooks.api",
    "app.exceptions.web",
    "app.exceptions.api",
    "app.insight.web",
)


def create_app(settings: Settings | None = None, *, clock: Clock = utcnow) -> APIFlask:
    """The application.

    Args:
        settings: Read from the environment when left out.
        clock: Where the present time comes from; a simulated one for the demo world and tests.

    Raises:
        pydantic.ValidationError: A setting is missing or wrong.
        RuntimeError: A view says neither `@requires` nor `@public`.
    """
    settings = settings or Settings()  # type: ignore[call-arg]  # filled from the environment
    app = APIFlask("app", title="Wheelhouse", version="1", spec_path=None, docs_path=None, json_errors=False)
    app.config.update(
        SECRET_KEY=settings.secret_key.get_secret_value(),
        SESSION_COOKIE_NAME="wheelhouse",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        MAX_CONTENT_LENGTH=16 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the session it is bound to
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        JSON_SORT_KEYS=False,
    )
    database = Database(settings.database_url, pool_size=settings.database_pool_size)
    services = web.Services(settings, database, clock)
    web.install(app, services)

    telemetry.install(app)
    app.before_request(identify)
    app.before_request(security.refuse_uninvited)
    security.install_headers(app, settings.live_url)
    i18n.init_app(app)
    formatting.init_app(app)
    assets.init_app(app)
    navigation.init_app(app)
    problems.register(app)
    csrf = CSRFProtect(app)
    for name in DOORS:
        blueprint = import_module(name).blueprint
        app.register_blueprint(blueprint)
        if name.endswith(".api"):
            csrf.exempt(blueprint)  # machines' doors take bearer tokens only, never the cookie
    health.init_app(app)
    _describe_api(app)
    documents.install(app, settings.database_url)
    app.wsgi_app = PublicDoor(app, services, VroomAlias(app.wsgi_app))  # type: ignore[method-assign]

    unguarded = security.unguarded_views(app)
    if unguarded:
        raise RuntimeError(f"views that say neither @requires nor @public: {', '.join(unguarded)}")
    return app


def _describe_api(app: APIFlask) -> None:
    app.security_schemes = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API token, made at /tokens"}
    }
    problems.describe(app)

    @app.get("/openapi.json")
    @app.doc(hide=True)
    @security.public
    def openapi() -> flask.typing.ResponseReturnValue:
        """The OpenAPI 3.1 document of every machine's door."""
        return flask.jsonify(app.spec)
