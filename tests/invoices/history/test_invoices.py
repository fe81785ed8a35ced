"""The invoices and credit notes of a history."""

from __future__ import annotations

from datetime import date

import pytest

from invoices.history.bringing_in import HistoryRefused, apply
from invoices.models import Allocation, Client, ExchangeRate, Invoice
from tests.factories import make_company
from tests.invoices.history.files import (
    CLIENT,
    CREDIT,
    INVOICE,
    ON,
    PAYMENT,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
    told,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"number": ""}, "number", "needed"),
        ({"kind": "quote"}, "kind", "one of credit_note, invoice"),
        ({"client": "Nobody"}, "client", "add it to the clients file"),
        ({"client": "Atelier Brune"}, "client", "did you mean “Atelier Brume”?"),
        ({"issued_on": "24/11/26"}, "issued_on", "not a date like 2025-12-31 or 31/12/2025."),
        ({"issued_on": "2025123"}, "issued_on", "not a date"),
        ({"issued_on": "2025-02-30"}, "issued_on", "no day 30 in"),
        ({"issued_on": "1999-12-31"}, "issued_on", "year 1999 is out of range"),
        ({"issued_on": "2026-11-25", "due_on": "2026-12-25"}, "issued_on", "in the future"),
        ({"due_on": ""}, "due_on", "needed"),
        ({"due_on": "2026-01-09"}, "due_on", "before the issue date"),
        ({"due_on": "2201-01-09"}, "due_on", "year 2201 is out of range"),
        ({"currency": "ZZZ"}, "currency", "not a currency"),
        ({"net": "1 00.00"}, "net", "not a number"),
        ({"net": "NaN"}, "net", "not a number"),
        ({"net": "1e5"}, "net", "short form"),
        ({"net": "100.0012"}, "net", "more decimals than EUR (2)"),
        ({"currency": "JPY"}, "net", "needed"),
        ({"net": "123456789012.00", "total": "123456789032.00"}, "net", "larger than any amount"),
        ({"vat": "21.00"}, "total", "do not make the total 120.00"),
        ({"net": "-100.00", "vat": "-20.00", "total": "-120.00"}, "total", "credit_note"),
        ({"corrects": "OLD-0"}, "corrects", "Only a credit note corrects"),
        ({"number": "x" * 36}, "number", "longer than 35"),
    ],
)
def test_a_bad_invoice_is_refused_with_line_column_and_reason(fields, column, reason):
    if fields == {"currency": "JPY"}:
        fields = {"currency": "JPY", "net": "", "vat": "0", "total": "120"}
    plan = plan_of([CLIENT], [changed(INVOICE, **fields)])
    found = plan.complaints[0]
    assert (found.file, found.line, found.column) == ("invoices.csv", 2, column), told(plan)
    assert reason in found.reason
    with pytest.raises(HistoryRefused):
        apply(plan, by=None, on=ON)
    assert not Client.objects.exists()


def test_currencies_without_or_with_three_decimals_are_read_in_their_own_unit():
    rows = [
        changed(INVOICE, number="J", currency="JPY", net="100", vat="20", total="120"),
        changed(INVOICE, number="T", currency="TND", net="1.005", vat="0", total="1.005"),
    ]
    bring([CLIENT], rows, answers={"invoices.net": "point", "invoices.total": "point"})
    assert Invoice.objects.get(number="J").total_minor == 120
    assert Invoice.objects.get(number="T").total_minor == 1005


def test_one_bad_row_keeps_all_out_and_every_bad_row_is_named():
    rows = [INVOICE, changed(INVOICE, number="OLD-2", net="1"), changed(INVOICE, due_on="")]
    plan = plan_of([CLIENT, changed(CLIENT, name="B", country="??")], rows, [PAYMENT])
    assert [(c.file, c.line, c.column) for c in plan.complaints] == [
        ("clients.csv", 3, "country"),
        ("invoices.csv", 3, "total"),
        ("invoices.csv", 4, "due_on"),
    ]
    with pytest.raises(HistoryRefused):
        apply(plan, by=None, on=ON)
    assert not Client.objects.exists() and not Invoice.objects.exists()


def test_the_rows_of_a_refused_client_or_invoice_bring_no_second_complaint():
    plan = plan_of([changed(CLIENT, country="??")], [INVOICE, CREDIT], [PAYMENT])
    assert only_complaint(plan).column == "country"


def test_an_invoice_that_is_here_and_says_otherwise_is_refused():
    bring([CLIENT], [INVOICE])
    plan = plan_of([CLIENT], [changed(INVOICE, net="200.00", total="220.00", title="Other")])
    reason = only_complaint(plan).reason
    assert "OLD-1 is here already and says otherwise" in reason
    assert "total €220.00 instead of €120.00" in reason and "title Other instead of –" in reason


def test_an_invoice_over_nothing_is_settled_on_its_issue_date():
    bring([CLIENT], [changed(INVOICE, net="0", vat="0", total="0")])
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.settled_on, invoice.paid_on) == (
        "settled",
        date(2026, 1, 10),
        None,
    )


def test_the_rate_of_the_issue_date_or_the_last_before_it_is_kept():
    make_company()
    for on, rate in ((date(2026, 1, 2), "0.9"), (date(2026, 1, 9), "0.92"), (date(2026, 2, 1), 1)):
        ExchangeRate.objects.create(currency="USD", on=on, rate=rate, source="test")
    rows = [
        changed(INVOICE, number="U", currency="USD"),
        changed(INVOICE, number="E"),
        changed(INVOICE, number="G", currency="GBP"),
    ]
    bring([CLIENT], rows)
    assert [
        float(r) if r else None
        for r in Invoice.objects.order_by("number").values_list("exchange_rate", flat=True)
    ] == [1.0, None, 0.92]


def test_a_credit_note_is_applied_to_its_invoice_on_its_date():
    bring([CLIENT], [CREDIT, INVOICE])
    invoice, note = Invoice.objects.get(number="OLD-1"), Invoice.objects.get(number="CN-1")
    assert (invoice.credited_minor, invoice.outstanding_minor, invoice.status) == (
        6000,
        6000,
        "issued",
    )
    assert (note.status, note.outstanding_minor, note.corrects) == ("settled", 0, invoice)
    row = Allocation.objects.get()
    assert (row.credit_note, row.invoice, row.applied_on) == (note, invoice, date(2026, 1, 20))
    assert invoice.events.filter(kind="credited", on=date(2026, 1, 20)).exists()


def test_what_a_credit_note_finds_paid_already_stays_as_credit():
    paid = changed(PAYMENT, received_on="2026-01-15", amount="100.00")
    plan = bring([CLIENT], [INVOICE, CREDIT], [paid])
    invoice, note = Invoice.objects.get(number="OLD-1"), Invoice.objects.get(number="CN-1")
    assert (invoice.paid_minor, invoice.credited_minor, invoice.status) == (10000, 2000, "settled")
    assert (note.outstanding_minor, note.status) == (4000, "issued")
    assert any("rest stays as the client's credit" in notice for notice in notices(plan))


def test_a_credit_note_that_corrects_nothing_stays_open():
    bring([CLIENT], [changed(CREDIT, corrects="")])
    note = Invoice.objects.get()
    assert (note.status, note.outstanding_minor, note.due_date) == (
        "issued",
        6000,
        date(2026, 1, 20),
    )


@pytest.mark.parametrize(
    ("credit", "column", "reason"),
    [
        ({"corrects": "NONE"}, "corrects", "No invoice has the number NONE"),
        ({"net": "110.00", "total": "120.01", "vat": "10.01"}, "total", "more than its total"),
        ({"currency": "USD"}, "corrects", "OLD-1 is in EUR"),
        ({"issued_on": "2026-01-09"}, "corrects", "issued later"),
        ({"client": "Other"}, "corrects", "belongs to “Atelier Brume”"),
        ({"corrects": "CN-0"}, "corrects", "a credit note itself"),
        ({"net": "-50", "vat": "-10", "total": "-60"}, "total", "without a minus sign"),
        ({"net": "0", "vat": "0", "total": "0"}, "total", "leave it out"),
    ],
)
def test_a_credit_note_that_does_not_fit_its_invoice_is_refused(credit, column, reason):
    clients = [CLIENT, changed(CLIENT, name="Other")]
    first = changed(CREDIT, number="CN-0", corrects="")
    plan = plan_of(clients, [INVOICE, first, changed(CREDIT, **credit)])
    found = only_complaint(plan)
    assert (found.line, found.column) == (4, column)
    assert reason in found.reason


def test_credit_notes_count_together_also_with_those_that_are_here():
    bring([CLIENT], [INVOICE, CREDIT])
    second = changed(CREDIT, number="CN-2", net="60.01", vat="0", total="60.01")
    assert "add up to €120.01" in only_complaint(plan_of([CLIENT], [second])).reason
    bring(None, [changed(second, net="60.00", total="60.00")])
    invoice = Invoice.objects.get(number="OLD-1")
    assert (invoice.status, invoice.credited_minor, invoice.paid_on) == ("settled", 12000, None)
