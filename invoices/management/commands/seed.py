"""Bulk data for benchmarks."""

from __future__ import annotations

from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from invoices.seeding import SeedRefused, seed


class Command(BaseCommand):
    help = (
        "Makes bulk data for benchmarks: clients of six types, invoices over 60 months with lines, "
        "payments and credit notes, and won deals. The same seed makes the same rows."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--invoices", type=int, default=1_000)
        parser.add_argument("--clients", type=int, default=100)
        parser.add_argument("--deals", type=int, default=0)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--fast", action="store_true", help="without lines and events of the invoices"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be made")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self.stdout.write(
                f"Would make {options['clients']:,} clients, {options['invoices']:,} invoices "
                f"and {options['deals']:,} deals."
            )
            return
        began = monotonic()
        try:
            made = seed(
                invoices=options["invoices"],
                clients=options["clients"],
                deals=options["deals"],
                seed=options["seed"],
                fast=options["fast"],
                on=timezone.localdate(),
                progress=self._progress,
            )
        except SeedRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{made.clients:,} clients, {made.invoices:,} invoices ({made.settled:,} settled) with "
            f"{made.lines:,} lines and {made.payments:,} payments, {made.deals:,} deals "
            f"in {monotonic() - began:.1f} s"
        )

    def _progress(self, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{done:,} / {total:,}", ending="" if done < total else "\n")
