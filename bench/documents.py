"""One invoice issued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from bench.data import bench_user
from bench.drafts import a_client, a_draft
from bench.timing import Row, by_turns
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.invoicing import issuing
from invoices.models import Document, Invoice, InvoiceEvent, InvoiceLine, VatBreakdown


class _Copier:
    """Writes the rows of an issued invoice once more, by raw SQL in one transaction."""

    def __init__(self, issued: Invoice) -> None:
        self.invoice = self._row(issued)
        self.balance = {
            name: self.invoice[name]
            for name in ("status", "number", "issue_date", "due_date", "series_id", "sequence")
        }
        self.others = [
            (model, [self._row(each) for each in model._default_manager.filter(invoice=issued)])
            for model in (InvoiceLine, VatBreakdown, InvoiceEvent, Document)
        ]
        taken = Invoice.objects.aggregate(last=models.Max("sequence"))["last"]
        self.sequence = max(1_000_000, taken)

    @staticmethod
    def _row(instance: models.Model) -> dict[str, Any]:
        return {
            field.column: field.get_db_prep_save(getattr(instance, field.attname), connection)
            for field in instance._meta.concrete_fields
            if not field.primary_key
        }

    @staticmethod
    def _insert(cursor: Any, model: type[models.Model], rows: list[dict[str, Any]]) -> None:
        columns = list(rows[0])
        marks = ", ".join(["%s"] * len(columns))
        named = ", ".join(f'"{column}"' for column in columns)
        cursor.executemany(
            f'INSERT INTO "{model._meta.db_table}" ({named}) VALUES ({marks})',
            [[row[column] for column in columns] for row in rows],
        )

    def copy(self) -> None:
        self.sequence += 1
        with transaction.atomic(), connection.cursor() as cursor:
            # The database gives lines to a draft only.
            draft = {**self.invoice, "status": "draft", "number": "", "sequence": None}
            self._insert(cursor, Invoice, [draft])
            cursor.execute("SELECT MAX(id) FROM invoices_invoice")
            (pk,) = cursor.fetchone()
            for model, rows in self.others:
                self._insert(cursor, model, [{**row, "invoice_id": pk} for row in rows])
            cursor.execute(
                "UPDATE invoices_invoice SET status = %s, number = %s, sequence = %s WHERE id = %s",
                [self.invoice["status"], f"X-{self.sequence}", self.sequence, pk],
            )


def issue() -> Iterator[Row]:
    client, user, today = a_client(), bench_user(), timezone.localdate()
    runs, warm_up = 25, 3
    drafts = [a_draft(client, today) for _n in range(runs + warm_up + 1)]
    first = issuing.issue(invoice_id=drafts.pop(), by=user, on=today)
    copier = _Copier(first)

    def issue_one() -> None:
        issuing.issue(invoice_id=drafts.pop(), by=user, on=today)

    paper = Paper.from_json(first.paper)
    works = (issue_one, copier.copy, lambda: render.render(paper))
    spent, rows, drawn = by_turns(*works, runs=runs, warm_up=warm_up)
    what = "issue of one invoice of 3 lines"
    inserted = ("its rows and PDF inserted by raw SQL in one transaction", rows)
    yield Row.of(what, spent, [inserted])
    yield Row.of(f"{what}, beyond its PDF", spent, [inserted, ("its PDF drawn", drawn)])
