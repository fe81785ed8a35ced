"""Files with one row per line of an invoice: the rows of one number are one document."""

from __future__ import annotations

import pytest

from invoices.models import Invoice
from tests.invoices.history.files import (
    CLIENT,
    CREDIT,
    INVOICE,
    PAYMENT,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
    snapshot,
)
from tests.invoices.history.test_pages import upload

pytestmark = pytest.mark.django_db


def line(net, vat, total, **fields):
    return changed(INVOICE, net=net, vat=vat, total=total, **fields)


# Three tax rates, each rounded on its own line; floats would not add up.
LINES = [
    line("33.33", "6.67", "40.00", title="Audit"),
    line("10.10", "0.56", "10.66", title="Book"),
    line("0.10", "0.00", "0.10"),
    line("-3.53", "-0.71", "-4.24", title="Discount"),
]


def test_rows_of_one_number_are_summed_into_one_invoice():
    plan = bring([CLIENT], [*LINES, changed(INVOICE, number="OLD-2")], [PAYMENT])
    found = Invoice.objects.get(number="OLD-1")
    assert (found.net_minor, found.vat_minor, found.total_minor) == (4000, 652, 4652)
    assert found.title == "Audit"
    assert plan.counts()["invoices"]["new"] == 2
    assert "invoices.csv: 4 rows are lines of 1 invoice. Their amounts are added up." in notices(
        plan
    )


def test_the_same_lines_twice_change_nothing_also_when_they_stand_elsewhere():
    bring([CLIENT], LINES)
    before = snapshot()
    apart = [LINES[2], changed(INVOICE, number="B"), *LINES[:2], LINES[3]]
    assert bring([CLIENT], apart).writes == 1
    assert snapshot()["Invoice"][0] == before["Invoice"][0]


def test_another_line_is_another_content():
    bring([CLIENT], LINES)
    found = only_complaint(plan_of(None, [*LINES, line("1.00", "0.20", "1.20")]))
    assert "OLD-1 is here already and says otherwise" in found.reason
    assert "total €47.72 instead of €46.52" in found.reason


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("client", "Other", "client is Atelier Brume on the first and Other here"),
        (
            "due_on",
            "2026-02-10",
            "due_on is 9\u00a0Feb 2026 on the first",
        ),
        ("issued_on", "2026-01-09", "issued_on is"),
        ("currency", "USD", "currency is EUR on the first and USD here"),
    ],
)
def test_rows_that_do_not_agree_are_refused_and_named(column, value, said):
    clients = [CLIENT, changed(CLIENT, name="Other")]
    rows = [INVOICE, changed(INVOICE, number="B"), changed(INVOICE, **{column: value})]
    found = only_complaint(plan_of(clients, rows))
    assert (found.line, found.column) == (4, column)
    assert "Lines 2, 4 are rows of OLD-1" in found.reason and said in found.reason


def test_a_bad_line_keeps_its_whole_invoice_out_and_is_named_alone():
    plan = plan_of([CLIENT], [INVOICE, line("1", "1", "3")], [PAYMENT])
    assert only_complaint(plan).line == 3
    assert plan.rows.invoices == []


def test_lines_of_a_credit_note_are_summed_too_and_one_below_zero_in_all_is_refused():
    second = changed(CREDIT, net="5.00", vat="1.00", total="6.00")
    plan = plan_of([CLIENT], [INVOICE, CREDIT, second])
    assert [row.total_minor for row in plan.new_invoices] == [12000, 6600]
    below = plan_of([CLIENT], [LINES[0], line("-40.00", "-8.00", "-48.00")])
    assert "An invoice below zero is a credit note" in only_complaint(below).reason


def test_rows_that_are_equal_to_the_last_sign_are_pointed_out():
    plan = plan_of([CLIENT], [INVOICE, changed(INVOICE, number="B"), INVOICE])
    assert any(
        "1 invoice has rows that are equal to the last sign, as OLD-1 on lines 2, 4" in notice
        for notice in notices(plan)
    )


def test_the_page_says_how_many_rows_became_how_many_invoices(clerk_client):
    rows = [changed(row, number=f"N{n}") for n in range(130) for row in LINES[:3]]
    url = upload(clerk_client, clients=[CLIENT], invoices=rows)["Location"]
    page = clerk_client.get(url).text
    assert "390 rows are lines of 130 invoices. Their amounts are added up." in page
    assert "Bring 131 rows in" in page
