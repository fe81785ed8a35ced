"""Money that goes back, and what is taken back: once, never more than is there, all or nothing."""

from __future__ import annotations

from datetime import date

import pytest
from moneyed import Money

from invoices.accounting import books
from invoices.models import Allocation, Invoice, InvoiceEvent, Payment, Refund
from invoices.payments import applying, recording, refunding, reversing
from invoices.payments.applying import PaymentRefused
from invoices.selections.as_of import unapplied_as_of, with_open_amount
from tests import crash
from tests.factories import make_client, make_company, make_invoice
from tests.race import at_once

ON = date(2026, 11, 24)
PAID = date(2026, 10, 5)


@pytest.fixture(autouse=True)
def _company(db):
    make_company()


def eur(amount):
    return Money(amount, "EUR")


def pay(client, amount, *parts, on=PAID, **more):
    return recording.record_payment(
        client_id=client.pk,
        amount=eur(amount),
        received_on=on,
        reference="",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, eur(part)) for invoice, part in parts],
        **more,
    )


def refund(client, amount, *, on=date(2026, 11, 1)):
    return refunding.refund_client(
        client_id=client.pk,
        amount=eur(amount),
        refunded_on=on,
        reference="VIR 9",
        method="transfer",
        reason="Paid twice",
        by=None,
        on=ON,
    )


def take_back(row, *, on=date(2026, 11, 10)):
    return refunding.take_back_refund(refund_id=row.pk, reason="came back", by=None, on=on)


def make_note(client, minor):
    return make_invoice(
        kind="credit_note", client=client, total_minor=minor, issue_date=PAID, due_date=PAID
    )


def test_an_overpayment_goes_back_and_is_gone_from_then_on():
    client = make_client()
    invoice = make_invoice(client=client, total_minor=100_00)
    payment = pay(client, 150, (invoice, 100))
    given = refund(client, 50)
    payment.refresh_from_db()
    assert payment.unapplied == eur(0)
    assert not Payment.objects.unapplied().exists()
    assert unapplied_as_of(date(2026, 10, 31)) == {"EUR": 50_00}
    assert unapplied_as_of(date(2026, 11, 1)) == {}
    assert str(given) == "VIR 9"
    assert books.verify() == []


def test_a_credit_note_that_nobody_used_goes_back_and_its_timeline_says_so():
    client = make_client()
    note = make_note(client, 80_00)
    refund(client, 80)
    note.refresh_from_db()
    assert (note.status, note.outstanding_minor, note.settled_on) == (
        "settled",
        0,
        date(2026, 11, 1),
    )
    # Money went out: nobody paid the note, and no habit or delay counts it.
    assert (note.paid_on, note.days_late, note.days_to_pay) == (None, None, None)
    kinds = [event.kind for event in InvoiceEvent.objects.filter(invoice=note)]
    assert kinds == [InvoiceEvent.Kind.REFUNDED]
    rows = with_open_amount(Invoice.objects.filter(pk=note.pk), date(2026, 10, 31))
    assert rows.get().open_minor == 80_00


def test_cash_goes_first_and_then_the_oldest_credit():
    client = make_client()
    payment, note = pay(client, 30), make_note(client, 50_00)
    given = refund(client, 60)
    parts = Allocation.objects.filter(refund=given).order_by("pk")
    assert [(part.payment_id, part.credit_note_id, part.amount_minor) for part in parts] == [
        (payment.pk, None, 30_00),
        (None, note.pk, 30_00),
    ]


@pytest.mark.parametrize(
    ("amount", "on", "words"),
    [
        (51, date(2026, 11, 1), r"Only €50.00 can be refunded"),
        (0, date(2026, 11, 1), "above zero"),
        (-5, date(2026, 11, 1), "above zero"),
        (10, date(2026, 10, 4), r"Only €0.00 can be refunded on"),
        (10, date(2026, 11, 25), "future"),
    ],
)
def test_never_more_than_is_there_on_that_day(amount, on, words):
    client = make_client()
    pay(client, 50)
    with pytest.raises(PaymentRefused, match=words):
        refund(client, amount, on=on)
    assert not Refund.objects.exists()


def test_a_refund_is_taken_back_once_and_both_stay_to_be_seen():
    client = make_client()
    pay(client, 50)
    given = refund(client, 50)
    mirror = take_back(given)
    assert mirror.amount_minor == -50_00
    assert unapplied_as_of(date(2026, 11, 9)) == {}
    assert unapplied_as_of(date(2026, 11, 10)) == {"EUR": 50_00}
    with pytest.raises(PaymentRefused, match="already"):
        take_back(given)
    with pytest.raises(PaymentRefused, match="itself"):
        take_back(mirror)
    assert books.verify() == []


def test_what_was_refunded_for_a_while_cannot_have_been_refunded_twice_in_it():
    client = make_client()
    pay(client, 50)
    take_back(refund(client, 50))
    with pytest.raises(PaymentRefused, match=r"Only €0.00 can be refunded on 5"):
        refund(client, 50, on=date(2026, 11, 5))
    assert refund(client, 50, on=date(2026, 11, 10)).amount_minor == 50_00


def test_money_applied_after_a_refund_that_came_back_takes_effect_when_it_was_there():
    client = make_client()
    payment = pay(client, 50)
    take_back(refund(client, 50))
    invoice = make_invoice(client=client, total_minor=50_00, issue_date=date(2026, 9, 1))
    recording.allocate_unapplied(
        payment_id=payment.pk, allocations=[(invoice.pk, eur(50))], by=None, on=ON
    )
    invoice.refresh_from_db()
    assert invoice.paid_on == date(2026, 11, 10)


def test_a_payment_is_not_reversed_under_its_refund():
    client = make_client()
    payment = pay(client, 50)
    given = refund(client, 20)
    with pytest.raises(PaymentRefused, match="refund back first"):
        reversing.reverse_payment(payment_id=payment.pk, by=None, on=ON, reason="x")
    take_back(given)
    reversing.reverse_payment(payment_id=payment.pk, by=None, on=ON, reason="x")
    assert unapplied_as_of(ON) == {}


# ─ Write-offs ───────────────────────────────────────────────────────────────────────────────────
def write_off(invoice, on=PAID, **more):
    [row] = applying.write_off(invoice_id=invoice.pk, reason="insolvent", by=None, on=on, **more)
    return row


def test_a_write_off_of_nothing_writes_nothing_off():
    invoice = make_invoice(total_minor=120_00)
    for amount in (0, -1):
        with pytest.raises(PaymentRefused, match="above zero"):
            write_off(invoice, amount=eur(amount))
    invoice.refresh_from_db()
    assert (invoice.status, invoice.written_off_minor) == ("issued", 0)


def test_a_write_off_is_taken_back_once_and_the_claim_stands_again():
    invoice = make_invoice(total_minor=120_00)
    row = write_off(invoice, amount=eur(120))
    applying.take_back_write_off(allocation_id=row.pk, reason="he pays", by=None, on=ON)
    invoice.refresh_from_db()
    assert (invoice.status, invoice.outstanding_minor, invoice.settled_on) == (
        "issued",
        120_00,
        None,
    )
    kinds = [event.kind for event in invoice.events.order_by("pk")]
    assert kinds[-2:] == ["written_off", "write_off_taken_back"]
    with pytest.raises(PaymentRefused, match="already"):
        applying.take_back_write_off(allocation_id=row.pk, reason="x", by=None, on=ON)
    assert books.verify() == []


# ─ One account ──────────────────────────────────────────────────────────────────────────────────
def test_a_merged_client_pays_for_both():
    winner = make_client(name="Groupe Nord")
    loser = make_client(name="Nord SARL", merged_into=winner)
    old = make_invoice(client=loser, total_minor=60_00, due_date=date(2026, 9, 1))
    new = make_invoice(client=winner, total_minor=50_00, due_date=date(2026, 10, 1))
    parts = recording.propose_allocations(winner, eur(100))
    assert [(invoice, part) for invoice, part in parts] == [(old, eur(60)), (new, eur(40))]
    pay(winner, 100, *[(invoice, part.amount) for invoice, part in parts])
    old.refresh_from_db()
    assert old.status == "settled"
    note = make_note(loser, 10_00)
    applying.apply_credit_note(
        credit_note_id=note.pk, invoice_id=new.pk, amount=eur(10), by=None, on=ON
    )
    new.refresh_from_db()
    assert new.status == "settled"
    pay(loser, 30)
    assert refund(winner, 30).client == winner


# ─ The same money? ──────────────────────────────────────────────────────────────────────────────
def test_money_that_looks_like_some_already_here_is_asked_about():
    client = make_client()
    first = pay(client, 50, other_than=())
    with pytest.raises(recording.LooksAlike) as question:
        pay(client, 50, on=date(2026, 10, 9), other_than=())
    assert question.value.payments == [first]
    second = pay(client, 50, on=date(2026, 10, 9), other_than=[first.pk])
    assert list(second.other_than.all()) == [first]
    assert list(first.other_than.all()) == [second]
    pay(client, 50, on=date(2026, 11, 9), other_than=())
    pay(client, 51, other_than=())
    pay(make_client(), 50, other_than=())


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_tabs_is_asked():
    make_company()
    client = make_client()
    found = at_once(*[lambda: pay(client, 50, other_than=())] * 4)
    assert sum(isinstance(one, Payment) for one in found) == 1, found
    assert sum(isinstance(one, recording.LooksAlike) for one in found) == 3, found


# ─ At once, and killed ──────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db(transaction=True)
def test_two_refunds_at_once_share_what_is_there():
    make_company()
    client = make_client()
    pay(client, 50)
    found = at_once(*[lambda: refund(client, 50)] * 4)
    assert sum(isinstance(one, Refund) for one in found) == 1, found
    given = Refund.objects.get()
    found = at_once(*[lambda: take_back(given)] * 3)
    assert sum(isinstance(one, Refund) for one in found) == 1, found
    assert books.verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_write_off_taken_back_by_two_at_once_is_taken_back_once():
    make_company()
    row = write_off(make_invoice(total_minor=120_00))
    found = at_once(
        *[lambda: applying.take_back_write_off(allocation_id=row.pk, reason="x", by=None, on=ON)]
        * 3
    )
    assert sum(isinstance(one, Allocation) for one in found) == 1, found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["refund", "refund back", "write-off back"])
def test_killed_anywhere_all_or_nothing_is_written(act):
    make_company()
    client = make_client()
    pay(client, 70)
    make_note(client, 50_00)
    row = write_off(make_invoice(client=client, total_minor=120_00))
    which = client.pk
    if act == "refund back":
        which = refund(client, 100).pk
    elif act == "write-off back":
        which = row.pk
    ends = crash.run(act, which)
    assert len(ends) > 8
    seen = [state for _n, _end, state in ends]
    # Nothing until the very end, then all of it.
    assert len(set(seen)) == 2
    assert seen == sorted(seen, key=lambda state: state == seen[-1])
    assert books.verify() == []
