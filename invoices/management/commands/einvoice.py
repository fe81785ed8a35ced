"""The PDF/A-3 of a document and its XML, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.invoicing.einvoices import ubl_of
from invoices.models import Invoice


class Command(BaseCommand):
    help = "Writes the PDF of a document, the XML that it carries, and with --ubl the same as UBL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="such as F-2026-0001")
        parser.add_argument("--out", required=True, metavar="DIR", help="made when missing")
        parser.add_argument("--ubl", action="store_true", help="write UBL 2.1 too")
        parser.add_argument("--dry-run", action="store_true", help="name them, and write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        number = options["number"]
        # Numbers of the old system are not ours: those documents stayed there.
        invoice = Invoice.objects.issued().filter(number=number, imported=False).first()
        if invoice is None:
            raise CommandError(f"No document issued here has the number {number}.")
        files = {
            kept.filename: bytes(kept.content)
            for kept in invoice.documents.filter(kind__in=("pdf", "xml"))
        }
        if not any(name.endswith(".xml") for name in files):
            raise CommandError(
                f"{number} has no e-invoice: it was issued before there were any, or the seller is "
                "not in France."
            )
        if options["ubl"] and (made := ubl_of(invoice)):
            name, content = made
            files[name] = content
        folder = Path(options["out"])
        try:
            if not options["dry_run"]:
                folder.mkdir(parents=True, exist_ok=True)
                for name, content in files.items():
                    (folder / name).write_bytes(content)
        except OSError as problem:
            raise CommandError(f"{folder} cannot be written: {problem}") from problem
        self.stdout.write(f"{', '.join(files)} in {folder}")
