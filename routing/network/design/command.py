"""`python -m routing.network design`: hubs for an instance from a file."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from routing.network.design.design import Allocation, HubDesign, design
from routing.network.design.errors import InvalidInstanceError
from routing.network.design.formats import read_ap, read_cab, read_own
from routing.network.design.instance import HubInstance

_OWN_ALPHA = 0.6

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_design(commands: Commands) -> None:
    """Register the command."""
    command = commands.add_parser("design", help="choose hubs and allocate places to them, with a bound")
    command.add_argument("instance", type=Path, help="CAB or AP file, or FACILITIES.csv")
    command.add_argument("demand", type=Path, nargs="?", help="DEMAND.csv; without, gravity on weights")
    command.add_argument("--format", choices=sorted(_READERS), default="csv", help="default csv")
    command.add_argument("--hubs", type=int, required=True, metavar="P", help="how many")
    command.add_argument(
        "--alpha", type=float, help=f"transfer factor (AP: the file's; otherwise {_OWN_ALPHA} by default)"
    )
    command.add_argument(
        "--allocation", choices=[*Allocation], default=Allocation.SINGLE.value, help="default single"
    )
    command.add_argument("--seconds", type=float, default=60.0, help="time allowed (default 60)")
    command.add_argument("--workers", type=int, default=1, help="processes (default 1)")
    command.add_argument("--seed", type=int, default=0, help="of the search (default 0)")
    command.add_argument("--json", action="store_true", help="print JSON, as every command here does")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> dict[str, object]:
    instance = _READERS[arguments.format](arguments)
    answer = design(
        instance,
        arguments.hubs,
        allocation=Allocation(arguments.allocation),
        seconds=arguments.seconds,
        workers=arguments.workers,
        seed=arguments.seed,
    )
    return _document(instance, answer, single=arguments.allocation == Allocation.SINGLE)


def _document(instance: HubInstance, answer: HubDesign, *, single: bool) -> dict[str, object]:
    """The design with the names of places; single allocation has one hub a place, multiple a list."""
    named = [[instance.names[hub] for hub in hubs] for hubs in answer.allocation]
    return {
        "objective": answer.objective,
        "hubs": [instance.names[hub] for hub in answer.hubs],
        "allocation": {
            name: hubs[0] if single else hubs for name, hubs in zip(instance.names, named, strict=True)
        },
        "lower_bound": answer.lower_bound,
        "gap": answer.gap,
        "proven": answer.proven,
        "greedy_objective": answer.greedy_objective,
        "seconds": answer.seconds,
    }


def _cab(arguments: argparse.Namespace) -> HubInstance:
    _no_demand(arguments)
    alpha = _OWN_ALPHA if arguments.alpha is None else arguments.alpha
    return read_cab(arguments.instance.read_text(encoding="utf-8"), alpha)


def _ap(arguments: argparse.Namespace) -> HubInstance:
    _no_demand(arguments)
    return read_ap(arguments.instance.read_text(encoding="utf-8"), arguments.alpha)


def _own(arguments: argparse.Namespace) -> HubInstance:
    alpha = _OWN_ALPHA if arguments.alpha is None else arguments.alpha
    # Spreadsheets put a byte order mark in front of their CSV.
    facilities = arguments.instance.read_text(encoding="utf-8-sig")
    demand = None if arguments.demand is None else arguments.demand.read_text(encoding="utf-8-sig")
    return read_own(facilities, demand, alpha)


def _no_demand(arguments: argparse.Namespace) -> None:
    if arguments.demand is not None:
        raise InvalidInstanceError(f"{arguments.format} files hold their own demand")


_READERS: dict[str, Callable[[argparse.Namespace], HubInstance]] = {"ap": _ap, "cab": _cab, "csv": _own}
