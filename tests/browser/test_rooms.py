"""Every page that somebody's navigation leads to, for every role, at both widths and in both languages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.accounts.roles import Role
from app.servicedesk import service as servicedesk
from app.servicedesk.values import CaseCategory, CaseChannel
from app.shipments import queries as shipments
from app.shipments import service as shipments_service
from tests.browser.look import Visitor, look
from tests.support.company import Company
from tracking.shipment import ScanCode


@pytest.fixture(scope="module")
def lived(firm: Company) -> Company:
    """The company after some days: parcels booked, under way and delivered, their money, and a complaint."""
    numbers = [firm.book("chengdu", end) for end in ("hangzhou", "guangzhou", "wuhan")]
    firm.deliver(numbers[0])
    firm.deliver(numbers[1], until=ScanCode.ARRIVED)
    firm.book("wuhan", "chengdu", customer_id=firm.other_shipper_id, cod_minor=128_00)
    with firm.work() as session:
        servicedesk.open_case(
            session,
            customer_id=firm.shipper_id,
            shipment_id=firm.shipment(numbers[0]).id,
            channel=CaseChannel.PHONE,
            category=CaseCategory.DAMAGED,
            body="外箱破损，请核实。",
            actor=firm.shop.agent,
            now=firm.now,
        )
        delivered = shipments.load_shipment(session, firm.shop.agent, numbers[0])
        shipments_service.confirm_receipt(session, delivered, now=firm.now, by="agent")
    firm.relay()
    return firm


SUBJECTS: dict[Role, Callable[[Company], int]] = {
    Role.SHIPPER: lambda firm: firm.shipper_id,
    Role.COURIER: lambda firm: firm.couriers["CTU-01"],
}


@pytest.mark.parametrize("role", Role)
def test_every_page_of_the_menus(lived: Company, member: Callable[..., Visitor], role: Role) -> None:
    subject = SUBJECTS.get(role)
    visitor = member(role, subject(lived) if subject else None)
    found = visitor.page.locator("#nav a, .menu-panel a")
    links = found.evaluate_all("links => links.map((link) => link.pathname)")
    assert links, "nobody is left without a way"
    for place, link in enumerate(links, start=1):
        visitor.open(link)
        look(visitor, f"{role}-{place:02}{link.replace('/', '-').rstrip('-')}")
