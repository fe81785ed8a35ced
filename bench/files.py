"""Long files: all invoices as XLSX, a statement of account of five thousand rows."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import date

import xlsxwriter
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from django.urls import reverse

from bench.books import peak_megabytes
from bench.pages import COLUMNS, EMPTY, getting, raw, signed_in
from bench.papers import on_canvas, text_of
from bench.timing import Fact, Row, by_turns
from invoices.models import Client, Invoice, Payment

MOST_MB = 200
# Invoices of one client that make five thousand rows with their payments.
OF_ONE_CLIENT = 2_600


def _streamed(browser: Browser, url: str) -> int:
    answer = browser.get(url, secure=True)
    assert answer.status_code == 200, (url, answer.status_code)
    if answer.streaming:
        return sum(len(part) for part in answer.streaming_content)
    return len(answer.content)


def _plainly() -> None:
    with tempfile.TemporaryFile() as file, connection.cursor() as cursor:
        book = xlsxwriter.Workbook(file, {"constant_memory": True})
        sheet = book.add_worksheet()
        cursor.execute(f"{COLUMNS} ORDER BY i.id")
        at = 0
        while rows := cursor.fetchmany(1_000):
            for row in rows:
                sheet.write_row(at, 0, [str(value) for value in row])
                at += 1
        book.close()


def export() -> Iterator[Row | Fact]:
    browser, count = signed_in(), Invoice.objects.count()
    # Everything: what was settled is left out by itself.
    url = f"{reverse('invoices:export-xlsx')}?state=all"
    before = peak_megabytes()
    sizes: list[int] = []
    spent, floor = by_turns(
        lambda: sizes.append(_streamed(browser, url)), _plainly, runs=1, warm_up=0
    )
    peak = peak_megabytes()
    what = f"XLSX of {count:,} invoices, {sizes[-1] / 1_000_000:,.1f} MB"
    yield Row.of(what, spent, [("fifteen raw columns of the same rows by XlsxWriter", floor)])
    found = f"{peak:,.0f} MB, {before:,.0f} before"
    yield Fact("peak memory of the XLSX", found, f"under {MOST_MB} MB", peak < MOST_MB)


def statement() -> Iterator[Row | Fact]:
    known = set(Client.objects.values_list("pk", flat=True))
    call_command("seed", invoices=OF_ONE_CLIENT, clients=1, seed=7, stdout=sys.stderr)
    client = Client.objects.exclude(pk__in=known).get()
    rows = Invoice.objects.filter(client=client).count()
    rows += Payment.objects.filter(client=client).count()
    first = Invoice.objects.filter(client=client).order_by("issue_date").first()
    since = first.issue_date if first and first.issue_date else date(2020, 1, 1)
    browser = signed_in()
    query = f"?form=movements&since={since}"
    page, pdf, book = (
        reverse(f"invoices:statement{ending}", args=[client.pk]) + query
        for ending in ("", "-pdf", "-xlsx")
    )
    read = raw(
        (f"{COLUMNS} WHERE i.client_id = %s", [client.pk]),
        ("SELECT * FROM invoices_payment WHERE client_id = %s", [client.pk]),
    )
    shown, empty, raw_rows = by_turns(
        getting(browser, page), getting(browser, EMPTY), read, runs=5, warm_up=1
    )
    floor = [("an empty signed-in view", empty), ("its invoices and payments read", raw_rows)]
    yield Row.of(f"statement of {rows:,} rows, the page", shown, floor)
    texts = text_of(browser.get(pdf, secure=True).content)
    drawn, plain = by_turns(
        lambda: _streamed(browser, pdf), lambda: on_canvas(texts), runs=2, warm_up=0
    )
    what = f"statement of {rows:,} rows, PDF of {len(texts)} pages"
    yield Row.of(what, drawn, [("a reportlab canvas with the same lines of text", plain)])
    (written,) = by_turns(lambda: _streamed(browser, book), runs=2, warm_up=0)
    yield Row.of(f"statement of {rows:,} rows, XLSX", written, [("its rows read", raw_rows)])
