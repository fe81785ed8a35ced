from __future__ import annotations

import csv
import io
import json
import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from invoices.models import ClientType, Invoice
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import make_golden_set, pay

pytestmark = pytest.mark.django_db
GOLDEN = "?as_of=2026-09-30&issued_from=2026-06-01"


def page(client, query="", name="reports:delays", **headers):
    answer = client.get(reverse(name) + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def make_history(count=30, **fields):
    """Paid invoices, one every three days, each a few days late."""
    make_company()
    client = fields.pop("client", None) or make_client(
        client_type=make_client_type("SME", mark="sme")
    )
    made = []
    for n in range(count):
        issued = date(2026, 1, 5) + timedelta(days=3 * n)
        invoice = make_invoice(
            client=client, issue_date=issued, total_minor=1_000_00 + n * 100_00, **fields
        )
        pay(invoice, invoice.total_minor, issued + timedelta(days=30 + n % 11))
        made.append(invoice)
    return made


def test_the_page_shows_the_golden_set_with_its_formula_and_filter(manager_client):
    make_golden_set()
    text = page(manager_client, GOLDEN)
    assert "Kaplan–Meier on payment date − due date" in text
    assert "9 invoices" in text
    row = text.split("<tfoot>")[1].split("</tfoot>")[0]
    figures = re.sub(r"<[^>]+>", " ", row).split()
    assert figures[:2] == ["All", "10"]
    assert "8.3" in figures
    assert "not reached (&gt; 5)" in row
    assert "7.6" in figures


def test_the_percentiles_of_fewer_than_five_payments_are_hidden(manager_client):
    make_history(4)
    text = page(manager_client, "?as_of=2026-09-30")
    assert "too few" in text
    assert "Too few payments to tell" in text


@pytest.mark.parametrize("by", ["client_type", "client", "owner", "month"])
@pytest.mark.parametrize("measure", ["late", "to_pay"])
def test_every_grouping_has_a_page_and_figures(manager_client, by, measure):
    make_history(24, owner=make_user(name="Anna"))
    make_golden_set()
    query = f"?by={by}&measure={measure}&as_of=2026-09-30"
    text = page(manager_client, query)
    figures = json.loads(page(manager_client, query, "reports:delays-figures"))
    keys = re.findall(r'data-figure="[^"#]+#([^"]+)"', text)
    assert {"percentiles", "survival", "distribution"} <= set(keys)
    assert set(keys) <= set(figures)


def test_only_trace_types_of_the_basic_bundle_and_colours_as_tokens(manager_client):
    make_history(30)
    figures = json.loads(page(manager_client, "?as_of=2026-09-30", "reports:delays-figures"))
    for figure in figures.values():
        assert {trace["type"] for trace in figure["data"]} <= {"scatter", "bar"}
        assert "template" not in figure["layout"]
    told = json.dumps(figures)
    assert not re.search(r"#[0-9a-fA-F]{6}\b", told)
    assert "var(--ct-sme)" in told


def test_points_open_the_list_of_their_invoices(manager_client):
    make_history(30)
    figures = json.loads(page(manager_client, "?as_of=2026-09-30", "reports:delays-figures"))
    urls = [
        url
        for figure in figures.values()
        for trace in figure["data"]
        for url in trace.get("customdata", [])
    ]
    assert urls
    assert {urlsplit(url).path for url in urls} == {reverse("invoices:list")}


def test_the_list_behind_a_figure_has_the_same_count(manager_client):
    make_golden_set()
    text = page(manager_client, GOLDEN)
    links = re.findall(r'class="kpi" href="([^"]+)"', text)
    answer = manager_client.get(unescape(links[-1]))
    assert answer.status_code == 200
    assert 'kpi-value">2 <small>invoices' in text
    listed = answer.content.decode()
    for number in Invoice.objects.filter(title__in="DF").values_list("number", flat=True):
        assert number in listed


def test_htmx_gets_the_report_without_the_frame(manager_client):
    make_history(6)
    text = page(manager_client, "?by=month", **{"HX-Request": "true"})
    assert "<html" not in text
    assert text.lstrip().startswith('<div id="delay-report"')


def test_an_empty_period_says_what_to_do(manager_client):
    make_company()
    text = page(manager_client, "?issued_from=2010-01-01&issued_to=2010-02-01")
    assert "No invoice was issued in this period" in text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?as_of=nonsense", "was left out"),
        ("?as_of=2099-01-01", "has not come yet"),
        ("?issued_from=2026-09-01&issued_to=2026-08-01", "after its end"),
        ("?type=abc", "was left out"),
        ("?owner=1e9&currency=zz", "was left out"),
    ],
)
def test_bad_filters_get_a_sentence_and_the_usual_report(manager_client, query, sentence):
    make_golden_set()
    assert sentence in page(manager_client, query)


def test_the_page_makes_as_many_queries_for_many_rows_as_for_few(
    manager_client, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make_history(6)
    page(manager_client, "?as_of=2026-09-30")
    with CaptureQueriesContext(
        connection,
    ) as few:
        page(manager_client, "?as_of=2026-09-30")
    for n in range(4):
        kind = make_client_type(f"Type {n}")
        make_history(12, client=make_client(client_type=kind), owner=make_user())
    with django_assert_num_queries(len(few)):
        page(manager_client, "?as_of=2026-09-30")


def test_names_with_markup_stay_text(manager_client):
    kind = make_client_type("<b>Bold</b> & <script>alert(1)</script>")
    make_history(8, client=make_client(client_type=kind))
    text = page(manager_client, "?as_of=2026-09-30")
    assert "<script>alert" not in text
    told = page(manager_client, "?as_of=2026-09-30", "reports:delays-figures")
    assert "<b>" not in told
    assert "<script" not in told


def test_the_exports_hold_the_table_with_numbers_as_numbers(manager_client):
    make_golden_set()
    answer = manager_client.get(reverse("reports:delays-csv") + GOLDEN)
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows[-1]["Half paid (days late)"] == "10"
    assert rows[-1]["9 in 10 (days late)"] == ""
    assert rows[-1]["9 in 10: in words"] == "not reached (> 5)"
    assert rows[-1]["Note"] == "under 20 payments: uncertain"
    assert (rows[-1]["Invoices"], rows[-1]["Paid"]) == ("9", "5")
    unrated = "Paid, without an exchange rate: not in the weighted average"
    assert rows[-1][unrated] == "0"
    client_type = ClientType.objects.get()
    assert rows[0]["Id"] == str(client_type.pk)
    assert rows[0]["Half, last 12 months: invoices"] == rows[-1]["Invoices"]
    assert rows[-1]["Weighted average (days late)"] == "8.31"
    answer = manager_client.get(reverse("reports:delays-xlsx") + GOLDEN)
    sheet = load_workbook(io.BytesIO(answer.getvalue())).active
    assert [cell.value for cell in sheet[2]][:4] == [client_type.pk, "SME", 9, 5]


def test_an_export_says_what_it_is_in_its_name_on_each_line_and_on_a_sheet(manager_client):
    make_golden_set()
    query = f"{GOLDEN}&currency=EUR&by=month&measure="
    names = set()
    for measure in ("late", "to_pay"):
        answer = manager_client.get(reverse("reports:delays-csv") + query + measure)
        names.add(answer["Content-Disposition"].split('"')[1])
        *_lines, row = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert names == {
        f"payment-delays-{measure}-month-2026-06-01_2026-09-30.csv"
        for measure in ("days-late", "days-to-pay")
    }
    assert (row["Measure"], row["Half paid (days to pay)"]) == ("Days to pay", "40")
    assert (row["Period from"], row["Period until"]) == ("2026-06-01", "2026-09-30")
    assert row["Filter"] == "Currency: EUR"
    answer = manager_client.get(reverse("reports:delays-xlsx") + query)
    notes = load_workbook(io.BytesIO(answer.getvalue())).worksheets[1]
    assert "Issued 1 Jun 2026" in str([cell.value for line in notes for cell in line]).replace(
        "\\xa0", " "
    )
    answer = manager_client.get(reverse("reports:receivables-csv") + f"{GOLDEN}&type=abc")
    assert "receivables-client-type-2026-06-01_2026-09-30.csv" in answer["Content-Disposition"]
    *_lines, row = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert row["Receivable"] == "9300.00"
    assert "was left out" in row["Left out"]


def test_the_receivables_page_shows_the_golden_set(manager_client):
    make_golden_set()
    text = page(manager_client, "?as_of=2026-09-30&issued_from=2026-07-01", "reports:receivables")
    for told in ("€9,300.00", "€3,300.00", "€6,000.00", "57.0", "20.2", "36.8", "68.4", "56.2"):
        assert told in text
    assert "EUR: 65% of what is owed is past its due date" in text


def test_unapplied_cash_and_credit_stand_apart_from_the_buckets(manager_client):
    from invoices.models import Payment

    rows = make_golden_set()
    client = rows["A"].client
    Payment.objects.create(
        client=client, received_on=date(2026, 9, 2), currency="EUR", amount_minor=123_45
    )
    make_invoice(
        kind="credit_note",
        client=client,
        issue_date=date(2026, 9, 3),
        due_date=date(2026, 9, 3),
        total_minor=67_89,
    )
    text = page(manager_client, "?as_of=2026-09-30&issued_from=2026-07-01", "reports:receivables")
    for told in ("€123.45", "€67.89", "€9,300.00"):
        assert told in text


def test_the_receivables_page_of_an_empty_book_says_what_to_do(manager_client):
    make_company()
    assert "Nothing was invoiced yet" in page(manager_client, "", "reports:receivables")


@pytest.mark.parametrize("by", ["client_type", "client", "owner"])
def test_receivables_have_figures_and_exports(manager_client, by):
    make_golden_set()
    query = f"?by={by}&as_of=2026-09-30"
    figures = json.loads(page(manager_client, query, "reports:receivables-figures"))
    assert list(figures) == ["ageing-EUR"]
    answer = manager_client.get(reverse("reports:receivables-csv") + query)
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode("utf-8-sig")))
    assert row["Receivable"] == "9300.00"
    answer = manager_client.get(reverse("reports:receivables-xlsx") + query)
    assert load_workbook(io.BytesIO(answer.getvalue())).active["A2"].value == "EUR"


REPORT_PAGES = [
    f"reports:{name}{part}"
    for name in ("delays", "receivables")
    for part in ("", "-figures", "-csv", "-xlsx")
]


@pytest.mark.parametrize("name", REPORT_PAGES)
def test_sales_may_not_read_reports(sales_client, name):
    assert sales_client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", REPORT_PAGES)
def test_reports_ask_for_a_login(client, name):
    assert client.get(reverse(name)).status_code == 302


def test_the_report_speaks_french(manager_client, settings):
    make_golden_set()
    user = manager_client.session["_auth_user_id"]
    from billing_portal.accounts.models import User

    User.objects.filter(pk=user).update(language="fr")
    assert "30\xa0sept. 2026" in page(manager_client, GOLDEN)


def test_a_currency_with_nothing_but_zeros_is_named_in_a_sentence(manager_client):
    make_golden_set()
    old = make_invoice(
        currency="GBP", issue_date=date(2025, 1, 5), due_date=date(2025, 2, 5), exchange_rate=1
    )
    pay(old, old.total_minor, date(2025, 2, 1))
    query = "?as_of=2026-09-30&issued_from=2026-07-01"
    text = page(manager_client, query, "reports:receivables")
    assert "Owed in GBP" not in text
    assert "GBP: nothing is owed" in text
    assert "no money or credit is left over" not in page(
        manager_client, "?as_of=2025-02-28&issued_from=2025-01-01", "reports:receivables"
    )


def test_a_currency_that_owes_nothing_is_a_sentence_with_its_sales(manager_client):
    make_golden_set()
    paid = make_invoice(
        currency="GBP",
        issue_date=date(2026, 8, 5),
        due_date=date(2026, 9, 5),
        exchange_rate=1,
        total_minor=500_00,
    )
    pay(paid, paid.total_minor, date(2026, 9, 1))
    query = "?as_of=2026-09-30&issued_from=2026-07-01"
    text = page(manager_client, query, "reports:receivables")
    assert "Owed in GBP" not in text
    assert "GBP: nothing is owed. Sales of the period: £500.00." in text


def test_the_words_of_statistics_are_told_in_plain_ones_and_each_period_says_why(manager_client):
    make_golden_set()
    text = page(manager_client, GOLDEN)
    for told in ("the median", "Kaplan–Meier", "95% interval", "an estimated", "Two years"):
        assert told in text
    text = page(manager_client, "?as_of=2026-09-30", "reports:receivables")
    assert "how many days of sales are still owed" in text
    assert "three months, if you do not choose another" in text
