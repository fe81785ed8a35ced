"""The sales and receipts journal of a period, for the accountant's ledger."""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from billing_portal.money import formatted_minor
from invoices.accounting.journal.exporting import (
    ExportRefused,
    Written,
    making_of,
    remember,
    write,
)
from invoices.accounting.journal.formats import FORMATS
from invoices.accounting.journal.making import Span


class Command(BaseCommand):
    help = (
        "Writes the sales and receipts journal of a period: an extract in the form of the French "
        "FEC, or CSV for a ledger. All or nothing; the export is remembered with its digest."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        day = date.fromisoformat
        parser.add_argument(
            "--from", dest="first", type=day, required=True, help="the first day (2026-01-01)"
        )
        parser.add_argument("--to", dest="last", type=day, required=True, help="the last day")
        parser.add_argument(
            "--out",
            metavar="FILE",
            required=True,
            help="the file; a folder takes the file under its own name, such as SIRENFECYYYYMMDD",
        )
        parser.add_argument("--format", choices=list(FORMATS), default="fec")
        parser.add_argument(
            "--with-history",
            action="store_true",
            help="with what was brought in from the older system",
        )
        parser.add_argument(
            "--leave-out",
            action="store_true",
            help="write the rest where something lacks an exchange rate or an account",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what it would write; keep nothing"
        )
        parser.add_argument(
            "--result", choices=["text", "json"], default="text", help="how the result is told"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        span = Span(options["first"], options["last"], options["with_history"])
        out = Path(options["out"])
        folder = out if out.is_dir() else out.parent
        try:
            # Beside its place, and moved there when it is whole: a killed run leaves no half file.
            with tempfile.NamedTemporaryFile(
                dir=None if options["dry_run"] else folder, prefix=".journal-", delete=False
            ) as file:
                try:
                    written = self._written(span, options, file)
                    file.flush()
                    os.fsync(file.fileno())
                    target = out / written.filename if out.is_dir() else out
                    if not options["dry_run"]:
                        # As any file that somebody writes; a temporary one is its owner's alone.
                        umask = os.umask(0)
                        os.umask(umask)
                        Path(file.name).chmod(0o666 & ~umask)
                        Path(file.name).replace(target)
                finally:
                    Path(file.name).unlink(missing_ok=True)
        except OSError as problem:
            raise CommandError(f"{folder} cannot be written: {problem.strerror}.") from problem
        if not options["dry_run"]:
            remember(written, None)
        self._tell(written, target, options)

    def _written(self, span: Span, options: dict[str, Any], file: Any) -> Written:
        try:
            with translation.override("en-gb"):
                making = making_of(span)
                return write(making, options["format"], file, leave_out=options["leave_out"])
        except ExportRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _tell(self, written: Written, target: Path, options: dict[str, Any]) -> None:
        summary, span = written.summary, written.making.span
        found = {
            "file": str(target),
            "format": written.format.key,
            "from": span.starts_on.isoformat(),
            "to": span.ends_on.isoformat(),
            "entries": summary.entries,
            "lines": summary.lines,
            "debit_minor": summary.debit,
            "credit_minor": summary.credit,
            "currency": written.making.home,
            "left_out": written.problems.left_out,
            "sha256": written.sha256,
            "dry_run": options["dry_run"],
        }
        if options["result"] == "json":
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        total = formatted_minor(summary.debit, written.making.home, "en_GB")
        left_out = f"; {found['left_out']} left out" if found["left_out"] else ""
        verb = "Would write" if options["dry_run"] else "Wrote"
        self.stdout.write(
            f"{verb} {target}: {summary.entries} entries, {summary.lines} lines, {total} in debit "
            f"and in credit{left_out}; SHA-256 {written.sha256}."
        )
