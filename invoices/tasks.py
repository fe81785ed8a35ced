"""What workers do: each takes ids, and does nothing new when run again."""

from __future__ import annotations

from invoices import history_imports, mail


def deliver_message(message_id: int) -> str:
    return mail.deliver(message_id)


def sweep_mail() -> dict[str, int]:
    return mail.sweep()


def sweep_history_imports() -> int:
    return history_imports.sweep()
