"""The database of the tests is made once and copied afterwards.

To make it, all migrations are run, which takes each process of a run some ten seconds on SQLite and
forty on PostgreSQL. What is copied is kept under a name that says which migrations made it, so a
changed one makes it anew; `migrate` runs over the copy too, and finds nothing left to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from django.db.backends.postgresql import creation as postgresql
from django.db.backends.sqlite3.creation import DatabaseCreation

ROOT = Path(__file__).resolve().parent.parent
# Whose migrations are not in this repository.
OTHERS = ("django", "django-allauth", "django-q2")


# How many databases to copy stay on a server: another checkout may be at other migrations.
KEPT_ON_A_SERVER = 4


def _made_by() -> str:
    made_by = hashlib.sha256("".join(version(name) for name in OTHERS).encode())
    for path in sorted(ROOT.glob("*/migrations/*.py")) + sorted(ROOT.glob("*/*/migrations/*.py")):
        made_by.update(path.read_bytes())
    return made_by.hexdigest()[:16]


def _kept() -> Path:
    return Path(tempfile.gettempdir()) / f"portal-test-made-{_made_by()}.sqlite3"


def copy_what_is_made() -> None:
    """Let the tests' databases begin as copies; called before the first one is created."""
    _copy_files()
    _copy_on_the_server()


def _copy_on_the_server() -> None:
    """PostgreSQL copies a database itself, as long as nobody is connected to it."""
    plain = postgresql.DatabaseCreation.create_test_db

    def create(self, *args, **options):
        kept = f"portal_test_made_{_made_by()}"
        # One process at a time, of any checkout: while one copies, none may drop.
        with (Path(tempfile.gettempdir()) / "portal-test-made.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if made := kept in _on_the_server(self):
                self.connection.settings_dict["TEST"]["TEMPLATE"] = kept
            name = plain(self, *args, **options)
            if not made:
                self.connection.close()
                _ask(self, f'CREATE DATABASE "{kept}" TEMPLATE "{name}"')
                for old in _on_the_server(self)[KEPT_ON_A_SERVER:]:
                    _ask(self, f'DROP DATABASE "{old}"')
            return name

    postgresql.DatabaseCreation.create_test_db = create


def _ask(creation, sql: str) -> list[tuple[str]]:
    with creation._nodb_cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def _on_the_server(creation) -> list[str]:
    """The databases to copy, the last made first."""
    sql = (
        "SELECT datname FROM pg_database WHERE datname LIKE 'portal_test_made_%' ORDER BY oid DESC"
    )
    return [name for (name,) in _ask(creation, sql)]


def _copy_files() -> None:
    plain = DatabaseCreation.create_test_db
    empty = DatabaseCreation._create_test_db

    def place(self, *args, **options):
        name = empty(self, *args, **options)
        kept = _kept()
        if kept.exists():
            shutil.copyfile(kept, name)
        return name

    def create(self, *args, **options):
        kept = _kept()
        # One process makes it and the others wait, which is less work than each making its own.
        with kept.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if kept.exists():
                fcntl.flock(lock, fcntl.LOCK_UN)
                return plain(self, *args, **options)
            name = plain(self, *args, **options)
            half = kept.with_suffix(f".{os.getpid()}")
            with self.connection.cursor() as cursor:
                cursor.execute("VACUUM INTO %s", [str(half)])
            half.replace(kept)
            return name

    DatabaseCreation._create_test_db = place
    DatabaseCreation.create_test_db = create
