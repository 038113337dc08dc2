"""The Chinese catalogs: one .po file a room, merged into the one .mo file that Flask-Babel reads.

A string belongs to the room (slice) whose code or template says it first. Two rooms may translate the same
English; they must then agree, for one English has one Chinese (use `pgettext` where a word has two meanings).
"""

import io
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

APP = Path(__file__).parents[1]
TRANSLATIONS = APP / "translations"
CHINESE_LOCALE = "zh_Hans_CN"
CHINESE = TRANSLATIONS / "zh"
COMPILED = CHINESE / "LC_MESSAGES" / "messages.mo"
COMMON = "common"

METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "silent": "false"}}
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "_l": None,
    "lazy_gettext": None,
    "lazy_ngettext": (1, 2),
    "lazy_pgettext": ((1, "c"), 2),
}

Key = tuple[str, str | None]


class CatalogError(ValueError):
    """The .po files cannot become one catalog."""


@dataclass(frozen=True, slots=True)
class Source:
    """An English string of the code: its key, its plural if it has one, and where it stands."""

    text: str
    context: str | None
    plural: str | None
    path: str
    line: int

    @property
    def key(self) -> Key:
        """What identifies the string in a catalog."""
        return (self.text, self.context)

    @property
    def room(self) -> str:
        """The .po file that should hold its Chinese."""
        return room_of(self.path)


def room_of(path: str) -> str:
    """The room of a file named relative to `app/`: its slice, or `common` for what all slices share."""
    parts = Path(path).parts
    if path == "templates/styleguide.html":
        return "styleguide"
    name = parts[1] if parts[0] == "templates" and len(parts) > 2 else parts[0]
    is_slice = (APP / name).is_dir() and name not in {"templates", "i18n", "db", "static", "static_src"}
    return name if is_slice else COMMON


def extracted() -> list[Source]:
    """Every translatable string of code and templates once, in the order of files and lines."""
    found: dict[Key, Source] = {}
    rows = extract_from_dir(str(APP), METHODS, OPTIONS, KEYWORDS)
    for path, line, message, _comments, context in sorted(rows, key=lambda row: (row[0], row[1])):
        text, plural = (message[0], message[1]) if isinstance(message, tuple) else (message, None)
        source = Source(text, context, plural, path, line)
        known = found.setdefault(source.key, source)
        if known.plural is None and plural is not None:
            found[source.key] = source
    return list(found.values())


def po_files() -> list[Path]:
    """The rooms' catalogs, by name."""
    return sorted(CHINESE.glob("*.po"))


def read_room(path: Path) -> Catalog:
    """One room's catalog; a file that is no valid .po is an error that names its line."""
    with path.open("rb") as file:
        return read_po(file, locale=CHINESE_LOCALE, abort_invalid=True)


def entries(catalog: Catalog) -> Iterator[tuple[Key, Message]]:
    """The messages of a catalog by key, without its header."""
    for message in catalog:
        if message.id:
            yield key_of(message), message


def key_of(message: Message) -> Key:
    """What identifies a message: its (singular) text and its context."""
    text = message.id[0] if isinstance(message.id, tuple | list) else message.id
    return (text, message.context)


def is_translated(message: Message) -> bool:
    """Whether every form of the message has text, and nobody marked it as a guess."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return not message.fuzzy and all(forms)


def merged(paths: list[Path] | None = None) -> Catalog:
    """One catalog of all rooms.

    Raises:
        CatalogError: two rooms translate one English string differently.
    """
    whole = Catalog(locale=CHINESE_LOCALE)
    origin: dict[Key, str] = {}
    for path in po_files() if paths is None else paths:
        for key, message in entries(read_room(path)):
            if not is_translated(message):
                continue
            known = whole.get(message.id, message.context)
            if known is not None and known.string != message.string:
                raise CatalogError(
                    f"{key[0]!r} is {known.string!r} in {origin[key]} but {message.string!r} in {path.name}."
                )
            whole.add(message.id, message.string, context=message.context)
            origin[key] = path.name
    return whole


def compile_catalogs() -> int:
    """Writes the merged catalog where Flask-Babel reads it; returns how many strings it holds."""
    whole = merged()
    COMPILED.parent.mkdir(parents=True, exist_ok=True)
    # Several processes may start at once: each writes its own file, and the last rename wins whole.
    with tempfile.NamedTemporaryFile(dir=COMPILED.parent, suffix=".new", delete=False) as file:
        write_mo(file, whole)
    Path(file.name).chmod(0o644)
    os.replace(file.name, COMPILED)
    return len(whole)


def compile_if_changed() -> None:
    """Compiles unless the compiled catalog is newer than every room's."""
    made_at = COMPILED.stat().st_mtime_ns if COMPILED.exists() else -1
    if any(path.stat().st_mtime_ns >= made_at for path in [*po_files(), CHINESE]):
        compile_catalogs()


def missing() -> dict[str, list[Source]]:
    """The strings without Chinese, by the room that should hold it."""
    translated = {key_of(message) for message in merged() if message.id}
    by_room: dict[str, list[Source]] = {}
    for source in extracted():
        if source.key not in translated:
            by_room.setdefault(source.room, []).append(source)
    return by_room


def orphans() -> list[tuple[str, Key]]:
    """Entries whose English no longer stands in the code: (file, key)."""
    wanted = {source.key for source in extracted()}
    return [
        (path.name, key) for path in po_files() for key, _ in entries(read_room(path)) if key not in wanted
    ]


def update_room(room: str) -> tuple[int, int]:
    """Adds a room's untranslated strings to its file, empty, and drops its orphans; returns how many."""
    path = CHINESE / f"{room}.po"
    catalog = read_room(path) if path.exists() else Catalog(locale=CHINESE_LOCALE)
    gone = {key for name, key in orphans() if name == path.name}
    wanted = missing().get(room, [])
    fresh = Catalog(locale=CHINESE_LOCALE, fuzzy=False)
    for key, message in entries(catalog):
        if key not in gone:
            fresh.add(message.id, message.string, context=message.context)
    present = {key for key, _ in entries(fresh)}
    added = [source for source in wanted if source.key not in present]
    for source in added:
        fresh.add((source.text, source.plural) if source.plural else source.text, context=source.context)
    _write_room(path, fresh)
    return len(added), len(gone)


def _write_room(path: Path, catalog: Catalog) -> None:
    """Writes a .po file whose header holds nothing that changes by the hour, so that files merge well."""
    written = io.BytesIO()
    write_po(written, catalog, width=110, omit_header=True, no_location=True)
    header = (
        'msgid ""\nmsgstr ""\n"Language: zh_Hans_CN\\n"\n"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(header + written.getvalue().decode().strip() + "\n", encoding="utf-8")
