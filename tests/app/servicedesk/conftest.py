"""One desk a module: a tenant that books, carries, complains and pays."""

from __future__ import annotations

import pytest

from tests.app.servicedesk.build import Desk, open_desk


@pytest.fixture(scope="module")
def desk(tenant) -> Desk:
    return open_desk(tenant)
