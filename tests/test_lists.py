"""billing_portal/lists/: paging, totals, chips and exports, and what reads exports back."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import openpyxl
import pytest
from django import forms
from django.http import QueryDict
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing_portal.lists.columns import Amount, Column
from billing_portal.lists.exports import guarded, stream_csv, stream_xlsx, unguarded
from billing_portal.lists.filters import chips
from billing_portal.lists.page import Listing, export
from billing_portal.lists.paging import ordered, paginate
from billing_portal.lists.totals import joined, totals_per_currency
from billing_portal.spreadsheets import read_table
from invoices.models import Client, Invoice
from tests.factories import make_client, make_client_type, make_invoice

COLUMNS = (
    Column("number", "Number", order="number"),
    Column("client", "Client", order="client__name"),
    Column("due", "Due", order="due_date", nullable=True),
    Column("late", "Days late", order="days_late", nullable=True, falling=True),
    Column("total", "Total", order="total_minor", falling=True),
    Column("state", "State"),
)


def params(text):
    return QueryDict(text.lstrip("?"))


def walk(rows, start, *, size, default="-due"):
    """The ids seen on the way forward from `start`, page by page, and the last page."""
    seen, pages, at = [], [], start
    while True:
        page = paginate(rows, params(at), COLUMNS, default=default, size=size)
        seen.append([row["id"] if isinstance(row, dict) else row.pk for row in page.rows])
        pages.append(page)
        assert len(pages) < 100
        if not page.next_url:
            return seen, pages
        at = page.next_url


def walk_back(rows, page, *, size, default="-due"):
    seen = []
    while page.previous_url:
        page = paginate(rows, params(page.previous_url), COLUMNS, default=default, size=size)
        seen.append([row.pk for row in page.rows])
        assert len(seen) < 100
    return seen[::-1], page


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "B", "é", "😀", "a b"]),
            st.none() | st.integers(-3, 3),
            st.integers(1, 4),
        ),
        max_size=12,
    ),
    size=st.integers(1, 5),
    sort=st.sampled_from(["due", "-due", "late", "-late", "client", "-client", "total", "-total"]),
)
def test_paging_shows_every_row_once_in_order_forward_and_back(db, rows, size, sort):
    Invoice.objects.all().delete()
    Client.objects.all().delete()
    owner = make_client_type()
    clients = {}
    for name, late, total in rows:
        client = clients.get(name) or clients.setdefault(
            name, make_client(name=name, client_type=owner)
        )
        # Drafts: the only ones that may be deleted, and that may lack a date.
        make_invoice(
            client=client,
            status="draft",
            due_date=None if late is None else date(2026, 9, 10 + late),
            issue_date=date(2026, 9, 1),
            total_minor=total,
            outstanding_minor=total,
        )
    every = Invoice.objects.select_related("client")
    expected = list(
        ordered(every, params(f"sort={sort}"), COLUMNS, default="-due").values_list("pk", flat=True)
    )
    seen, pages = walk(every, f"?sort={sort}", size=size)
    assert [pk for page in seen for pk in page] == expected
    assert all(len(page) == size for page in seen[:-1])
    assert [page.count for page in pages] == [len(rows)] * len(pages)
    back, first = walk_back(every, pages[-1], size=size)
    assert back == seen[:-1]
    assert first.previous_url == ""
    positions = [(page.first, page.last) for page in pages if page.rows]
    assert positions == [
        (i * size + 1, min((i + 1) * size, len(rows))) for i in range(len(positions))
    ]


@pytest.fixture
def five(db):
    client = make_client()
    return [
        make_invoice(client=client, total_minor=n * 100, due_date=date(2026, 10, n))
        for n in range(1, 6)
    ]


def test_values_rows_page_like_instances(five):
    rows = Invoice.objects.values("id", "number")
    seen, _pages = walk(rows, "?sort=total", size=2)
    assert seen == [[each.pk for each in part] for part in (five[:2], five[2:4], five[4:])]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%00", "bnVsbA", "W10", "eyJ4IjoxfQ", "WzEsInh4Il0", "W3siZCI6MX0sMV0", "é" * 50],
)
def test_a_cursor_that_is_not_ours_starts_at_the_first_row(five, cursor):
    for where in ("after", "before"):
        page = paginate(
            Invoice.objects.all(), params(f"{where}={cursor}&at=zz"), COLUMNS, default="total"
        )
        assert len(page.rows) == 5
        assert page.first == 1


def test_a_cursor_of_another_sort_starts_again(five):
    first = paginate(Invoice.objects.all(), params("sort=client"), COLUMNS, default="due", size=2)
    crossed = first.next_url.replace("sort=client", "sort=due")
    page = paginate(Invoice.objects.all(), params(crossed), COLUMNS, default="due", size=2)
    assert [row.pk for row in page.rows] == [five[0].pk, five[1].pk]


def test_an_unknown_sort_falls_back_to_the_usual_one(five):
    for sort in ("state", "nonsense", "--due", "client__client_type__secret", ""):
        page = paginate(Invoice.objects.all(), params(f"sort={sort}"), COLUMNS, default="-due")
        assert page.sort == "-due" or sort == "--due"


def test_a_head_turns_the_sort_round_and_leaves_the_page(five):
    page = paginate(
        Invoice.objects.all(), params("state=open&sort=due&after=x&at=26"), COLUMNS, default="-due"
    )
    assert page.head["due"].aria_sort == "ascending"
    assert page.head["due"].url == "?state=open&sort=-due"
    assert page.head["total"].url == "?state=open&sort=-total"
    assert page.head["number"].url == "?state=open&sort=number"
    assert page.head["state"].url == ""


def test_rows_that_vanish_do_not_leave_a_short_page_behind(five):
    every = Invoice.objects.filter(status="issued")
    second = paginate(
        every,
        params(paginate(every, params(""), COLUMNS, default="due", size=2).next_url),
        COLUMNS,
        default="due",
        size=2,
    )
    less = every.exclude(pk=five[0].pk)
    page = paginate(less, params(second.previous_url), COLUMNS, default="due", size=2)
    assert [row.pk for row in page.rows] == [five[1].pk, five[2].pk]
    assert page.previous_url == ""


def test_a_count_stops_at_ten_thousand(five, monkeypatch):
    monkeypatch.setattr("billing_portal.lists.paging.MOST_COUNTED", 3)
    page = paginate(Invoice.objects.all(), params(""), COLUMNS, default="due", size=2)
    assert page.capped
    assert page.summary == "1–2 of more than 3"


def test_a_page_costs_two_queries_whatever_the_rows(five, django_assert_num_queries):
    with django_assert_num_queries(2):
        paginate(Invoice.objects.all(), params("sort=total"), COLUMNS, default="due", size=2)
    with django_assert_num_queries(1):
        paginate(
            Invoice.objects.all(), params("sort=total"), COLUMNS, default="due", size=2, count=5
        )


def test_totals_are_per_currency_the_largest_first(db):
    client = make_client()
    make_invoice(client=client, total_minor=100_00)
    make_invoice(client=client, total_minor=50_00)
    make_invoice(client=client, total_minor=900_00, currency="USD")
    totals = totals_per_currency(Invoice.objects.all(), "total_minor", "outstanding_minor")
    assert [(t.currency, t.count, t.sums["total_minor"]) for t in totals] == [
        ("USD", 1, 900_00),
        ("EUR", 2, 150_00),
    ]
    assert joined(totals, "total_minor") == "US$900.00 · €150.00"
    assert joined([], "total_minor") == "–"


def test_chips_say_the_filter_in_words_and_lead_to_the_list_without_it(db):
    kind = make_client_type("SME")

    class Filters(forms.Form):
        state = forms.ChoiceField(
            label="State", choices=[("", "All"), ("open", "Open")], required=False
        )
        type = forms.ModelMultipleChoiceField(
            label="Client type", queryset=type(kind).objects.all(), required=False
        )
        issued_from = forms.DateField(label="Issued from", required=False)
        q = forms.CharField(label="Text", required=False)

    query = params(f"state=open&type={kind.pk}&issued_from=2026-01-01&q=&after=x&sort=due")
    found = chips(Filters(query), query)
    assert [(chip.label, chip.text) for chip in found] == [
        ("State", "Open"),
        ("Client type", "SME"),
        ("Issued from", "1\u00a0Jan 2026"),
    ]
    assert found[0].url == f"?type={kind.pk}&issued_from=2026-01-01&q=&sort=due"


# ─ Exports ──────────────────────────────────────────────────────────────────────────────────────
EXPORT = (
    Column("name", "Name", value=lambda row: row.name),
    Column("amount", "Amount", value=lambda row: row.amount),
    Column("day", "Day", value=lambda row: row.day),
    Column("n", "N", value=lambda row: row.n),
    Column("none", "None", value=lambda row: None),
    Column("shown", "Shown only"),
)


def row(**fields):
    given = {"name": "A", "amount": Money("1.50", "EUR"), "day": date(2026, 9, 1), "n": 7}
    return SimpleNamespace(**{**given, **fields})


def read_csv(answer, delimiter=","):
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def opened(answer):
    """The sheet that an XLSX answer holds."""
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def test_an_english_csv_has_commas_points_iso_days_and_no_column_without_a_value():
    assert read_csv(stream_csv([row()], EXPORT)) == [
        ["Name", "Amount", "Day", "N", "None"],
        ["A", "1.50", "2026-09-01", "7", ""],
    ]


def test_a_french_csv_has_semicolons_decimal_commas_and_french_days():
    amount = Money("-1234.50", "EUR")
    with translation.override("fr"):
        answer = stream_csv([row(amount=amount), row(amount=Decimal("0.25"))], EXPORT)
    raw = b"".join(answer.streaming_content)
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.decode("utf-8-sig").split("\r\n")[:3] == [
        "Name;Amount;Day;N;None",
        "A;-1234,50;01/09/2026;7;",
        "A;0,25;01/09/2026;7;",
    ]


def test_a_csv_writes_the_decimals_of_the_currency():
    amounts = [Money("5", "JPY"), Money("1.234", "TND"), Money("-0.05", "EUR"), Amount(-7, "TND")]
    written = read_csv(stream_csv([row(amount=each) for each in amounts], EXPORT[1:2]))
    assert [line[0] for line in written[1:]] == ["5", "1.234", "-0.05", "-0.007"]


def test_a_csv_ends_with_its_rows_and_is_called_as_its_reader_says():
    listing = Listing(name="x", title=gettext_lazy("Payment delays"), columns=EXPORT[:1])
    answer = export(listing, "csv", [row()], notes=["Drafts are left out."])
    # Programs read it: a sentence after the rows would be a row to them.
    assert read_csv(answer) == [["Name"], ["A"]]
    assert f'"payment-delays-{timezone.localdate()}.csv"' in answer["Content-Disposition"]
    with translation.override("fr"):
        answer = export(listing, "csv", [row()], title="Affaires à facturer")
    assert f"affaires-a-facturer-{timezone.localdate()}.csv" in answer["Content-Disposition"]


RUNS = tuple("=+-@＝＋－＠")


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@given(text=st.text(alphabet=st.sampled_from([*RUNS, *"\t\r\n;,\"' a1"]), max_size=12))
def test_no_text_of_a_csv_is_run_whatever_sign_the_spreadsheet_separates_at(
    language, delimiter, text
):
    with translation.override(language):
        answer = stream_csv([row(name=text)], EXPORT[:1])
    raw = b"".join(answer.streaming_content).decode("utf-8-sig")
    # A cell of the same line before it, as in any real table: the quotation mark of ours is then
    # in the middle of a foreign cell, and opens nothing.
    raw = raw.split("\r\n", 1)[1].removesuffix("\r\n")
    for line in (raw, f"X{',' if language == 'en' else ';'}{raw}"):
        for cells in csv.reader(io.StringIO(line, newline=""), delimiter=delimiter):
            assert not [cell for cell in cells if cell.startswith(RUNS)]


def test_a_formula_behind_a_semicolon_is_guarded_and_a_negative_number_is_left_alone():
    rows = [row(name="Foo;=1+1", amount=Decimal("-5")), row(name="-5 %"), row(name="Dupont-Durand")]
    written = read_csv(stream_csv(rows, EXPORT[:2]))
    assert written[1] == ["Foo;'=1+1", "-5"]
    assert [line[0] for line in written[2:]] == ["'-5 %", "Dupont-Durand"]


@given(st.text(max_size=30).filter(lambda text: "'" not in text))
def test_what_an_export_guards_the_import_reads_as_it_was(text):
    assert unguarded(guarded(text)) == text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_import_reads_our_own_exports_back(language):
    names = ["Foo;=1+1", "+33 1 40", 'The "best", ever', "é\nè"]
    with translation.override(language):
        csv_bytes = b"".join(stream_csv([row(name=n) for n in names], EXPORT).streaming_content)
        xlsx = stream_xlsx([row(name=n) for n in names], EXPORT)
    for content in (csv_bytes, b"".join(xlsx.streaming_content)):
        table = read_table("list", content, ["name", "amount", "day"])
        assert table.complaints == []
        assert [each.cells["name"] for each in table.rows] == names
    xlsx.close()


def test_the_line_with_which_excel_names_its_separator_is_no_row():
    for content in (
        b"sep=;\r\nname;day\r\nA;2026-01-01\r\n",
        b"\xef\xbb\xbfSEP=,\nname,day\nA,2026-01-01",
    ):
        table = read_table("list.csv", content, ["name", "day"])
        assert [(each.line, each.cells) for each in table.rows] == [
            (3, {"name": "A", "day": "2026-01-01"})
        ]
        assert table.notices == []


@pytest.mark.django_db
def test_xlsx_keeps_numbers_days_and_formulas_as_what_they_are():
    answer = stream_xlsx(
        [row(name="=1+1"), row(day=datetime(2026, 9, 1, 10, 0, tzinfo=UTC), n=True)],
        EXPORT,
        sheet="Invoices [2026]:/",
    )
    page = opened(answer).active
    assert page["A2"].value == "=1+1" and page["A2"].data_type == "s"
    assert page["B2"].value == 1.5
    assert page["C2"].value == datetime(2026, 9, 1)
    # 10:00 UTC is noon in Paris.
    assert page["C3"].value == datetime(2026, 9, 1, 12, 0)
    assert page["E2"].value is None
    answer.close()


@pytest.mark.django_db
def test_xlsx_amounts_have_the_decimals_of_their_currency():
    amounts = [Money("-1234.5", "EUR"), Money("7", "JPY"), Money("1.234", "TND")]
    answer = stream_xlsx([row(amount=each) for each in amounts], EXPORT)
    page = opened(answer).active
    assert [(page[f"B{n}"].value, page[f"B{n}"].number_format) for n in (2, 3, 4)] == [
        (-1234.5, "#,##0.00 [$EUR]"),
        (7, "#,##0 [$JPY]"),
        (1.234, "#,##0.000 [$TND]"),
    ]
    answer.close()


@pytest.mark.django_db
def test_xlsx_is_filtered_frozen_and_as_wide_as_what_it_holds():
    answer = stream_xlsx([row(name="n" * 30), row(name="n" * 300)], EXPORT, notes=["As of today."])
    book = opened(answer)
    page = book.worksheets[0]
    assert page.auto_filter.ref == "A1:E3"
    assert page.freeze_panes == "A2"
    assert 47 < page.column_dimensions["A"].width < 50
    assert 8 <= page.column_dimensions["D"].width < 10
    assert book.worksheets[1]["A1"].value == "As of today."
    answer.close()
