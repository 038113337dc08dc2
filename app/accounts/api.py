"""The machine's door to accounts: who am I."""

from __future__ import annotations

from apiflask import APIBlueprint
from pydantic import BaseModel

from app.security import current_actor, signed_in

blueprint = APIBlueprint("accounts_api", __name__, url_prefix="/api/v1", tag="Accounts")


class Identity(BaseModel):
    """Whose token this is and what it may do."""

    name: str
    role: str
    scopes: list[str]


@blueprint.get("/me")
@blueprint.output(Identity)
@blueprint.doc(summary="Whose token this is", security="bearer")
@signed_in
def me() -> Identity:
    """Whose token this is."""
    actor = current_actor()
    return Identity(name=actor.name, role=actor.role, scopes=sorted(actor.scopes))
