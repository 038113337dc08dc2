"""Pages: what consignees are told, in whose words and when; and the page on which a consignee says no."""

from __future__ import annotations

from datetime import time

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _

from app.accounts.roles import Scope
from app.errors import InvalidInputError
from app.notices import queries, service
from app.notices.forms import NoticeForm, QuietForm
from app.notices.wording import MILESTONES
from app.security import current_actor, public, requires
from app.shipments import queries as shipments
from app.shipments.words import MILESTONES as MILESTONE_WORDS
from app.web import now, public_unit_of_work, unit_of_work

blueprint = APIBlueprint("notices", __name__, enable_openapi=False)


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"MILESTONE_WORDS": MILESTONE_WORDS}


@blueprint.get("/notices")
@requires(Scope.NOTICES_WRITE)
def index() -> flask.typing.ResponseReturnValue:
    """What consignees are told at which milestone, and when it is quiet."""
    actor = current_actor()
    with unit_of_work() as session:
        rows = [(milestone, *queries.shown(session, actor, milestone)) for milestone in MILESTONES]
        quiet = tuple(time(*divmod(minute, 60)) for minute in queries.quiet_minutes(session))
    form = QuietForm(formdata=None)
    form.begins.data, form.ends.data = quiet
    return flask.render_template("notices/index.html", rows=rows, quiet=quiet, form=form)


@blueprint.route("/notices/<milestone>", methods=["GET", "POST"])
@requires(Scope.NOTICES_WRITE)
def edit(milestone: str) -> flask.typing.ResponseReturnValue:
    """The words for one milestone."""
    actor, wanted, form = current_actor(), queries.milestone_of(milestone), NoticeForm()
    with unit_of_work() as session:
        found, own = queries.shown(session, actor, wanted)
        if not form.is_submitted():
            form.fill(found)
        status = 422 if form.is_submitted() else 200
        if form.validate_on_submit():
            try:
                service.write(session, actor, wanted, form.value(), now=now())
            except InvalidInputError as error:
                form.show(error)
            else:
                flask.flash(_("Saved: it holds from the next parcel on."), "success")
                return flask.redirect(flask.url_for("notices.index"))
        return flask.render_template("notices/edit.html", form=form, milestone=wanted, own=own), status


@blueprint.post("/notices/<milestone>/drop")
@requires(Scope.NOTICES_WRITE)
def drop(milestone: str) -> flask.typing.ResponseReturnValue:
    """Forget one's own words for a milestone."""
    with unit_of_work() as session:
        service.drop(session, current_actor(), queries.milestone_of(milestone), now=now())
    flask.flash(_("Your own words are gone; what is told now stands in the list."), "success")
    return flask.redirect(flask.url_for("notices.index"))


@blueprint.post("/notices/quiet-hours")
@requires(Scope.ADMIN)
def quiet_hours() -> flask.typing.ResponseReturnValue:
    """Say when consignees are left in peace."""
    form = QuietForm()
    if form.validate_on_submit():
        assert form.begins.data is not None, "validated above"
        assert form.ends.data is not None, "validated above"
        with unit_of_work() as session:
            service.set_quiet_time(
                session,
                current_actor(),
                from_minute=_minute(form.begins.data),
                to_minute=_minute(form.ends.data),
                now=now(),
            )
        flask.flash(_("Saved."), "success")
    else:
        flask.flash(_("Give both times, as 22:00."), "error")
    return flask.redirect(flask.url_for("notices.index"))


@blueprint.route("/t/<token>/notices", methods=["GET", "POST"])
@public
def choose(token: str) -> flask.typing.ResponseReturnValue:
    """The consignee says whether news may come."""
    with public_unit_of_work() as session:
        shipment = shipments.by_link(session, token)
        if flask.request.method == "POST":
            if flask.request.form.get("wanted") == "yes":
                service.opt_in(session, shipment)
            else:
                service.opt_out(session, shipment, now=now())
            return flask.redirect(flask.url_for("notices.choose", token=token))
        wanted = service.wants_news(session, shipment)
    return flask.render_template("notices/choose.html", token=token, wanted=wanted)


def _minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute
