"""What runs by itself; `manage.py sync_schedules` makes the table match."""

from __future__ import annotations

from typing import Any

SCHEDULES: list[dict[str, Any]] = [
    {"name": "Mail that waits", "func": "invoices.tasks.sweep_mail", "minutes": 1},
    {
        "name": "History that waits",
        "func": "invoices.tasks.sweep_history_imports",
        "minutes": 15,
    },
]
