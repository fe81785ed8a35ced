from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from invoices.company.currencies import company_currency
from reports.alerts import running
from reports.alerts.subjects import with_subjects
from reports.alerts.words import name_of, words_of


class Command(BaseCommand):
    help = "Evaluates the alert rules that are on: writes each alert once and queues the mails."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--on", metavar="DAY", help="as of this day (ISO); default: today")
        parser.add_argument("--dry-run", action="store_true", help="write and queue nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        on = timezone.localdate()
        if options["on"]:
            try:
                found = parse_date(options["on"])
            except ValueError:
                found = None
            if found is None:
                raise CommandError(f"“{options['on']}” is not a day: write it as 2026-11-24.")
            on = found
        try:
            done = running.run(on=on, dry_run=options["dry_run"])
        except running.SomeRulesFailed as failure:
            raise CommandError(str(failure)) from failure
        if options["format"] == "json":
            self.stdout.write(json.dumps(self._report(done, on, options["dry_run"])))
            return
        fired = sum(len(each.alerts) for each in done)
        mails = sum(each.mails for each in done)
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{len(done)} rules on {on}: {fired} alerts {would}written, {mails} mails queued."
        )

    @staticmethod
    def _report(done: list[running.Fired], on: Any, dry_run: bool) -> dict[str, Any]:
        currency = company_currency()
        return {
            "on": str(on),
            "dry_run": dry_run,
            "rules": [
                {
                    "rule": each.rule.pk,
                    "name": name_of(each.rule, currency),
                    "kind": each.rule.kind,
                    "fired": len(each.alerts),
                    "mails": each.mails,
                    "alerts": [
                        {"reason_key": alert.reason_key, "says": words_of(alert, currency).title}
                        for alert in with_subjects(each.alerts[:100])
                    ],
                }
                for each in done
            ],
            "alerts": sum(len(each.alerts) for each in done),
            "mails": sum(each.mails for each in done),
        }
