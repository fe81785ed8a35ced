"""Invoices in instalments: in by a column, paid oldest first or by name, out and in again."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from invoices.accounting import books
from invoices.models import Instalment, Invoice, PastSettlement
from tests.factories import make_company, make_invoice_in_instalments
from tests.invoices.history.files import (
    CLIENT,
    CREDIT,
    INVOICE,
    PAYMENT,
    as_csv,
    bring,
    changed,
    only_complaint,
    plan_of,
)

pytestmark = pytest.mark.django_db

PARTS = changed(
    INVOICE,
    due_on="2026-04-09",
    instalments="2026-02-09 40.00; 2026-03-09 50.00; 2026-04-09 30.00 retention",
)


def open_parts():
    rows = Instalment.objects.order_by("position")
    return [(p.due_date.isoformat(), p.amount_minor, p.outstanding_minor) for p in rows]


def test_an_invoice_comes_in_with_its_instalments_and_the_books_hold():
    make_company()
    bring([CLIENT], [PARTS])
    assert open_parts() == [
        ("2026-02-09", 4000, 4000),
        ("2026-03-09", 5000, 5000),
        ("2026-04-09", 3000, 3000),
    ]
    invoice = Invoice.objects.get()
    assert (invoice.due_date, invoice.next_due) == (date(2026, 4, 9), date(2026, 2, 9))
    assert list(Instalment.objects.values_list("is_retention", flat=True)) == [False, False, True]
    assert [str(broken) for broken in books.verify()] == []
    # As of one that was issued here, nothing of them changes any more.
    with pytest.raises(DatabaseError), transaction.atomic():
        Instalment.objects.update(amount_minor=1)


@pytest.mark.parametrize(("named", "left"), [("", [0, 2000, 3000]), ("2", [2000, 0, 3000])])
def test_a_payment_settles_the_oldest_open_instalment_or_the_one_that_it_names(named, left):
    make_company()
    paid = changed(PAYMENT, amount="70.00", instalment=named)
    bring([CLIENT], [PARTS], [paid])
    assert [part[2] for part in open_parts()] == left
    assert bring([CLIENT], [PARTS], [paid]).writes == 0
    assert [str(broken) for broken in books.verify()] == []


def test_a_payment_of_an_invoice_in_instalments_that_is_here_settles_them_too():
    make_company()
    parts = make_invoice_in_instalments(
        [(date(2026, 2, 1), 60_00), (date(2026, 3, 1), 60_00)], issue_date=date(2026, 1, 10)
    )
    rows = [changed(PAYMENT, invoice=parts.number, amount=a, reference=a) for a in ("50", "30")]
    bring(None, None, rows[:1])
    bring(None, None, rows)
    assert [part[2] for part in open_parts()] == [0, 4000]
    parts.refresh_from_db()
    assert parts.next_due == date(2026, 3, 1)
    assert [str(broken) for broken in books.verify()] == []


def test_a_credit_note_and_money_that_went_back_know_their_instalments():
    make_company()
    back = changed(PAYMENT, amount="-70.00", received_on="2026-03-01")
    bring([CLIENT], [PARTS, CREDIT], [changed(PAYMENT, amount="70.00"), back])
    # The credit of 60 stays; the 70 settled the rest until they went back.
    assert [part[2] for part in open_parts()] == [0, 3000, 3000]
    assert PastSettlement.objects.filter(instalment__position=2).count() == 1
    assert [str(broken) for broken in books.verify()] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"instalments": "2026-04-09 120.00"}, "2 to 60 instalments"),
        ({"instalments": "2026-02-09 40.00; 2026-04-09 70.00"}, "come to €110.00"),
        ({"instalments": "2026-01-01 40.00; 2026-04-09 80.00"}, "before the issue date"),
        ({"instalments": "2026-02-09 40.00; 2026-05-09 80.00"}, "The last instalment is due on"),
        ({"instalments": "2026-02-09 0; 2026-04-09 120"}, "nothing is due"),
        ({"instalments": "2026-02-09 -1; 2026-04-09 121"}, "nothing is due"),
        ({"instalments": "soon 40.00; 2026-04-09 80.00"}, "is no instalment"),
        ({"instalments": "2026-02-09; 2026-04-09"}, "is no instalment"),
        ({"instalments": "03/02/2026 40.00; 2026-04-09 80.00"}, "read in two ways"),
        ({"instalments": "2026-02-09 40.001; 2026-04-09 80.00"}, "read in two ways"),
        ({"instalments": "2026-02-09 40 retention; 2026-04-09 80"}, "the last instalment"),
        ({"instalments": "2026-02-09 40.0055; 2026-04-09 80.00"}, "decimals"),
    ],
)
def test_what_is_wrong_with_them_is_a_sentence(fields, said):
    plan = plan_of([CLIENT], [changed(PARTS, **fields)])
    complaint = only_complaint(plan)
    assert complaint.column == "instalments" and said in complaint.reason


def test_a_credit_note_has_none_and_a_place_that_is_not_there_is_refused():
    plan = plan_of([CLIENT], [INVOICE, changed(CREDIT, instalments="2026-02-09 30; 2026-03-09 30")])
    assert "not paid in instalments" in only_complaint(plan).reason
    plan = plan_of([CLIENT], [PARTS], [changed(PAYMENT, instalment="4")])
    assert "has no instalment 4" in only_complaint(plan).reason
    plan = plan_of([CLIENT], [INVOICE], [changed(PAYMENT, instalment="0")])
    assert "names no instalment" in only_complaint(plan).reason


def test_files_from_before_these_columns_come_in_as_they_did():
    old = list(INVOICE)
    plan = plan_of(
        [CLIENT],
        as_csv("invoices", [INVOICE], columns=[*old, "corrects", "title"]),
        as_csv("payments", [PAYMENT], columns=list(PAYMENT)),
    )
    assert plan.complaints == [] and plan.writes == 3


class Emptied(Exception):
    pass


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_out_of_one_portal_and_into_an_empty_one(clerk_client, ending):
    """Written by the export, read by the import: the same instalments, open by the same amounts."""
    make_company()
    with pytest.raises(Emptied), transaction.atomic():
        bring([CLIENT], [PARTS], [changed(PAYMENT, amount="70.00", instalment="2")])
        before, files = open_parts(), _exported(clerk_client, ending)
        assert plan_of(**files).writes == 0
        raise Emptied
    assert not Instalment.objects.exists()
    bring(**files)
    assert open_parts() == before == [
        ("2026-02-09", 4000, 2000), ("2026-03-09", 5000, 0), ("2026-04-09", 3000, 3000)
    ]  # fmt: skip
    assert plan_of(**files).writes == 0
    assert [str(broken) for broken in books.verify()] == []


def _exported(browser, ending):
    return {
        kind: b"".join(
            browser.get(reverse("invoices:history_export", args=[kind, ending])).streaming_content
        )
        for kind in ("clients", "invoices", "payments")
    }
