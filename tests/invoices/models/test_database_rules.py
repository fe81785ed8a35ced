"""The database itself refuses: on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from invoices.models import Allocation, Invoice, InvoiceEvent, InvoiceLine, Payment, database_rules
from tests.factories import make_client, make_invoice

pytestmark = pytest.mark.django_db


def refuses(name):
    return pytest.raises(IntegrityError, match=name)


@pytest.mark.parametrize(
    "change",
    [
        {"number": "X-1"},
        {"issue_date": date(2026, 8, 31)},
        {"note": "another"},
        {"paper": {"total": "1"}},
        {"net_minor": 1, "total_minor": 1, "outstanding_minor": 1},
        {"status": "draft"},
        {"currency": "USD"},
    ],
)
def test_what_an_issued_invoice_says_cannot_be_changed(change):
    invoice = make_invoice(paper={"total": "120.00"})
    with refuses("issued_content_is_frozen"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(**change)


def test_a_draft_can_be_changed_and_deleted():
    draft = make_invoice(status="draft")
    Invoice.objects.filter(pk=draft.pk).update(note="another", currency="USD")
    draft.delete()


def test_an_issued_invoice_cannot_be_deleted():
    invoice = make_invoice()
    with refuses("issued_invoices_are_kept"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).delete()


def test_lines_of_an_issued_invoice_are_frozen():
    draft = make_invoice(status="draft")
    line = draft.lines.create(position=1, description="Audit")
    Invoice.objects.filter(pk=draft.pk).update(
        status="issued",
        number="OLD-X",
        imported=True,
        client_type=draft.client.client_type,
        next_due=draft.due_date,
    )
    with refuses("invoiceline_of_issued_is_frozen"), transaction.atomic():
        InvoiceLine.objects.filter(pk=line.pk).update(description="Theft")
    with refuses("invoiceline_of_issued_is_kept"), transaction.atomic():
        InvoiceLine.objects.filter(pk=line.pk).delete()
    with refuses("invoiceline_of_issued_gains_no_row"), transaction.atomic():
        draft.lines.create(position=2)
    with refuses("vatbreakdown_of_issued_gains_no_row"), transaction.atomic():
        draft.vat_breakdown.create(category="S", rate=20, basis_minor=0, vat_minor=0)


def test_history_is_append_only(clerk):
    invoice = make_invoice()
    event = InvoiceEvent.objects.create(invoice=invoice, kind="note", on=date(2026, 9, 2))
    with refuses("invoiceevent_is_append_only_update"), transaction.atomic():
        InvoiceEvent.objects.filter(pk=event.pk).update(data={"a": 1})
    with refuses("invoiceevent_is_append_only_delete"), transaction.atomic():
        event.delete()


def test_payments_and_allocations_are_kept():
    client = make_client()
    payment = Payment.objects.create(
        client=client, received_on=date(2026, 9, 2), currency="EUR", amount_minor=100
    )
    row = Allocation.objects.create(
        kind="payment",
        invoice=make_invoice(client=client),
        payment=payment,
        amount_minor=100,
        applied_on=date(2026, 9, 2),
    )
    with refuses("allocation_is_append_only_update"), transaction.atomic():
        Allocation.objects.filter(pk=row.pk).update(amount_minor=1)
    with refuses("allocation_is_append_only_delete"), transaction.atomic():
        row.delete()
    with refuses("payment_content_is_frozen"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk).update(amount_minor=200)
    with refuses("payments_are_kept"), transaction.atomic():
        Payment.objects.filter(pk=payment.pk)._raw_delete("default")
    Payment.objects.filter(pk=payment.pk).update(allocated_minor=100)


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("paid_credited_written_off_and_outstanding_make_the_total", {"outstanding_minor": 1}),
        ("no_part_of_a_balance_is_negative", {"paid_minor": 121_00, "outstanding_minor": -1_00}),
        ("settled_means_nothing_outstanding", {"status": "settled"}),
        ("due_date_is_not_before_issue_date", {"due_date": date(2026, 8, 1)}),
        ("issued_has_number_and_dates", {"number": ""}),
        ("paid_on_comes_with_its_delays", {"paid_on": date(2026, 9, 3)}),
    ],
)
def test_a_false_balance_or_date_is_refused(name, fields):
    with refuses(name), transaction.atomic():
        make_invoice(**fields)


def test_numbers_are_given_once():
    first = make_invoice(imported=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.create(
            status="issued",
            number=first.number,
            series=first.series,
            sequence=99,
            client=first.client,
            currency="EUR",
            issue_date=first.issue_date,
            due_date=first.due_date,
            total_minor=1,
            net_minor=1,
            outstanding_minor=1,
        )


def test_each_rule_has_its_trigger():
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = {name for (name,) in cursor.fetchall()}
    assert {rule[0] for rule in database_rules.RULES} <= found
