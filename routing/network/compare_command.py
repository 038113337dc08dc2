"""The shell command that puts topologies side by side."""

import argparse
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path

from routing.network.comparison import Comparison, Operation, compare, gravity_flows
from routing.network.comparison.demand import PARCEL_G
from routing.network.comparison.measure import Measured
from routing.network.comparison.shapes import ALLOCATIONS
from routing.network.comparison.sidebyside import Option
from routing.network.comparison.tables import read_flows, read_places
from routing.network.errors import InvalidNetworkError, UnknownFacilityError

_COLUMNS = (
    ("topology", 15),
    ("lines", 10),
    ("used", 9),
    ("vehicles", 9),
    ("vehicle-km", 12),
    ("handlings", 9),
    ("mean h", 7),
    ("p90 h", 7),
    ("cost", 8),
    ("busiest hub", 12),
    ("stranded", 9),
)


def add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `compare` to the commands of the network engine."""
    parser = commands.add_parser(
        "compare",
        help="the same demand point-to-point, over one hub, over several, and over hubs with direct lines",
    )
    parser.add_argument("facilities", type=Path, help="CSV: id,name,lat,lon,weight")
    parser.add_argument(
        "demand",
        type=Path,
        nargs="?",
        help="CSV: origin,destination,parcels of a day; without it the gravity model spreads --parcels",
    )
    parser.add_argument("--parcels", type=int, help="of a day, for the gravity model on the weights")
    parser.add_argument("--hubs", type=int, default=6, help="how many hubs (default 6)")
    parser.add_argument(
        "--at", action="append", default=[], metavar="ID", help="a hub; chosen where none is given"
    )
    parser.add_argument(
        "--discount",
        type=_per_mille,
        default=1000,
        help="what a vehicle costs between hubs beside elsewhere, 0 to 1 (default 1)",
    )
    parser.add_argument(
        "--allocations",
        type=int,
        default=ALLOCATIONS,
        help=f"hubs of each place in multiple allocation (default {ALLOCATIONS})",
    )
    parser.add_argument(
        "--hub-capacity",
        type=int,
        metavar="PARCELS",
        help="that a hub can sort in an hour (default no limit)",
    )
    parser.add_argument("--parcel-g", type=int, default=PARCEL_G, help=f"grams (default {PARCEL_G})")
    parser.add_argument("--json", action="store_true", help="for machines; otherwise a table")
    parser.set_defaults(run=_run)


def _per_mille(text: str) -> int:
    """A share with up to three decimals as thousandths."""
    try:
        value = Decimal(text) * 1000
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not (value.is_finite() and 0 <= value <= 1000 and value == int(value)):
        raise argparse.ArgumentTypeError(f"{text} is not within 0 and 1, with three decimals at most")
    return int(value)


def _run(arguments: argparse.Namespace) -> object:
    places = read_places(arguments.facilities)
    if (arguments.demand is None) == (arguments.parcels is None):
        raise InvalidNetworkError("a comparison needs either a file of demand or --parcels")
    if arguments.parcel_g < 0:
        raise InvalidNetworkError(f"{arguments.parcel_g} g are no weight")
    if arguments.demand is not None:
        flows = read_flows(arguments.demand, places, parcel_g=arguments.parcel_g)
    else:
        flows = gravity_flows(places, arguments.parcels, parcel_g=arguments.parcel_g)
    for place_id in arguments.at:
        if place_id not in places.ids:
            raise UnknownFacilityError(place_id)
    hubs = [places.ids.index(place_id) for place_id in arguments.at]
    compared = compare(
        places,
        flows,
        hubs=hubs or arguments.hubs,
        operation=Operation(discount_per_mille=arguments.discount, hub_per_hour=arguments.hub_capacity),
        allocations=arguments.allocations,
    )
    return document(compared) if arguments.json else _table(compared)


def document(compared: Comparison) -> dict[str, object]:
    """A comparison as a JSON document; places are named by their ids."""
    places = compared.places
    return {
        "places": places.size,
        "parcels": compared.flows.total_parcels,
        "local_parcels": compared.flows.local_parcels,
        "flows": len(compared.flows.origin),
        "hubs": [{"id": places.ids[hub], "name": places.names[hub]} for hub in compared.hubs],
        "topologies": [_option(compared, option) for option in compared.options],
    }


def _option(compared: Comparison, option: Option) -> dict[str, object]:
    failure, ids = option.failure, compared.places.ids
    return {
        **_measured(compared, option.measured),
        "busiest_closes": {
            "id": ids[failure.place],
            "parcels_through": failure.parcels_through,
            "places_cut_off": failure.places_cut_off,
            "parcels_stranded": failure.parcels_stranded,
            "after": None if failure.after is None else _measured(compared, failure.after),
        },
    }


def _measured(compared: Comparison, measured: Measured) -> dict[str, object]:
    figures = asdict(measured)
    figures["hub_loads"] = [
        {"id": compared.places.ids[load.hub], "parcels": load.parcels} for load in measured.hub_loads
    ]
    figures["hub_queues"] = [
        {"id": compared.places.ids[one.hub], "overloaded": one.queue.overloaded, **asdict(one.queue)}
        for one in measured.hub_queues
    ]
    return figures


def _table(compared: Comparison) -> str:
    """One line a topology, for people; costs in minor units a parcel."""
    lines = [
        f"{compared.places.size:,} places, {compared.flows.total_parcels:,} parcels a day",
        "hubs: " + ", ".join(compared.places.names[hub] or compared.places.ids[hub] for hub in compared.hubs),
        "  ".join(
            f"{name:<{width}}" if name == "topology" else f"{name:>{width}}" for name, width in _COLUMNS
        ),
    ]
    for option in compared.options:
        measured = option.measured
        cells = (
            f"{measured.lines:,}",
            f"{measured.lines_used:,}",
            f"{measured.vehicles:,}",
            f"{measured.vehicle_m // 1000:,}",
            f"{measured.handlings_per_parcel:.2f}",
            f"{measured.transit_s_mean / 3600:.1f}",
            f"{measured.transit_s_p90 / 3600:.1f}",
            f"{measured.cost_per_parcel_minor:,}",
            f"{max((load.parcels for load in measured.hub_loads), default=0):,}",
            f"{option.failure.parcels_stranded:,}",
        )
        figures = "  ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS[1:], strict=True))
        lines.append(f"{measured.name:<{_COLUMNS[0][1]}}  {figures}")
    for option in compared.options:
        lines += _queues(compared, option.measured)
    lines.append("stranded: parcels a day that the lines cannot carry when the busiest hub closes")
    return "\n".join(lines)


def _queues(compared: Comparison, measured: Measured) -> list[str]:
    """A line for each hub to which more comes than it can sort; else one on the longest wait."""
    names = compared.places.names
    over = [one for one in measured.hub_queues if one.queue.overloaded]
    if over:
        return [
            f"{measured.name}: {names[one.hub] or compared.places.ids[one.hub]} is overloaded, "
            f"{one.queue.pieces:,} parcels a day and {one.queue.capacity:,} sorted"
            for one in over
        ]
    longest = measured.longest_queue_s
    return [] if longest is None else [f"{measured.name}: a parcel queues {longest / 3600:.1f} h at most"]
