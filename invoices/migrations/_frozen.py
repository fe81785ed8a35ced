"""For migrations that fill a new column of rows which the database keeps from changing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unfrozen(schema_editor: Any, *tables: str) -> Iterator[None]:
    """The triggers of these tables rest meanwhile; on SQLite they are gone while `migrate` runs.

    All in the migration's own transaction: when it fails, they never rested.
    """
    if schema_editor.connection.vendor != "postgresql":
        yield
        return
    # PostgreSQL alters no table while the checks of foreign keys are still to come.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        schema_editor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        schema_editor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
