"""One invoice issued, and one PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from bench.data import bench_user
from bench.timing import Row, by_turns
from invoices.documents.facturx import judging
from invoices.documents.facturx.attaching import attachment
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.documents.totals import vat_of
from invoices.invoicing import drafting, issuing
from invoices.models import (
    Client,
    ClientType,
    Document,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    VatBreakdown,
)

LINES = (
    ("Audit of the information system", "3", "950.00", "20"),
    (
        "Integration of the new accounting, with the transfer of five years of entries",
        "12.5",
        "780",
        "20",
    ),
    ("Training, on site", "2", "1200.00", "20"),
)


def _client() -> Client:
    kind, _made = ClientType.objects.get_or_create(name="Bench")
    return Client.objects.create(
        name="Ateliers Réunis de la Loire",
        client_type=kind,
        billing_email="compta@ateliers.example",
        address_line1="12, rue de la Paix",
        postal_code="75002",
        city="Paris",
        country="FR",
        siren="552100554",
        vat_id="FR96552100554",
    )


def _draft(client: Client, today: date) -> int:
    user = bench_user()
    draft = drafting.new_draft(client_id=client.pk, by=user, on=today)
    rows = [
        {
            "description": text,
            "quantity": Decimal(quantity),
            "unit_price": Decimal(price),
            "vat_rate": Decimal(rate),
        }
        for text, quantity, price, rate in LINES
    ]
    problems = drafting.save_draft(
        invoice_id=draft.pk, header={"title": "Audit and integration"}, lines=rows, by=user
    )
    assert not problems, problems
    return draft.pk


# ─ Issue ────────────────────────────────────────────────────────────────────────────────────────
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
    client, user, today = _client(), bench_user(), timezone.localdate()
    runs, warm_up = 25, 3
    drafts = [_draft(client, today) for _n in range(runs + warm_up + 1)]
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


# ─ PDF ──────────────────────────────────────────────────────────────────────────────────────────
def _text_of(content: bytes) -> list[list[str]]:
    return [page.extract_text().splitlines() for page in PdfReader(io.BytesIO(content)).pages]


def _canvas(pages: list[list[str]]) -> bytes:
    """The same lines of text, one under the other, in a font of reportlab's own."""
    made = io.BytesIO()
    canvas = Canvas(made, pagesize=A4)
    for lines in pages:
        canvas.setFont("Helvetica", 9)
        for place, line in enumerate(lines):
            canvas.drawString(50, 800 - 11 * place, line)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def document() -> Iterator[Row]:
    client, user, today = _client(), bench_user(), timezone.localdate()
    issued = issuing.issue(invoice_id=_draft(client, today), by=user, on=today)
    paper = Paper.from_json(issued.paper)
    content = render.render(paper)
    pages = _text_of(content)
    drawn, plain = by_turns(lambda: render.render(paper), lambda: _canvas(pages), runs=25)
    yield Row.of(
        "one PDF/A-3 of one page, fonts embedded",
        drawn,
        [("a reportlab canvas with the same lines of text, no layout, no fonts embedded", plain)],
    )
    yield from _factur_x(paper)


# ─ Factur-X ─────────────────────────────────────────────────────────────────────────────────────
def _factur_x(paper: Paper) -> Iterator[Row]:
    """XML, schema, schematrons, rules of our own, attached: against the PDF by itself, all warm."""
    for times in (1, 4, 16):
        longer = _times(paper, times)
        lines = len(longer.lines)
        made, drawn = by_turns(
            lambda paper=longer: _with_xml(paper),
            lambda paper=longer: render.render(paper),
            runs=25,
        )
        yield Row.of(
            f"one Factur-X of {lines} lines, validated",
            made,
            [("its PDF alone", drawn)],
            most_times=1.6,
        )


def _with_xml(paper: Paper) -> bytes:
    found = judging.judged(paper)
    assert found.content is not None and not found.failures, found.failures
    return render.render(paper, attachments=(attachment(found.content),))


def _times(paper: Paper, times: int) -> Paper:
    """The same lines again and again, and their sums."""
    (row,) = paper.breakdown
    basis = row.basis_minor * times
    vat = vat_of(basis, row.vat_rate)
    return replace(
        paper,
        lines=paper.lines * times,
        breakdown=(replace(row, basis_minor=basis, vat_minor=vat),),
        net_minor=basis,
        vat_minor=vat,
        total_minor=basis + vat,
    )
