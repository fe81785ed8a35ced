from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from reports.cells import rounded
from reports.delays.estimator import TOO_FEW, Estimate
from reports.delays.measuring import BYS, Scope
from reports.delays.plain import Group, as_json, measure


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise CommandError(f"“{text}” is not a day: write it as 2026-09-30.") from problem


class Command(BaseCommand):
    help = (
        "How late invoices are paid and how long they take, open ones counted as unfinished "
        "(Kaplan–Meier); null, or “not reached”, where too few are paid for a percentile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--by", default="client_type", help=f"one of {', '.join(BYS)}")
        parser.add_argument("--as-of", help="day at whose end the books are seen (default: today)")
        parser.add_argument(
            "--from",
            dest="issued_from",
            help="first issue date (default: of the first invoice; the page starts with 24 months)",
        )
        parser.add_argument("--to", dest="issued_to", help="last issue date")
        parser.add_argument(
            "--types-of-today",
            action="store_true",
            help="count clients by their type of today, not by the one that each invoice keeps",
        )
        parser.add_argument("--format", default="text", help="text or json")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["by"] not in BYS:
            raise CommandError(f"Group by one of {', '.join(BYS)}, not by “{options['by']}”.")
        if options["format"] not in ("text", "json"):
            raise CommandError(f"The format is text or json, not “{options['format']}”.")
        as_of = day(options["as_of"]) if options["as_of"] else timezone.localdate()
        if as_of > timezone.localdate():
            raise CommandError(f"{as_of} has not come yet: the books of that day are not written.")
        first, last = (
            day(options[name]) if options[name] else None for name in ("issued_from", "issued_to")
        )
        if first and first > (last or as_of):
            raise CommandError(f"The period starts on {first}, after its end on {last or as_of}.")
        scope = Scope(
            as_of, issued_from=first, issued_to=last, type_today=options["types_of_today"]
        )
        report = measure(scope, options["by"])
        if options["format"] == "json":
            self.stdout.write(json.dumps(as_json(report), ensure_ascii=False))
            return
        by_type = ", client types of today" if scope.type_today else ""
        if report.first is None:
            self.stdout.write(f"No invoice was issued until {scope.until}.")
            return
        self.stdout.write(
            f"Days late, invoices issued from {report.first} to {scope.until}, "
            f"as of {as_of}{by_type}."
        )
        for group in [*report.groups, report.total]:
            self.stdout.write(_line(group))


def _line(group: Group) -> str:
    late = group.late
    head = f"{group.label}: {late.n} invoices, {late.n_paid} paid, {late.open} open"
    if late.n_closed_unpaid:
        head += f", {late.n_closed_unpaid} credited or written off"
    if late.n_paid < TOO_FEW:
        return f"{head}; too few payments for percentiles"
    half, most, nearly = (
        _percentile(late.curve.estimate(above, below)) for above, below in ((1, 2), (3, 4), (9, 10))
    )
    line = (
        f"{head}; half paid within {half}, three in four within {most}, nine in ten within "
        f"{nearly}; mean of the paid {rounded(late.mean)}, "
        f"amount-weighted {rounded(late.weighted_mean)}"
    )
    if late.unrated:
        line += f" (without {late.unrated} that have no exchange rate)"
    return f"{line}; few payments: uncertain" if late.curve.certainty else line


def _percentile(found: Estimate) -> str:
    return f"{found.value} days" if found.value is not None else f"not reached (> {found.beyond})"
