"""Columns that can be read in two ways: asked about once for all their cells, never guessed."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from invoices.models import HistoryImport, Invoice
from tests.invoices.history.files import (
    CLIENT,
    INVOICE,
    as_csv,
    changed,
    notices,
    plan_of,
    workbook,
)
from tests.invoices.history.test_pages import bring_in, plain, upload

pytestmark = pytest.mark.django_db


def amounts(net, vat="0", total=None):
    return changed(INVOICE, net=net, vat=vat, total=net if total is None else total)


def asked(plan):
    return {q.name: (q.text, q.line, q.cells) for q in plan.rows.questions}


@pytest.mark.parametrize("text", ["1,500", "1.500", "-1.500", "1,500 €", "EUR 1,500"])
def test_an_amount_that_can_be_read_in_two_ways_is_asked_about(text):
    plan = plan_of([CLIENT], [amounts("100.00"), changed(amounts(text), number="B")])
    assert set(asked(plan)) == {"invoices.net", "invoices.total"}
    assert asked(plan)["invoices.net"] == (text, 3, 1)
    # Asked, not refused; and nothing of it comes in.
    assert plan.complaints == [] and not plan.may_be_written
    assert [row.number for row in plan.rows.invoices] == ["OLD-1"]


@pytest.mark.parametrize(
    ("text", "point", "comma"),
    [("1,500", 1500_00, 1_50), ("1.500", 1_50, 1500_00), ("1,500 €", 1500_00, 1_50)],
)
def test_the_answer_holds_for_all_cells_of_the_column(text, point, comma):
    rows = [amounts(text), changed(amounts("1,234.50"), number="B")]
    for how, right in (("point", point), ("comma", comma)):
        answers = {"invoices.net": how, "invoices.total": how}
        plan = plan_of([CLIENT], rows, answers=answers)
        assert asked(plan) == {}
        assert plan.rows.invoices[0].total_minor == right
        assert any(f"“{text}”" in notice and how in notice for notice in notices(plan))


def test_one_column_is_asked_about_where_the_other_was_answered():
    plan = plan_of([CLIENT], [amounts("1,500")], answers={"invoices.net": "point"})
    assert set(asked(plan)) == {"invoices.total"}


@pytest.mark.parametrize("text", ["1500.00", "1 500,00", "1,500.00", "1.500,00", "0,500", "1500"])
def test_what_can_be_read_in_one_way_is_not_asked_about(text):
    plan = plan_of([CLIENT], [amounts(text)])
    assert asked(plan) == {} and plan.complaints == []


def test_numbers_of_a_workbook_are_never_asked_about():
    row = changed(INVOICE, currency="TND", net=1.005, vat=0, total=1.005)
    plan = plan_of(workbook("clients", [CLIENT]), workbook("invoices", [row]))
    assert asked(plan) == {} and plan.rows.invoices[0].total_minor == 1005


def issued(plan):
    return [row.issued_on for row in plan.rows.invoices]


def days(issued, due):
    return changed(INVOICE, issued_on=issued, due_on=due)


def test_a_column_of_days_shows_its_order_or_is_asked_about():
    rows = [days("05/01/2026", "2026-03-01"), changed(days("31/01/2026", "03/04/2026"), number="B")]
    plan = plan_of([CLIENT], rows)
    # 31/01 shows that issued_on writes the day first; nothing shows it for due_on.
    assert asked(plan) == {"invoices.due_on": ("03/04/2026", 3, 1)}
    for how, right in (("day", date(2026, 4, 3)), ("month", date(2026, 3, 4))):
        plan = plan_of([CLIENT], rows, answers={"invoices.due_on": how})
        assert [row.issued_on for row in plan.rows.invoices] == [
            date(2026, 1, 5),
            date(2026, 1, 31),
        ]
        assert plan.rows.invoices[1].due_on == right


def test_an_american_column_is_read_with_the_month_first():
    plan = plan_of(
        [CLIENT],
        [days("01/05/2026", "02/28/2026"), changed(days("01/31/2026", "03/01/2026"), number="B")],
    )
    assert asked(plan) == {} and plan.complaints == []
    assert issued(plan) == [date(2026, 1, 5), date(2026, 1, 31)]
    assert any("month first" in notice for notice in notices(plan))


def test_a_column_that_mixes_both_orders_is_refused_row_by_row():
    plan = plan_of(
        [CLIENT],
        [days("31/01/2026", "2026-03-01"), changed(days("01/31/2026", "2026-03-01"), number="B")],
    )
    assert [(c.line, c.column) for c in plan.complaints] == [(3, "issued_on")]
    assert "There is no month 31" in plan.complaints[0].reason


# ─ On the page ──────────────────────────────────────────────────────────────────────────────────
def test_the_page_asks_reads_anew_and_then_brings_in(clerk_client):
    url = upload(clerk_client, clients=[CLIENT], invoices=[amounts("1,500")])["Location"]
    page = clerk_client.get(url).text
    assert "Some columns can be read in two ways" in page
    assert "invoices.csv, net: what is “1,500” on line 2?" in page
    assert "1,500: the comma groups thousands" in page and "1.5: a decimal comma" in page
    assert "bring-in/" not in page
    bring_in_anyway = clerk_client.post(f"{url}bring-in/", {"once": "k"})
    assert bring_in_anyway.status_code == 422 and not Invoice.objects.exists()
    half = clerk_client.post(f"{url}answers/", {"invoices.net": "point"})
    assert half.status_code == 422 and "Choose one: nothing is guessed." in half.text
    odd = clerk_client.post(f"{url}answers/", {"invoices.net": "x", "invoices.total": "point"})
    assert odd.status_code == 422
    answer = clerk_client.post(
        f"{url}answers/", {"invoices.net": "point", "invoices.total": "point"}
    )
    assert answer.status_code == 303 and answer["Location"] == url
    page = clerk_client.get(url).text
    assert "This is what would come in" in page and "€1,500.00" in page
    assert bring_in(clerk_client, url).status_code == 303
    assert Invoice.objects.get().total_minor == 1500_00


def test_a_day_is_asked_about_in_the_words_of_the_reader(clerk, clerk_client):
    clerk.language = "fr"
    clerk.save()
    url = upload(clerk_client, clients=[CLIENT], invoices=[days("03/04/2026", "2026-05-03")])[
        "Location"
    ]
    page = plain(clerk_client.get(url).text)
    assert "3 avr. 2026 : le jour vient d’abord" in page
    assert "4 mars 2026 : le mois vient d’abord" in page


def test_files_are_kept_while_something_is_asked_though_a_row_is_refused(
    clerk_client,
):
    rows = [amounts("1,500"), changed(INVOICE, number="B", due_on="soon")]
    url = upload(clerk_client, clients=[CLIENT], invoices=rows)["Location"]
    assert "“soon” is not a date" in clerk_client.get(url).text
    assert bytes(HistoryImport.objects.get().invoices_file) == as_csv("invoices", rows)
    clerk_client.post(f"{url}answers/", {"invoices.net": "comma", "invoices.total": "comma"})
    page = clerk_client.get(url).text
    assert "“soon” is not a date" in page and "Choose corrected files" in page
    # The other row may come in without it: the files wait for that answer.
    assert HistoryImport.objects.get().invoices_file


def test_only_the_person_who_brought_the_files_answers(clerk_client, admin_client):
    url = upload(clerk_client, clients=[CLIENT], invoices=[amounts("1,500")])["Location"]
    assert admin_client.post(f"{url}answers/", {"invoices.net": "point"}).status_code == 404
    assert reverse("invoices:import_history") in url
