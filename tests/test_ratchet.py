"""What has grown too large is listed in ratchet.txt, and the list only shrinks.

Limits: a file 400 lines, a function 60, a class 200, a line of a template 200 characters. A new
offender fails; so does a listed one that grew, and one that is listed and no longer there (take
its line out, or write its smaller measure). `python -m tests.test_ratchet` prints the list as
the tree stands; a file with long template lines counts how many there are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "ratchet.txt"
PYTHON = ["billing_portal", "invoices", "reports", "integrations", "tests", "bench", "scripts"]
FILE, FUNCTION, CLASS, TEMPLATE_LINE = 400, 60, 200, 200


def python_files(root: Path) -> Iterator[Path]:
    for folder in PYTHON:
        for path in sorted((root / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def parts_of(path: Path) -> Iterator[tuple[str, int, int]]:
    """Each class and function of a file: dotted name, lines without decorators, limit."""

    def walk(node: ast.AST, outer: str) -> Iterator[tuple[str, int, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{outer}.{child.name}" if outer else child.name
                limit = CLASS if isinstance(child, ast.ClassDef) else FUNCTION
                yield name, (child.end_lineno or child.lineno) - child.lineno + 1, limit
                yield from walk(child, name)
            else:
                yield from walk(child, outer)

    yield from walk(ast.parse(path.read_text()), "")


def offenders(root: Path = ROOT) -> dict[str, int]:
    """What is over its limit: name and measure."""
    found: dict[str, int] = {}
    for path in python_files(root):
        place = path.relative_to(root).as_posix()
        for name, lines, limit in parts_of(path):
            if lines > limit:
                found[f"{place}::{name}"] = lines
    sources = [*python_files(root), *sorted((root / "static").rglob("*.js"))]
    for path in sources:
        lines = len(path.read_text().splitlines())
        if lines > FILE and "vendor" not in path.parts:
            found[path.relative_to(root).as_posix()] = lines
    templates = root / "templates"
    for path in sorted([*templates.rglob("*.html"), *templates.rglob("*.txt")]):
        long = sum(len(line) > TEMPLATE_LINE for line in path.read_text().splitlines())
        if long:
            found[path.relative_to(root).as_posix()] = long
    return dict(sorted(found.items()))


def listed() -> dict[str, int]:
    rows = (line.rsplit(" ", 1) for line in LIST.read_text().splitlines() if line.strip())
    return {name: int(measure) for name, measure in rows}


def test_nothing_new_is_too_large_and_the_list_only_shrinks():
    is_now, was = offenders(), listed()
    grown = {name: n for name, n in is_now.items() if n > was.get(name, 0)}
    assert not grown, "too large: cut them where the idea splits"
    shrunk = {name: is_now.get(name, 0) for name, n in was.items() if is_now.get(name, 0) < n}
    assert not shrunk, "smaller than tests/ratchet.txt says: write it down there, 0 means take out"


if __name__ == "__main__":
    print("\n".join(f"{name} {measure}" for name, measure in offenders().items()))
