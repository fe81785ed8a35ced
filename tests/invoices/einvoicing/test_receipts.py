"""212, money received: one message a receipt, by VAT rate, and taken back with the receipt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from moneyed import Money

from invoices.documents.cdar.reading import read
from invoices.einvoicing.receipts import declare_all, split
from invoices.models import (
    Allocation,
    DeclaredAllocation,
    Invoice,
    LifecycleStatus,
    PlatformFlow,
    Transmission,
)
from invoices.payments.allocating import allocate
from invoices.payments.recording import record_payment
from invoices.payments.reversing import reverse_payment
from tests.invoices.einvoicing.test_use_cases import CASES, _schema
from tests.transmitted import at_platform, make_einvoice, make_transmission

PAID = date(2026, 10, 5)
TWO_RATES = ((20, 10_000, 2_000), (5.5, 10_001, 550))


def pay(invoice, amount, clerk, reference="VIR 1"):
    return record_payment(
        client_id=invoice.client_id,
        amount=Money(amount, "EUR"),
        received_on=PAID,
        reference=reference,
        method="transfer",
        by=clerk,
        allocations=[(invoice.pk, Money(amount, "EUR"))],
    )


def said():
    """Rate → minor units, for each message in order."""
    return [
        {Decimal(each["rate"]): each["minor"] for each in row.amounts}
        for row in LifecycleStatus.objects.filter(code="212").order_by("pk")
    ]


def test_each_receipt_is_declared_once_by_rate_and_comes_to_its_amount(clerk):
    (found,) = at_platform(make_transmission(rates=TWO_RATES))
    pay(found.invoice, "100.00", clerk)
    assert declare_all() == 1
    assert declare_all() == 0
    pay(found.invoice, "125.51", clerk, "VIR 2")
    assert declare_all() == 1
    first, second = said()
    assert sum(first.values()) == 100_00
    assert first == {Decimal("20.00"): 5_321, Decimal("5.50"): 4_679}
    # The last one has the rest of each rate.
    assert second == {Decimal("20.00"): 12_000 - 5_321, Decimal("5.50"): 10_551 - 4_679}
    found.refresh_from_db()
    assert (found.declared_minor, found.group) == (225_51, "paid")
    flows = PlatformFlow.objects.filter(syntax="CDAR")
    assert [flow.state for flow in flows] == ["waiting", "waiting"]
    assert len({flow.tracking_id for flow in flows}) == 2


def test_the_message_is_valid_and_says_what_the_books_say(clerk):
    (found,) = at_platform(make_transmission(rates=TWO_RATES))
    pay(found.invoice, "100.00", clerk)
    declare_all()
    flow = PlatformFlow.objects.get(syntax="CDAR")
    if CASES.exists():
        _schema().assertValid(etree.fromstring(flow.bytes))
    message = read(flow.bytes)
    (status,) = message.statuses
    assert (status.number, status.code, status.seller) == (found.invoice.number, "212", "732829320")
    assert [(a.kind, a.amount, a.rate) for a in status.amounts] == [
        ("MEN", Decimal("53.21"), Decimal("20.00")),
        ("MEN", Decimal("46.79"), Decimal("5.50")),
    ]
    assert [party.role for party in message.recipients] == ["BY", "DFH"]
    assert message.at.date() == PAID


@pytest.mark.parametrize(("fields", "code"), [({}, "380"), ({"purpose": "deposit"}, "386")])
def test_it_speaks_of_the_document_by_the_code_of_its_e_invoice(clerk, fields, code):
    (found,) = at_platform(make_transmission(**fields))
    pay(found.invoice, "100.00", clerk)
    declare_all()
    message = read(PlatformFlow.objects.get(syntax="CDAR").bytes)
    assert f"#{code}_" in message.id and message.statuses[0].type_code == code


def test_a_reversed_payment_takes_its_very_amounts_back(clerk):
    (found,) = at_platform(make_transmission(rates=TWO_RATES))
    payment = pay(found.invoice, "100.00", clerk)
    declare_all()
    reverse_payment(payment_id=payment.pk, reason="Wrong client", by=clerk, on=PAID)
    assert declare_all() == 1
    first, second = said()
    assert second == {rate: -minor for rate, minor in first.items()}
    found.refresh_from_db()
    assert (found.declared_minor, found.group) == (0, "client")


def test_what_was_taken_back_before_it_was_told_is_not_told(clerk):
    (found,) = at_platform(make_transmission())
    payment = pay(found.invoice, "50.00", clerk)
    reverse_payment(payment_id=payment.pk, reason="Wrong client", by=clerk, on=PAID)
    assert declare_all() == 0
    pay(found.invoice, "50.00", clerk, "VIR 2")
    assert declare_all() == 1
    assert said() == [{Decimal("20.00"): 50_00}]


@pytest.mark.parametrize("group", ["failed", "closed"])
def test_nothing_is_declared_of_what_the_platform_does_not_have(clerk, group):
    (found,) = at_platform(make_transmission())
    pay(found.invoice, "50.00", clerk)
    Transmission.objects.update(group=group)
    assert declare_all() == 0


def test_a_receipt_waits_until_the_platform_has_the_invoice(clerk):
    found = make_transmission()
    pay(found.invoice, "50.00", clerk)
    assert declare_all() == 0
    at_platform(found)
    assert declare_all() == 1


def test_a_credit_note_on_the_platform_is_declared_on_both_as_in_uc5(clerk):
    """UC5 b: the credit note settles the invoice; 212 says 11,000 of one, −11,000 of the other."""
    ten = ((10, 1_000_000, 100_000),)
    (found,) = at_platform(make_transmission(rates=ten))
    note = make_einvoice(
        rates=ten, kind="credit_note", client=found.invoice.client, corrects=found.invoice
    )
    from invoices.einvoicing.transmitting import transmit

    (of_note,) = at_platform(transmit(invoice_id=note.pk, by=None, on=PAID))
    allocate(
        invoice=found.invoice, amount_minor=1_100_000, applied_on=PAID, by=clerk, credit_note=note
    )
    assert declare_all() == 2
    ours = {
        row.number: read(bytes(row.content)).statuses[0].amounts
        for row in LifecycleStatus.objects.filter(code="212")
    }
    if CASES.exists():
        for number, document in (("F202500007", found.invoice), ("F202500011", note)):
            path = CASES / "UC5" / f"UC5b_{number}_07-CDV-212_Encaissee.xml"
            assert read(path.read_bytes()).statuses[0].amounts == ours[document.number]
    of_note.refresh_from_db()
    assert (of_note.declared_minor, of_note.group) == (-1_100_000, "paid")


def test_a_credit_note_kept_in_the_books_is_no_receipt(clerk):
    (found,) = at_platform(make_transmission())
    note = make_einvoice(kind="credit_note", client=found.invoice.client, corrects=found.invoice)
    allocate(
        invoice=found.invoice, amount_minor=12_000, applied_on=PAID, by=clerk, credit_note=note
    )
    assert declare_all() == 0


def test_the_database_refuses_to_declare_twice_or_to_forget(clerk):
    (found,) = at_platform(make_transmission())
    pay(found.invoice, "50.00", clerk)
    declare_all()
    told = DeclaredAllocation.objects.get()
    for act in (
        lambda: DeclaredAllocation.objects.create(
            allocation=told.allocation, transmission=found, status=told.status
        ),
        lambda: DeclaredAllocation.objects.all().delete(),
        lambda: LifecycleStatus.objects.update(code="205"),
        lambda: LifecycleStatus.objects.filter(pk=told.status_id).delete(),
        lambda: PlatformFlow.objects.update(content=b"x"),
        lambda: PlatformFlow.objects.filter(state="sent").update(state="waiting", platform_id=""),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()
    assert Allocation.objects.filter(invoice=found.invoice).count() == 1
    assert Invoice.objects.get(pk=found.invoice_id).paid_minor == 50_00


@settings(max_examples=200)
@given(
    left=st.dictionaries(
        st.sampled_from([Decimal(20), Decimal(10), Decimal("5.5"), Decimal(0)]),
        st.integers(0, 10**9),
        min_size=1,
    ),
    part=st.integers(1, 10**6),
)
def test_parts_come_to_the_amount_and_the_whole_leaves_nothing(left, part):
    whole = sum(left.values())
    if not whole:
        assert split(part, left) == {}
        return
    minor = max(1, whole * part // 10**6)
    parts = split(minor, left)
    assert sum(parts.values()) == minor
    assert split(whole, left) == left
