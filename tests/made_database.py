"""The SQLite database of the tests is made once and copied afterwards.

To make it, all migrations are run, which takes each process of a run some ten seconds. What is
copied is kept under a name that says which migrations made it, so a changed one makes it anew;
`migrate` runs over the copy too, and finds nothing left to do.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from django.db.backends.sqlite3.creation import DatabaseCreation

ROOT = Path(__file__).resolve().parent.parent
# Whose migrations are not in this repository.
OTHERS = ("django", "django-allauth", "django-q2")


def _kept() -> Path:
    made_by = hashlib.sha256("".join(version(name) for name in OTHERS).encode())
    for path in sorted(ROOT.glob("*/migrations/*.py")) + sorted(ROOT.glob("*/*/migrations/*.py")):
        made_by.update(path.read_bytes())
    return Path(tempfile.gettempdir()) / f"portal-test-made-{made_by.hexdigest()[:16]}.sqlite3"


def copy_what_is_made() -> None:
    """Let the tests' databases begin as copies; called before the first one is created."""
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
