"""Numbers: continuous, chronological, one series for each kind and year, month, or without end."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from invoices.accounting import books
from invoices.company import first_numbers, numbering
from invoices.invoicing import crediting, drafting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.models import Invoice, NumberSeries
from tests.factories import make_company, make_draft, make_invoice, make_issued, number_by

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def test_each_year_begins_at_one():
    old = make_issued(on=date(2026, 12, 31))
    new = make_issued(on=date(2027, 1, 1))
    assert (old.number, new.number) == ("F-2026-0001", "F-2027-0001")
    assert books.verify() == []


def test_a_prefix_may_change_between_years():
    make_issued(on=date(2026, 12, 31))
    draft = make_draft()
    number_by("INV/{year}/", width=6)
    issued = issuing.issue(invoice_id=draft.pk, by=None, on=date(2027, 1, 4))
    assert issued.number == "INV/2027/000001"


@pytest.mark.parametrize("prefix", ["F {year}-", "Facture-n°{year}-"])
def test_a_prefix_that_no_platform_takes_is_refused(prefix):
    draft = make_draft()
    number_by(prefix)
    with pytest.raises(IssueRefused, match="not fit for an e-invoice") as refusal:
        issuing.issue(invoice_id=draft.pk, by=None, on=date(2026, 11, 24))
    assert refusal.value.reasons[0].anchor == "numbers"
    assert not NumberSeries.objects.exists()


def test_two_series_never_share_a_prefix():
    make_issued(on=date(2026, 12, 31))
    draft = make_draft()
    number_by("F-2026-", "never")
    with pytest.raises(IssueRefused, match="another series"):
        issuing.issue(invoice_id=draft.pk, by=None, on=date(2027, 1, 4))
    assert not Invoice.objects.filter(issue_date__year=2027).exists()


def test_the_number_foretold_is_the_number_given():
    make_company()
    assert numbering.next_number("invoice", ON) == "F-2026-0001"
    issued = make_issued()
    assert issued.number == "F-2026-0001"
    assert numbering.next_number("invoice", ON) == "F-2026-0002"


# ─ One name space over both origins; the first number of our own ────────────────────────────────


def set_next(value, **more):
    given = {"kind": "invoice", "period": "2026", "reason": "Moved in", "by": None, "on": ON}
    given |= {"value": value, **more}
    try:
        return first_numbers.set_next(**given)
    except first_numbers.LeavesOut as asked:
        return first_numbers.set_next(**given, agreed=asked.token)


def test_a_number_of_the_old_system_is_never_given_again():
    make_company()
    make_invoice(number="F-2026-0001")
    draft = make_draft()
    with pytest.raises(IssueRefused, match="F-2026-0001 exists already") as refusal:
        issuing.issue(invoice_id=draft.pk, by=None, on=ON)
    assert refusal.value.reasons[0].anchor == "books"
    draft.refresh_from_db()
    assert draft.is_draft and not NumberSeries.objects.filter(next_value__gt=1).exists()


def test_the_database_names_one_document_by_a_number():
    make_invoice(number="F-2026-0009")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_invoice(number="F-2026-0009", kind="credit_note")


def test_moving_in_goes_on_after_the_last_number_of_the_old_system():
    make_company()
    for n in (1, 430, 431):
        make_invoice(number=f"F-2026-{n:04d}")
    make_invoice(number="F-2026-9999-B")
    assert first_numbers.after_the_old_system(numbering.series_for("invoice", ON)) == 432
    row = set_next(432)
    assert (row.next_value_before, row.next_value) == (1, 432)
    assert make_issued().number == "F-2026-0432"
    assert make_issued().number == "F-2026-0433"
    assert books.verify() == []


@pytest.mark.parametrize(
    ("value", "more", "says"),
    [
        (0, {}, "between 1 and"),
        (10**9, {}, "between 1 and 999,999,999"),
        (2, {}, "comes next already"),
        (1, {}, "only goes on upwards"),
        (7, {}, "exists already"),
        (5, {"period": "2019"}, "can be set"),
        (5, {"kind": "claim"}, "Choose"),
    ],
)
def test_a_next_number_that_makes_no_sense_is_refused(value, more, says):
    make_issued()
    make_invoice(number="F-2026-0007")
    with pytest.raises(numbering.NumberRefused, match=says):
        set_next(value, **more)
    assert NumberSeries.objects.get(kind="invoice").next_value == 2


def test_numbers_left_out_on_purpose_are_explained_and_others_are_not():
    make_issued()
    set_next(10)
    make_issued()
    assert books.verify() == []
    NumberSeries.objects.update(next_value=13)
    assert {str(one) for one in books.verify()} >= {"F-2026-0011: this number is missing."}


def test_nobody_leaves_numbers_out_unasked_or_without_a_reason():
    make_issued()
    given = {"kind": "invoice", "period": "2026", "value": 10, "by": None, "on": ON}
    with pytest.raises(first_numbers.LeavesOut, match="left out") as asked:
        first_numbers.set_next(**given, reason="A mistake")
    assert "8 numbers, F-2026-0002 to F-2026-0009, will never" in asked.value.question
    with pytest.raises(first_numbers.ReasonMissing):
        first_numbers.set_next(**given, reason=" ", agreed=asked.value.token)
    # One more was given meanwhile: the numbers agreed to are others now.
    make_issued()
    with pytest.raises(first_numbers.LeavesOut):
        first_numbers.set_next(**given, reason="A mistake", agreed=asked.value.token)
    assert NumberSeries.objects.get().next_value == 3


def test_an_unused_series_may_be_set_back():
    make_company()
    set_next(500)
    set_next(2)
    assert make_issued().number == "F-2026-0002"
    assert books.verify() == []


class Interleaving(RuleBasedStateMachine):
    """Draft, issue, discard, credit and fail in any order: the series has no gap."""

    def __init__(self):
        super().__init__()
        self.day = date(2026, 11, 1)

    def drafts(self):
        return list(Invoice.objects.drafts().order_by("pk"))

    @rule(sound=st.booleans())
    def draft(self, sound):
        make_draft(lines=((1, 10),) if sound else ())

    @precondition(lambda self: self.drafts())
    @rule(place=st.integers(0, 5), send=st.booleans())
    def issue(self, place, send):
        found = self.drafts()
        draft = found[place % len(found)]
        try:
            issuing.issue(invoice_id=draft.pk, by=None, on=self.day, send=send)
        except IssueRefused:
            assert not draft.lines.exists()

    @precondition(lambda self: self.drafts())
    @rule()
    def discard(self):
        drafting.void_draft(invoice_id=self.drafts()[0].pk, by=None, on=self.day)

    @rule(days=st.integers(1, 40))
    def time_passes(self, days):
        self.day = date.fromordinal(self.day.toordinal() + days)

    @precondition(lambda self: Invoice.objects.outstanding().exists())
    @rule()
    def credit(self):
        invoice = Invoice.objects.outstanding().first()
        crediting.issue_credit_note(
            invoice_id=invoice.pk, lines=None, reason="x", by=None, on=self.day
        )

    @invariant()
    def numbers_are_one_to_n(self):
        for series in NumberSeries.objects.all():
            given = series.invoices.order_by("sequence").values_list("sequence", flat=True)
            assert list(given) == list(range(1, series.next_value))
            days = series.invoices.order_by("sequence").values_list("issue_date", flat=True)
            assert list(days) == sorted(days)


class TestAnyInterleaving(TestCase):
    def test_no_series_has_a_gap(self):
        from django.db import transaction
        from hypothesis.stateful import run_state_machine_as_test

        class Undone(Exception):
            pass

        class Machine(Interleaving):
            def __init__(self):
                super().__init__()
                self.point = transaction.atomic()
                self.point.__enter__()

            def teardown(self):
                assert books.verify() == []
                self.point.__exit__(Undone, Undone(), None)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=6,
                stateful_step_count=8,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
