"""The machine's door to accounts: who am I, and what the company has registered."""

from __future__ import annotations

import flask
from apiflask import APIBlueprint
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.accounts.company import company_of, set_gs1_company_prefix
from app.accounts.roles import Scope
from app.api_schema import BEARER, ApiInput, ApiOutput
from app.idempotency import idempotent
from app.security import current_actor, requires, signed_in
from app.web import now, unit_of_work

blueprint = APIBlueprint("accounts_api", __name__, url_prefix="/api/v1", tag="Accounts")


class Identity(BaseModel):
    """Whose token this is and what it may do."""

    name: str
    role: str
    scopes: list[str]


class CompanyIn(ApiInput):
    """What the company registers about itself."""

    gs1_company_prefix: str | None = Field(
        pattern=r"^[0-9]{4,12}$", description="As licensed from GS1; null for the house's own numbers"
    )


class CompanyOut(ApiOutput):
    """What the company has registered about itself."""

    code: str
    name: str
    waybill_prefix: str
    gs1_company_prefix: str | None


@blueprint.get("/me")
@blueprint.output(Identity)
@blueprint.doc(summary="Whose token this is", security="bearer")
@signed_in
def me() -> Identity:
    """Whose token this is."""
    actor = current_actor()
    return Identity(name=actor.name, role=actor.role, scopes=sorted(actor.scopes))


@blueprint.get("/company")
@blueprint.output(CompanyOut)
@blueprint.doc(summary="What the company has registered about itself", security=BEARER)
@requires(Scope.ADMIN)
def company() -> flask.typing.ResponseReturnValue:
    """What the company has registered about itself."""
    with unit_of_work() as session:
        return _answer(session)


@blueprint.post("/company")
@blueprint.input(CompanyIn)
@blueprint.output(CompanyOut)
@blueprint.doc(summary="Register another GS1 company prefix, or none", security=BEARER)
@requires(Scope.ADMIN)
@idempotent
def change_company(json_data: CompanyIn) -> flask.typing.ResponseReturnValue:
    """Number bags and trips by SSCC from now on, or by the house's own numbers."""
    with unit_of_work() as session:
        set_gs1_company_prefix(session, current_actor(), json_data.gs1_company_prefix, now=now())
        return _answer(session)


def _answer(session: Session) -> flask.Response:
    found = company_of(session)
    return flask.jsonify({name: getattr(found, name) for name in CompanyOut.model_fields})
