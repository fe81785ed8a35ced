"""No amount, rate or number stands left of `or`: zero is lawful.

`amount or outstanding` wrote off a whole invoice when somebody typed 0. What means "not given" is
None, and is asked for as such: `amount if amount is not None else outstanding`.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.shared import ROOT

APPS = ("billing_portal", "invoices", "reports", "integrations")
# Names of figures: what is called so is an amount, a rate or a number.
FIGURE = re.compile(
    r"(^|_)(amount|minor|rate|percent|quantity|price|discount|threshold|days|outstanding|"
    r"total|balance|width|position|net|vat_rate|paid)$"
)


def _sources():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts and "sandbox" not in path.parts:
                yield path


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.Call):
        called = node.func
        # cleaned.get("amount"), aggregate(...)["total"]
        if isinstance(called, ast.Attribute) and called.attr in ("get", "pop") and node.args:
            first = node.args[0]
            return str(first.value) if isinstance(first, ast.Constant) else ""
    if isinstance(node, ast.NamedExpr):
        return _name(node.value) or _name(node.target)
    return ""


def _is_zero(node: ast.expr) -> bool:
    """`total or 0` changes nothing but None: the sum of no rows."""
    if isinstance(node, ast.Constant):
        return node.value in (0, "0")
    return isinstance(node, ast.Call) and bool(node.args) and _is_zero(node.args[0])


def offences(source: str) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)):
            continue
        for left, right in zip(node.values, node.values[1:], strict=False):
            name = _name(left)
            if FIGURE.search(name) and not _is_zero(right):
                found.append((node.lineno, ast.unparse(node)))
    return found


def test_no_amount_rate_or_number_stands_left_of_or():
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in _sources()
        for line, text in offences(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "caught"),
    [
        ("amount or outstanding", True),
        ("data.get('amount') or whole", True),
        ("data['amount_minor'] or 5", True),
        ("invoice.vat_rate or Decimal(20)", True),
        ("total or 0", False),
        ("total or Decimal(0)", False),
        ("amount if amount is not None else outstanding", False),
        ("title or name", False),
    ],
)
def test_the_kind_is_recognised(source, caught):
    assert bool(offences(source)) is caught
