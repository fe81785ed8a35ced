"""The closed day of the books: it moves forward freely, back only with a reason that stays."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from moneyed import Money

from invoices.accounting import books
from invoices.company import closing
from invoices.company.closing import ClosingRefused, PeriodClosed, refuse_closed
from invoices.invoicing import crediting, issuing
from invoices.invoicing.freezing import IssueRefused
from invoices.models import BooksDecision, Company, database_rules
from invoices.payments import applying, recording, refunding, reversing
from invoices.payments.applying import PaymentRefused
from tests.factories import make_company, make_draft, make_invoice, make_issued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def eur(amount):
    return Money(amount, "EUR")


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


def in_october(act):
    """Refused on the last day of the closed period, carried out on the first one after it."""
    with pytest.raises(PaymentRefused, match="closed until 31\xa0Oct 2026"):
        act(date(2026, 10, 31))
    return act(date(2026, 11, 1))


def test_no_money_is_dated_in_a_closed_period():
    make_company()
    invoice = make_invoice(total_minor=120_00, issue_date=date(2026, 9, 1))
    close(date(2026, 10, 31))
    paid = in_october(
        lambda day: recording.record_payment(
            client_id=invoice.client_id, amount=eur(200), received_on=day, reference="",
            method="transfer", by=None, allocations=[(invoice.pk, eur(20))], on=ON,
        )
    )  # fmt: skip
    [given] = in_october(
        lambda day: applying.write_off(
            invoice_id=invoice.pk, amount=eur(30), reason="Lost", by=None, on=day
        )
    )
    refund = in_october(
        lambda day: refunding.refund_client(
            client_id=invoice.client_id, amount=eur(50), refunded_on=day, reference="",
            method="transfer", reason="Paid twice", by=None, on=ON,
        )
    )  # fmt: skip
    # What answers them has a day of its own; a month later that one is closed too.
    close(date(2026, 11, 15), seen=date(2026, 10, 31))
    for take_back in (
        lambda day: applying.take_back_write_off(
            allocation_id=given.pk, reason="He pays", by=None, on=day
        ),
        lambda day: refunding.take_back_refund(
            refund_id=refund.pk, reason="It came back", by=None, on=day
        ),
        lambda day: reversing.reverse_payment(
            payment_id=paid.pk, reason="Bounced", by=None, on=day
        ),
    ):
        with pytest.raises(PaymentRefused, match="closed until 15\xa0Nov 2026"):
            take_back(date(2026, 11, 15))
        take_back(date(2026, 11, 16))
    assert books.verify() == []


def test_what_was_dated_in_the_closed_period_after_all_is_named():
    """In the moment in which it was closed, or past the rules of the portal."""
    make_company()
    invoice = make_invoice(total_minor=120_00, issue_date=date(2026, 9, 1))
    paid = recording.record_payment(
        client_id=invoice.client_id, amount=eur(50), received_on=date(2026, 10, 5), reference="",
        method="transfer", by=None, allocations=[], on=ON,
    )  # fmt: skip
    applying.write_off(
        invoice_id=invoice.pk, amount=eur(30), reason="Lost", by=None, on=date(2026, 10, 6)
    )
    refund = refunding.refund_client(
        client_id=invoice.client_id, amount=eur(50), refunded_on=date(2026, 10, 7), reference="",
        method="transfer", reason="Paid twice", by=None, on=ON,
    )  # fmt: skip
    assert books.verify() == []
    decision = close(date(2026, 10, 31))
    database_rules.remove(connection)
    BooksDecision.objects.filter(pk=decision.pk).update(at=timezone.now() - timedelta(hours=1))
    database_rules.install(connection)
    found = {one.where for one in books.verify() if "closed period" in one.text}
    assert found == {f"payment {paid.pk}", f"write-off of {invoice}", f"refund {refund.pk}"}


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
    [
        (ON, "a day that is over"),
        (date(2026, 12, 31), "a day that is over"),
        (None, "Nothing is closed"),
    ],
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


def test_closing_nothing_where_nothing_is_closed_is_told_as_that():
    make_company()
    with pytest.raises(ClosingRefused, match="Nothing is closed yet"):
        close(None)
    with pytest.raises(ClosingRefused, match="nothing is closed now"):
        close(date(2026, 10, 31), seen=date(2026, 9, 30))
