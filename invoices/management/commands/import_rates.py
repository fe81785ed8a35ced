"""Exchange rates from a file of the European Central Bank."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from invoices.company import ecb_file, importing_rates
from invoices.company.currencies import company_currency


class Command(BaseCommand):
    help = (
        "Brings in exchange rates from a file of the ECB (eurofxref: XML, CSV or ZIP): those "
        "of the currencies in use, or of those named. What is kept already stays."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--since",
            type=date.fromisoformat,
            help="the first day (2026-01-01); usually 1 January of last year",
        )
        parser.add_argument(
            "--currency", action="append", dest="currencies", metavar="USD", help="may be repeated"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would come in")

    def handle(self, *args: Any, **options: Any) -> None:
        ours, on = company_currency(), timezone.localdate()
        try:
            with transaction.atomic():
                outcome = importing_rates.bring_in(
                    ecb_file.read(options["file"].read_bytes()),
                    ours=ours,
                    currencies=options["currencies"] or importing_rates.used_currencies(ours),
                    since=options["since"] or date(on.year - 1, 1, 1),
                    until=on,
                )
                transaction.set_rollback(options["dry_run"])
        except (ecb_file.NotTheFile, OSError) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{outcome.added} new, {outcome.already} already there, {len(outcome.differing)} "
            "differ from those kept, which stay."
        )
        if outcome.missing:
            self.stdout.write(f"Nothing in the file for {', '.join(outcome.missing)}.")
