"""ISO 20022 messages as a stream of elements, and how a reader finds its way in one.

Names are looked up without their namespace, which differs from version to version of a message. Entities are
not resolved and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, NoReturn

from lxml import etree

from settlement.errors import StatementError


def stream(file: IO[bytes], *names: str) -> Iterator[tuple[str, str, etree._Element]]:
    """Begin and end of the elements of some names: ("start" or "end", name, element).

    An element is complete at its end, and is the reader's to forget.

    Raises:
        StatementError: the file is no well-formed XML.
    """
    events = etree.iterparse(
        file,
        events=("start", "end"),
        tag=[f"{{*}}{name}" for name in names],
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,
    )
    try:
        for event, element in events:
            yield event, local(element), element
    except etree.XMLSyntaxError as error:
        raise StatementError(f"no well-formed XML: {error.msg}") from error


def forget(element: etree._Element) -> None:
    """Drop what has been read: the content now, the element with the next one, since the parser is in it."""
    element.clear()
    before, parent = element.getprevious(), element.getparent()
    if before is not None and parent is not None and before.tag == element.tag:
        parent.remove(before)


def local(element: etree._Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def namespace_of(element: etree._Element) -> str:
    """An element's namespace; empty where it has none."""
    return str(element.tag).rpartition("}")[0].lstrip("{")


def fields(element: etree._Element) -> dict[str, etree._Element]:
    """The first child of each name."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(local(child), child)
    return found


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """The children of a name."""
    return [child for child in element if local(child) == name]


def at(element: etree._Element | None, *path: str) -> etree._Element | None:
    """The first descendant along a path of names; None where there is none."""
    for name in path:
        if element is None:
            return None
        element = next((child for child in element if local(child) == name), None)
    return element


def text(element: etree._Element | None) -> str:
    """An element's text without the blanks around it; empty where there is no element."""
    return "" if element is None or element.text is None else element.text.strip()


def needed(element: etree._Element, *path: str) -> str:
    """The text of a descendant that must be there.

    Raises:
        StatementError: it is missing or empty; the message names the line.
    """
    return text(at(element, *path)) or refuse(element, f"{'/'.join(path)} is missing")


def refuse(element: etree._Element, reason: str) -> NoReturn:
    """Raise a `StatementError` that names the element and its line."""
    raise StatementError(f"line {element.sourceline}, {local(element)}: {reason}")
