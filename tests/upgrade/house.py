"""The database of the former version, brought to today and put in the place of the tests' own."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connections
from django.db.utils import load_backend

HERE = Path(__file__).parent


@contextmanager
def former_house(folder: Path) -> Iterator[dict[str, list[tuple]]]:
    """Here `default` is that database, as the former version left it."""
    own = connections["default"]
    dump = lzma.decompress((HERE / f"former_{own.vendor}.sql.xz").read_bytes()).decode()
    name = str(folder / "former.sqlite3")
    if own.vendor == "postgresql":
        name = f"{own.settings_dict['NAME']}_former"
        with own._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}"')
    given = {**own.settings_dict, "NAME": name}
    before, connections.settings["default"]["NAME"] = connections.settings["default"]["NAME"], name
    connections["default"] = load_backend(given["ENGINE"]).DatabaseWrapper(given, "default")
    try:
        _load(dump)
        yield _rows()
    finally:
        connections["default"].close()
        connections["default"] = own
        connections.settings["default"]["NAME"] = before
        if own.vendor == "postgresql":
            with own._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _load(dump: str) -> None:
    connection = connections["default"]
    if connection.vendor == "sqlite":
        # Not through Django, which minds the order of tables that refer to each other.
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as plain:
            plain.executescript(dump)
        return
    connection.ensure_connection()
    # The plain connection: Django's cursor would look for parameters in it.
    connection.connection.execute(dump)
    # What loading set on this session ends with it.
    connection.close()


def _rows() -> dict[str, list[tuple]]:
    """What must still be there, by table: asked before anything of today touches it."""
    wanted = {
        "integrations_externallink": "kind, external_id, local_id",
        "invoices_document": "id, invoice_id, kind, sha256",
        "django_q_ormq": "key",
    }
    found = {}
    with connections["default"].cursor() as cursor:
        for table, columns in wanted.items():
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}")
            found[table] = cursor.fetchall()
    return found


def migrate() -> None:
    call_command("migrate", verbosity=0)
