"""All the books as one file for another portal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.moving.leaving import export


class Command(BaseCommand):
    help = (
        "Writes all the books into one ZIP of JSON Lines; `import_books` makes an empty portal the "
        "same (docs/moving.md). Without passwords, tokens and keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", required=True, metavar="FILE.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = export(Path(options["out"]), progress=self._progress)
        except OSError as trouble:
            raise CommandError(f"{options['out']} cannot be written: {trouble}") from None
        self.stdout.write(f"{made.rows} rows, SHA-256 of the books {made.sha256}: {made.path}")
        if made.waiting:
            self.stdout.write(
                f"{made.waiting} emails or files for the platform still wait to be sent: the "
                "portal that takes the books over sends them. Stop this one first."
            )

    def _progress(self, label: str, rows: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{label}: {rows}")
