"""The books of another portal into this empty one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.moving.arriving import NotWhole, bring_in
from invoices.moving.file import BooksRefused


class Command(BaseCommand):
    help = (
        "Brings a file of `export_books` into an empty portal, all or nothing, and verifies the "
        "books before it keeps them (docs/moving.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.zip")
        parser.add_argument(
            "--without-keys",
            action="store_true",
            help="also where this portal lacks a key that sealed the books: hashes, files and sums "
            "are still proven, and who wrote the rows is not",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            arrived = bring_in(
                Path(options["file"]),
                without_keys=options["without_keys"],
                progress=self._progress,
            )
        except NotWhole as refusal:
            for one in refusal.broken[:200]:
                self.stdout.write(str(one))
            raise CommandError(str(refusal)) from None
        except BooksRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as trouble:
            raise CommandError(f"{options['file']} cannot be read: {trouble}") from None
        self.stdout.write(
            f"{arrived.rows} rows, SHA-256 of the books {arrived.sha256}: the books hold."
        )
        if arrived.unknown_keys:
            self.stdout.write(
                f"Sealed with {', '.join(arrived.unknown_keys)}, which this portal does not have: "
                "hashes, files and sums were verified, seals were not, and verify_books says so "
                "until BOOKS_KEYS names the key."
            )
        if arrived.waiting:
            self.stdout.write(
                f"{arrived.waiting} emails or files for the platform wait to be sent: this portal "
                "sends them as soon as its worker runs."
            )
        self.stdout.write(
            "People came without passwords: each asks for a new one on the sign-in page."
        )

    def _progress(self, label: str, rows: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{label}: {rows}")
