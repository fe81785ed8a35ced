"""What the worker does for reports."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from reports.alerts import ending, running

# A day's alerts leave from this hour on, company time: nobody is told of a new day at night.
TOLD_FROM = time(7, 30)


def run_alerts() -> str:
    """Evaluate the rules that are on; run again on one day, it finds only what is new."""
    done = running.run(on=day_told_of(timezone.localtime()))
    fired = sum(len(each.alerts) for each in done)
    return f"{len(done)} rules, {fired} alerts"


def end_alerts(rule_id: int) -> str:
    """A rule was changed: what it no longer holds for leaves the new alerts."""
    number = ending.end_what_no_longer_holds(rule_id=rule_id, on=day_told_of(timezone.localtime()))
    return f"{number} alerts"


def day_told_of(now: datetime) -> date:
    """The day whose alerts may leave: before the hour it is still the day before.

    The hourly run, which catches up a missed morning, comes at any hour of the night too.
    """
    return now.date() if now.time() >= TOLD_FROM else now.date() - timedelta(days=1)
