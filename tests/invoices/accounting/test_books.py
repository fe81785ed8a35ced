"""What broke is named, and the command exits 1."""

from __future__ import annotations

import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from moneyed import Money

from invoices.accounting import books
from invoices.invoicing import crediting
from invoices.models import (
    Allocation,
    Document,
    Invoice,
    NumberSeries,
    Payment,
    VatBreakdown,
    database_rules,
)
from invoices.payments import recording, reversing
from tests.factories import make_issued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def settled(db):
    """Two invoices, one paid and one credited, as the books like them."""
    paid, credited = make_issued(), make_issued()
    recording.record_payment(
        client_id=paid.client_id,
        amount=Money("1200", "EUR"),
        received_on=ON,
        reference="R-1",
        method="transfer",
        by=None,
        allocations=[(paid.pk, Money("1200", "EUR"))],
    )
    crediting.issue_credit_note(invoice_id=credited.pk, lines=None, reason="x", by=None, on=ON)
    assert books.verify() == []
    return paid


def broken_by(tamper):
    """What verify() finds after somebody with the keys to the database was there."""
    database_rules.remove(connection)
    tamper()
    database_rules.install(connection)
    return [str(one) for one in books.verify()]


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(
                paper={**paid.paper, "title": "Other"}
            ),
            "F-2026-0001: its content was changed after it was issued.",
        ),
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(paper=None),
            "F-2026-0001: has no frozen content.",
        ),
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(issue_date=date(2026, 11, 25)),
            "F-2026-0002: is dated before the number before it.",
        ),
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(number="F-2026-0009"),
            "F-2026-0009: is not the number of its place in the series.",
        ),
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(content_hash="0" * 64),
            "F-2026-0002: is not chained to the document before it.",
        ),
        (
            lambda paid: NumberSeries.objects.filter(kind="invoice").update(next_value=4),
            "F-2026-0003: this number is missing.",
        ),
        (
            lambda paid: NumberSeries.objects.filter(kind="invoice").update(next_value=2),
            "F-2026-0002: the series would give a number again.",
        ),
        (
            lambda paid: NumberSeries.objects.filter(kind="invoice").update(last_hash="x"),
            "F-2026-0003: the chain does not end with the last document.",
        ),
        (
            lambda paid: Invoice.objects.filter(pk=paid.pk).update(sequence=7),
            "F-2026-0001: this number is missing.",
        ),
        (
            lambda paid: Allocation.objects.filter(invoice=paid).update(amount_minor=1100_00),
            "F-2026-0001: paid_minor is 120000; its allocations make 110000.",
        ),
        (
            lambda paid: Allocation.objects.filter(invoice=paid).update(amount_minor=1300_00),
            "F-2026-0001: more was settled than it comes to.",
        ),
        (
            lambda paid: Allocation.objects.filter(invoice=paid).update(
                applied_on=date(2026, 11, 30)
            ),
            "F-2026-0001: settled_on is 2026-11-24; its allocations make 2026-11-30.",
        ),
        (
            lambda paid: Payment.objects.update(allocated_minor=1),
            "1 are allocated; its allocations make 120000.",
        ),
        (
            lambda paid: Payment.objects.update(currency="USD"),
            "F-2026-0001: was settled in another currency.",
        ),
        (
            lambda paid: VatBreakdown.objects.filter(invoice=paid).update(vat_minor=1),
            "F-2026-0001: its VAT rows do not make its totals.",
        ),
        (
            lambda paid: Document.objects.filter(invoice=paid).update(content=b"%PDF-forged"),
            "F-2026-0001: its stored document is not what was stored.",
        ),
        (
            lambda paid: Document.objects.filter(invoice=paid)._raw_delete("default"),
            "F-2026-0001: has no stored document.",
        ),
    ],
)
def test_what_broke_is_named(settled, tamper, words):
    assert any(words in found for found in broken_by(lambda: tamper(settled)))


def test_a_credit_note_larger_than_its_invoice_is_named(settled):
    note = Invoice.objects.credit_notes().get()
    found = broken_by(
        lambda: Invoice.objects.filter(pk=note.pk).update(
            total_minor=9999_00,
            net_minor=9799_00,
            outstanding_minor=8799_00,
            status="issued",
            settled_on=None,
        )
    )
    assert any("its credit notes exceed it" in one for one in found)


def test_a_reversal_that_mirrors_nothing_is_named(settled):
    payment = Payment.objects.get()
    mirror = reversing.reverse_payment(payment_id=payment.pk, by=None, on=ON, reason="x")
    found = broken_by(lambda: Payment.objects.filter(pk=mirror.pk).update(amount_minor=-130_000))
    assert any("does not mirror" in one for one in found)


def test_the_command_says_so_and_exits_zero(settled, capsys):
    call_command("verify_books")
    assert capsys.readouterr().out.startswith("The books hold: 3 documents in 2 series")
    call_command("verify_books", format="json")
    assert json.loads(capsys.readouterr().out)["broken"] == []


def test_the_command_exits_one(settled, capsys):
    broken_by(lambda: Payment.objects.update(allocated_minor=1))
    with pytest.raises(CommandError) as end:
        call_command("verify_books")
    assert end.value.returncode == 1
    assert "its allocations make" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("verify_books", format="json")
    assert len(json.loads(capsys.readouterr().out)["broken"]) == 1


def test_empty_books_hold():
    assert books.verify() == []


def test_a_search_key_that_is_not_that_of_its_name_is_named(settled):
    client = settled.client
    with connection.cursor() as cursor:
        cursor.execute("UPDATE invoices_client SET name_key = 'x' WHERE id = %s", [client.pk])
    assert [one.text for one in books.verify()] == [
        f"the search key name_key is not that of “{client.name}”: save the row again."
    ]
    client.save()
    assert books.verify() == []
