"""Dates go forward over the books; what blocks can be lived with by a limited, logged exception."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from invoices.accounting import books
from invoices.company import closing, dating
from invoices.company.dating import ExceptionRefused
from invoices.invoicing import crediting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.readiness import warnings_before_issue
from invoices.models import BooksDecision, Invoice, NumberSeries
from tests.factories import make_company, make_draft, make_issued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 25)


def issue(draft, on=ON):
    return issuing.issue(invoice_id=draft.pk, by=None, on=on)


def grant(earliest, *, until=ON, kind="invoice", reason="The clock was ahead", on=ON):
    return dating.grant_exception(
        kind=kind, earliest=earliest, until=until, reason=reason, by=None, on=on
    )


@pytest.mark.parametrize("day", [date(2019, 3, 1), date(2000, 1, 2), date(2025, 12, 31)])
def test_a_past_year_is_not_opened_by_a_date(day):
    make_issued(on=date(2026, 11, 20))
    draft = make_draft(issue_date=day)
    with pytest.raises(IssueRefused) as refusal:
        issue(draft)
    assert "issue_date" in {reason.field for reason in refusal.value.reasons}
    assert not NumberSeries.objects.filter(period=str(day.year)).exists()


def test_the_first_invoice_of_all_does_not_open_a_past_year_either():
    with pytest.raises(IssueRefused, match="open the numbers of a year that is over"):
        issue(make_draft(issue_date=date(2025, 12, 31)))
    assert not Invoice.objects.issued().exists()


def test_dates_go_forward_over_all_series_of_a_kind():
    make_issued(on=date(2026, 12, 30))
    make_issued(on=date(2027, 1, 4))
    with pytest.raises(IssueRefused, match="bears the date"):
        issue(make_draft(issue_date=date(2026, 12, 31)), on=date(2027, 1, 5))


def test_in_january_the_year_that_is_over_goes_on_until_the_new_one_has_begun():
    make_issued(on=date(2026, 12, 30))
    late = issue(make_draft(issue_date=date(2026, 12, 31)), on=date(2027, 1, 3))
    assert late.number == "F-2026-0002"
    assert late.date_exception is None
    assert books.verify() == []


def test_a_clock_once_ahead_is_lived_with():
    make_issued(on=date(2026, 12, 31))
    with pytest.raises(IssueRefused, match="administrator can grant"):
        issue(make_draft())
    granted = grant(ON)
    invoice = issue(make_draft())
    assert (invoice.number, invoice.issue_date) == ("F-2026-0002", ON)
    assert invoice.date_exception == granted
    assert books.verify() == []
    # It is limited, and the series has not gone back.
    with pytest.raises(IssueRefused, match="bears the date 31\xa0Dec 2026"):
        issue(make_draft(), on=ON + timedelta(days=1))


def test_an_exception_is_for_its_kind_only():
    invoice = make_issued(on=ON)
    ahead = make_issued(on=ON)
    crediting.issue_credit_note(invoice_id=ahead.pk, reason="Wrong", by=None, on=date(2026, 12, 31))
    grant(date(2026, 11, 1))
    with pytest.raises(IssueRefused, match="bears the date"):
        crediting.issue_credit_note(invoice_id=invoice.pk, reason="Wrong", by=None, on=ON)
    grant(date(2026, 11, 1), kind="credit_note")
    note = crediting.issue_credit_note(invoice_id=invoice.pk, reason="Wrong", by=None, on=ON)
    assert note.date_exception is not None
    assert books.verify() == []


def test_a_forgotten_document_of_last_year_opens_its_series_by_exception():
    make_issued(on=date(2026, 11, 20))
    grant(date(2025, 12, 1))
    invoice = issue(make_draft(issue_date=date(2025, 12, 31)))
    assert invoice.number == "F-2025-0001"
    with pytest.raises(IssueRefused, match="bears the date"):
        issue(make_draft(issue_date=date(2025, 11, 30)))


def test_a_closed_period_stays_closed_under_an_exception():
    make_company()
    closing.close_books(until=date(2026, 10, 31), seen=None, reason="", by=None, on=ON)
    with pytest.raises(ExceptionRefused, match="closed until"):
        grant(date(2026, 10, 31))
    grant(date(2026, 11, 1))
    with pytest.raises(IssueRefused, match="closed until"):
        issue(make_draft(issue_date=date(2026, 10, 31)))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"reason": " "}, "Say why"),
        ({"reason": "x" * 301}, "At most 300"),
        ({"until": ON + timedelta(days=32)}, "31 days at most"),
        ({"until": ON - timedelta(days=1)}, "holds from today"),
        ({"earliest": ON + timedelta(days=1)}, "in the future"),
        ({"kind": "quote"}, "Choose"),
    ],
)
def test_an_exception_that_makes_no_sense_is_refused(given, says):
    make_company()
    with pytest.raises(ExceptionRefused, match=says):
        grant(**{"earliest": ON, **given})
    assert not BooksDecision.objects.exists()


def test_a_date_some_days_back_is_asked_about():
    make_company()
    far = make_draft(issue_date=ON - timedelta(days=200))
    assert "200 days back" in " ".join(r.text for r in warnings_before_issue(far, ON))
    near = make_draft(issue_date=ON - timedelta(days=1))
    assert "issue_date" not in [r.field for r in warnings_before_issue(near, ON)]
