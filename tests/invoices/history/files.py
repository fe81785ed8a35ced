"""The files of a history that tests bring in."""

from __future__ import annotations

import csv
import io
from datetime import date

import openpyxl

from billing_portal.accounts.models import User
from invoices.history.bringing_in import COLUMNS, apply, read
from invoices.models import Allocation, Client, ClientType, Invoice, InvoiceEvent, Payment

ON = date(2026, 11, 24)

CLIENT = {"name": "Atelier Brume", "client_type": "SME"}
INVOICE = {
    "number": "OLD-1",
    "kind": "invoice",
    "client": "Atelier Brume",
    "issued_on": "2026-01-10",
    "due_on": "2026-02-09",
    "currency": "EUR",
    "net": "100.00",
    "vat": "20.00",
    "total": "120.00",
}
CREDIT = {
    **INVOICE,
    "number": "CN-1",
    "kind": "credit_note",
    "issued_on": "2026-01-20",
    "due_on": "",
    "net": "50.00",
    "vat": "10.00",
    "total": "60.00",
    "corrects": "OLD-1",
}
PAYMENT = {
    "invoice": "OLD-1",
    "received_on": "2026-02-20",
    "amount": "120.00",
    "currency": "EUR",
    "reference": "R-1",
    "method": "transfer",
}


def as_csv(kind, rows, delimiter=",", columns=None):
    text = io.StringIO()
    writer = csv.DictWriter(
        text, columns or COLUMNS[kind], delimiter=delimiter, extrasaction="ignore", restval=""
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def plan_of(clients=None, invoices=None, payments=None, on=ON, **options):
    given = {"clients": clients, "invoices": invoices, "payments": payments}
    sources = {
        kind: (f"{kind}.csv", rows if isinstance(rows, bytes) else as_csv(kind, rows))
        for kind, rows in given.items()
        if rows is not None
    }
    return read(sources=sources, on=on, **options)


def bring(clients=None, invoices=None, payments=None, by=None, **options):
    return apply(plan_of(clients, invoices, payments, **options), by=by, on=ON)


def notices(plan):
    return [str(notice) for notice in plan.notices]


def told(plan):
    return [(c.file, c.line, c.column, c.reason) for c in plan.complaints]


def only_complaint(plan):
    assert len(plan.complaints) == 1, told(plan)
    return plan.complaints[0]


def changed(row, **fields):
    return {**row, **fields}


def snapshot():
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Client, ClientType, User, Invoice, Payment, Allocation, InvoiceEvent)
    }


def workbook(kind, rows):
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS[kind]))
    for row in rows:
        book.active.append([row.get(column) for column in COLUMNS[kind]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
