"""Pages: find a customer, make, change and merge records, see an identity for a reason.

The customer's own page, with everything that concerns him, is the service desk's (`servicedesk.customer`).
"""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.accounts.roles import Scope
from app.accounts.service import audit
from app.customers import queries, register_web, service
from app.customers.forms import (
    IDENTITY_KINDS,
    KINDS,
    CustomerForm,
    EditCustomerForm,
    IdentityForm,
    NewCustomerForm,
    ReasonForm,
)
from app.customers.identities import local_phone
from app.customers.masking import mask_identity
from app.customers.models import Customer, CustomerKind, IdentityKind
from app.errors import ConflictError, InvalidInputError
from app.pagination import LIMIT_DEFAULT
from app.security import current_actor, requires
from app.web import now, unit_of_work

blueprint = APIBlueprint("customers", __name__, enable_openapi=False)
blueprint.add_app_template_filter(mask_identity)
blueprint.register_blueprint(register_web.blueprint)

_MERGE_CHOICES = 20


@blueprint.get("/customers")
@requires(Scope.CUSTOMERS_READ)
def index() -> flask.typing.ResponseReturnValue:
    """Find a customer by phone, mail, card, contract number or name; without words the newest."""
    actor = current_actor()
    text = flask.request.args.get("q", "")[:200].strip()
    with unit_of_work() as session:
        if text:
            hits = queries.search(session, actor, text, LIMIT_DEFAULT + 1)
            rows, next_cursor, more = hits[:LIMIT_DEFAULT], None, len(hits) > LIMIT_DEFAULT
        else:
            page = queries.newest(session, actor, flask.request.args.get("cursor"), LIMIT_DEFAULT)
            rows, next_cursor, more = page.rows, page.next_cursor, False
        return flask.render_template(
            "customers/index.html",
            text=text,
            rows=rows,
            more=more,
            next_cursor=next_cursor,
            total=queries.count(session, actor),
            kinds=KINDS,
        )


@blueprint.route("/customers/new", methods=["GET", "POST"])
@requires(Scope.CUSTOMERS_WRITE)
def new() -> flask.typing.ResponseReturnValue:
    """Make a record, unless the phone has one: then that one is shown."""
    form = NewCustomerForm()
    if not form.validate_on_submit():
        status = 422 if form.is_submitted() else 200
        return flask.render_template("customers/new.html", form=form), status
    actor = current_actor()
    with unit_of_work() as session:
        phone = form.phone.data or ""
        try:
            known = service.recognise(session, kind=IdentityKind.PHONE, value=phone)
        except InvalidInputError:
            form.phone.errors = [_("This is not a phone number. Write a landline with its area code.")]
            return flask.render_template("customers/new.html", form=form), 422
        if known is not None:
            flask.flash(_("This phone has a record already; here it is."), "info")
            return flask.redirect(flask.url_for("servicedesk.customer", customer_id=known.id))
        customer = service.find_or_create(session, name=form.name.data or "", phone=phone, now=now())
        _update(session, customer, form)
        audit(session, actor, "customer.created", subject_kind="customer", subject_id=customer.id, now=now())
    return flask.redirect(flask.url_for("servicedesk.customer", customer_id=customer.id))


@blueprint.route("/customers/<int:customer_id>/edit", methods=["GET", "POST"])
@requires(Scope.CUSTOMERS_WRITE)
def edit(customer_id: int) -> flask.typing.ResponseReturnValue:
    """Change a record; a change made on an older version shows the difference and saves nothing."""
    actor = current_actor()
    with unit_of_work() as session:
        customer = queries.load_customer(session, actor, customer_id)
        if customer.id != customer_id:
            return flask.redirect(flask.url_for(".edit", customer_id=customer.id))
        form = EditCustomerForm(obj=customer)
        if not form.validate_on_submit():
            return _edit_page(session, customer, form), 422 if form.is_submitted() else 200
        if int(form.version.data or 0) != customer.version:
            differs = [
                (field.label.text, getattr(customer, field.name) or "–")
                for field in form
                if field.name in _FACTS and (field.data or None) != (getattr(customer, field.name) or None)
            ]
            form.version.raw_data, form.version.data = None, str(customer.version)
            return _edit_page(session, customer, form, differs=differs), 409
        _update(session, customer, form)
    flask.flash(_("The record is saved."), "success")
    return flask.redirect(flask.url_for("servicedesk.customer", customer_id=customer.id))


@blueprint.post("/customers/<int:customer_id>/identities")
@requires(Scope.CUSTOMERS_WRITE)
def add_identity(customer_id: int) -> flask.typing.ResponseReturnValue:
    """Recognise a customer by one more phone, mail address or card."""
    actor = current_actor()
    form = IdentityForm()
    with unit_of_work() as session:
        customer = queries.load_customer(session, actor, customer_id)
        if form.validate():
            kind = IdentityKind(form.kind.data)
            try:
                service.add_identity(session, customer, kind=kind, value=form.value.data or "", now=now())
            except InvalidInputError:
                form.value.errors = [_("This is not one. Write a landline with its area code.")]
            except ConflictError:
                form.value.errors = [_("It belongs to another record. Are they one person? Then merge them.")]
        if form.errors:
            return _edit_page(session, customer, identity_form=form), 422
        audit(
            session,
            actor,
            "customer.identity_added",
            subject_kind="customer",
            subject_id=customer.id,
            now=now(),
        )
    return flask.redirect(flask.url_for(".edit", customer_id=customer.id))


@blueprint.route("/customers/<int:customer_id>/identities/<int:identity_id>/reveal", methods=["GET", "POST"])
@requires(Scope.CUSTOMERS_READ)
def reveal(customer_id: int, identity_id: int) -> flask.typing.ResponseReturnValue:
    """Show a phone, mail address or card in full, this once and for a reason."""
    actor = current_actor()
    form = ReasonForm()
    with unit_of_work() as session:
        customer = queries.load_customer(session, actor, customer_id)
        identity = queries.load_identity(session, actor, customer_id, identity_id)
        if not form.validate_on_submit():
            status = 422 if form.is_submitted() else 200
            return flask.render_template(
                "customers/reveal.html", customer=customer, identity=identity, form=form, value=None
            ), status
        audit(
            session,
            actor,
            "customer.identity_revealed",
            subject_kind="customer",
            subject_id=customer.id,
            reason=(form.reason.data or "").strip(),
            details={"identity_id": identity.id},
            now=now(),
        )
        value = local_phone(identity.value) if identity.kind is IdentityKind.PHONE else identity.value
        return flask.render_template(
            "customers/reveal.html", customer=customer, identity=identity, form=form, value=value
        )


@blueprint.get("/customers/<int:customer_id>/merge")
@requires(Scope.CUSTOMERS_WRITE)
def choose_merge(customer_id: int) -> flask.typing.ResponseReturnValue:
    """Look for the other record of the same person."""
    with unit_of_work() as session:
        customer = queries.load_customer(session, current_actor(), customer_id)
        return _merge_page(session, customer, ReasonForm())


@blueprint.post("/customers/<int:customer_id>/merge/<int:drop_id>")
@requires(Scope.CUSTOMERS_WRITE)
def merge(customer_id: int, drop_id: int) -> flask.typing.ResponseReturnValue:
    """Make two records one."""
    actor = current_actor()
    form = ReasonForm()
    with unit_of_work() as session:
        keep = queries.load_customer(session, actor, customer_id)
        if not form.validate():
            return _merge_page(session, keep, form), 422
        drop = queries.load_customer(session, actor, drop_id)
        service.merge(session, actor, keep, drop, reason=form.reason.data or "", now=now())
    flask.flash(_("The two records are one."), "success")
    return flask.redirect(flask.url_for("servicedesk.customer", customer_id=keep.id))


_FACTS = ("name", "kind", "contract_no", "locale", "notes")


def _update(session: Session, customer: Customer, form: CustomerForm) -> None:
    service.update(
        session,
        current_actor(),
        customer,
        name=form.name.data or "",
        kind=CustomerKind(form.kind.data),
        contract_no=form.contract_no.data,
        locale=form.locale.data,
        notes=form.notes.data or "",
        now=now(),
    )


def _edit_page(
    session: Session,
    customer: Customer,
    form: EditCustomerForm | None = None,
    *,
    identity_form: IdentityForm | None = None,
    differs: list[tuple[str, str]] | None = None,
) -> str:
    session.refresh(customer, ["identities"])
    return flask.render_template(
        "customers/edit.html",
        customer=customer,
        form=form or EditCustomerForm(formdata=None, obj=customer),
        identity_form=identity_form or IdentityForm(formdata=None),
        differs=differs or [],
        kinds=IDENTITY_KINDS,
    )


def _merge_page(session: Session, customer: Customer, form: ReasonForm) -> str:
    text = flask.request.args.get("q", customer.name)[:200].strip()
    hits = queries.search(session, current_actor(), text, _MERGE_CHOICES + 1)
    return flask.render_template(
        "customers/merge.html",
        customer=customer,
        text=text,
        form=form,
        rows=[hit for hit in hits if hit.id != customer.id][:_MERGE_CHOICES],
    )
