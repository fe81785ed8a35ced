"""Whatever a desk does in whatever order, its journal balances and adds up to the portal."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from invoices.accounting import books
from invoices.accounting.journal.entries import Worth
from invoices.company.rates import Rates
from invoices.models import Invoice, JournalSetup, Payment, Refund, VatBreakdown
from tests.invoices.accounting.bookkeeping import ACTS, ALWAYS, FIRST, Desk, balances, journal

pytestmark = pytest.mark.django_db


class Undo(Exception):
    pass


_acts = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 5), st.integers(0, 11), st.integers(0, 9)),
    min_size=4,
    max_size=24,
)


# Money that lay on an account of its own went back: both lines bear the letter of the refund.
@example(
    acts=[("bill", 0, 0, 0), ("bill", 0, 0, 0), ("pay", 3, 10, 0), ("refund", 3, 0, 0)],
    on_debits=False,
    advances=True,
)
@given(acts=_acts, on_debits=st.booleans(), advances=st.booleans())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_journal_adds_up(db, acts, on_debits, advances):
    try:
        with transaction.atomic():
            desk = Desk(vat_on_debits=on_debits)
            JournalSetup.objects.create(pk=1, cash_on_advances=advances)
            for n, act in enumerate(acts):
                desk.act(*(("bill", *act[1:]) if n < 2 else act))
            found, making = journal()
            assert making.problems.left_out == 0
            assert [str(broken) for broken in books.verify()] == []
            _is_balanced(found)
            _is_the_receivable(found)
            _is_the_vat(found)
            _is_the_bank(found)
            _letters_settle_each_other(found)
            _is_the_same_again_and_in_parts(found)
            raise Undo
    except Undo:
        pass


def _is_balanced(found):
    assert len({entry.number for entry in found}) == len(found)
    for entry in found:
        assert entry.postings
        assert entry.debit == entry.credit, entry
        for posting in entry.postings:
            assert min(posting.debit, posting.credit) == 0
            assert posting.debit >= 0
            assert posting.credit >= 0
    days = [entry.day for entry in found]
    assert days == sorted(days)


def _is_the_receivable(found):
    """Per client: what is outstanding, less unapplied cash and credit, at the rates it came at."""
    rates = Rates("EUR")
    owed = Counter()
    for invoice in Invoice.objects.issued():
        worth = Worth(invoice.currency, Decimal(invoice.exchange_rate), "EUR")
        sign = -1 if invoice.is_credit_note else 1
        owed[invoice.client.ledger_account] += sign * worth.of(invoice.outstanding_minor)
    for payment in Payment.objects.unapplied():
        worth = Worth(payment.currency, rates.on(payment.currency, payment.received_on), "EUR")
        left = payment.amount_minor - payment.allocated_minor
        owed[payment.client.ledger_account] -= worth.of(left)
    told = balances(found, lambda posting: posting.auxiliary and posting.auxiliary.code)
    told.pop(None, None)
    assert {k: v for k, v in told.items() if v} == {k: v for k, v in owed.items() if v}


def _is_the_vat(found):
    """By rate; what waited and what became due come to the VAT of all documents."""
    wanted, told = Counter(), Counter()
    for row in VatBreakdown.objects.filter(invoice__status__in=["issued", "settled"]):
        if row.invoice.currency == "EUR":
            wanted[row.rate] += (-1 if row.invoice.is_credit_note else 1) * row.vat_minor
    foreign = 0
    for invoice in Invoice.objects.issued().exclude(currency="EUR"):
        worth = Worth(invoice.currency, Decimal(invoice.exchange_rate), "EUR")
        foreign += (-1 if invoice.is_credit_note else 1) * worth.of(invoice.vat_minor)
    ours = {f"V{pk}" for pk in Invoice.objects.filter(currency="EUR").values_list("pk", flat=True)}
    told_foreign = 0
    for entry in found:
        for posting in entry.postings:
            if entry.journal == "sales" and posting.account.number.startswith("445"):
                minor = posting.credit - posting.debit
                if entry.number in ours:
                    told[posting.rate] += minor
                else:
                    told_foreign += minor
    assert {k: v for k, v in told.items() if v} == {k: v for k, v in wanted.items() if v}
    assert told_foreign == foreign
    waiting = balances(found).get("445740", 0)
    if not Invoice.objects.issued().filter(status="issued").exists():
        assert waiting == 0


def _is_the_bank(found):
    rates = Rates("EUR")

    def worth(row, minor, day):
        return Worth(row.currency, rates.on(row.currency, day), "EUR").of(minor)

    arrived = 0
    for row in Payment.objects.all():
        day = row.reverses.received_on if row.reverses else row.received_on
        arrived += worth(row, row.amount_minor - row.charges_minor, day)
    for row in Refund.objects.all():
        day = row.reverses.refunded_on if row.reverses else row.refunded_on
        arrived -= worth(row, row.amount_minor, day)
    assert balances(found).get("512000", 0) == arrived


def _letters_settle_each_other(found):
    sums = Counter()
    settled = set()
    for entry in found:
        for posting in entry.postings:
            if posting.letter:
                assert posting.lettered_on is not None
                sums[posting.letter, posting.account.number, posting.auxiliary] += (
                    posting.debit - posting.credit
                )
                settled.add(posting.letter)
    assert not {letter for letter, left in sums.items() if left}
    wanted = Invoice.objects.invoices().filter(status="settled", total_minor__gt=0)
    assert {f"F{pk}" for pk in wanted.values_list("pk", flat=True)} <= settled


def _is_the_same_again_and_in_parts(found):
    assert journal()[0] == found
    last = FIRST + timedelta(days=30)
    early = journal(replace(ALWAYS, ends_on=last))[0]
    late = journal(replace(ALWAYS, starts_on=last + timedelta(days=1)))[0]
    assert Counter(e.number for e in early + late) == Counter(e.number for e in found)
    whole = {entry.number: entry.debit for entry in found}
    assert all(whole[entry.number] == entry.debit for entry in early + late)
    assert balances(early + late) == balances(found)
