"""Finds text that a template shows and nobody can translate: words outside `_()` and `{% trans %}`.

Three places are looked at: text between tags, attributes that people see or hear (`title`, `placeholder`,
`aria-label`...), and strings given to macros and dictionaries under shown names (`title`, `label`...).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).parents[1] / "templates"

SHOWN_ATTRIBUTES = {
    "alt",
    "aria-description",
    "aria-label",
    "aria-placeholder",
    "label",
    "placeholder",
    "title",
}
SHOWN_ATTRIBUTES |= {"data-confirm", "data-confirm-label", "hx-confirm"}
SHOWN_NAMES = {
    "caption",
    "detail",
    "empty_text",
    "empty_title",
    "headline",
    "help",
    "label",
    "note",
    "placeholder",
}
SHOWN_NAMES |= {"sentence", "summary", "text", "title"}
# Not language: program text, keys on a keyboard, and what only machines read.
SILENT_TAGS = {"code", "kbd", "pre", "script", "style"}
# Blocks of base.html that hold class names.
SILENT_BLOCKS = {"main_class"}
# Names and units that are written the same in both languages.
SAME_EVERYWHERE = {
    "Wheelhouse",
    "English",
    "中文",
    "CSV",
    "XLSX",
    "PDF",
    "API",
    "kg",
    "g",
    "km",
    "m",
    "UTC",
    "CNY",
}

WORD = re.compile(r"[A-Za-z\u00c0-\u024f]{2,}|[\u3400-\u9fff]+")
GAP = "\x00"


@dataclass(frozen=True, slots=True)
class Finding:
    """Untranslatable text in a template."""

    template: str
    line: int
    text: str

    def __str__(self) -> str:
        """Path, line and text, as a compiler would print them."""
        return f"app/templates/{self.template}:{self.line}: not translated: {self.text!r}"


class _VisibleText(HTMLParser):
    """Collects what a page shows, from HTML in which every Jinja expression is one gap character."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.shown: list[tuple[int, str]] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT_TAGS
        for name, value in attrs:
            if name in SHOWN_ATTRIBUTES and value:
                self.shown.append((self.getpos()[0], value))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_TAGS and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip(GAP).strip():
            line = self.getpos()[0] + len(data[: len(data) - len(data.lstrip())].splitlines()) - 1
            self.shown.append((max(line, self.getpos()[0]), data))


def findings() -> list[Finding]:
    """Every untranslatable text of every template."""
    return [
        finding
        for path in sorted(TEMPLATES.rglob("*.html"))
        for finding in findings_in(path.read_text(encoding="utf-8"), str(path.relative_to(TEMPLATES)))
    ]


def findings_in(source: str, name: str) -> list[Finding]:
    """The untranslatable text of one template's source."""
    tree = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"]).parse(source)  # noqa: S701
    parser = _VisibleText()
    parser.feed(_html_of(tree))
    parser.close()
    shown = [*parser.shown, *_shown_strings(tree, parameters())]
    return [Finding(name, line, _tidy(text)) for line, text in sorted(shown) if _is_language(text)]


def _is_language(text: str) -> bool:
    return any(word not in SAME_EVERYWHERE for word in WORD.findall(text))


def _tidy(text: str) -> str:
    return " ".join(text.replace(GAP, " … ").split())


def _html_of(tree: nodes.Template) -> str:
    """The template's own characters, each on its own line of the source, with a gap for every expression."""
    html: list[str] = []
    line = 1
    silent = {
        id(node) for block in tree.find_all(nodes.Block) if block.name in SILENT_BLOCKS for node in block.body
    }
    for node in tree.find_all(nodes.Output):
        if id(node) in silent:
            continue
        for part in node.nodes:
            if not isinstance(part, nodes.TemplateData):
                html.append(GAP)
                continue
            html.append("\n" * max(0, part.lineno - line))
            html.append(part.data)
            line = max(line, part.lineno) + part.data.count("\n")
    return "".join(html)


def _shown_strings(tree: nodes.Template, names: dict[str, list[str]]) -> Iterator[tuple[int, str]]:
    """Constant strings given to macros by a shown parameter, or kept in dictionaries under a shown key."""
    for call in tree.find_all(nodes.Call):
        named = {keyword.key: keyword.value for keyword in call.kwargs}
        if isinstance(call.node, nodes.Name | nodes.Getattr):
            macro = call.node.name if isinstance(call.node, nodes.Name) else call.node.attr
            named |= dict(zip(names.get(macro, []), call.args, strict=False))
        yield from _constants(list(named.items()))
    for pair in tree.find_all(nodes.Pair):
        if isinstance(pair.key, nodes.Const):
            yield from _constants([(pair.key.value, pair.value)])


def _constants(
    named: Iterator[tuple[str, nodes.Expr]] | list[tuple[str, nodes.Expr]],
) -> Iterator[tuple[int, str]]:
    for name, value in named:
        if name in SHOWN_NAMES and isinstance(value, nodes.Const) and isinstance(value.value, str):
            yield value.lineno, value.value


@cache
def parameters() -> dict[str, list[str]]:
    """The parameter names of every macro in `components/`, so that positional arguments can be judged too."""
    found: dict[str, list[str]] = {}
    for path in (TEMPLATES / "components").glob("*.html"):
        tree = Environment(extensions=["jinja2.ext.i18n"]).parse(path.read_text(encoding="utf-8"))  # noqa: S701
        for macro in tree.find_all(nodes.Macro):
            found[macro.name] = [argument.name for argument in macro.args]
    return found
