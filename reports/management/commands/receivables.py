from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing_portal.money import formatted_minor
from reports.cells import rounded
from reports.management.commands.payment_delays import day
from reports.receivables import measuring


class Command(BaseCommand):
    help = (
        "What is owed on a day, per currency: ageing by due date and by invoice date, DSO (simple, "
        "best possible, average days delinquent, countback) and the collection effectiveness index."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-of", help="day at whose end the books are seen (default: today)")
        parser.add_argument(
            "--from",
            dest="start",
            help="first day of the period of DSO and CEI (default: two months before this month)",
        )
        parser.add_argument("--format", default="text", help="text or json")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["format"] not in ("text", "json"):
            raise CommandError(f"The format is text or json, not “{options['format']}”.")
        as_of = day(options["as_of"]) if options["as_of"] else timezone.localdate()
        if as_of > timezone.localdate():
            raise CommandError(f"{as_of} has not come yet: the books of that day are not written.")
        start = day(options["start"]) if options["start"] else measuring.usual_start(as_of)
        if start > as_of:
            raise CommandError(
                f"The period starts on {start}, after its end on {as_of}: nothing to measure."
            )
        found = measuring.positions(start, as_of)
        if options["format"] == "json":
            self.stdout.write(json.dumps(measuring.as_json(found), ensure_ascii=False))
            return
        if not found:
            self.stdout.write(f"No invoice was issued until {as_of}.")
        for currency, position in found.items():
            owed = position.ageing
            amounts = ", ".join(
                f"{name} {formatted_minor(minor, currency)}"
                for name, minor in (
                    ("receivable", owed.receivable_minor),
                    ("current", owed.current_minor),
                    ("overdue", owed.overdue_minor),
                )
            )
            days = ", ".join(
                f"{name} {'–' if value is None else rounded(value)}"
                for name, value in (
                    ("DSO", position.dso_simple),
                    ("best possible", position.dso_best_possible),
                    ("ADD", position.add),
                    ("countback", position.dso_countback),
                    ("CEI %", position.cei),
                )
            )
            self.stdout.write(f"{currency} as of {as_of}: {amounts}; from {start}: {days}")
