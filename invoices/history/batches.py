"""What the parts of writing a history share: the plan, what is here by now, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from django.db import models

from billing_portal.accounts.models import User
from invoices.history.plan import Plan
from invoices.models import Client, Company, Invoice

BATCH = 2_000
M = TypeVar("M", bound=models.Model)
Progress = Callable[[int, int], None]


class Writing:
    def __init__(self, plan: Plan, by: User | None, on: date, progress: Progress) -> None:
        self.plan, self.by, self.on, self.progress = plan, by, on, progress
        self.company = Company.ours() or Company()
        self.clients: dict[str, Client] = dict(plan.clients)
        self.invoices: dict[str, Invoice] = dict(plan.invoices)
        self.done = 0
        # What is written in all: the bar moves with each batch of rows.
        self.total = plan.writes + len(plan.new_invoices) + 2 * len(plan.new_payments)
        progress(0, self.total)

    def insert(self, model: type[M], rows: Sequence[M]) -> None:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            model._default_manager.bulk_create(part, batch_size=BATCH)
            self.count(len(part))

    def count(self, rows: int) -> None:
        self.done += rows
        self.progress(min(self.done, self.total), self.total)
