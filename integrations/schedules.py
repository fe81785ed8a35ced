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
    {
        "name": _("Platform: what waits to be sent"),
        "func": "integrations.tasks.send_to_platform",
        "minutes": 1,
    },
    {
        "name": _("Platform: what it has for us"),
        "func": "integrations.tasks.poll_platform",
        "minutes": 5,
    },
    {
        "name": _("Platform: the last days once more"),
        "func": "integrations.tasks.poll_platform_again",
        "cron": "10 3 * * *",
    },
    {
        "name": _("Platform: how clients are reached"),
        "func": "integrations.tasks.ask_directory",
        "cron": "0 3 * * *",
    },
]
