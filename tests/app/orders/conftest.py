"""One shop a module."""

from __future__ import annotations

import pytest

from tests.app.orders.build import Shop, open_shop


@pytest.fixture(scope="module")
def shop(tenant) -> Shop:
    return open_shop(tenant)
