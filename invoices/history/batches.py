"""What the parts of writing a history share: the plan, what is here by now, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import TypeVar

from django.db import models

from billing_portal.accounts.models import User
from invoices.history.plan import ClientKey, Plan
from invoices.models import Client, Company

BATCH = 2_000
M = TypeVar("M", bound=models.Model)
Progress = Callable[[int, int], None]
T = TypeVar("T")


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """Parts of a long list: what is made of one is let go of before the next."""
    found = iter(rows)
    while part := list(islice(found, BATCH)):
        yield part


class Writing:
    def __init__(self, plan: Plan, by: User | None, on: date, progress: Progress) -> None:
        self.plan, self.by, self.on, self.progress = plan, by, on, progress
        self.company = Company.ours() or Company()
        self.clients: dict[str, Client] = dict(plan.clients)
        # By number their keys, and no instances: those of 100,000 invoices would fill the machine.
        self.invoices: dict[str, int] = {n: held.pk for n, held in plan.invoices.items()}
        # Number → place → key of each instalment.
        self.parts: dict[str, dict[int | None, int]] = {
            number: {part.place: part.pk for part in parts}
            for number, parts in plan.held_parts.items()
        }
        # Invoices in instalments that were here before: worked out anew when all is written.
        self.moved: set[int] = set()
        self.done = 0
        # What is written in all: the bar moves with each batch of rows.
        self.total = plan.writes + len(plan.new_invoices) + 2 * len(plan.new_payments)
        progress(0, self.total)

    def insert(self, model: type[M], rows: Sequence[M]) -> None:
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            model._default_manager.bulk_create(part, batch_size=BATCH)
            self.count(len(part))

    def part_of(self, number: str, place: int | None) -> int | None:
        return self.parts[number][place] if place is not None else None

    def client_id(self, key: ClientKey) -> int:
        return key if isinstance(key, int) else self.clients[key].pk

    def count(self, rows: int) -> None:
        self.done += rows
        self.progress(min(self.done, self.total), self.total)
