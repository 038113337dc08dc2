"""Shipments as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from app.formatting import datetime_local
from app.masking import mask_name
from app.network.labels import city_name, facility_name
from app.network.models import District, Facility
from app.shipments.models import Shipment
from app.shipments.words import MILESTONES, SERVICES

# A spreadsheet takes a cell that begins like this for a formula (OWASP, CSV Injection).
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_line(cells: Sequence[str | int | None]) -> str:
    """One line; a text that a spreadsheet would run is made a plain text by an apostrophe."""
    line = io.StringIO()
    csv.writer(line).writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def csv_of(
    shipment: Shipment | None, districts: Mapping[str, District], places: Mapping[int, Facility]
) -> list[str | int | None]:
    """The cells of one shipment; of None the names of the columns, after the mark that says UTF-8."""
    if shipment is None:
        return [
            "\ufeff" + _("Waybill"),
            _("Reference"),
            _("State"),
            _("Since"),
            _("Place"),
            _("Booked"),
            _("Promised until"),
            _("From"),
            _("To"),
            _("Consignee"),
            _("Service"),
            _("Pieces"),
            _("Weight in grams"),
            _("Cash on delivery in minor units"),
            _("Currency"),
        ]
    offset = shipment.booked_offset_minutes
    place = None if shipment.state_facility_id is None else places[shipment.state_facility_id]
    return [
        shipment.waybill_number,
        shipment.reference,
        str(MILESTONES[shipment.milestone][0]),
        datetime_local(shipment.state_since, offset),
        None if place is None else facility_name(place),
        datetime_local(shipment.booked_at, offset),
        datetime_local(shipment.promised_to_at, offset),
        city_name(districts[shipment.sender_district_adcode]),
        city_name(districts[shipment.consignee_district_adcode]),
        mask_name(shipment.consignee_name),
        str(SERVICES[shipment.service]),
        shipment.pieces,
        shipment.weight_g,
        shipment.cod_minor,
        shipment.currency,
    ]


def _harmless(cell: str | int | None) -> str | int | None:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell
