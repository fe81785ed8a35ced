"""The run of the subscriptions, as the task does it every half hour."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from invoices.subscriptions import making
from invoices.subscriptions.upcoming import schedule_of

MOST_COUNTED = 1_000


class Command(BaseCommand):
    help = (
        "Makes the invoices of subscriptions that are due on a day or before, each once, and "
        "issues those that issue themselves, as the worker does every half hour."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on", type=date.fromisoformat, help="YYYY-MM-DD, else today")
        parser.add_argument("--dry-run", action="store_true", help="only count what is due")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        on: date = options["on"] or timezone.localdate()
        if on > timezone.localdate():
            raise CommandError("That day is still to come: nothing is made ahead.")
        if options["dry_run"]:
            periods = sum(
                len(schedule_of(each).due_by(each.next_number, on, MOST_COUNTED))
                for each in making.due(on)
            )
            found: dict[str, Any] = {"due": periods, "subscriptions": making.due(on).count()}
            text = "{due} invoices of {subscriptions} subscriptions are due.".format(**found)
        else:
            try:
                found = asdict(making.make_due(on))
            except making.MakingFailed as failure:
                raise CommandError(str(failure)) from failure
            text = (
                "{drafted} drafted, {issued} issued, {refused} could not be issued, {asked} wait "
                "for a person."
            ).format(**found)
        self.stdout.write(json.dumps(found) if options["format"] == "json" else text)
