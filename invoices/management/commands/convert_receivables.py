"""The public list of late-payment histories as three history files."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.history.receivables_file import TYPE_BY, ReceivablesRefused, as_csv, convert


class Command(BaseCommand):
    help = (
        "Turns late-payment-histories.csv into clients.csv, invoices.csv and payments.csv for "
        "import_history (docs/history.md)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE")
        parser.add_argument("--to", required=True, metavar="FOLDER", help="made when missing")
        parser.add_argument(
            "--type-by",
            choices=TYPE_BY,
            default="country",
            help="what stands in for the client type: the country or the billing channel",
        )
        parser.add_argument(
            "--as-of",
            type=date.fromisoformat,
            help="leave out what happened later, so that some invoices are open",
        )
        parser.add_argument("--dry-run", action="store_true", help="count, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = Path(options["source"]).read_text(encoding="utf-8-sig")
            found = convert(text, type_by=options["type_by"], as_of=options["as_of"])
        except (OSError, UnicodeDecodeError, ReceivablesRefused) as problem:
            raise CommandError(f"{options['source']} cannot be converted: {problem}") from problem
        folder = Path(options["to"])
        if not options["dry_run"]:
            folder.mkdir(parents=True, exist_ok=True)
            for kind, rows in found.items():
                (folder / f"{kind}.csv").write_text(as_csv(kind, rows), encoding="utf-8")
        counts = ", ".join(f"{len(rows)} {kind}" for kind, rows in found.items())
        self.stdout.write(f"{counts} in {folder}")
