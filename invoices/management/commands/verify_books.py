"""Names what broke in the books; exits 1 when something did."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.accounting import books
from invoices.models import Allocation, Document, Invoice, NumberSeries


class Command(BaseCommand):
    help = "Checks numbering, hash chain, balances and stored documents; names what broke, exits 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        broken = books.verify()
        looked_at = {
            "invoices": Invoice.objects.issued().count(),
            "series": NumberSeries.objects.count(),
            "allocations": Allocation.objects.count(),
            "documents": Document.objects.count(),
        }
        if options["format"] == "json":
            found = [{"where": one.where, "text": one.text} for one in broken]
            self.stdout.write(json.dumps({**looked_at, "broken": found}, ensure_ascii=False))
        else:
            for one in broken:
                self.stdout.write(str(one))
            if not broken:
                self.stdout.write(
                    "The books hold: {invoices} documents in {series} series, {allocations} "
                    "allocations, {documents} stored documents.".format(**looked_at)
                )
        if broken:
            raise CommandError(f"{len(broken)} things do not hold.", returncode=1)
