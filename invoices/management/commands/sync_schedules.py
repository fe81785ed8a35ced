"""Makes the table of schedules match `<app>.schedules.SCHEDULES`, by name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from django_q.models import Schedule


def listed() -> dict[str, dict[str, Any]]:
    """Every entry by name. Raises CommandError for one that could not run."""
    found: dict[str, dict[str, Any]] = {}
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.schedules") is None:
            continue
        for entry in import_module(f"{app.name}.schedules").SCHEDULES:
            if entry["name"] in found:
                raise CommandError(f"Two schedules are called “{entry['name']}”.")
            module, _dot, function = entry["func"].rpartition(".")
            if not callable(getattr(import_module(module), function, None)):
                raise CommandError(f"“{entry['name']}”: there is no {entry['func']}.")
            found[entry["name"]] = entry
    return found


def timing(entry: dict[str, Any], now: datetime) -> dict[str, Any]:
    """`minutes` or a daily `cron` ("30 6 * * *"), in the company's time zone."""
    if "minutes" in entry:
        return {
            "schedule_type": Schedule.MINUTES,
            "minutes": int(entry["minutes"]),
            "next_run": now,
        }
    daily = re.fullmatch(r"(\d{1,2}) (\d{1,2}) \* \* \*", entry.get("cron", ""))
    if daily is None:
        raise CommandError(f"“{entry['name']}” needs minutes, or a daily cron like 30 6 * * *.")
    minute, hour = int(daily[1]), int(daily[2])
    first = timezone.localtime(now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    if first <= now:
        first += timedelta(days=1)
    return {"schedule_type": Schedule.DAILY, "minutes": None, "next_run": first}


class Command(BaseCommand):
    help = "Makes django-q2's schedules match what the apps list; removes those no longer listed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = listed()
        now = timezone.now()
        counts = {"created": 0, "changed": 0, "unchanged": 0, "removed": 0}
        with transaction.atomic():
            rows: dict[str, Schedule] = {}
            gone: list[int] = []
            for row in Schedule.objects.select_for_update().order_by("pk"):
                if row.name in wanted and row.name not in rows:
                    rows[row.name] = row
                else:
                    gone.append(row.pk)
            for name, entry in wanted.items():
                counts[self._put(rows.get(name), entry, now)] += 1
            counts["removed"] = len(gone)
            Schedule.objects.filter(pk__in=gone).delete()
            if options["dry_run"]:
                transaction.set_rollback(True)
        said = ", ".join(f"{count} {what}" for what, count in counts.items())
        self.stdout.write(f"Schedules: {said}." + (" Nothing kept." if options["dry_run"] else ""))

    def _put(self, row: Schedule | None, entry: dict[str, Any], now: datetime) -> str:
        when = timing(entry, now)
        fixed = {"func": entry["func"], "repeats": -1, "cluster": None}
        if row is None:
            Schedule.objects.create(name=entry["name"], **fixed, **when)
            return "created"
        same_time = row.schedule_type == when["schedule_type"] and row.minutes == when["minutes"]
        if same_time and when["schedule_type"] == Schedule.DAILY:
            at, wanted = timezone.localtime(row.next_run), timezone.localtime(when["next_run"])
            same_time = (at.hour, at.minute) == (wanted.hour, wanted.minute)
        # The next run of an unchanged schedule stays: starting the portal does not start its work.
        values = fixed if same_time else {**fixed, **when}
        if same_time and all(getattr(row, field) == value for field, value in fixed.items()):
            return "unchanged"
        for field, value in values.items():
            setattr(row, field, value)
        row.save()
        return "changed"
