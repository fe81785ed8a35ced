"""What the worker does for reports."""

from __future__ import annotations

from django.utils import timezone

from reports.alerts import running


def run_alerts() -> str:
    """Evaluate the rules that are on; run again on one day, it finds only what is new."""
    done = running.run(on=timezone.localdate())
    fired = sum(len(each.alerts) for each in done)
    return f"{len(done)} rules, {fired} alerts"
