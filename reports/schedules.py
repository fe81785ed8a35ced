"""When the worker does what; `sync_schedules` makes the queue's table match. Company time."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

SCHEDULES: list[dict[str, Any]] = [
    {"name": _("alerts-morning"), "func": "reports.tasks.run_alerts", "cron": "30 7 * * *"},
    # A missed morning is caught up within the hour; the same run twice says nothing twice.
    {"name": _("alerts-hourly"), "func": "reports.tasks.run_alerts", "minutes": 60},
]
