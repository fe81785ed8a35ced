"""What a history of many invoices takes: looked at, and written. Peak memory is that of a process
of its own, so each of the two measures runs in one."""

from __future__ import annotations

import csv
import io
import resource
from collections.abc import Iterator
from datetime import date, timedelta
from time import perf_counter

from bench.timing import Fact
from invoices.history.bringing_in import COLUMNS, Source, apply, read

ON = date(2026, 11, 24)
FIRST = date(2021, 1, 4)
# Three wrong rows among all the others.
WRONG = {"number": "BAD", "kind": "invoice", "client": "Client 1", "currency": "EUR"}


def sources(invoices: int, wrong: int = 0) -> dict[str, Source]:
    """Clients, an invoice of each row, nine tenths of them paid, a hundredth credited."""
    clients = max(20, invoices // 100)
    people = (
        {"name": f"Client {n}", "client_type": "SME", "country": "FR"} for n in range(clients)
    )
    return {
        "clients": _file("clients", people),
        "invoices": _file("invoices", _invoices(invoices, clients, wrong)),
        "payments": _file("payments", _payments(invoices)),
    }


def _invoices(count: int, clients: int, wrong: int) -> Iterator[dict[str, object]]:
    for n in range(count):
        issued = FIRST + timedelta(days=n * 2_000 // count)
        amount = 100 + n % 9_000
        yield {
            "number": f"OLD-{n:06}",
            "kind": "invoice",
            "client": f"Client {n % clients}",
            "issued_on": issued,
            "due_on": issued + timedelta(days=30),
            "currency": "EUR",
            "net": f"{amount}.00",
            "vat": f"{amount / 5:.2f}",
            "total": f"{amount * 1.2:.2f}",
            "title": f"Work of {issued:%Y-%m}",
        }
        if wrong and n % (count // wrong) == count // wrong // 2:
            yield {**WRONG, "number": f"BAD-{n}", "issued_on": issued, "due_on": "soon",
                   "net": "1", "vat": "1", "total": "3"}  # fmt: skip


def _payments(count: int) -> Iterator[dict[str, object]]:
    for n in range(count):
        if n % 10:
            issued = FIRST + timedelta(days=n * 2_000 // count)
            yield {
                "invoice": f"OLD-{n:06}",
                "received_on": min(ON, issued + timedelta(days=20 + n % 40)),
                "amount": f"{(100 + n % 9_000) * 1.2:.2f}",
                "currency": "EUR",
                "reference": f"VIR {n:06}",
                "method": "transfer",
            }


def _file(kind: str, rows: Iterator[dict[str, object]]) -> Source:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[kind], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return f"{kind}.csv", text.getvalue().encode()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def look_at_history(invoices: str, wrong: str = "3") -> Iterator[Fact]:
    given = sources(int(invoices), int(wrong))
    begun = perf_counter()
    plan = read(sources=given, on=ON)
    yield Fact("complaints", f"{len(plan.complaints)}")
    yield Fact("looked at", f"{perf_counter() - begun:.1f} s, peak {_peak()} MB")


def write_history(invoices: str) -> Iterator[Fact]:
    begun = perf_counter()
    written = apply(read(sources=sources(int(invoices)), on=ON), by=None, on=ON)
    yield Fact(
        "written", f"{written.writes} rows, {perf_counter() - begun:.1f} s, peak {_peak()} MB"
    )
