"""What workers do: each takes ids, and does nothing new when run again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone

from invoices.accounting import archives, nightly
from invoices.accounting.chain import linking
from invoices.bulk import carrying_out
from invoices.history import imports
from invoices.outbox import delivering
from invoices.statements import sending
from invoices.subscriptions import making


def deliver_message(message_id: int) -> str:
    return delivering.deliver(message_id)


def sweep_mail() -> dict[str, int]:
    return delivering.sweep()


def bring_in_history(import_id: int) -> None:
    """Queued by name: the name stays while the rooms move."""
    imports.run(import_id)


def send_monthly_statements() -> dict[str, int]:
    """Of the month before, in the first days of the next one; each once."""
    return sending.monthly(timezone.localdate())


def sweep_history_imports() -> int:
    return imports.sweep()


def make_recurring_invoices() -> dict[str, Any]:
    return asdict(making.make_due(timezone.localdate()))


def go_on_with_batch(batch_id: int) -> str:
    return carrying_out.go_on(batch_id, today=timezone.localdate())


def sweep_batches() -> int:
    return carrying_out.sweep(timezone.localdate())


def make_archive(archive_id: int) -> str:
    return archives.make(archive_id, on=timezone.localdate())


def sweep_archives() -> int:
    return archives.sweep(timezone.localdate())


def link_books() -> int:
    return linking.link_new()


def check_books() -> int:
    return nightly.every_night(timezone.localdate())


def check_books_now() -> int:
    return len(nightly.checked_by_itself())
