"""Commands for translators: `python -m app.i18n compile | missing | update ROOM | check`."""

import argparse
import sys

from app.i18n import catalogs
from app.i18n.bare_text import findings


def compile_command(_room: str | None) -> int:
    """Merges the rooms into the catalog that the pages read."""
    print(f"{catalogs.compile_catalogs()} strings compiled.")
    return 0


def missing_command(room: str | None) -> int:
    """Lists strings without Chinese, by room."""
    by_room = {name: found for name, found in catalogs.missing().items() if room in (None, name)}
    for name, found in sorted(by_room.items()):
        print(f"{name}: {len(found)}")
        for source in found:
            print(f"  app/{source.path}:{source.line}  {source.text!r}")
    return 1 if by_room else 0


def update_command(room: str | None) -> int:
    """Adds a room's new strings to its file and drops those that are gone."""
    if room is None:
        print("update needs the name of a room, such as shipments.", file=sys.stderr)
        return 2
    added, dropped = catalogs.update_room(room)
    print(f"app/translations/zh/{room}.po: {added} added, {dropped} dropped.")
    return 0


def check_command(_room: str | None) -> int:
    """Lists text in templates that nobody can translate."""
    found = findings()
    for finding in found:
        print(finding)
    return 1 if found else 0


COMMANDS = {
    "compile": compile_command,
    "missing": missing_command,
    "update": update_command,
    "check": check_command,
}


def main() -> int:
    """Runs one command; the exit status is 1 where something is left to do."""
    parser = argparse.ArgumentParser(prog="python -m app.i18n", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("room", nargs="?")
    arguments = parser.parse_args()
    try:
        return COMMANDS[arguments.command](arguments.room)
    except catalogs.CatalogError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
