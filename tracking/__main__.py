"""The engine from a shell.

    python -m tracking fold scans.json        print the state of a parcel; - reads standard input
    python -m tracking number check NUMBER    say what kind of number it is; exit 1 if it is none

`scans.json` is an array of objects with the fields of `tracking.shipment.Scan`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tracking.carriers import recognise
from tracking.lifecycle import fold
from tracking.numbers import is_s10, is_sscc, is_waybill_number, normalise
from tracking.shipment import Scan

_KINDS = (("waybill", is_waybill_number), ("s10", is_s10), ("sscc", is_sscc))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 not a number, 2 bad input."""
    parser = argparse.ArgumentParser(prog="python -m tracking", description="What happened to a parcel.")
    commands = parser.add_subparsers(dest="command", required=True)
    folding = commands.add_parser("fold", help="print the state that scans mean together, as JSON")
    folding.add_argument("scans", help="file with a JSON array of scans; - for standard input")
    number = commands.add_parser("number", help="numbers on a parcel")
    actions = number.add_subparsers(dest="action", required=True)
    actions.add_parser("check", help="say what kind of number it is").add_argument("number")
    options = parser.parse_args(arguments)
    return _check(options.number) if options.command == "number" else _fold(options.scans)


def _fold(source: str) -> int:
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        state = fold(msgspec.json.decode(raw, type=list[Scan]))
    except (OSError, msgspec.DecodeError) as error:
        print(f"tracking: {error}", file=sys.stderr)
        return 2
    print(msgspec.json.format(msgspec.json.encode(state), indent=2).decode())
    return 0


def _check(number: str) -> int:
    plain = normalise(number)
    kinds = [kind for kind, is_kind in _KINDS if is_kind(plain)]
    kinds += [one.carrier_name for one in recognise(plain)]
    print(f"{plain}: {', '.join(kinds) or 'no valid number'}")
    return 0 if kinds else 1


if __name__ == "__main__":
    sys.exit(main())
