"""The company's GS1 prefix: registered by page and machine, checked, and used for numbers from then on."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.accounts.models import AuditEntry, Tenant
from app.db.session import Database
from tests.support.app import Logins

ENGLISH = {"Accept-Language": "en"}


def prefix_of(database: Database, logins: Logins) -> str | None:
    with database.unit_of_work(None) as session:
        return session.get_one(Tenant, logins.tenant_id).gs1_company_prefix


def test_a_machine_registers_a_prefix_and_takes_it_back(database: Database, tenant: Logins) -> None:
    admin = tenant.api("admin")
    assert admin.get("/api/v1/company").json["gs1_company_prefix"] is None
    answer = admin.post("/api/v1/company", json={"gs1_company_prefix": "4012345"})
    assert answer.json["gs1_company_prefix"] == "4012345" == prefix_of(database, tenant)
    with database.unit_of_work(tenant.tenant_id) as session:
        told = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "company.gs1_prefix")).one()
        assert told.details == {"before": None, "after": "4012345"}
    assert admin.post("/api/v1/company", json={"gs1_company_prefix": None}).status_code == 200
    assert prefix_of(database, tenant) is None
    assert admin.post("/api/v1/company", json={}).status_code == 422


@pytest.mark.parametrize("prefix", ["123", "1234567890123", "40123a5", "４０１２３４５", "4012 345"])
def test_what_is_no_prefix_is_refused(database: Database, tenant: Logins, prefix: str) -> None:
    before = prefix_of(database, tenant)
    assert tenant.api("admin").post("/api/v1/company", json={"gs1_company_prefix": prefix}).status_code == 422
    if prefix.strip() == prefix:
        answer = tenant.browser("admin").post(
            "/company", data={"gs1_company_prefix": prefix}, headers=ENGLISH
        )
        assert answer.status_code == 422
        assert "4 to 12 digits" in answer.text
    assert prefix_of(database, tenant) == before


def test_the_page_registers_a_prefix_and_is_for_administrators(database: Database, tenant: Logins) -> None:
    browser = tenant.browser("admin")
    assert browser.post("/company", data={"gs1_company_prefix": " 6901234 "}).status_code == 302
    assert 'value="6901234"' in browser.get("/company", headers=ENGLISH).text
    assert browser.post("/company", data={"gs1_company_prefix": ""}).status_code == 302
    assert prefix_of(database, tenant) is None
    other = tenant.browser("finance")
    assert other.get("/company").status_code == 403
    assert other.post("/company", data={"gs1_company_prefix": "6901234"}).status_code == 403
