"""Another form of the numbers: said before, never a number twice, never a series begun again."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from invoices.accounting import books
from invoices.company import changing_numbers, dating, first_numbers, numbering
from invoices.company.changing_numbers import EndsSeries, HasNoNextPeriod, PatternRefused
from invoices.company.words_of_changes import told
from invoices.company.words_of_decisions import told as decided
from invoices.documents.numbers import MONTH, NEVER, YEAR, Pattern
from invoices.invoicing import crediting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.models import BooksDecision, Invoice, NumberPattern, NumberSeries
from tests.factories import make_company, make_draft, make_invoice, make_issued, number_by

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
YEARLY = Pattern("F-{year}-", 4, YEAR)
MONTHLY = Pattern("F-{year}-{month}-", 4, MONTH)
ENDLESS = Pattern("FA", 6, NEVER)


def change(form, *, at_once=False, on=ON, kind="invoice", reason="The auditor asks for it"):
    given = {"at_once": at_once, "reason": reason, "by": None, "on": on}
    try:
        return changing_numbers.change_patterns({kind: form}, **given)
    except EndsSeries as asked:
        return changing_numbers.change_patterns({kind: form}, **given, agreed=asked.token)


def foreseen(form, *, at_once=False, on=ON, kind="invoice"):
    return told(changing_numbers.foresee(kind, form, at_once=at_once, on=on), on)


def issued_on(on, **draft):
    return make_issued(on=on, **draft).number


# ─ The three ways to count ──────────────────────────────────────────────────────────────────────
def test_a_series_without_end_counts_on_over_the_years():
    number_by("FA", NEVER, width=6)
    first = make_issued(on=date(2026, 12, 31))
    second = make_issued(on=date(2027, 1, 4))
    assert (first.number, second.number) == ("FA000001", "FA000002")
    assert second.previous_hash == first.content_hash
    with pytest.raises(IssueRefused, match="bears the date"):
        issuing.issue(
            invoice_id=make_draft(issue_date=date(2026, 12, 31)).pk, by=None, on=date(2027, 1, 5)
        )
    assert books.verify() == []


def test_a_year_in_a_series_without_end_is_that_of_the_document():
    number_by("F-{year}-", NEVER)
    assert issued_on(date(2026, 12, 31)) == "F-2026-0001"
    assert issued_on(date(2027, 1, 4)) == "F-2027-0002"
    assert books.verify() == []


def test_each_month_begins_at_one_and_has_its_own_chain():
    number_by("{yy}{month}-", MONTH, width=3)
    assert issued_on(date(2026, 10, 30)) == "2610-001"
    assert issued_on(date(2026, 10, 31)) == "2610-002"
    november = make_issued(on=date(2026, 11, 2))
    assert (november.number, november.previous_hash) == ("2611-001", "")
    assert books.verify() == []


def test_the_month_may_stand_in_a_number_that_counts_over_the_year():
    number_by("F-{year}-{month}-", YEAR)
    assert issued_on(date(2026, 10, 30)) == "F-2026-10-0001"
    assert issued_on(date(2026, 11, 2)) == "F-2026-11-0002"
    assert issued_on(date(2027, 1, 4)) == "F-2027-01-0001"
    assert books.verify() == []


def test_a_document_of_last_month_is_counted_in_last_month():
    number_by("{yy}{month}-", MONTH, width=3)
    issued_on(date(2026, 10, 30))
    late = make_draft(issue_date=date(2026, 10, 31))
    assert issuing.issue(invoice_id=late.pk, by=None, on=date(2026, 11, 3)).number == "2610-002"
    issued_on(date(2026, 11, 4))
    later = make_draft(issue_date=date(2026, 10, 31))
    with pytest.raises(IssueRefused, match="bears the date"):
        issuing.issue(invoice_id=later.pk, by=None, on=date(2026, 11, 5))
    dating.grant_exception(
        kind="invoice", earliest=date(2026, 10, 1), until=date(2026, 11, 5), reason="Forgotten",
        by=None, on=date(2026, 11, 5),
    )  # fmt: skip
    assert issuing.issue(invoice_id=later.pk, by=None, on=date(2026, 11, 5)).number == "2610-003"
    assert issued_on(date(2026, 11, 6)) == "2611-002"
    assert books.verify() == []


def test_the_first_document_of_a_series_without_end_opens_no_past_year():
    number_by("FA", NEVER)
    draft = make_draft(issue_date=date(2025, 12, 31))
    with pytest.raises(IssueRefused, match="a year that is over"):
        issuing.issue(invoice_id=draft.pk, by=None, on=ON)


def test_the_period_of_a_series_that_has_begun_never_changes():
    number_by("{yy}{month}-", MONTH, width=3)
    issued_on(date(2026, 10, 30))
    with pytest.raises(IntegrityError), transaction.atomic():
        NumberSeries.objects.update(period="2026-09")


# ─ Changes ──────────────────────────────────────────────────────────────────────────────────────
def test_a_year_that_has_begun_keeps_its_form_to_its_end():
    issued_on(ON)
    said = foreseen(MONTHLY)
    assert said.sentences == [
        "The next invoice is still F-2026-0002; from 1\xa0Jan 2027 on it is F-2027-01-0001."
    ]
    assert said.later[0] == (date(2027, 1, 1), "F-2027-01-0001")
    change(MONTHLY, reason="")
    assert issued_on(ON) == "F-2026-0002"
    assert issued_on(date(2026, 12, 31)) == "F-2026-0003"
    assert issued_on(date(2027, 1, 4)) == "F-2027-01-0001"
    assert books.verify() == []


def test_at_once_the_series_of_today_ends_where_it_is():
    issued_on(ON)
    said = foreseen(MONTHLY, at_once=True)
    assert said.sentences == [
        "The next invoice will be F-2026-11-0001.",
        "The series F-2026- ends at F-2026-0001.",
    ]
    change(MONTHLY, at_once=True)
    assert issued_on(ON) == "F-2026-11-0001"
    assert issued_on(date(2026, 12, 1)) == "F-2026-12-0001"
    assert books.verify() == []
    assert "A series of invoices ended: F-2026-0001 was its last." in map(
        decided, BooksDecision.objects.all()
    )


def test_at_once_asks_with_the_very_numbers_and_for_a_reason():
    issued_on(ON)
    given = {"at_once": True, "by": None, "on": ON}
    with pytest.raises(EndsSeries) as asked:
        changing_numbers.change_patterns({"invoice": MONTHLY}, reason="Audit", **given)
    agreed = asked.value.token
    with pytest.raises(first_numbers.ReasonMissing):
        changing_numbers.change_patterns({"invoice": MONTHLY}, reason=" ", agreed=agreed, **given)
    # One more was issued meanwhile: the series would end elsewhere than was agreed to.
    issued_on(ON)
    with pytest.raises(EndsSeries):
        changing_numbers.change_patterns({"invoice": MONTHLY}, reason="A", agreed=agreed, **given)
    assert not BooksDecision.objects.exists()
    assert issued_on(ON) == "F-2026-0003"


def test_a_pattern_that_comes_back_goes_on_and_does_not_begin_again():
    issued_on(ON)
    change(MONTHLY, at_once=True)
    issued_on(ON)
    said = foreseen(YEARLY, at_once=True)
    assert said.next[0] == "F-2026-0002"
    assert said.sentences[-1].startswith("The series F-2026- gave numbers before: it goes on")
    change(YEARLY, at_once=True)
    assert issued_on(ON) == "F-2026-0002"
    change(MONTHLY, at_once=True)
    assert issued_on(ON) == "F-2026-11-0002"
    assert books.verify() == []


def test_a_series_without_end_gives_way_only_when_it_is_ended():
    number_by("FA", NEVER, width=6)
    issued_on(ON)
    with pytest.raises(HasNoNextPeriod, match="no end of its own"):
        change(YEARLY)
    change(YEARLY, at_once=True)
    assert issued_on(ON) == "F-2026-0001"
    change(ENDLESS)
    # The year goes on to its end; then the series that stopped at one.
    assert issued_on(ON) == "F-2026-0002"
    assert issued_on(date(2027, 1, 4)) == "FA000002"
    assert books.verify() == []


def test_the_digits_of_a_series_without_end_stay():
    number_by("FA", NEVER, width=6)
    issued_on(ON)
    with pytest.raises(PatternRefused, match="keeps its digits"):
        change(Pattern("FA", 4, NEVER), at_once=True)


def test_a_series_of_ours_in_the_same_form_is_gone_on_above():
    number_by("F-{year}-{month}-", MONTH)
    for day in (ON, ON):
        issued_on(day)
    change(Pattern("F-{year}-{month}-", 4, YEAR), at_once=True)
    # F-2026-11-0001 and -0002 are given: the year's counter begins above them.
    assert issued_on(ON) == "F-2026-11-0003"
    assert issued_on(date(2026, 12, 1)) == "F-2026-12-0004"
    assert books.verify() == []


def test_a_year_that_becomes_endless_in_the_same_form_goes_on():
    issued_on(ON)
    change(Pattern("F-{year}-", 4, NEVER), at_once=True)
    assert issued_on(ON) == "F-2026-0002"
    assert issued_on(date(2027, 1, 4)) == "F-2027-0003"
    assert books.verify() == []


def test_what_has_not_begun_changes_without_a_question():
    make_company()
    draft = make_draft()
    changing_numbers.change_patterns({"invoice": ENDLESS}, at_once=False, reason="", by=None, on=ON)
    assert issuing.issue(invoice_id=draft.pk, by=None, on=ON).number == "FA000001"


def test_a_first_number_that_was_set_outlives_another_form():
    make_company()
    first_numbers.set_next(kind="invoice", period="2026", value=432, reason="", by=None, on=ON)
    change(Pattern("FA{year}/", 5, YEAR), reason="")
    assert issued_on(ON) == "FA2026/00432"
    assert books.verify() == []


def test_a_first_number_of_a_form_that_was_left_waits_for_it_to_come_back():
    make_company()
    first_numbers.set_next(kind="invoice", period="2026", value=432, reason="", by=None, on=ON)
    change(MONTHLY, reason="")
    assert numbering.next_number("invoice", ON) == "F-2026-11-0001"
    change(YEARLY, reason="")
    assert issued_on(ON) == "F-2026-0432"
    assert books.verify() == []


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (Pattern("A-{year}-", 4, YEAR), "same number"),
        (Pattern("F-", 4, YEAR), "begins again each year"),
        (Pattern("F {year}", 4, YEAR), "only letters"),
    ],
)
def test_a_pattern_that_is_not_lawful_changes_nothing(form, says):
    make_company()
    forms = {"invoice": form, "credit_note": changing_numbers.pattern_of("credit_note")}
    with pytest.raises(PatternRefused, match=says):
        changing_numbers.change_patterns(forms, at_once=False, reason="", by=None, on=ON)
    assert NumberPattern.of("invoice").prefix == "F-{year}-"


def test_numbers_that_credit_notes_bore_once_are_never_those_of_invoices():
    invoice = make_issued(on=ON)
    crediting.issue_credit_note(invoice_id=invoice.pk, reason="Wrong", by=None, on=ON)
    number_by("N-{year}-", kind="credit_note")
    with pytest.raises(PatternRefused, match="name other documents already"):
        change(Pattern("A-{year}-", 4, YEAR))


def test_a_pattern_waiting_for_its_period_may_be_brought_forward():
    issued_on(ON)
    change(MONTHLY, reason="")
    change(MONTHLY, at_once=True)
    assert issued_on(ON) == "F-2026-11-0001"
    assert books.verify() == []


def test_an_ended_series_gives_no_number_whoever_asks():
    issued_on(ON)
    change(MONTHLY, at_once=True)
    ended = NumberSeries.objects.filter(period="2026")
    refused = pytest.raises(IntegrityError, match="an_ended_series_gives_no_number")
    with refused, transaction.atomic():
        ended.update(next_value=9)


def test_a_series_that_ended_by_no_decision_is_found():
    issued_on(ON)
    NumberSeries.objects.update(ended_on=ON)
    assert "F-2026-: the log does not say that this series ended so." in map(str, books.verify())


# ─ Both origins ─────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("prefix", "restart", "old", "next_"),
    [
        ("FA", NEVER, ["FA000430", "FA000431"], "FA000432"),
        ("{yy}{month}-", MONTH, ["2611-0017"], "2611-0018"),
        ("F-{year}-{month}-", YEAR, ["F-2026-10-0300", "F-2026-11-0310"], "F-2026-11-0311"),
    ],
)
def test_moving_in_goes_on_above_the_old_system(prefix, restart, old, next_):
    make_company()
    number_by(prefix, restart, width=6 if restart == NEVER else 4)
    for number in old:
        make_invoice(number=number)
    highest = int(old[-1][-4:])
    draft = make_draft()
    with pytest.raises(IssueRefused, match="The old system gave numbers up to"):
        issuing.issue(invoice_id=draft.pk, by=None, on=ON)
    period = numbering.series_for("invoice", ON).period
    given = {"kind": "invoice", "period": period, "reason": "", "by": None, "on": ON}
    for value in (2, highest):
        with pytest.raises(numbering.NumberRefused, match="exists already: set"):
            first_numbers.set_next(value=value, **given)
    first_numbers.set_next(value=highest + 1, **given)
    assert issuing.issue(invoice_id=draft.pk, by=None, on=ON).number == next_
    assert books.verify() == []


def test_only_the_month_of_now_and_its_neighbours_can_be_set():
    make_company()
    number_by("{yy}{month}-", MONTH)
    assert list(first_numbers.settable("invoice", ON)) == ["2026-10", "2026-11", "2026-12"]
    with pytest.raises(numbering.NumberRefused, match="can be set"):
        first_numbers.set_next(kind="invoice", period="2026-09", value=5, reason="", by=None, on=ON)


# ─ Whatever is changed whenever ─────────────────────────────────────────────────────────────────
FORMS = [YEARLY, MONTHLY, ENDLESS, Pattern("F-{year}-{month}-", 4, YEAR),
         Pattern("F-{year}-", 4, NEVER), Pattern("{yy}{month}-", 3, MONTH)]  # fmt: skip


class Changing(RuleBasedStateMachine):
    """Issue and change the form in any order, on days that go forward."""

    def __init__(self):
        super().__init__()
        self.day = date(2026, 11, 1)
        make_company()

    @rule()
    def issue(self):
        expected = numbering.next_number("invoice", self.day)
        assert issued_on(self.day) == expected

    @rule(days=st.sampled_from([0, 3, 20, 45, 200]))
    def time_passes(self, days):
        self.day = date.fromordinal(self.day.toordinal() + days)

    @rule(form=st.sampled_from(FORMS), at_once=st.booleans())
    def change(self, form, at_once):
        try:
            foreseen_now = foreseen(form, at_once=at_once, on=self.day)
            change(form, at_once=at_once, on=self.day)
        except PatternRefused:
            return
        # What was said before is so afterwards, today and in the periods to come.
        assert numbering.next_number("invoice", self.day) == foreseen_now.next[0]
        for first, number in foreseen_now.later:
            assert numbering.next_number("invoice", first) == number

    @invariant()
    def every_number_is_given_once_and_none_is_missing(self):
        for series in NumberSeries.objects.all():
            given = series.invoices.order_by("sequence").values_list("sequence", flat=True)
            assert list(given) == list(range(series.first_value, series.next_value))
        found = list(Invoice.objects.exclude(number="").values_list("number", flat=True))
        assert len(found) == len(set(found))


class TestAnyOrderOfChanges(TestCase):
    def test_no_number_is_given_twice_and_none_left_out(self):
        class Undone(Exception):
            pass

        class Machine(Changing):
            def __init__(self):
                self.point = transaction.atomic()
                self.point.__enter__()
                super().__init__()

            def teardown(self):
                assert books.verify() == []
                self.point.__exit__(Undone, Undone(), None)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=12,
                stateful_step_count=12,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
