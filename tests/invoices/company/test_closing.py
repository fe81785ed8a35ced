"""The closed day of the books: it moves forward freely, back only with a reason that stays."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from invoices.company import closing
from invoices.company.closing import ClosingRefused, PeriodClosed, refuse_closed
from invoices.invoicing import crediting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.models import BooksDecision, Company
from tests.factories import make_company, make_draft, make_issued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def close(until, *, seen=None, reason="", on=ON):
    return closing.close_books(until=until, seen=seen, reason=reason, by=None, on=on)


def test_nothing_is_dated_on_the_closed_day_or_before_it():
    make_company()
    refuse_closed(date(2026, 10, 31))
    close(date(2026, 10, 31))
    for day in (date(2026, 10, 31), date(2020, 1, 1)):
        with pytest.raises(PeriodClosed, match="closed until 31\xa0Oct 2026"):
            refuse_closed(day)
    refuse_closed(date(2026, 11, 1))


def test_an_invoice_is_not_dated_in_a_closed_period():
    draft = make_draft(issue_date=date(2026, 10, 31))
    close(date(2026, 10, 31))
    with pytest.raises(IssueRefused, match="closed until") as refusal:
        issuing.issue(invoice_id=draft.pk, by=None, on=ON)
    assert [r.field for r in refusal.value.reasons] == ["issue_date"]
    draft.refresh_from_db()
    assert draft.is_draft


def test_a_credit_note_is_not_dated_in_a_closed_period():
    invoice = make_issued(on=date(2026, 10, 12))
    close(date(2026, 10, 31))
    with pytest.raises(IssueRefused, match="closed until"):
        crediting.issue_credit_note(
            invoice_id=invoice.pk, reason="Wrong", by=None, on=date(2026, 10, 31)
        )


def test_back_only_with_a_reason_and_the_log_keeps_both_days():
    make_company()
    close(date(2026, 10, 31))
    with pytest.raises(ClosingRefused, match="Say why"):
        close(date(2026, 9, 30), seen=date(2026, 10, 31))
    with pytest.raises(ClosingRefused, match="Say why"):
        close(None, seen=date(2026, 10, 31), reason="  ")
    close(date(2026, 9, 30), seen=date(2026, 10, 31), reason="The auditor asked")
    assert Company.objects.get().closed_until == date(2026, 9, 30)
    assert list(
        BooksDecision.objects.order_by("pk").values_list(
            "kind", "closed_until", "closed_until_before", "reason"
        )
    ) == [
        ("closed", date(2026, 10, 31), None, ""),
        ("reopened", date(2026, 9, 30), date(2026, 10, 31), "The auditor asked"),
    ]


@pytest.mark.parametrize(
    ("until", "says"),
    [(ON, "a day that is over"), (date(2026, 12, 31), "a day that is over"), (None, "already")],
)
def test_what_cannot_be_closed(until, says):
    make_company()
    with pytest.raises(ClosingRefused, match=says):
        close(until)


def test_a_day_moved_meanwhile_is_shown_first():
    make_company()
    close(date(2026, 10, 31))
    with pytest.raises(ClosingRefused, match="meanwhile"):
        close(date(2026, 11, 15))


def test_the_log_of_decisions_is_append_only():
    make_company()
    row = close(date(2026, 10, 31))
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        BooksDecision.objects.filter(pk=row.pk).update(reason="Another")
    with pytest.raises(IntegrityError, match="append_only"), transaction.atomic():
        row.delete()
