"""The books as they are at one moment, for a check that reads for half a minute.

Otherwise a payment that is recorded between the reading of its invoice and of its allocation would
look like a balance that nothing makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """Nothing may be written inside, and nobody who writes outside waits for it."""
    if connection.in_atomic_block:
        # Whoever began the transaction decided what is seen.
        yield
        return
    opened: Any = connection
    usual = getattr(opened, "transaction_mode", None)
    if connection.vendor == "sqlite":
        # The usual one, IMMEDIATE, is that of writers.
        opened.transaction_mode = "DEFERRED"
    try:
        with transaction.atomic():
            if connection.vendor == "sqlite":
                opened.transaction_mode = usual
            else:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        if connection.vendor == "sqlite":
            opened.transaction_mode = usual
