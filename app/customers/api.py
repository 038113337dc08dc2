"""The machine's door to customers: recognise, read, make, see an identity for a reason."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from pydantic import AwareDatetime, Field

from app.accounts.roles import Scope
from app.accounts.service import audit
from app.api_schema import ApiInput, ApiOutput, PageQuery, page_answer
from app.customers import queries, service
from app.customers.masking import mask_identity
from app.customers.models import Customer, CustomerKind, IdentityKind
from app.idempotency import idempotent
from app.security import current_actor, requires
from app.web import now, unit_of_work

blueprint = APIBlueprint("customers_api", __name__, url_prefix="/api/v1", tag="Customers")


class CustomerQuery(PageQuery):
    """Whom to look for; without a phone or words, the newest."""

    phone: str | None = Field(default=None, max_length=60, description="Answers with nobody or the one")
    q: str | None = Field(
        default=None, max_length=200, description="Phone, mail, card, contract number or name"
    )


class CustomerIn(ApiInput):
    """A person or organisation, recognised by the phone."""

    name: str = Field(min_length=1, max_length=200)
    phone: str = Field(min_length=1, max_length=60)
    kind: CustomerKind = CustomerKind.PERSON
    locale: str = Field(default="zh", pattern="^(zh|en)$")


class RevealIn(ApiInput):
    """Why somebody's phone, mail address and card are to be seen in full; it is written down."""

    reason: str = Field(min_length=1, max_length=500)


class IdentityOut(ApiOutput):
    """By what a customer is recognised; masked unless a reason was given."""

    id: int
    kind: IdentityKind
    value: str


class CustomerOut(ApiOutput):
    """A customer record."""

    id: int
    kind: CustomerKind
    name: str
    contract_no: str | None
    locale: str
    created_at: AwareDatetime
    identities: list[IdentityOut]


class CustomerPage(ApiOutput):
    """A page of customers."""

    items: list[CustomerOut]
    next_cursor: str | None


class IdentityList(ApiOutput):
    """Identities in full."""

    items: list[IdentityOut]


@blueprint.get("/customers")
@blueprint.input(CustomerQuery, location="query")
@blueprint.output(CustomerPage)
@blueprint.doc(summary="Customers by phone, by words, or the newest", security="bearer")
@requires(Scope.CUSTOMERS_READ)
def customers(query_data: CustomerQuery) -> flask.typing.ResponseReturnValue:
    """Customers by phone, by words, or the newest. Several hits are a list to choose from."""
    actor = current_actor()
    with unit_of_work() as session:
        if query_data.phone is not None:
            known = service.recognise(session, kind=IdentityKind.PHONE, value=query_data.phone)
            rows, next_cursor = [known] if known else [], None
        elif query_data.q is not None:
            rows, next_cursor = list(queries.search(session, actor, query_data.q, query_data.limit)), None
        else:
            page = queries.newest(session, actor, query_data.cursor, query_data.limit)
            rows, next_cursor = list(page.rows), page.next_cursor
        return page_answer([_customer(row).model_dump(mode="json") for row in rows], next_cursor)


@blueprint.get("/customers/<int:customer_id>")
@blueprint.output(CustomerOut)
@blueprint.doc(summary="A customer", security="bearer")
@requires(Scope.CUSTOMERS_READ)
def customer(customer_id: int) -> CustomerOut:
    """A customer; of a merged record, the one it was merged into."""
    with unit_of_work() as session:
        return _customer(queries.load_customer(session, current_actor(), customer_id))


@blueprint.post("/customers")
@blueprint.input(CustomerIn)
@blueprint.output(CustomerOut, status_code=201)
@blueprint.doc(
    summary="Find or make a customer",
    description="Answers 200 with the record that has the phone, as it is, or 201 with a new one.",
    security="bearer",
)
@requires(Scope.CUSTOMERS_WRITE)
@idempotent
def find_or_create(json_data: CustomerIn) -> flask.typing.ResponseReturnValue:
    """Find the customer with a phone, or make one."""
    with unit_of_work() as session:
        known = service.recognise(session, kind=IdentityKind.PHONE, value=json_data.phone)
        found = known or service.find_or_create(
            session,
            name=json_data.name,
            phone=json_data.phone,
            kind=json_data.kind,
            locale=json_data.locale,
            now=now(),
        )
        response = flask.jsonify(_customer(found).model_dump(mode="json"))
        response.status_code = 200 if known else 201
        response.headers["Location"] = flask.url_for(".customer", customer_id=found.id)
        return response


@blueprint.post("/customers/<int:customer_id>/reveal")
@blueprint.input(RevealIn)
@blueprint.output(IdentityList)
@blueprint.doc(summary="A customer's identities in full, for a reason", security="bearer")
@requires(Scope.CUSTOMERS_READ)
def reveal(customer_id: int, json_data: RevealIn) -> IdentityList:
    """A customer's phones, mail addresses and cards in full; who asked and why is written down."""
    actor = current_actor()
    with unit_of_work() as session:
        found = queries.load_customer(session, actor, customer_id)
        audit(
            session,
            actor,
            "customer.identity_revealed",
            subject_kind="customer",
            subject_id=found.id,
            reason=json_data.reason,
            now=now(),
        )
        return IdentityList(items=[IdentityOut.model_validate(identity) for identity in found.identities])


def _customer(row: Customer) -> CustomerOut:
    return CustomerOut(
        id=row.id,
        kind=row.kind,
        name=row.name,
        contract_no=row.contract_no,
        locale=row.locale,
        created_at=row.created_at,
        identities=[
            IdentityOut(id=identity.id, kind=identity.kind, value=mask_identity(identity))
            for identity in row.identities
        ],
    )
