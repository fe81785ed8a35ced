"""Names what broke in the books; exits 1 when something did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.accounting import nightly
from invoices.accounting.chain import anchors


class Command(BaseCommand):
    help = (
        "Checks numbers, seals, the chain, balances and stored documents; names what broke, exits "
        "1. What is new in the books is linked into the chain first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=["text", "json"], default="text")
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            metavar="FILE",
            help="a head of the books that was kept elsewhere: a saved mail, a file, a log",
        )
        parser.add_argument(
            "--deep",
            action="store_true",
            help="compare page, rows and e-invoice of every document, not of changed ones only",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = [anchor for name in options["anchor"] for anchor in self._read(Path(name))]
        broken = nightly.checked(deep=options["deep"], kept=kept)
        looked_at = nightly.looked_at()
        if options["format"] == "json":
            found = [{"where": one.where, "text": one.text} for one in broken]
            self.stdout.write(json.dumps({**looked_at, "broken": found}, ensure_ascii=False))
        else:
            for one in broken:
                self.stdout.write(str(one))
            if not broken:
                self.stdout.write(
                    "The books hold: {invoices} documents in {series} series, {allocations} "
                    "allocations, {documents} stored documents, {links} links.".format(**looked_at)
                )
                if kept:
                    self.stdout.write(f"The chain passes through {len(kept)} heads kept elsewhere.")
        if broken:
            raise CommandError(f"{len(broken)} things do not hold.", returncode=1)

    @staticmethod
    def _read(path: Path) -> list[anchors.Anchor]:
        try:
            return anchors.read(path.read_bytes())
        except OSError as trouble:
            raise CommandError(f"{path} cannot be read: {trouble}") from None
        except anchors.AnchorRefused as refusal:
            raise CommandError(f"{path}: {refusal}") from None
