"""Import from a provider in this process, with progress on a terminal."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.core.http import AddressRefused, ProviderError
from integrations.core.runs import COUNTS, SyncRefused, claim, start_sync
from integrations.crm.importing import carry_out, dry_run
from integrations.models import Connection, SyncRun
from integrations.registry import CRMS, open_crm


class Command(BaseCommand):
    help = "Imports what changed in the CRM, or with --full all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("provider", choices=list(CRMS))
        parser.add_argument("--full", action="store_true", help="read everything again")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would change, and keep nothing"
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        begun = time.monotonic()
        connection = Connection.objects.filter(provider=options["provider"]).first()
        if connection is None:
            raise CommandError(f"{options['provider']} is not connected yet: use connect first.")
        try:
            if options["dry_run"]:
                result = dry_run(
                    connection, full=options["full"], open_crm=open_crm, on_progress=self.show
                )
                run, refusals = result.run, result.refusals
            else:
                started = start_sync(
                    connection_id=connection.pk, full=options["full"], by=None, enqueue=False
                )
                taken = claim(started.pk)
                if taken is None:
                    raise CommandError("An import is running already; wait until it is done.")
                run = carry_out(taken, open_crm=open_crm, on_progress=self.show)
                refusals = list(run.refusals.all())
        except (SyncRefused, ProviderError, AddressRefused) as refusal:
            raise CommandError(str(refusal)) from refusal
        self.clear()
        seconds = time.monotonic() - begun
        if run.state == SyncRun.State.FAILED:
            raise CommandError(run.failure_text)
        if run.state != SyncRun.State.DONE:
            raise CommandError("Another process has taken over this import.")
        if options["format"] == "json":
            self.stdout.write(
                json.dumps(self.as_json(run, refusals, seconds, options), ensure_ascii=False)
            )
            return
        counts = ", ".join(f"{getattr(run, word)} {word}" for word in COUNTS)
        kept = " Nothing was kept (dry run)." if options["dry_run"] else ""
        self.stdout.write(
            f"{connection}: {counts}, {run.requests} requests, {seconds:.1f} s.{kept}"
        )
        for row in refusals:
            if not row.taken:
                self.stderr.write(f"  {row.kind} {row.external_id}: {row.text}")

    @staticmethod
    def as_json(
        run: SyncRun, refusals: list[Any], seconds: float, options: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "provider": options["provider"],
            "full": run.full,
            "dry_run": options["dry_run"],
            **{word: getattr(run, word) for word in COUNTS},
            "requests": run.requests,
            "seconds": round(seconds, 2),
            "by_step": run.progress,
            "refusals": [
                {
                    "kind": each.kind,
                    "id": each.external_id,
                    "label": each.label,
                    "reason": each.text,
                    "taken": each.taken,
                }
                for each in refusals
            ],
        }

    def show(self, run: SyncRun) -> None:
        if not self.stdout.isatty():
            return
        place = run.progress.get(run.step, {})
        total = f" of {place['total']}" if place.get("total") else ""
        self.stdout.write(f"\r\x1b[K{run.step}: {place.get('done', 0)}{total}", ending="")
        self.stdout.flush()

    def clear(self) -> None:
        if self.stdout.isatty():
            self.stdout.write("\r\x1b[K", ending="")
