"""Money received, spread and taken back."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from invoices.accounting import books
from invoices.models import Allocation, Client, Invoice, InvoiceEvent, Payment
from invoices.payments import applying, recording, reversing
from invoices.payments.applying import PaymentRefused
from tests import crash
from tests.factories import make_client, make_draft, make_invoice
from tests.race import at_once

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def eur(amount):
    return Money(str(amount), "EUR")


def pay(client, amount, *allocations, on=date(2026, 10, 5), reference="", **more):
    return recording.record_payment(
        client_id=client.pk,
        amount=amount if isinstance(amount, Money) else eur(amount),
        received_on=on,
        reference=reference,
        method=more.pop("method", "transfer"),
        by=more.pop("by", None),
        allocations=[
            (invoice.pk, part if isinstance(part, Money) else eur(part))
            for invoice, part in allocations
        ],
        on=ON,
        **more,
    )


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_a_whole_payment_settles_on_its_value_date(clerk):
    invoice = make_invoice(total_minor=120_00)
    payment = pay(invoice.client, 120, (invoice, 120), reference="R-1", by=clerk)
    row = fresh(invoice)
    assert (row.status, row.settled_on, row.paid_on) == (
        "settled",
        date(2026, 10, 5),
        date(2026, 10, 5),
    )
    assert (row.days_late, row.days_to_pay) == (4, 34)
    event = invoice.events.get()
    assert (event.kind, event.by, event.on) == ("paid", clerk, date(2026, 10, 5))
    assert event.data == {
        "payment_id": payment.pk,
        "amount_minor": 120_00,
        "currency": "EUR",
        "reference": "R-1",
        "method": "transfer",
        "outstanding_minor": 0,
    }


def test_a_part_payment_leaves_the_rest_outstanding():
    invoice = make_invoice(total_minor=120_00)
    pay(invoice.client, 40, (invoice, 40))
    assert fresh(invoice).outstanding_balance == eur(80)
    assert fresh(invoice).status == "issued"


def test_what_is_over_stays_unapplied_cash_until_somebody_applies_it(clerk):
    first, second = make_invoice(total_minor=100_00), None
    payment = pay(first.client, 150, (first, 100))
    assert payment.unapplied == eur(50)
    second = make_invoice(client=first.client, total_minor=80_00)
    recording.allocate_unapplied(
        payment_id=payment.pk, allocations=[(second.pk, eur(50))], by=clerk, on=ON
    )
    assert fresh(payment).unapplied == eur(0)
    assert fresh(second).outstanding_balance == eur(30)
    assert second.allocations.get().applied_on == payment.received_on
    with pytest.raises(PaymentRefused, match=r"only €0.00 are there"):
        recording.allocate_unapplied(
            payment_id=payment.pk, allocations=[(second.pk, eur(1))], by=clerk, on=ON
        )


def test_one_payment_settles_several_invoices():
    first = make_invoice(total_minor=100_00)
    second = make_invoice(client=first.client, total_minor=50_00)
    pay(first.client, 150, (first, 100), (second, 50))
    assert {fresh(first).status, fresh(second).status} == {"settled"}
    assert books.verify() == []


def test_the_oldest_debt_is_proposed_first():
    client = make_client()
    late = make_invoice(client=client, issue_date=date(2026, 3, 1), total_minor=30_00)
    later = make_invoice(client=client, issue_date=date(2026, 5, 1), total_minor=30_00)
    make_invoice(client=client, total_minor=30_00)
    make_invoice(client=client, issue_date=date(2025, 5, 1), currency="USD")
    assert recording.propose_allocations(client, eur(50)) == [(late, eur(30)), (later, eur(20))]


def test_a_value_date_before_the_invoice_is_pointed_out_and_not_refused():
    invoice = make_invoice(issue_date=date(2026, 10, 10), due_date=date(2026, 11, 9))
    assert recording.is_before_issue(date(2026, 10, 5), [invoice]) == [invoice]
    pay(invoice.client, 120, (invoice, 120))
    # Its value date stays; on the invoice it takes effect when that was issued.
    assert fresh(invoice).days_to_pay == 0
    assert fresh(invoice).paid_on == date(2026, 10, 10)


@pytest.mark.parametrize(
    ("amount", "part", "more", "words"),
    [
        (200, 120.01, {}, "€120.00 outstanding"),
        (100, 110, {}, "only €100.00 are there"),
        (0, 0, {}, "above zero"),
        (-5, 5, {}, "above zero"),
        (Money("1.005", "EUR"), 1, {}, "smallest coin"),
        (Money("120", "USD"), Money("120", "USD"), {}, "cannot settle it"),
        (Money("120", "EUR"), Money("120", "USD"), {}, "an allocation is in USD"),
        (Money("1e15", "EUR"), 1, {}, "that large"),
        (120, 120, {"on": date(2026, 11, 25)}, "in the future"),
        (120, 120, {"on": date(1999, 12, 31)}, "check the year"),
        (120, 120, {"method": "barter"}, "how it was paid"),
        (120, 120, {"reference": "x" * 141}, "140 characters"),
    ],
)
def test_a_refusal_says_why_and_keeps_nothing(amount, part, more, words):
    invoice = make_invoice(total_minor=120_00)
    with pytest.raises(PaymentRefused, match=words):
        pay(invoice.client, amount, (invoice, part), **more)
    assert not Payment.objects.exists()
    assert not Allocation.objects.exists()
    assert not InvoiceEvent.objects.exists()
    assert fresh(invoice).outstanding_minor == 120_00


def test_the_refusal_names_the_invoice_and_what_it_owes():
    invoice = make_invoice(number="F-2026-0744", total_minor=8_760_00)
    with pytest.raises(PaymentRefused) as refusal:
        pay(invoice.client, 10_000, (invoice, 9_000))
    assert str(refusal.value) == "F-2026-0744 has €8,760.00 outstanding."


def test_the_second_of_two_invoices_failing_keeps_nothing_of_the_first():
    first, second = make_invoice(), make_invoice()
    with pytest.raises(PaymentRefused, match="another client"):
        pay(first.client, 240, (first, 120), (second, 120))
    assert fresh(first).outstanding_minor == 120_00


@pytest.mark.parametrize("kind", ["draft", "void", "credit_note"])
def test_only_issued_invoices_are_paid(kind):
    if kind == "credit_note":
        invoice = make_invoice(kind="credit_note")
    else:
        invoice = make_draft()
        Invoice.objects.filter(pk=invoice.pk).update(status=kind)
    with pytest.raises(PaymentRefused):
        pay(invoice.client, 10, (invoice, 10))


def test_a_remittance_is_recorded_once():
    invoice = make_invoice(total_minor=300_00)
    pay(invoice.client, 100, (invoice, 100), reference="R-7")
    with pytest.raises(PaymentRefused, match=r"R-7.*5\xa0Oct 2026.*already recorded"):
        pay(invoice.client, 100, (invoice, 100), reference=" R-7 ")
    assert fresh(invoice).outstanding_minor == 200_00


def test_two_equal_payments_without_reference_are_two():
    invoice = make_invoice(total_minor=300_00)
    pay(invoice.client, 100, (invoice, 100))
    pay(invoice.client, 100, (invoice, 100))
    assert fresh(invoice).outstanding_minor == 100_00


def test_a_payment_of_an_unknown_client_or_invoice_is_refused():
    invoice = make_invoice()
    with pytest.raises(PaymentRefused, match="client is no longer"):
        pay(Client(pk=0), 10)
    gone = Invoice(pk=0)
    with pytest.raises(PaymentRefused, match="no longer here"):
        pay(invoice.client, 10, (gone, 10))
    with pytest.raises(PaymentRefused, match="payment is no longer"):
        reversing.reverse_payment(payment_id=0, by=None, on=ON, reason="x")


def test_a_note_or_reason_that_is_too_long_and_an_empty_choice_are_refused(clerk):
    client = make_client()
    with pytest.raises(PaymentRefused, match="note 300"):
        pay(client, 10, note="x" * 301)
    payment = pay(client, 10)
    with pytest.raises(PaymentRefused, match="Choose an invoice"):
        recording.allocate_unapplied(payment_id=payment.pk, allocations=[], by=clerk, on=ON)
    with pytest.raises(PaymentRefused, match="At most 300"):
        reverse(payment, reason="x" * 301)
    with pytest.raises(PaymentRefused, match="no longer here"):
        applying.write_off(invoice_id=0, reason="x", by=clerk, on=ON)
    with pytest.raises(PaymentRefused, match="no longer here"):
        apply(Invoice(pk=0), Invoice(pk=0), eur(1))


# ─ Reversal ─────────────────────────────────────────────────────────────────────────────────────


def reverse(payment, reason="bounced", on=ON):
    return reversing.reverse_payment(payment_id=payment.pk, by=None, on=on, reason=reason)


def test_a_reversal_opens_every_invoice_again_and_deletes_nothing():
    first = make_invoice(total_minor=100_00)
    second = make_invoice(client=first.client, total_minor=70_00)
    payment = pay(first.client, 180, (first, 100), (second, 50), reference="R-2")
    mirror = reverse(payment)
    assert (mirror.amount, mirror.allocated) == (eur(-180), eur(-150))
    for invoice in (first, second):
        row = fresh(invoice)
        assert (row.outstanding_minor, row.settled_on, row.paid_on) == (row.total_minor, None, None)
        assert invoice.events.filter(kind="reversed", on=ON).exists()
    assert Payment.objects.count() == 2
    assert books.verify() == []


def test_a_payment_is_reversed_once_and_a_reversal_never():
    payment = pay(make_client(), 10)
    mirror = reverse(payment)
    with pytest.raises(PaymentRefused, match="already"):
        reverse(payment)
    with pytest.raises(PaymentRefused, match="reversal itself"):
        reverse(mirror)
    for row in (payment, mirror):
        with pytest.raises(PaymentRefused, match="was reversed"):
            recording.allocate_unapplied(
                payment_id=row.pk, allocations=[(make_invoice().pk, eur(1))], by=None, on=ON
            )


def test_a_reversal_has_a_reason_and_a_day_after_its_payment():
    payment = pay(make_client(), 10)
    with pytest.raises(PaymentRefused, match="why"):
        reverse(payment, reason=" ")
    with pytest.raises(PaymentRefused, match="before its payment"):
        reverse(payment, on=date(2026, 10, 4))


def test_the_same_remittance_after_its_reversal_is_told_what_to_do():
    client = make_client()
    reverse(pay(client, 10, reference="R-9"))
    with pytest.raises(PaymentRefused, match="add a word to the reference"):
        pay(client, 10, reference="R-9")
    pay(client, 10, reference="R-9 bis")


# ─ Credit notes and write-offs ──────────────────────────────────────────────────────────────────


def apply(note, invoice, amount):
    return applying.apply_credit_note(
        credit_note_id=note.pk, invoice_id=invoice.pk, amount=amount, by=None, on=ON
    )


def test_a_credit_note_is_applied_to_another_invoice_of_the_client():
    invoice = make_invoice(total_minor=100_00)
    note = make_invoice(kind="credit_note", client=invoice.client, total_minor=60_00)
    apply(note, invoice, eur(60))
    assert (fresh(invoice).outstanding_minor, fresh(invoice).credited_minor) == (40_00, 60_00)
    assert fresh(note).status == "settled"
    with pytest.raises(PaymentRefused, match=r"€0.00 left"):
        apply(note, invoice, eur(1))
    assert books.verify() == []


def test_a_credit_note_only_settles_its_own_client_and_currency():
    invoice = make_invoice()
    with pytest.raises(PaymentRefused, match="another client"):
        apply(make_invoice(kind="credit_note"), invoice, eur(1))
    dollars = make_invoice(kind="credit_note", client=invoice.client, currency="USD")
    with pytest.raises(PaymentRefused, match="is in USD"):
        apply(dollars, invoice, eur(1))
    with pytest.raises(PaymentRefused, match="not a credit note"):
        apply(make_invoice(client=invoice.client), invoice, eur(1))


def test_a_write_off_is_not_a_payment():
    invoice = make_invoice(total_minor=100_00)
    pay(invoice.client, 40, (invoice, 40))
    applying.write_off(invoice_id=invoice.pk, reason="insolvent", by=None, on=ON)
    row = fresh(invoice)
    assert (row.status, row.written_off_minor, row.settled_on) == ("settled", 60_00, ON)
    assert row.paid_on is None
    with pytest.raises(PaymentRefused, match="settled"):
        applying.write_off(invoice_id=invoice.pk, reason="again", by=None, on=ON)


def test_a_write_off_has_a_reason_and_stays_within_the_debt():
    invoice = make_invoice(total_minor=100_00)
    with pytest.raises(PaymentRefused, match="why"):
        applying.write_off(invoice_id=invoice.pk, reason="", by=None, on=ON)
    with pytest.raises(PaymentRefused, match=r"€100.00 outstanding"):
        applying.write_off(invoice_id=invoice.pk, amount=eur(101), reason="x", by=None, on=ON)
    with pytest.raises(PaymentRefused, match="before its invoice"):
        applying.write_off(invoice_id=invoice.pk, reason="x", by=None, on=date(2026, 1, 1))


# ─ At once ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_eight_payments_at_once_never_exceed_the_invoice():
    invoice = make_invoice(total_minor=100_00)
    found = at_once(*[lambda: pay(invoice.client, 60, (invoice, 60))] * 8)
    recorded = [one for one in found if isinstance(one, Payment)]
    refused = [one for one in found if isinstance(one, PaymentRefused)]
    assert (len(recorded), len(refused)) == (1, 7), found
    assert fresh(invoice).paid_minor == 60_00
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_payments_over_the_same_invoices_in_any_order_do_not_deadlock():
    first = make_invoice(total_minor=100_00)
    second = make_invoice(client=first.client, total_minor=100_00)
    there = [(first, 10), (second, 10)]
    found = at_once(
        *[lambda: pay(first.client, 20, *there), lambda: pay(first.client, 20, *reversed(there))]
        * 4
    )
    assert all(isinstance(one, Payment) for one in found), found
    assert fresh(first).paid_minor == fresh(second).paid_minor == 80_00


@pytest.mark.django_db(transaction=True)
def test_one_remittance_typed_by_two_clerks_at_once_is_one_payment():
    invoice = make_invoice(total_minor=100_00)
    found = at_once(*[lambda: pay(invoice.client, 40, (invoice, 40), reference="R-1")] * 4)
    assert sum(isinstance(one, Payment) for one in found) == 1
    assert sum(isinstance(one, PaymentRefused) for one in found) == 3, found
    assert fresh(invoice).paid_minor == 40_00


@pytest.mark.django_db(transaction=True)
def test_two_people_reversing_at_once_reverse_once():
    invoice = make_invoice(total_minor=100_00)
    payment = pay(invoice.client, 100, (invoice, 100))
    found = at_once(*[lambda: reverse(payment)] * 3)
    assert sum(isinstance(one, Payment) for one in found) == 1
    assert sum(isinstance(one, PaymentRefused) for one in found) == 2, found
    assert fresh(invoice).outstanding_minor == 100_00


@pytest.mark.django_db(transaction=True)
def test_unapplied_cash_is_given_out_once_by_two_people():
    client = make_client()
    payment = pay(client, 100)
    invoices = [make_invoice(client=client, total_minor=100_00) for _ in range(3)]
    found = at_once(
        *[
            lambda invoice=invoice: recording.allocate_unapplied(
                payment_id=payment.pk, allocations=[(invoice.pk, eur(100))], by=None, on=ON
            )
            for invoice in invoices
        ]
    )
    assert sum(isinstance(one, Payment) for one in found) == 1, found
    assert fresh(payment).unapplied == eur(0)
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_a_payment_is_whole_or_not_there():
    first = make_invoice(total_minor=100_00)
    second = make_invoice(client=first.client, total_minor=100_00)
    ends = crash.run("pay", first.pk, second.pk)
    assert len(ends) > 8
    for _n, end, state in ends[:-1]:
        assert (end, state) == ("killed", "10000/10000/0/0/0")
    assert ends[-1][1:] == ("done: 2000", "9000/9000/1/2/0")
    assert books.verify() == []
