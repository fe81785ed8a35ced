"""The books of a year as one file that verifies itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from invoices.accounting.archive import ArchiveRefused, archive


class Command(BaseCommand):
    help = "Writes originals, index and proofs of a year into a ZIP; `verify_archive` checks it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--year", type=int, required=True)
        parser.add_argument("--out", required=True, metavar="FILE.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = archive(year=options["year"], path=Path(options["out"]), on=timezone.localdate())
        except ArchiveRefused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as trouble:
            raise CommandError(f"{options['out']} cannot be written: {trouble}") from None
        self.stdout.write(
            f"{made.documents} documents with {made.files} files, SHA-256 {made.sha256}: "
            f"{made.path}"
        )
