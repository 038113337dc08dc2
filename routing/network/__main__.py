"""The network engine from a shell; prints JSON, and for people a table where that is better.

python -m routing.network count 31 --hubs 1
python -m routing.network check network.json
python -m routing.network compare FACILITIES.csv DEMAND.csv --hubs 6 --discount 0.6 --json
python -m routing.network itinerary network.json ORIGIN DESTINATION --at 2026-11-21T09:00+08:00
python -m routing.network design FACILITIES.csv DEMAND.csv --hubs 6 --alpha 0.6 --seconds 60 --json
"""

import argparse
import sys
from datetime import datetime
from pathlib import Path

import msgspec

from routing.network.compare_command import add_compare
from routing.network.design.command import add_design
from routing.network.document import read_network
from routing.network.errors import NetworkError
from routing.network.paths import alternatives, direct_itinerary
from routing.network.topology import Topology, hub_lines, point_to_point_lines, soundness


def _count(arguments: argparse.Namespace) -> dict[str, object]:
    counts = {
        "facilities": arguments.facilities,
        "point_to_point_lines": point_to_point_lines(arguments.facilities),
    }
    if arguments.hubs is not None:
        counts |= {"hubs": arguments.hubs, "hub_lines": hub_lines(arguments.facilities, arguments.hubs)}
    return dict(counts)


def _check(arguments: argparse.Namespace) -> object:
    network = read_network(arguments.network.read_bytes())
    return soundness(Topology(arguments.network.name, network.facilities, network.lanes))


def _itinerary(arguments: argparse.Namespace) -> dict[str, object]:
    network = read_network(arguments.network.read_bytes())
    ends = network.by_code(arguments.origin).facility_id, network.by_code(arguments.destination).facility_id
    ways = alternatives(
        network,
        *ends,
        arguments.at,
        weight_g=arguments.weight_g,
        count=1 + arguments.alternatives,
        closed_facilities=frozenset(network.by_code(code).facility_id for code in arguments.close),
    )
    answer: dict[str, object] = {"itinerary": ways[0]}
    if arguments.alternatives:
        answer["alternatives"] = ways[1:]
    if arguments.direct:
        answer["point_to_point"] = direct_itinerary(network, *ends, arguments.at, weight_g=arguments.weight_g)
    return answer


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m routing.network", description="Parcels between facilities."
    )
    commands = parser.add_subparsers(required=True)

    count = commands.add_parser("count", help="lines that a topology needs")
    count.add_argument("facilities", type=int)
    count.add_argument("--hubs", type=int, help="also count a network with so many meshed hubs")
    count.set_defaults(run=_count)

    add_compare(commands)

    check = commands.add_parser("check", help="what cannot be reached, and single points of failure")
    check.add_argument("network", type=Path, help="JSON document")
    check.set_defaults(run=_check)

    plan = commands.add_parser("itinerary", help="the way by which a parcel arrives first")
    plan.add_argument("network", type=Path, help="JSON document")
    plan.add_argument("origin", help="facility code")
    plan.add_argument("destination", help="facility code")
    plan.add_argument("--at", type=datetime.fromisoformat, required=True, help="ready, ISO 8601 with offset")
    plan.add_argument("--weight-g", type=int, default=1000, help="grams (default 1000)")
    plan.add_argument("--close", action="append", default=[], metavar="CODE", help="a closed facility")
    plan.add_argument("--alternatives", type=int, default=0, metavar="N", help="up to N other ways")
    plan.add_argument("--direct", action="store_true", help="also on a point-to-point network")
    plan.set_defaults(run=_itinerary)

    add_design(commands)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, or 1 with the error on stderr."""
    arguments = _parser().parse_args(argv)
    try:
        answer = arguments.run(arguments)
    except (NetworkError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(answer if isinstance(answer, str) else msgspec.json.format(msgspec.json.encode(answer)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
