"""Go-live: what the files would do, and that they do it once, all or nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
import zipfile
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_portal.accounts.models import User
from invoices.history import bringing_in
from invoices.history.bringing_in import HistoryInterrupted, HistoryRefused, apply, read
from invoices.history.receivables_file import convert
from invoices.history.rows import CLIENT_COLUMNS, INVOICE_COLUMNS, PAYMENT_COLUMNS
from invoices.models import (
    Allocation,
    Client,
    ClientType,
    ExchangeRate,
    ImportedPaymentRow,
    Invoice,
    InvoiceEvent,
    NumberSeries,
    Payment,
)
from tests.factories import make_client, make_client_type, make_company, make_invoice
from tests.shared import SHARED

pytestmark = pytest.mark.django_db

ON = date(2026, 11, 24)
COLUMNS = {"clients": CLIENT_COLUMNS, "invoices": INVOICE_COLUMNS, "payments": PAYMENT_COLUMNS}
RECEIVABLES = Path(
    os.environ.get("LATE_PAYMENT_HISTORIES", "") or SHARED / "data" / "late-payment-histories.csv"
)

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


def plan_of(clients=None, invoices=None, payments=None, on=ON):
    def source(kind, given):
        if given is None:
            return None
        return (f"{kind}.csv", given if isinstance(given, bytes) else as_csv(kind, given))

    return read(
        clients=source("clients", clients),
        invoices=source("invoices", invoices),
        payments=source("payments", payments),
        on=on,
    )


def bring(clients=None, invoices=None, payments=None, by=None):
    return apply(plan_of(clients, invoices, payments), by=by, on=ON)


def told(plan):
    return [(c.file, c.line, c.column, c.reason) for c in plan.complaints]


def only_complaint(plan):
    assert len(plan.complaints) == 1, told(plan)
    return plan.complaints[0]


def changed(row, **fields):
    return {**row, **fields}


# ─ What comes in ────────────────────────────────────────────────────────────────────────────────
def test_a_paid_invoice_comes_in_with_its_client_balance_and_history(clerk):
    bring([CLIENT], [INVOICE], [PAYMENT], by=clerk)
    invoice = Invoice.objects.get(number="OLD-1")
    assert invoice.imported and invoice.series is None and invoice.sequence is None
    assert invoice.status == "settled" and invoice.outstanding_minor == 0
    assert (invoice.paid_minor, invoice.net_minor, invoice.vat_minor) == (12000, 10000, 2000)
    assert invoice.paid_on == invoice.settled_on == date(2026, 2, 20)
    assert (invoice.days_late, invoice.days_to_pay) == (11, 41)
    assert invoice.client.client_type.name == "SME"
    row = invoice.allocations.get()
    assert (row.kind, row.amount_minor, row.applied_on) == ("payment", 12000, date(2026, 2, 20))
    assert row.payment.allocated_minor == 12000 and row.payment.imported
    assert sorted(invoice.events.values_list("kind", "on")) == [
        ("imported", ON),
        ("paid", date(2026, 2, 20)),
    ]
    assert set(invoice.events.values_list("by", flat=True)) == {clerk.pk}


def test_a_dry_run_writes_nothing():
    plan = plan_of([CLIENT], [INVOICE], [PAYMENT])
    assert not plan.complaints
    assert plan.counts()["invoices"] == {"new": 1, "changed": 0, "unchanged": 0, "refused": 0}
    assert plan.totals() == {
        "EUR": {"invoiced": 12000, "credited": 0, "received": 12000, "unapplied": 0}
    }
    assert not Client.objects.exists() and not Invoice.objects.exists()


def snapshot():
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Client, ClientType, User, Invoice, Payment, Allocation, InvoiceEvent)
    }


def test_the_same_files_twice_change_nothing():
    payments = [PAYMENT, changed(PAYMENT, reference="", amount="1.00")] * 2
    files = ([CLIENT], [INVOICE, CREDIT], payments)
    bring(*files)
    before = snapshot()
    plan = bring(*files)
    assert snapshot() == before
    assert plan.writes == 0
    assert {kind: c["unchanged"] for kind, c in plan.counts().items()} == {
        "clients": 1,
        "invoices": 1,
        "credit_notes": 1,
        "payments": 4,
    }


def test_columns_may_stand_in_any_order_beside_others():
    columns = [*reversed(INVOICE_COLUMNS), "remark"]
    rows = [changed(INVOICE, remark="to be ignored")]
    bring([CLIENT], as_csv("invoices", rows, columns=columns))
    assert Invoice.objects.get().total_minor == 12000


def test_numbers_keep_the_old_series_and_ours_goes_on_undisturbed():
    make_company()
    make_invoice(imported=False, issue_date=date(2026, 3, 1))
    before = list(NumberSeries.objects.values())
    plan = bring([CLIENT], [changed(INVOICE, number="F-2026-0431")])
    assert list(NumberSeries.objects.values()) == before
    assert any("look like those that are given here" in notice for notice in plan.notices)


def test_a_number_that_was_given_here_names_no_second_document():
    make_company()
    ours = make_invoice(imported=False, issue_date=date(2026, 3, 1))
    plan = plan_of([CLIENT], [changed(INVOICE, number=ours.number)])
    assert "issued here" in only_complaint(plan).reason


# ─ Clients ──────────────────────────────────────────────────────────────────────────────────────
def test_a_client_of_the_crm_is_found_by_name_in_any_case_and_blanks_do_not_overwrite():
    held = make_client(name="ÉLAN  Conseil", language="en", terms_days=45, country="BE")
    bring([{"name": "élan conseil", "billing_email": "new@elan.example"}])
    client = Client.objects.get()
    assert client.pk == held.pk and client.name == "ÉLAN  Conseil"
    assert client.billing_email == "new@elan.example"
    assert (client.language, client.terms_days, client.country) == ("en", 45, "BE")


def test_a_new_client_takes_what_is_not_said_from_the_company():
    make_company(currency="GBP", language="en", terms_days=14, country="GB")
    bring([CLIENT])
    client = Client.objects.get()
    assert (client.currency, client.language, client.terms_days, client.country) == (
        "GBP",
        "en",
        14,
        "GB",
    )


def test_unknown_client_types_are_created_once_and_known_ones_take_their_free_mark():
    make_client_type("SME", mark="sme")
    rows = [
        changed(CLIENT, name="A", client_type="sme"),
        changed(CLIENT, name="B", client_type="Start-up"),
        changed(CLIENT, name="C", client_type="start-up"),
        changed(CLIENT, name="D", client_type="Cooperative"),
    ]
    bring(rows)
    assert sorted(ClientType.objects.values_list("name", "mark")) == [
        ("Cooperative", "none"),
        ("SME", "sme"),
        ("Start-up", "startup"),
    ]


def test_a_column_that_is_mistaken_for_the_client_type_is_noticed():
    rows = [changed(CLIENT, name=f"A{n}", client_type=f"T{n}") for n in range(60)]
    found = only_complaint(plan_of(rows))
    assert (found.line, found.column) == (52, "client_type")


def test_owners_are_found_by_email_or_made_as_sales_who_cannot_sign_in(clerk):
    rows = [
        changed(CLIENT, name="A", owner_email=clerk.email.upper()),
        changed(CLIENT, name="B", owner_email="lea.martin@kerlann.example"),
    ]
    bring(rows, [changed(INVOICE, client="B")])
    lea = User.objects.get(email="lea.martin@kerlann.example")
    assert (lea.role, lea.name, lea.has_usable_password()) == ("sales", "Lea Martin", False)
    assert Client.objects.get(name="A").owner == clerk
    assert Invoice.objects.get().owner == lea


def test_a_merged_client_is_passed_over_and_two_of_one_name_are_asked_about():
    kept = make_client(name="Nord")
    make_client(name="nord", merged_into=kept)
    bring([{"name": "NORD", "billing_email": "x@nord.example"}])
    kept.refresh_from_db()
    assert kept.billing_email == "x@nord.example"
    make_client(name="Nord")
    plan = plan_of([{"name": "Nord"}], [changed(INVOICE, client="Nord")])
    assert "Several clients here are called “Nord”" in only_complaint(plan).reason


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"name": ""}, "name", "needed"),
        ({"client_type": ""}, "client_type", "needs a client type"),
        ({"country": "France"}, "country", "two letters, like FR"),
        ({"country": "ZZ"}, "country", "not a country"),
        ({"currency": "EURO"}, "currency", "not a currency"),
        ({"language": "de"}, "language", "one of en, fr"),
        ({"payment_terms_days": "30 days"}, "payment_terms_days", "number of days"),
        ({"payment_terms_days": "-3"}, "payment_terms_days", "number of days"),
        ({"payment_terms_days": "99999"}, "payment_terms_days", "from 0 to 365"),
        ({"billing_email": "nobody"}, "billing_email", "not an email address"),
        ({"owner_email": "@x"}, "owner_email", "not an email address"),
        ({"siren": "52100554"}, "siren", "taken away a zero"),
        ({"siren": "552100555"}, "siren", "check digit"),
        ({"vat_id": "FR" + "1" * 20}, "vat_id", "at most 20"),
        ({"name": "x" * 256}, "name", "longer than 255"),
    ],
)
def test_a_bad_client_is_refused_with_line_column_and_reason(fields, column, reason):
    found = only_complaint(plan_of([changed(CLIENT, **fields)]))
    assert (found.file, found.line, found.column) == ("clients.csv", 2, column)
    assert reason in found.reason


def test_a_name_that_comes_twice_is_refused():
    plan = plan_of([CLIENT, changed(CLIENT, name="ATELIER BRUME ")])
    assert "line 2 already" in only_complaint(plan).reason


def test_terms_above_the_legal_maximum_are_kept_and_said():
    plan = bring([changed(CLIENT, payment_terms_days="90")])
    assert Client.objects.get().terms_days == 90
    assert any("legal maximum" in notice for notice in plan.notices)


# ─ Invoices ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"number": ""}, "number", "needed"),
        ({"kind": "quote"}, "kind", "one of credit_note, invoice"),
        ({"client": "Nobody"}, "client", "add it to the clients file"),
        ({"client": "Atelier Brune"}, "client", "did you mean “Atelier Brume”?"),
        ({"issued_on": "12/31/2025"}, "issued_on", "not a date like 2025-12-31 or 31/12/2025."),
        ({"issued_on": "2025123"}, "issued_on", "not a date"),
        ({"issued_on": "2025-02-30"}, "issued_on", "not a date"),
        ({"issued_on": "1999-12-31"}, "issued_on", "before the year 2000"),
        ({"issued_on": "2026-11-25", "due_on": "2026-12-25"}, "issued_on", "in the future"),
        ({"due_on": ""}, "due_on", "needed"),
        ({"due_on": "2026-01-09"}, "due_on", "before the issue date"),
        ({"due_on": "2201-01-09"}, "due_on", "too far in the future"),
        ({"currency": "ZZZ"}, "currency", "not a currency"),
        ({"net": "1.500"}, "net", "Type 1500 or"),
        ({"net": "1,500"}, "net", "can be read in two ways"),
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
    bring([CLIENT], rows)
    assert Invoice.objects.get(number="J").total_minor == 120
    assert Invoice.objects.get(number="T").total_minor == 1005


def test_one_bad_row_keeps_all_out_and_every_bad_row_is_named():
    rows = [INVOICE, changed(INVOICE, number="OLD-2", net="1"), changed(INVOICE)]
    plan = plan_of([CLIENT, changed(CLIENT, name="B", country="??")], rows, [PAYMENT])
    assert [(c.file, c.line, c.column) for c in plan.complaints] == [
        ("clients.csv", 3, "country"),
        ("invoices.csv", 3, "total"),
        ("invoices.csv", 4, "number"),
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


# ─ Credit notes ─────────────────────────────────────────────────────────────────────────────────
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
    assert any("rest stays as the client's credit" in notice for notice in plan.notices)


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


# ─ Payments ─────────────────────────────────────────────────────────────────────────────────────
def test_what_a_payment_brings_beyond_the_debt_is_unapplied_cash():
    plan = bring([CLIENT], [INVOICE], [changed(PAYMENT, amount="150.00")])
    payment = Payment.objects.get()
    assert (payment.amount_minor, payment.allocated_minor) == (15000, 12000)
    assert Invoice.objects.get().status == "settled"
    assert any("unapplied cash" in notice for notice in plan.notices)
    assert plan.totals()["EUR"]["unapplied"] == 3000


def test_rows_of_one_reference_and_day_are_one_remittance_over_several_invoices():
    second = changed(INVOICE, number="OLD-2")
    rows = [PAYMENT, changed(PAYMENT, invoice="OLD-2")]
    bring([CLIENT], [INVOICE, second], rows)
    payment = Payment.objects.get()
    assert payment.amount_minor == payment.allocated_minor == 24000
    assert sorted(payment.allocations.values_list("invoice__number", "amount_minor")) == [
        ("OLD-1", 12000),
        ("OLD-2", 12000),
    ]


def test_equal_rows_without_a_reference_are_as_many_payments():
    row = changed(PAYMENT, reference="", amount="40.00")
    bring([CLIENT], [INVOICE], [row, row])
    assert Payment.objects.count() == 2
    bring(None, None, [row, row])
    assert Payment.objects.count() == 2
    bring(None, None, [row, row, row])
    assert Payment.objects.count() == 3
    assert Invoice.objects.get().status == "settled"


def test_a_payment_in_advance_is_kept_and_said():
    plan = bring([CLIENT], [INVOICE], [changed(PAYMENT, received_on="2026-01-02")])
    invoice = Invoice.objects.get()
    assert (invoice.days_to_pay, invoice.days_late) == (0, -30)
    assert any("before its invoice was issued" in notice for notice in plan.notices)


def test_a_payment_for_an_invoice_that_came_in_before_settles_the_rest():
    bring([CLIENT], [INVOICE], [changed(PAYMENT, amount="20.00")])
    bring(None, None, [changed(PAYMENT, amount="100.00", received_on="2026-03-01")])
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.paid_minor, invoice.paid_on) == (
        "settled",
        12000,
        date(2026, 3, 1),
    )
    assert invoice.allocations.count() == 2


@pytest.mark.parametrize(
    ("fields", "column", "reason"),
    [
        ({"invoice": "OLD-9"}, "invoice", "No invoice has the number OLD-9"),
        ({"invoice": "CN-1"}, "invoice", "is a credit note"),
        ({"received_on": "1999-12-31"}, "received_on", "before the year 2000"),
        ({"received_on": "2026-11-25"}, "received_on", "in the future"),
        ({"received_on": "02/20/2026"}, "received_on", "not a date"),
        ({"amount": "0"}, "amount", "above zero"),
        ({"amount": "-5.00"}, "amount", "above zero"),
        ({"amount": "100000000000"}, "amount", "larger than any amount"),
        ({"currency": "USD"}, "currency", "OLD-1 is in EUR"),
        ({"method": "barter"}, "method", "not known here"),
        ({"reference": "r" * 141}, "reference", "longer than 140"),
    ],
)
def test_a_bad_payment_is_refused_with_line_column_and_reason(fields, column, reason):
    plan = plan_of([CLIENT], [INVOICE, CREDIT], [PAYMENT, changed(PAYMENT, **fields)])
    found = only_complaint(plan)
    assert (found.file, found.line, found.column) == ("payments.csv", 3, column)
    assert reason in found.reason


def test_a_payment_of_an_invoice_issued_here_is_sent_to_its_own_page():
    ours = make_invoice(imported=False)
    plan = plan_of(None, None, [changed(PAYMENT, invoice=ours.number)])
    assert "was issued here" in only_complaint(plan).reason


def test_a_remittance_that_somebody_recorded_by_hand_is_not_recorded_again():
    bring([CLIENT], [INVOICE])
    invoice = Invoice.objects.get()
    Payment.objects.create(
        client=invoice.client,
        received_on=date(2026, 2, 20),
        currency="EUR",
        amount_minor=12000,
        reference="R-1",
    )
    plan = plan_of(None, None, [PAYMENT])
    assert "is recorded already" in only_complaint(plan).reason


def test_the_database_takes_a_payment_row_once_even_when_two_read_it_together():
    bring([CLIENT], [INVOICE])
    row = changed(PAYMENT, reference="")
    bring(None, None, [row])
    taken = ImportedPaymentRow.objects.get()
    taken.pk = None
    with pytest.raises(Exception, match=r"(?i)unique"):
        taken.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_one():
    make_company()
    plans = [plan_of([CLIENT], [INVOICE], [changed(PAYMENT, reference="")]) for _ in range(2)]
    ready, answers = threading.Barrier(2), []

    def go(plan):
        ready.wait()
        try:
            answers.append(apply(plan, by=None, on=ON).writes)
        except (HistoryInterrupted, HistoryRefused) as refusal:
            answers.append(str(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=[plan]) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Invoice.objects.count() == Payment.objects.count() == Client.objects.count() == 1
    assert sorted(answers, key=str) == [0, 3]


def test_a_write_that_fails_half_way_leaves_nothing():
    plan = plan_of([CLIENT], [INVOICE], [PAYMENT])

    class Killed(Exception):
        pass

    def die(done, total):
        if done > 2:
            raise Killed

    with pytest.raises(Killed):
        apply(plan, by=None, on=ON, progress=die)
    assert not Client.objects.exists() and not Invoice.objects.exists()


# ─ Files ────────────────────────────────────────────────────────────────────────────────────────
def test_a_latin_1_file_is_refused_with_the_way_out():
    bad = as_csv("clients", [changed(CLIENT, name="Société")]).decode().encode("latin-1")
    found = only_complaint(plan_of(bad, [INVOICE]))
    assert "line 2 is not UTF-8 (near “Société" in found.reason and "CSV UTF-8" in found.reason


def test_semicolons_byte_order_mark_and_any_line_ends_are_accepted_and_said():
    text = "\ufeff" + as_csv("clients", [CLIENT], delimiter=";").decode()
    for ends in ("\r\n", "\n"):
        plan = plan_of(text.replace("\r\n", ends).encode())
        assert not plan.complaints
        assert plan.rows.clients[0].name == "Atelier Brume"
        assert any("semicolons" in notice for notice in plan.notices)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"name,country\nA,FR\n", "lacks the column client_type"),
        (as_csv("invoices", [INVOICE]), "lacks the column client_type"),
        (as_csv("clients", [CLIENT]).replace(b"country", b"Name"), "has the column name twice"),
        (as_csv("clients", [CLIENT]) + b'"open,', "line 3 cannot be read"),
        (as_csv("clients", [CLIENT]).decode().encode("utf-16"), "in UTF-16"),
        (b"\x00\x01\x02", "neither a CSV text nor an XLSX"),
        (b"\xd0\xcf\x11\xe0abc", "old kind (.xls)"),
        (b"PK\x03\x04rubbish", "damaged"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_a_sentence(content, reason):
    found = only_complaint(plan_of(content))
    assert found.line == 0 and reason in found.reason


def test_a_comma_in_a_value_without_quotation_marks_is_noticed():
    text = as_csv("clients", [CLIENT]) + b"Dupont, Fils,SME,FR,,,,,,,,\n"
    found = only_complaint(plan_of(text.replace(b",,,,,,,,\n", b",EUR,fr,30,,,,x\n")))
    assert found.line == 3 and "cells under 10 columns" in found.reason


def test_too_many_rows_are_refused():
    source = ("clients.csv", as_csv("clients", [changed(CLIENT, name=str(n)) for n in range(4)]))
    assert "more than 3 rows" in only_complaint(read(clients=source, on=ON, max_rows=3)).reason


def workbook(kind, rows):
    book = openpyxl.Workbook()
    book.active.append(list(COLUMNS[kind]))
    for row in rows:
        book.active.append([row.get(column) for column in COLUMNS[kind]])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_is_read_with_its_dates_and_numbers():
    rows = [
        changed(
            INVOICE,
            issued_on=date(2026, 1, 10),
            due_on=datetime(2026, 2, 9),
            net=100.1,
            vat=20.02,
            total=0.1 + 120.02,
        )
    ]
    bring(workbook("clients", [CLIENT]), workbook("invoices", rows))
    invoice = Invoice.objects.get()
    assert (invoice.total_minor, invoice.due_date) == (12012, date(2026, 2, 9))


def test_formulas_errors_and_times_in_cells_are_refused():
    rows = [
        changed(INVOICE, number="A", total="=SUM(G2:H2)"),
        changed(INVOICE, number="B", issued_on=datetime(2026, 1, 10, 9, 30)),
        changed(INVOICE, number="C", total="#REF!"),
    ]
    plan = plan_of(workbook("clients", [CLIENT]), workbook("invoices", rows))
    assert [(c.line, c.column, c.reason.split(":")[0]) for c in plan.complaints] == [
        (2, "total", "The cell holds a formula"),
        (3, "issued_on", "The cell holds a time of day"),
        (4, "total", "The cell holds an error, #REF!."),
    ]


def test_a_row_that_claims_an_endless_number_ends_the_reading():
    out = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(workbook("clients", [CLIENT])))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b'<row r="2"', b'<row r="999999999999"')
                assert b"999999999999" in content
            archive.writestr(entry, content)
    assert "10,000 empty rows" in only_complaint(plan_of(out.getvalue())).reason


def test_a_zip_bomb_is_refused_unopened():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 * 2**20))
    assert "unpacks to more" in only_complaint(plan_of(out.getvalue())).reason


def test_a_workbook_with_entities_is_refused():
    good = workbook("clients", [CLIENT])
    out = io.BytesIO()
    bomb = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                data = bomb + data.split(b"?>", 1)[-1]
            new.writestr(entry, data)
    assert "cannot be read as an XLSX" in only_complaint(plan_of(out.getvalue())).reason


@given(st.binary(max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_at_all_are_more_than_a_sentence(content):
    for start in (b"", b"PK\x03\x04", as_csv("clients", [CLIENT])):
        plan = plan_of(start + content)
        assert plan.complaints or plan.rows.clients is not None


# ─ Figures ──────────────────────────────────────────────────────────────────────────────────────
_amounts = st.integers(1, 300_00)
_days = st.integers(0, 300)


@given(
    totals=st.lists(_amounts, min_size=1, max_size=4),
    payments=st.lists(st.tuples(st.integers(0, 3), _amounts, _days, st.booleans()), max_size=6),
    credit_notes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 100), _days), max_size=3),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_amount_of_the_files_is_found_again(db, totals, payments, credit_notes):
    def day(n):
        return date.fromordinal(date(2026, 1, 10).toordinal() + n).isoformat()

    def money(minor):
        return f"{minor / 100:.2f}"

    invoices = [
        changed(INVOICE, number=f"N{n}", net=money(t), vat="0", total=money(t))
        for n, t in enumerate(totals)
    ]
    credited: Counter = Counter()
    for n, (target, percent, on) in enumerate(credit_notes):
        target %= len(totals)
        amount = max(1, totals[target] * percent // 100)
        if credited[target] + amount <= totals[target]:
            credited[target] += amount
            amount = money(amount)
            row = {"number": f"C{n}", "corrects": f"N{target}", "issued_on": day(on)}
            invoices.append(changed(CREDIT, **row, net=amount, vat="0", total=amount))
    rows = [
        changed(
            PAYMENT,
            invoice=f"N{target % len(totals)}",
            amount=money(amount),
            received_on=day(on),
            reference=f"R{n}" if referenced else "",
        )
        for n, (target, amount, on, referenced) in enumerate(payments)
    ]
    try:
        with transaction.atomic():
            bring([CLIENT], invoices, rows)
            assert sum(Payment.objects.values_list("amount_minor", flat=True)) == sum(
                amount for _t, amount, _d, _r in payments
            )
            for payment in Payment.objects.annotate(used=Sum("allocations__amount_minor")):
                assert (payment.used or 0) == payment.allocated_minor <= payment.amount_minor
            for invoice in Invoice.objects.all():
                given_away = Allocation.objects.filter(credit_note=invoice)
                taken = given_away if invoice.is_credit_note else invoice.allocations.all()
                used = sum(taken.values_list("amount_minor", flat=True))
                assert invoice.outstanding_minor == invoice.total_minor - used >= 0
            assert bring([CLIENT], invoices, rows).writes == 0
            raise Undo
    except Undo:
        pass


class Undo(Exception):
    pass


# ─ The public list ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.skipif(not RECEIVABLES.exists(), reason="late-payment-histories.csv is not here")
def test_the_public_late_payment_list_comes_in_whole(tmp_path):
    call_command("convert_receivables", str(RECEIVABLES), to=str(tmp_path))
    files = {kind: str(tmp_path / f"{kind}.csv") for kind in COLUMNS}
    call_command("import_history", **files)
    assert Invoice.objects.count() == Payment.objects.count() == 2466
    assert Client.objects.count() == 100 and ClientType.objects.count() == 5
    assert not Invoice.objects.exclude(status="settled").exists()
    # The signed delay, where the list writes 0 for early ones.
    with RECEIVABLES.open(encoding="utf-8-sig") as source:
        late = {r["invoiceNumber"]: int(r["DaysLate"]) for r in csv.DictReader(source)}
    assert all(
        max(days, 0) == late[number]
        for number, days in Invoice.objects.values_list("number", "days_late")
    )
    before = snapshot()
    call_command("import_history", **files)
    assert snapshot() == before


def test_the_public_list_as_of_a_day_leaves_later_payments_out_and_knows_both_stand_ins():
    text = (
        "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
        "Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate\n"
        "391,A,1/1/2012,1,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0\n"
        "391,A,1/1/2012,2,1/5/2013,2/4/2013,10.00,Yes,3/15/2013,Electronic,69,39\n"
        "391,A,1/1/2012,3,3/5/2013,4/4/2013,10.00,Yes,4/15/2013,Electronic,41,11\n"
    )
    found = convert(text, as_of=date(2013, 2, 1))
    assert [len(found[kind]) for kind in COLUMNS] == [1, 2, 1]
    assert found["clients"][0]["client_type"] == "Country 391"
    by_channel = convert(text, type_by="channel")
    assert by_channel["clients"][0]["client_type"] == "Electronic bills"


def test_what_is_not_that_list_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="Line 2"):
        call_command("convert_receivables", str(tmp_path / "x.csv"), to=str(tmp_path))


# ─ The command ──────────────────────────────────────────────────────────────────────────────────
def write(tmp_path, **files):
    paths = {}
    for kind, rows in files.items():
        paths[kind] = str(tmp_path / f"{kind}.csv")
        Path(paths[kind]).write_bytes(as_csv(kind, rows))
    return paths


def test_the_command_brings_in_and_says_so_in_one_line(tmp_path, capsys, clerk):
    files = write(tmp_path, clients=[CLIENT], invoices=[INVOICE], payments=[PAYMENT])
    call_command("import_history", **files, by=clerk.email)
    out = capsys.readouterr().out
    assert "Brought in: clients: 1 new; invoices: 1 new" in out and "received €120.00" in out
    assert Invoice.objects.get().created_by == clerk


def test_the_dry_run_of_the_command_lists_every_refused_row_and_fails(tmp_path, capsys):
    bad = [changed(INVOICE, net="1"), changed(INVOICE, number="B", due_on="soon")]
    files = write(tmp_path, clients=[CLIENT], invoices=bad)
    with pytest.raises(CommandError, match="2 reasons against these files"):
        call_command("import_history", **files, dry_run=True)
    out = capsys.readouterr().out
    assert "invoices.csv, line 2, total: Net 1 and VAT 20.00 do not make the total 120.00." in out
    assert "invoices.csv, line 3, due_on: “soon” is not a date" in out
    assert not Client.objects.exists()


def test_the_command_speaks_json(tmp_path, capsys):
    files = write(tmp_path, clients=[CLIENT], invoices=[INVOICE])
    call_command("import_history", **files, dry_run=True, format="json")
    found = json.loads(capsys.readouterr().out)
    assert found["done"] is False and found["counts"]["invoices"]["new"] == 1
    assert not Invoice.objects.exists()


def test_the_command_without_a_file_or_with_an_unknown_one_says_so(tmp_path):
    with pytest.raises(CommandError, match="Name at least one file"):
        call_command("import_history")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_history", clients=str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("import_history", by="x@y.example", **write(tmp_path, clients=[CLIENT]))


def test_reading_ten_rows_asks_no_more_than_reading_one(django_assert_max_num_queries):
    for count in (1, 10):
        numbers = [f"N{n}" for n in range(count)]
        invoices = [changed(INVOICE, number=number) for number in numbers]
        payments = [changed(PAYMENT, invoice=n, reference=n) for n in numbers]
        with django_assert_max_num_queries(10):
            plan = plan_of([CLIENT], invoices, payments)
        assert plan.counts()["payments"]["new"] == count
        with django_assert_max_num_queries(60):
            bringing_in.resolve(plan.rows, on=ON)


# ─ As other tools write it ──────────────────────────────────────────────────────────────────────
def test_a_french_export_is_read_as_it_comes():
    content = (
        "sep=;\r\nN° facture;Nature;Tiers;Date facture;Échéance;Devise;Total HT;TVA;Total TTC;"
        "corrects;Objet\r\n"
        "FA-1;invoice;Atelier Brume;05/01/2026;20260204;EUR;1 000,00;200,00;1 200,00;;Audit\r\n"
    ).encode()
    plan = read(clients=("c.csv", as_csv("clients", [CLIENT])), invoices=("fr.csv", content), on=ON)
    assert plan.complaints == []
    (row,) = plan.new_invoices
    assert (row.number, row.total_minor) == ("FA-1", 1200_00)
    assert (row.issued_on, row.due_on) == (date(2026, 1, 5), date(2026, 2, 4))
    assert any("day first" in notice for notice in plan.notices)


def test_our_own_name_of_a_column_goes_before_a_synonym():
    text = as_csv("invoices", [INVOICE]).decode()
    head, rest = text.split("\n", 1)
    content = f"{head.strip()},Date\n{rest.strip()},nonsense\n".encode()
    plan = read(clients=("c.csv", as_csv("clients", [CLIENT])), invoices=("i.csv", content), on=ON)
    assert plan.complaints == []


def test_open_items_of_a_go_live_day_carry_it():
    day = date(2026, 3, 1)
    plan = read(
        clients=("c.csv", as_csv("clients", [CLIENT])),
        invoices=("i.csv", as_csv("invoices", [INVOICE])),
        payments=("p.csv", as_csv("payments", [PAYMENT])),
        on=ON,
        go_live=day,
    )
    assert any("older than the go-live day" in notice for notice in plan.notices)
    apply(plan, by=None, on=ON)
    assert Invoice.objects.get(number=INVOICE["number"]).observed_from == day
    again = read(invoices=("i.csv", as_csv("invoices", [INVOICE])), on=ON)
    assert again.complaints == []


def test_a_longer_file_with_an_equal_remittance_brings_the_second():
    row = changed(PAYMENT, amount="10.00", reference="R-7")
    apply(plan_of([CLIENT], [INVOICE], [row]), by=None, on=ON)
    longer = plan_of([CLIENT], [INVOICE], [row, row])
    assert longer.complaints == []
    apply(longer, by=None, on=ON)
    found = Payment.objects.filter(reference="R-7").order_by("pk")
    assert [(each.amount_minor, each.occurrence) for each in found] == [(10_00, 1), (10_00, 2)]
    assert apply(plan_of([CLIENT], [INVOICE], [row, row]), by=None, on=ON).writes == 0


def test_a_longer_file_over_a_reversed_payment_keeps_the_day_that_stands():
    from invoices.accounting import books
    from invoices.payments.reversing import reverse_payment

    total = INVOICE["total"]
    early = changed(PAYMENT, amount=total, received_on="2026-02-01", reference="A")
    apply(plan_of([CLIENT], [INVOICE], [early]), by=None, on=ON)
    reverse_payment(
        payment_id=Payment.objects.get().pk, by=None, on=date(2026, 3, 1), reason="bounced"
    )
    late = changed(PAYMENT, amount=total, received_on="2026-03-20", reference="B")
    apply(plan_of([CLIENT], [INVOICE], [early, late]), by=None, on=ON)
    invoice = Invoice.objects.get(number=INVOICE["number"])
    assert (invoice.settled_on, invoice.paid_on) == (date(2026, 3, 20), date(2026, 3, 20))
    past = invoice.past_settlements.get()
    assert (past.settled_on, past.reopened_on) == (date(2026, 2, 1), date(2026, 3, 1))
    assert [broken for broken in books.verify() if broken.where == invoice.number] == []
