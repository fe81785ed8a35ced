"""What runs by itself; `sync_schedules` makes the table match, by name."""

from typing import Any

SCHEDULES: list[dict[str, Any]] = [
    {
        "name": "CRM: what changed",
        "func": "integrations.tasks.sync_changes",
        "minutes": 10,
    },
    {
        "name": "CRM: everything, and what was deleted",
        "func": "integrations.tasks.sync_everything",
        "cron": "20 2 * * *",
    },
    {
        "name": "CRM: imports that nobody works on",
        "func": "integrations.tasks.sweep",
        "minutes": 1,
    },
    {
        "name": "CRM: old imports without news",
        "func": "integrations.tasks.forget_old_runs",
        "cron": "50 3 * * *",
    },
]
