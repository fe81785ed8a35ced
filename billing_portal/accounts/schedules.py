"""What runs by itself; `manage.py sync_schedules` makes the table match."""

from typing import Any

SCHEDULES: list[dict[str, Any]] = [
    {
        "name": "People: what is over",
        "func": "billing_portal.accounts.tasks.forget_what_is_over",
        "cron": "40 3 * * *",
    },
]
