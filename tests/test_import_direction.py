"""Who imports whom: docs/architecture.md draws it, these tests keep it.

The drawing has floors. A file imports its own package and what lies on a lower floor, never
upwards and never sideways; inside a package no files import each other in a circle, not even for
their types.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.shared import ROOT

APPS = ("billing_portal", "invoices", "reports", "integrations")
MAY_IMPORT = {
    "billing_portal": set(),
    "invoices": {"billing_portal"},
    "reports": {"invoices", "billing_portal"},
    "integrations": {"invoices", "billing_portal"},
}
# Ways in and out of an app, on the roof: they may use everything below.
ROOF = {"urls", "tasks", "schedules", "management", "admin", "apps", "views"}
ROOF |= {"settings", "settings_for_tools", "wsgi", "launch", "assets"}
# From the ground up. Rooms of one floor do not see each other.
FLOORS: dict[str, list[set[str]]] = {
    "invoices": [
        {"documents"},
        {"tax"},
        {"models"},
        {"company", "einvoicing"},
        {"clients", "selections"},
        {"outbox", "attachments"},
        {"payments"},
        {"invoicing", "credit_control"},
        # Items begin lines, in the words of the editor of lines.
        {"catalogue"},
        {
            *("history", "deals", "quotes", "client_page", "accounting"),
            *("lifecycle", "statements", "bulk"),
        },
        # Begun from deals and quotes too.
        {"subscriptions", "moving"},
        {"seeding"},
    ],
    "reports": [
        {"models"},
        {"charts", "cells", "exports", "links", "summaries", "terms"},
        {"delays"},
        {"receivables"},
        {"alerts", "forecast"},
        {"desk", "search", "periodic"},
    ],
    "integrations": [
        {"models"},
        {"core"},
        {"crm", "ledgers", "payments", "einvoicing", "api"},
        {"pipedrive", "zoho", "quickbooks", "xero", "stripe", "platform", "vies"},
        {"registry"},
        {"connecting"},
    ],
}
# The shell has no activities, so no rooms of their shape; its files have an order all the same. Who
# a person is stands at the ground of it, the pages about people near the roof.
PERSON = "accounts.models"
SHELL: list[set[str]] = [
    {"money", "words", "keys", "seals", "uploads", "toasts", "static_files", "spreadsheet_words"},
    {"navigation", "log_filters", PERSON},
    {"dates", "figures"},
    {"htmx", "idempotency", "confirming", "notices", "typed"},
    {"acts", "changes", "forms"},
    {"editing"},
    {"templatetags"},
    {"lists"},
    {"spreadsheets"},
    {"accounts"},
]
ORDER = {**FLOORS, "billing_portal": SHELL}
PROVIDERS = {"pipedrive", "zoho", "quickbooks", "xero", "stripe", "platform", "vies"}
PURE = ("invoices/documents/", "reports/charts/", "reports/alerts/kinds/words")
PURE_NAMES = {"mapping.py", "values.py"}
# Who may name a provider beside its own package: the registry; the choices that the table of
# connections keeps; the settings, which hold the address of one; the demo, which is played on
# stand-ins.
MAY_NAME_PROVIDERS = {
    "integrations.registry",
    "integrations.models",
    "billing_portal.settings",
    "integrations.management.commands.demo",
    "billing_portal.launch",
    # The forms in which other ledgers read entries: files, and no connection.
    "invoices.accounting.journal.formats",
}
# The addresses of client types are the settings', which take them in under their own name.
MISSHAPEN = {"invoices.clients.type_urls"}


@cache
def modules() -> dict[str, Path]:
    found = {}
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            if "migrations" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found[name.removesuffix(".__init__")] = path
    return found


@cache
def imported(path: Path, *, types: bool = False) -> frozenset[str]:
    """The modules that a file imports, wherever in it, for running; with `types` for those too."""
    tree = ast.parse(path.read_text())
    for node in () if types else ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else node.module for name in names}
    return frozenset(found)


def arrows(app: str, *, types: bool = False) -> Iterator[tuple[str, str]]:
    for name, path in modules().items():
        if name.split(".")[0] == app:
            found = imported(path, types=types)
            yield from ((name, other) for other in found if other.startswith(f"{app}."))


def room(name: str) -> str:
    if name == f"billing_portal.{PERSON}":
        return PERSON
    return name.split(".")[1] if "." in name else ""


def floor(app: str, name: str) -> int | None:
    if room(name) in ROOF:
        return len(ORDER[app])
    return next((at for at, rooms in enumerate(ORDER[app]) if room(name) in rooms), None)


@pytest.mark.parametrize("app", sorted(APPS))
def test_arrows_between_apps_follow_the_drawing(app):
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        if name.split(".")[0] == app
        for other in imported(path)
        if other.split(".")[0] in set(APPS) - {app} - MAY_IMPORT[app]
    ]
    assert wrong == []


@pytest.mark.parametrize("app", sorted(ORDER))
def test_every_room_has_its_floor(app):
    rooms = {room(name) for name in modules() if name.startswith(f"{app}.")}
    assert {name for name in rooms - {"sandbox"} if floor(app, f"{app}.{name}") is None} == set()


@pytest.mark.parametrize("app", sorted(ORDER))
def test_an_arrow_only_points_downwards(app):
    upwards = {
        f"{name} -> {other}"
        for name, other in arrows(app)
        if room(name) != room(other)
        and (here := floor(app, name)) is not None
        and (there := floor(app, other)) is not None
        and there >= here
        and here < len(ORDER[app])
    }
    assert upwards == set()


@pytest.mark.parametrize("app", sorted(APPS))
def test_no_files_import_each_other_in_a_circle(app):
    graph: dict[str, set[str]] = {}
    for name, other in arrows(app, types=True):
        graph.setdefault(name, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def _is_view(name: str) -> bool:
    return "views" in name.split(".")[1:] or name.endswith("_views")


def _speaks_to_people(name: str) -> bool:
    parts = set(name.split(".")[1:])
    return bool(parts & {"views", "forms", "urls", "admin", "templatetags"}) or name.endswith(
        ("_form", "_forms", "_urls", "_views")
    )


def test_only_urls_and_other_views_import_views():
    wrong = [
        f"{name} imports {other}"
        for name, path in modules().items()
        if not _is_view(name) and not name.endswith("urls")
        for other in imported(path)
        if other in modules() and _is_view(other)
    ]
    assert wrong == []


def _rules() -> Iterable[str]:
    for name in modules():
        app = name.split(".")[0]
        if (
            app in FLOORS
            and room(name) in set().union(*FLOORS[app])
            and not _speaks_to_people(name)
        ):
            yield name


def test_rules_import_no_forms_no_http_and_no_templates():
    barred = (
        *("django.http", "django.template", "django.shortcuts", "django.forms"),
        # What of the shell speaks to a browser.
        *("billing_portal.htmx", "billing_portal.acts", "billing_portal.toasts"),
    )
    wrong = {
        f"{name} -> {other}"
        for name in _rules()
        for other in imported(modules()[name])
        if other.startswith(barred) or (other in modules() and _speaks_to_people(other))
    }
    assert wrong == set()


def _is_pure(path: Path) -> bool:
    place = path.relative_to(ROOT).as_posix()
    return place.startswith(PURE) or path.name in PURE_NAMES or path.name.endswith("_mapping.py")


def test_what_prints_adds_up_draws_or_maps_knows_no_database():
    barred = ("django.db", "invoices.models", "reports.models", "integrations.models")
    wrong = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in modules().values()
        if _is_pure(path)
        for other in imported(path)
        if other.startswith(barred)
    ]
    assert wrong == []


def test_kinds_of_alert_leave_the_database_to_others():
    kinds = ROOT / "reports" / "alerts" / "kinds"
    querying = {
        path.name
        for path in modules().values()
        if path.parent == kinds
        and any(other.split(".")[:2] == ["django", "db"] for other in imported(path))
    }
    assert querying == set(), "ask reports/alerts/reading.py"


def test_a_provider_knows_no_other():
    wrong = [
        f"{name} -> {other}"
        for name, path in modules().items()
        if name.startswith("integrations.") and room(name) in PROVIDERS
        for other in imported(path)
        if other.startswith("integrations.") and room(other) in PROVIDERS - {room(name)}
    ]
    assert wrong == []


def _names(tree: ast.AST) -> Iterator[str]:
    """Names of the code, and strings that are no sentences; addresses keep the names they have."""
    for node in ast.walk(tree):
        for field in ("id", "attr", "name", "arg", "module"):
            if isinstance(word := getattr(node, field, None), str):
                yield word
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and " " not in text and not text.startswith("integrations:"):
            yield text


def test_only_the_registry_names_a_provider():
    wrong = [
        f"{name} names {word}"
        for name, path in modules().items()
        if name not in MAY_NAME_PROVIDERS
        # A path of ours may bear a provider's name: links to it must not break.
        and name != "integrations.urls"
        and not (name.startswith("integrations.") and room(name) in PROVIDERS | {"sandbox"})
        for word in _names(ast.parse(path.read_text()))
        # "platform" is a module of Python too.
        if any(provider in word.lower() for provider in PROVIDERS - {"platform"})
    ]
    assert wrong == []


# ─ The shape ────────────────────────────────────────────────────────────────────────────────────
def _packages() -> list[tuple[str, str]]:
    """The rooms of the apps that are folders: app and name."""
    return sorted(
        (app, name)
        for app, floors in FLOORS.items()
        for name in set().union(*floors)
        if (ROOT / app / name / "__init__.py").exists()
    )


def _has(app: str, package: str, what: str) -> bool:
    folder = ROOT / app / package
    return (folder / f"{what}.py").exists() or (folder / what / "__init__.py").exists()


def test_a_package_with_pages_has_views_and_urls():
    wrong = [
        f"{app}/{package}"
        for app, package in _packages()
        if _has(app, package, "views") != _has(app, package, "urls")
    ]
    assert wrong == []


def test_views_forms_and_addresses_are_called_so():
    odd = {
        name
        for name in modules()
        if name.split(".")[0] in FLOORS
        and name.count(".") == 2
        and name.endswith(("_views", "_forms", "_form", "_urls"))
    }
    assert odd == MISSHAPEN


def test_tests_repeat_the_names_of_the_packages():
    without = [
        f"{app}/{package}"
        for app, package in _packages()
        if not list((ROOT / "tests" / app / package).rglob("test_*.py"))
    ]
    assert without == []
    for app in FLOORS:
        folders = {path.parent.name for path in (ROOT / "tests" / app).glob("*/__init__.py")}
        assert {name for name in folders if not (ROOT / app / name).exists()} == set()


def test_templates_repeat_the_names_of_the_packages():
    without = [
        f"{app}/{package}"
        for app, package in _packages()
        if _has(app, package, "views") and not (ROOT / "templates" / app / package).is_dir()
    ]
    assert without == []
    for app in FLOORS:
        folders = {path.name for path in (ROOT / "templates" / app).iterdir() if path.is_dir()}
        strange = {name for name in folders - {"partials"} if not (ROOT / app / name).is_dir()}
        assert strange == set()


def test_the_stand_ins_share_one_kit_that_knows_none_of_them():
    wrong = [
        f"{name} -> {other}"
        for name, path in modules().items()
        if name.startswith("integrations.sandbox.kit")
        for other in imported(path)
        if other.startswith("integrations.sandbox.")
        and not other.startswith("integrations.sandbox.kit")
    ]
    assert set(wrong) == set()
