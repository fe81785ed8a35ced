"""What runs by itself; `manage.py sync_schedules` makes the table match."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

SCHEDULES: list[dict[str, Any]] = [
    {"name": _("Emails that wait"), "func": "invoices.tasks.sweep_mail", "minutes": 1},
    {
        "name": _("Batches that no worker has"),
        "func": "invoices.tasks.sweep_batches",
        "minutes": 1,
    },
    {"name": _("Books: what is new is linked"), "func": "invoices.tasks.link_books", "minutes": 1},
    {
        "name": _("Books: check of the night"),
        "func": "invoices.tasks.check_books",
        "cron": "40 1 * * *",
    },
    {
        "name": _("History that waits"),
        "func": "invoices.tasks.sweep_history_imports",
        "minutes": 1,
    },
    {
        "name": _("Archives that no worker has"),
        "func": "invoices.tasks.sweep_archives",
        "minutes": 1,
    },
    {
        "name": _("Recurring invoices that are due"),
        "func": "invoices.tasks.make_recurring_invoices",
        "minutes": 30,
    },
    {
        "name": _("Statements of the month before"),
        "func": "invoices.tasks.send_monthly_statements",
        "minutes": 60,
    },
]
