"""One sign rule: what the rows show, what the files hold and what the foot says is one sum."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from moneyed import Money

from billing_portal.money import digits
from invoices.models import Invoice
from invoices.payments.applying import apply_credit_note
from invoices.selections.filters import STATES
from tests.factories import make_client, make_invoice, settle

pytestmark = pytest.mark.django_db
Kind, Status = Invoice.Kind, Invoice.Status


@pytest.fixture
def ledger():
    """Every kind and state in three currencies of two, no and three decimals."""
    today = timezone.localdate()
    for currency, minor in (("EUR", 100_05), ("JPY", 7_000), ("TND", 1_234)):
        client = make_client(name=f"Client {currency}", currency=currency)
        for age in (10, 45, 100, 400):
            make_invoice(
                client=client,
                currency=currency,
                total_minor=minor * age,
                issue_date=today - timedelta(days=age),
            )
        settled = make_invoice(
            client=client,
            currency=currency,
            total_minor=minor,
            issue_date=today - timedelta(days=70),
        )
        settle(settled, today - timedelta(days=3))
        make_invoice(
            client=client,
            currency=currency,
            kind=Kind.CREDIT_NOTE,
            total_minor=minor // 3,
            issue_date=today - timedelta(days=5),
        )
        make_invoice(client=client, currency=currency, status=Status.DRAFT, total_minor=minor * 9)
    return today


def addresses(today):
    past = (today - timedelta(days=30)).isoformat()
    for state in ("", *STATES):
        for more in (
            {},
            {"as_of": past},
            {"as_of": today.isoformat()},
            {"kind": "credit_note"},
            {"kind": "invoice"},
            {"currency": "TND"},
            {"late_min": "10"},
            {"bucket": "31-60"},
            {"q": "client"},
            {"issued_from": past},
        ):
            yield {"state": state, **more}


def sums_of(rows, name):
    found = Counter()
    for row in rows:
        if row[name] not in (None, ""):
            found[row["Currency"]] += Decimal(str(row[name])).quantize(Decimal("0.001"))
    return {currency: value for currency, value in found.items() if value}


def foot(answer, name):
    return {
        total.currency: Decimal(total.sums[name]).scaleb(-digits(total.currency))
        for total in answer.context["totals"]
        if total.sums[name]
    }


def xlsx_rows(answer):
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    head, *rows = book.worksheets[0].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def csv_rows(answer):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def all_rows(browser, params):
    """The written rows of every page."""
    answer = browser.get(reverse("invoices:list"), params)
    found = list(answer.context["rows"])
    while url := answer.context["page"].next_url:
        answer = browser.get(reverse("invoices:list") + url)
        found += answer.context["rows"]
    return found


def test_a_column_adds_up_to_its_foot_on_the_page_and_in_both_files_whatever_the_filter(
    clerk_client, ledger
):
    tried = 0
    for params in addresses(ledger):
        answer = clerk_client.get(reverse("invoices:list"), params)
        assert answer.status_code == 200
        # Both files come from one set of columns: by turns, for the sake of time.
        kind, read = (("csv", csv_rows), ("xlsx", xlsx_rows))[tried % 2]
        rows = read(clerk_client.get(reverse(f"invoices:export-{kind}"), params))
        assert len(rows) == answer.context["page"].count, params
        for name, label in (("total", "Total"), ("open", "Outstanding")):
            assert sums_of(rows, label) == foot(answer, name), (params, label, kind)
        opened = Counter()
        for row in all_rows(clerk_client, params):
            opened[row.currency] += row.open_minor
        assert opened == Counter(
            {total.currency: total.sums["open"] for total in answer.context["totals"]}
        ), params
        tried += 1
    assert tried == 120


def test_a_credit_note_is_negative_in_its_row_its_export_and_its_foot(clerk_client):
    make_invoice(total_minor=1_000_00)
    make_invoice(kind=Kind.CREDIT_NOTE, total_minor=300_00, net_minor=250_00, vat_minor=50_00)
    answer = clerk_client.get(reverse("invoices:list"))
    assert {row.total for row in answer.context["rows"]} == {"€1,000.00", "−€300.00"}
    assert [total.text("total") for total in answer.context["totals"]] == ["€700.00"]
    rows = csv_rows(clerk_client.get(reverse("invoices:export-csv"), {"state": "credit"}))
    assert [(r["Before VAT"], r["VAT"], r["Total"], r["Outstanding"]) for r in rows] == [
        ("-250.00", "-50.00", "-300.00", "-300.00")
    ]


def test_a_draft_is_in_no_total_of_documents_and_the_list_says_so(clerk_client):
    make_invoice(total_minor=1_000_00)
    make_invoice(status=Status.DRAFT, total_minor=77_00)
    answer = clerk_client.get(reverse("invoices:list"))
    assert [total.text("total") for total in answer.context["totals"]] == ["€1,000.00"]
    assert "1 draft is not in the totals" in answer.text
    assert "1 document</td>" in answer.text
    assert "<b>1 document, 1 draft</b>" in answer.text
    # What it would come to stands beside its state.
    assert "€77.00" in answer.text
    # A CSV is read by programs: a sentence after its rows would be a row to them.
    export = clerk_client.get(reverse("invoices:export-csv"))
    assert "not in the totals" not in b"".join(export.streaming_content).decode("utf-8-sig")
    drafts = clerk_client.get(reverse("invoices:list"), {"state": "draft"})
    assert "<b>1 draft</b>" in drafts.text
    assert [total.text("total") for total in drafts.context["totals"]] == ["€77.00"]
    assert "not in the totals" not in drafts.text


@pytest.mark.parametrize("state", ["", "draft", "open", "credit"])
@pytest.mark.parametrize("kind", ["", "credit_note"])
@pytest.mark.parametrize("day", ["", "2026-11-20"])
def test_a_file_leaves_out_of_its_sums_what_the_page_leaves_out(clerk_client, state, kind, day):
    for of in (Kind.INVOICE, Kind.CREDIT_NOTE):
        make_invoice(kind=of)
        for _n in range(1 + (of == Kind.INVOICE)):
            make_invoice(kind=of, status=Status.DRAFT)
    asked = {"state": state, "kind": kind, "as_of": day}
    told = clerk_client.get(reverse("invoices:list"), asked).context["left_out"]
    xlsx = clerk_client.get(reverse("invoices:export-xlsx"), asked)
    book = openpyxl.load_workbook(io.BytesIO(b"".join(xlsx.streaming_content)))
    notes = [cell.value for row in book.worksheets[1].rows for cell in row] if day or told else []
    assert [note for note in notes if "not in the totals" in note] == ([told] if told else [])


def test_the_first_byte_of_a_file_waits_for_no_sum(clerk_client):
    make_invoice()
    with CaptureQueriesContext(connection) as asked:
        answer = clerk_client.get(reverse("invoices:export-csv"))
        assert b"Number" in next(iter(answer.streaming_content))
    assert not [query["sql"] for query in asked if "invoices_invoice" in query["sql"]]


def test_an_applied_credit_note_owes_only_what_is_left_of_it(clerk_client):
    invoice = make_invoice(total_minor=500_00)
    note = make_invoice(client=invoice.client, kind=Kind.CREDIT_NOTE, total_minor=300_00)
    apply_credit_note(
        credit_note_id=note.pk,
        invoice_id=invoice.pk,
        amount=Money("100", "EUR"),
        by=None,
        on=date(2026, 11, 25),
    )
    answer = clerk_client.get(reverse("invoices:list"), {"state": "credit"})
    assert [row.open for row in answer.context["rows"]] == ["−€200.00"]


def test_one_day_late_is_one_day(clerk_client):
    yesterday = timezone.localdate() - timedelta(days=1)
    make_invoice(issue_date=yesterday - timedelta(days=30), due_date=yesterday)
    page = clerk_client.get(reverse("invoices:list"), {"state": "overdue"}).text
    assert "1 day late" in page and "1 days" not in page
