"""Who imports whom: docs/architecture.md draws it, this test keeps it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = {"billing_portal", "invoices", "reports", "integrations"}
MAY_IMPORT = {
    "billing_portal": set(),
    "invoices": {"billing_portal"},
    "reports": {"invoices", "billing_portal"},
    "integrations": {"invoices", "billing_portal"},
}
PROVIDERS = ("pipedrive", "sandbox")


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("app", sorted(APPS))
def test_arrows_follow_the_drawing(app):
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts
        for name in imported(path)
        if name.split(".")[0] in APPS - {app} - MAY_IMPORT[app]
    ]
    assert not wrong


def test_the_pdf_and_the_sums_know_no_database():
    pure = [
        "invoices/documents/totals.py",
        "invoices/documents/paper.py",
        "integrations/pipedrive/mapping.py",
    ]
    wrong = [
        f"{name} imports {module}"
        for name in pure
        for module in imported(ROOT / name)
        if module.startswith(("django.db", "invoices.models", "integrations.models"))
    ]
    assert not wrong
