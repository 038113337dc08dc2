"""What the network's keys are called on pages."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app import i18n
from app.network.models import District, Facility, StudyStatus
from routing.network import FacilityKind, Mode, NoRouteReason, Operator

KINDS = {
    FacilityKind.HUB: _l("Hub"),
    FacilityKind.GATEWAY: _l("Gateway"),
    FacilityKind.AIRPORT: _l("Airport"),
    FacilityKind.OUTLET: _l("Outlet"),
    FacilityKind.STORE: _l("Store"),
    FacilityKind.LOCKER: _l("Locker"),
    FacilityKind.COLLECTIVE_POINT: _l("Collective point"),
}

# The colours of the map and of its legend.
SERIES = {kind: number for number, kind in enumerate(KINDS)}

MODES = {Mode.ROAD: _l("Road"), Mode.RAIL: _l("Rail"), Mode.AIR: _l("Air")}

OPERATORS = {
    Operator.OWN: _l("Own"),
    Operator.FRANCHISE: _l("Franchise"),
    Operator.PARTNER: _l("Partner"),
}

NO_ROUTE = {
    NoRouteReason.ORIGIN_CLOSED: _l("The place it starts from is closed."),
    NoRouteReason.DESTINATION_CLOSED: _l("The place it goes to is closed."),
    NoRouteReason.NOT_CONNECTED: _l("No open lanes lead from one to the other."),
    NoRouteReason.CLOSURES: _l("Every way between them is closed."),
    NoRouteReason.TOO_HEAVY: _l("The parcel is too heavy for every way between them."),
    NoRouteReason.NO_DEPARTURE: _l("Nothing departs in the next two weeks."),
    NoRouteReason.FULL: _l("Every departure between them is full."),
    NoRouteReason.TOO_LATE: _l("No departure between them arrives in time."),
}

TOPOLOGIES = {
    "point_to_point": _l("Point-to-point"),
    "one_hub": _l("One hub"),
    "hubs_single": _l("Several hubs, each place on one"),
    "hubs_multiple": _l("Several hubs, each place on two"),
    "hybrid": _l("Hubs, and direct lines that pay"),
}

# A timetable's mask has bit 0 for Monday.
WEEKDAYS_BY_BIT = [
    (1 << day, name)
    for day, name in enumerate((_l("Mon"), _l("Tue"), _l("Wed"), _l("Thu"), _l("Fri"), _l("Sat"), _l("Sun")))
]


def facility_name(facility: Facility) -> str:
    """A facility's name in the language of the page."""
    return facility.name_en if i18n.current() is i18n.ENGLISH and facility.name_en else facility.name


def city_name(district: District) -> str:
    """The city of a district in the language of the page."""
    english = district.city_name_en if i18n.current() is i18n.ENGLISH else ""
    return english or district.city_name


def province_name(district: District) -> str:
    """The province of a district in the language of the page."""
    english = district.province_name_en if i18n.current() is i18n.ENGLISH else ""
    return english or district.province_name


STUDIES = {
    StudyStatus.REQUESTED: (_l("Waiting"), "neutral"),
    StudyStatus.SOLVING: (_l("Searching"), "progress"),
    StudyStatus.DONE: (_l("Answered"), "ok"),
    StudyStatus.FAILED: (_l("Failed"), "bad"),
    StudyStatus.CANCELLED: (_l("Given up"), "neutral"),
}
"""How a hub study stands: its word and tone."""
