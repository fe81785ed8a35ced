"""What runs by itself; `sync_schedules` makes the table match, by name."""

from typing import Any

from django.utils.translation import gettext_noop as _

SCHEDULES: list[dict[str, Any]] = [
    {
        "name": _("CRM: what changed"),
        "func": "integrations.tasks.sync_changes",
        "minutes": 10,
    },
    {
        "name": _("CRM: everything, and what was deleted"),
        "func": "integrations.tasks.sync_everything",
        "cron": "20 2 * * *",
    },
    {
        "name": _("CRM: imports that nobody works on"),
        "func": "integrations.tasks.sweep",
        "minutes": 1,
    },
    {
        "name": _("CRM: old imports without news"),
        "func": "integrations.tasks.forget_old_runs",
        "cron": "50 3 * * *",
    },
]
