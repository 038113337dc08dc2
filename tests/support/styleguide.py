"""A small application that shows `templates/styleguide.html`: every component with sample data, no database.

Browser tests run it; `python -m tests.support.styleguide` serves it on port 5099 to people who write pages.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import flask
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFProtect
from wtforms import BooleanField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from app import assets, formatting, i18n, security
from app.accounts.forms import LoginForm
from app.accounts.roles import SCOPES, Role
from app.actor import Actor

CHINA = 480
NOW = datetime(2026, 11, 21, 6, 3, tzinfo=UTC)


SERVICES = [SelectChoice("standard", "Standard"), SelectChoice("express", "Express")]
HANDOVERS = [SelectChoice("door", "At the door"), SelectChoice("outlet", "At an outlet")]


ROOMS = [
    _l("Today"),
    _l("Book"),
    _l("Shipments"),
    _l("Dispatch"),
    _l("Cases"),
    _l("Customers"),
    _l("Network"),
]
ROOMS += [_l("Orders"), _l("Terms"), _l("Payouts"), _l("Journal"), _l("Scan station"), _l("My round")]


class SampleForm(FlaskForm):
    """One field of each kind."""

    name = StringField("Consignee", validators=[InputRequired(), Length(max=60)])
    phone = StringField("Phone", validators=[InputRequired()])
    weight_g = IntegerField("Weight", validators=[InputRequired(), NumberRange(min=1)])
    service = SelectField("Service", choices=SERVICES, validators=[InputRequired()])
    handover = RadioField("Handed over", choices=HANDOVERS, default="door")
    note = TextAreaField("Note")
    cod = BooleanField("Cash on delivery")


@dataclass(frozen=True, slots=True)
class Row:
    """A shipment as a list shows it."""

    number: str
    consignee: str
    place: str
    state: str
    tone: str
    weight_g: int
    freight_minor: int
    at: datetime


def styleguide_context() -> dict[str, Any]:
    """The sample data of styleguide.html."""
    form = SampleForm()
    refused = SampleForm(
        data={"name": "", "weight_g": 0, "service": "standard", "handover": "door"}, prefix="refused"
    )
    refused.validate()
    states = [
        ("Out for delivery", "progress"),
        ("Delivered", "ok"),
        ("Held at customs", "warn"),
        ("Damaged", "bad"),
        ("Booked", "neutral"),
    ]
    rows = [
        Row(
            f"WH4039217708{n:02d}",
            name,
            place,
            *states[n % 5],
            350 + n * 1_275,
            1_200 + n * 4_150,
            NOW - timedelta(hours=7 * n),
        )
        for n, (name, place) in enumerate(
            [
                ("王小明", "武汉市江汉区"),
                ("Jane Doe", "Shanghai, Pudong"),
                ("欧阳娜娜", "成都市锦江区"),
                ("李雷", "杭州市西湖区"),
                ("韩梅梅", "哈尔滨市南岗区"),
            ]
        )
    ]
    return {
        "form": form,
        "filter_form": SampleForm(prefix="filter"),
        "refused": refused,
        "rows": rows,
        "events": _events(),
        "now": NOW,
        "network": _network(),
        "many": _many_points(),
        "flow": _flow(),
        "sort": flask.request.args.get("sort", "-number"),
    }


def _events() -> list[dict[str, Any]]:
    steps = [
        ("Arrives at the door", -8, "武汉市江汉区 · Wuhan", None, None, True),
        ("Out for delivery", 0, "Jianghan outlet, Wuhan", "Courier Zhao, second round", None, False),
        ("Arrived at the hub", 3, "Wuhan hub", None, None, False),
        ("Delayed: road closed by snow", 14, "Zhengzhou hub", "Next line-haul at 22:00", "warn", False),
        ("Left the hub", 20, "Beijing hub", None, None, False),
        ("Picked up", 27, "Chaoyang outlet, Beijing", None, None, False),
    ]
    return [
        {
            "title": title,
            "at": NOW - timedelta(hours=hours),
            "offset_minutes": CHINA,
            "place": place,
            "detail": detail,
            "tone": tone,
            "planned": planned,
        }
        for title, hours, place, detail, tone, planned in steps
    ]


PLACES = {
    "Beijing": (116.4, 39.9),
    "Shanghai": (121.5, 31.2),
    "Wuhan": (114.3, 30.6),
    "Guangzhou": (113.3, 23.1),
    "Chengdu": (104.1, 30.7),
    "Xi'an": (108.9, 34.3),
}


def _feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": properties,
    }


def _network() -> dict[str, Any]:
    hubs = [
        _feature("Point", at, label=name, title=name, detail="National hub", series=0, radius=7)
        for name, at in PLACES.items()
    ]
    lanes = [
        _feature(
            "LineString",
            [PLACES["Wuhan"], PLACES[name]],
            title=f"Wuhan – {name}",
            series=number,
            width=2 + number % 3,
        )
        for number, name in enumerate(PLACES)
        if name != "Wuhan"
    ]
    return {"type": "FeatureCollection", "features": lanes + hubs}


def _many_points() -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            _feature(
                "Point",
                [104 + (n * 37 % 1000) / 70, 23 + (n * 91 % 1000) / 60],
                title=f"Stop {n}",
                series=n % 10,
            )
            for n in range(5_000)
        ],
    }


def _flow() -> dict[str, Any]:
    days = ["16", "17", "18", "19", "20", "21"]
    return {
        "xAxis": {"type": "category", "data": days},
        "yAxis": {"type": "value"},
        "legend": {"top": 0, "left": 0},
        "series": [
            {"type": "bar", "name": "Delivered", "stack": "all", "data": [320, 356, 341, 398, 410, 287]},
            {"type": "bar", "name": "Late", "stack": "all", "data": [12, 9, 31, 18, 7, 22]},
        ],
    }


def create_styleguide_app() -> flask.Flask:
    """The application, with the product's own look, languages and security headers."""
    app = flask.Flask("app")
    app.config.update(SECRET_KEY="styleguide", WTF_CSRF_ENABLED=True)
    i18n.init_app(app)
    formatting.init_app(app)
    assets.init_app(app)
    CSRFProtect(app)
    security.install_headers(app, None)
    accounts = flask.Blueprint("accounts", __name__)

    @accounts.post("/accounts/logout")
    def logout() -> flask.typing.ResponseReturnValue:
        return flask.redirect("/")

    @accounts.get("/accounts/login")
    def login() -> str:
        logins = [("shipper.silk", "shipper", "Silk Road Trading"), ("dispatcher", "dispatcher", "赵敏")]
        return flask.render_template("accounts/login.html", form=LoginForm(), demo_logins=logins)

    @app.route("/", methods=["GET", "POST"])
    def styleguide() -> str:
        return flask.render_template("styleguide.html", **styleguide_context())

    @app.post("/scan")
    def scan() -> str:
        number = flask.request.form["scanned"]
        tone = "ok" if number.startswith("WH") else "bad"
        detail = "Wuhan hub → Jianghan outlet" if tone == "ok" else "Not a waybill number"
        answer = (
            '{% from "components/forms.html" import scan_answer %}{{ scan_answer(number, tone, detail) }}'
        )
        return flask.render_template_string(answer, number=number, tone=tone, detail=detail)

    @app.get("/error/<int:status>")
    def error(status: int) -> flask.typing.ResponseReturnValue:
        return flask.render_template(
            f"errors/{status}.html", detail="the plan was published a minute ago"
        ), status

    @app.context_processor
    def frame() -> dict[str, Any]:
        # Six rooms, as a dispatcher has them; `?rooms=13` shows what an administrator has.
        rooms = flask.request.args.get("rooms", 6, type=int)
        nav = [
            SimpleNamespace(url=f"/?room={n}", label=label, active=n == 2, count=3 if n == 4 else 0)
            for n, label in enumerate(ROOMS[:rooms])
        ]
        if flask.request.endpoint == "accounts.login":
            return {}
        return {
            "nav": nav,
            "actor": Actor(1, 1, "赵敏 Zhao Min", Role.DISPATCHER, SCOPES[Role.DISPATCHER], None),
            "search_url": "/",
        }

    registration = flask.Blueprint("registration", __name__)

    @registration.get("/register")
    def begin() -> flask.typing.ResponseReturnValue:
        return flask.redirect("/")

    customers = flask.Blueprint("customers", __name__)
    customers.register_blueprint(registration)
    app.register_blueprint(accounts)
    app.register_blueprint(customers)
    return app


if __name__ == "__main__":
    create_styleguide_app().run(port=5099)
