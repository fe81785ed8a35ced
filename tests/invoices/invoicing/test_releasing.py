"""The release of a retention is moved: the document stays, what is due follows."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing_portal.money import from_minor
from invoices.accounting import books
from invoices.documents.paper import Paper
from invoices.invoicing import issuing
from invoices.invoicing.correcting import draft_correction
from invoices.invoicing.releasing import ReleaseRefused, move_release
from invoices.models import Instalment, Invoice, InvoiceEvent, database_rules
from invoices.models.dues import by_instalment, overdue_minor
from invoices.payments.recording import record_payment
from tests.confirm import confirm
from tests.factories import make_draft, make_unprinted
from tests.invoices.invoicing.test_adjustments import DAY, saved
from tests.race import at_once

pytestmark = pytest.mark.django_db
D = Decimal
SAID, LATER = date(2027, 11, 24), date(2028, 3, 1)
HELD = {"retention_percent": D(5), "retention_on": SAID}


@pytest.fixture
def invoice(db):
    return issuing.issue(invoice_id=saved(**HELD).pk, **DAY)


def moved(invoice, to=LATER, reason="Reserves not lifted", **more):
    return move_release(invoice_id=invoice.pk, to=to, reason=reason, **{**DAY, **more})


def held(invoice):
    return Instalment.objects.get(invoice=invoice, is_retention=True)


def pay(invoice, minor, on=DAY["on"]):
    amount = from_minor(minor, "EUR")
    record_payment(
        client_id=invoice.client_id,
        amount=amount,
        received_on=on,
        reference=f"R-{minor}-{on}",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, amount)],
    )


def test_the_day_that_counts_moves_and_the_document_goes_on_saying_its_own(invoice):
    said = Invoice.objects.values_list("seal", "content_hash", "paper", "due_date").get()
    event = moved(invoice)
    part = held(invoice)
    assert (part.due_date, part.said_due) == (LATER, SAID)
    assert Invoice.objects.values_list("seal", "content_hash", "paper", "due_date").get() == said
    assert Paper.from_json(said[2]).retention.due_date == SAID
    assert (event.data["from"], event.data["to"]) == (SAID.isoformat(), LATER.isoformat())
    assert event.data["reason"] == "Reserves not lifted"
    assert books.verify(deep=True) == []


def test_what_is_due_and_late_follows(invoice):
    rest = invoice.total_minor - held(invoice).amount_minor
    pay(invoice, rest)
    moved(invoice)
    invoice.refresh_from_db()
    assert invoice.next_due == LATER
    day = SAID + timedelta(days=30)
    assert not invoice.is_overdue(day)
    assert overdue_minor(invoice, day) == 0
    rows, columns = by_instalment(Invoice.objects.outstanding())
    assert [getattr(row, columns.due) for row in rows.order_by(columns.key)][-1] == LATER
    # Paid on the very day, it is not late, neither the part nor the whole.
    pay(invoice, held(invoice).amount_minor, LATER)
    invoice.refresh_from_db()
    assert (held(invoice).days_late, invoice.days_late) == (0, 0)
    assert books.verify() == []


def test_earlier_and_again_it_moves_too(invoice):
    moved(invoice)
    moved(invoice, date(2027, 5, 1), "Accepted early")
    moved(invoice, SAID, "Back to what was agreed")
    assert held(invoice).due_date == SAID
    assert InvoiceEvent.objects.filter(kind="release_moved").count() == 3
    assert books.verify() == []


@pytest.mark.parametrize(
    ("to", "reason", "why"),
    [
        (SAID, "x", "already"),
        (LATER, "  ", "Say why"),
        (DAY["on"], "x", "has to be after"),
        (date(2099, 1, 1) + timedelta(days=3660), "x", "out of range"),
    ],
)
def test_what_is_wrong_is_said_and_the_day_stays(invoice, to, reason, why):
    with pytest.raises(ReleaseRefused, match=why):
        moved(invoice, to, reason)
    assert held(invoice).due_date == SAID
    assert not InvoiceEvent.objects.filter(kind="release_moved").exists()


def test_without_a_retention_or_once_it_is_settled_there_is_nothing_to_move(invoice):
    pay(invoice, invoice.total_minor)
    with pytest.raises(ReleaseRefused, match="No retention"):
        moved(invoice)
    for other in (make_draft(), make_unprinted(saved())):
        with pytest.raises(ReleaseRefused, match="No retention"):
            moved(other)


def test_the_database_moves_no_other_instalment_and_no_day_that_was_said(invoice):
    for rows, change in (
        (Instalment.objects.filter(is_retention=False), {"due_date": LATER}),
        (Instalment.objects.filter(is_retention=True), {"said_due": LATER}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)


def test_a_day_that_no_event_moved_is_named(invoice):
    moved(invoice)
    Instalment.objects.filter(is_retention=True).update(due_date=LATER + timedelta(days=1))
    assert any("its history says" in str(each) for each in books.verify())
    Instalment.objects.filter(is_retention=True).update(due_date=LATER)
    assert books.verify() == []
    database_rules.remove(connection)
    InvoiceEvent.objects.filter(kind="release_moved").delete()
    database_rules.install(connection)
    assert any("its history says" in str(each) for each in books.verify())


def test_a_correction_begins_with_the_day_that_counts(invoice):
    moved(invoice)
    draft = draft_correction(invoice_id=invoice.pk, move_payments=False, **DAY)
    assert draft.retention_on == LATER


@pytest.mark.django_db(transaction=True)
def test_two_at_once_move_it_one_after_the_other():
    invoice = make_unprinted(saved(**HELD))
    Instalment.objects.bulk_create(_parts(invoice))
    at_once(lambda: moved(invoice, date(2028, 1, 1), "a"), lambda: moved(invoice, LATER, "b"))
    first, second = InvoiceEvent.objects.filter(kind="release_moved").order_by("pk")
    assert second.data["from"] == first.data["to"]
    assert held(invoice).due_date.isoformat() == second.data["to"]


def _parts(invoice):
    database_rules.remove(connection)
    from invoices.invoicing import dues

    Instalment.objects.filter(invoice=invoice).delete()
    found = dues.made(invoice)
    database_rules.install(connection)
    return found[:0]


# ─ The page ─────────────────────────────────────────────────────────────────────────────────────
def test_the_page_moves_it_once_it_was_seen_and_the_history_says_why(clerk_client, invoice):
    url = reverse("invoices:release", args=[invoice.pk])
    assert url in clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    answer = confirm(clerk_client, url, {"to": "1/3/2028", "reason": ""})
    assert (answer.status_code, "Say why" in answer.text) == (422, True)
    answer = confirm(clerk_client, url, {"to": "hello", "reason": "x"})
    assert answer.status_code == 422
    given = {"to": "1/3/2028", "to-really": "2028-03-01", "reason": "Reserves not lifted"}
    answer = confirm(clerk_client, url, given, follow=True)
    assert held(invoice).due_date == LATER, answer.text
    page = clerk_client.get(reverse("invoices:detail", args=[invoice.pk])).text
    assert "Reserves not lifted" in page
    assert "moved from" in page


class AnyRetention(TestCase):
    @settings(max_examples=25, deadline=None)
    @given(
        days=st.lists(st.dates(date(2027, 2, 1), date(2030, 1, 1)), min_size=1, max_size=4),
        percent=st.decimals("0.5", "5", places=2),
    )
    def test_however_often_it_moves_the_last_day_counts_and_the_books_hold(self, days, percent):
        draft = saved(retention_percent=percent, retention_on=SAID)
        invoice = issuing.issue(invoice_id=draft.pk, **DAY)
        before = SAID
        for day in days:
            if day == before:
                with pytest.raises(ReleaseRefused):
                    moved(invoice, day)
            else:
                moved(invoice, day)
            before = day
        assert held(invoice).due_date == before
        assert [each for each in books.verify() if str(invoice) in str(each)] == []
