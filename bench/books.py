"""The check of the books: every seal, link, balance and file."""

from __future__ import annotations

import resource
from collections.abc import Iterator

from django.db import connection

from bench.timing import Fact, Row, by_turns, timed
from invoices.accounting import nightly
from invoices.accounting.chain import linking
from invoices.models import Invoice
from invoices.models.facts import MODELS, model_of

MOST_MS = 30_000
MOST_MB = 300


def peak_megabytes() -> float:
    """Of this process, since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _read_all() -> None:
    with connection.cursor() as cursor:
        for table in [model_of(kind)._meta.db_table for kind in MODELS] + ["invoices_bookslink"]:
            cursor.execute(f"SELECT * FROM {table}")
            while cursor.fetchmany(5_000):
                pass


def verify_books() -> Iterator[Row | Fact]:
    count = Invoice.objects.issued().count()
    first = timed(lambda: linking.link_new(thoroughly=True))
    yield Fact("links of all that was made, linked for the first time", f"{first.clock:,.0f} ms")
    broken: list[int] = []
    spent, read = by_turns(lambda: broken.append(len(nightly.checked())), _read_all, runs=2)
    yield Row.of(
        f"verify_books of {count:,} documents",
        spent,
        [("all of its rows read by raw SQL, each table once", read)],
        most_ms=max(MOST_MS * count / 100_000, 1_000),
    )
    yield Fact("what it found broken", str(broken[-1]), "0", broken[-1] == 0)
    peak = peak_megabytes()
    yield Fact("its peak memory", f"{peak:,.0f} MB", f"under {MOST_MB} MB", peak < MOST_MB)
