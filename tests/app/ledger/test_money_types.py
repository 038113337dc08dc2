"""Money is never a float: the annotations of the code and the columns of the database are walked."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

import app.ledger
import app.orders
import app.payouts
import settlement
from app.ledger.wording import KINDS, PAGES, PURPOSES
from app.schema import METADATA
from settlement.ledger import Purpose
from settlement.posting import PostingKind

ROOMS = (settlement, app.ledger, app.orders, app.payouts)


def modules() -> Iterator[ModuleType]:
    for room in ROOMS:
        for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            if not found.name.endswith("__main__"):
                yield import_module(found.name)


def names_a_float(annotation: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "float" for node in ast.walk(annotation))


def annotated(tree: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.annotation
        elif isinstance(node, ast.arg) and node.annotation is not None:
            yield node.arg, node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.name, node.returns


@pytest.mark.parametrize("module", [module.__name__ for module in modules()])
def test_no_amount_is_annotated_as_a_float(module: str):
    tree = ast.parse(Path(inspect.getsourcefile(import_module(module))).read_text(encoding="utf-8"))
    wrong = [
        name
        for name, annotation in annotated(tree)
        if names_a_float(annotation) and (name.endswith("_minor") or module.startswith("settlement"))
    ]
    assert wrong == []
    if module.startswith("settlement"):
        floats = [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, float)
        ]
        assert floats == []


def test_every_column_of_money_is_a_whole_number():
    money = [
        column
        for table in METADATA.tables.values()
        for column in table.columns
        if column.name.endswith("_minor") or column.name.endswith(("_numerator", "_denominator"))
    ]
    assert len(money) > 20
    assert [str(column) for column in money if not isinstance(column.type, sa.Integer)] == []


def test_every_kind_and_purpose_has_a_name():
    assert set(KINDS) == {kind.value for kind in PostingKind}
    assert set(PURPOSES) == set(Purpose)


@pytest.mark.parametrize("kind", PAGES)
def test_every_page_of_evidence_exists(app, kind: str):
    endpoint, argument = PAGES[kind]
    rules = list(app.url_map.iter_rules(endpoint))
    assert [rule.arguments for rule in rules] == [{argument}]
