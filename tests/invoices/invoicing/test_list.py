"""The list of invoices: what it shows, adds up, filters, exports, and to whom."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, timedelta

import openpyxl
import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.accounts.models import User
from invoices.models import Document, Invoice, Message, Payment
from tests.factories import make_client, make_client_type, make_invoice, make_user, settle

pytestmark = pytest.mark.django_db


def listed(browser, **params):
    return browser.get(reverse("invoices:list"), params)


def body(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def ledger():
    today = timezone.localdate()
    public = make_client_type("Public sector", mark="public")
    town = make_client(name="Mairie d’Évron", client_type=public)
    firm = make_client(name="Firm <b>Ltd</b>", currency="USD")
    return {
        "late": make_invoice(
            client=town, issue_date=today - timedelta(days=90), total_minor=100_00
        ),
        "current": make_invoice(client=town, issue_date=today, total_minor=250_00),
        "dollars": make_invoice(
            client=firm, currency="USD", issue_date=today - timedelta(days=50), total_minor=70_00
        ),
        "draft": make_invoice(client=town, status=Invoice.Status.DRAFT, title="Audit"),
    }


def test_totals_cover_the_whole_selection_per_currency(clerk_client, ledger):
    page = body(listed(clerk_client, state="open"))
    assert "3 invoices" in page
    assert "€350.00 · US$70.00" in page
    for key in ("late", "current", "dollars"):
        assert ledger[key].number in page
    assert "Firm &lt;b&gt;Ltd&lt;/b&gt;" in page


def test_of_everything_a_credit_note_counts_down_and_a_draft_owes_nothing(clerk_client, ledger):
    make_invoice(
        client=ledger["late"].client, kind=Invoice.Kind.CREDIT_NOTE, total_minor=30_00, number="A-1"
    )
    page = body(listed(clerk_client))
    assert "4 documents, 1 draft" in page
    # The credit note may still be used up: it counts down what is owed, too.
    assert page.count(">€320.00 · US$70.00</dd>") == 2
    assert "1 draft is not in the totals" in page


def test_overdue_shows_only_what_is_past_its_due_date_with_its_lateness(clerk_client, ledger):
    page = body(listed(clerk_client, state="overdue"))
    assert ledger["late"].number in page
    assert ledger["current"].number not in page
    assert 'class="num d-none d-md-table-cell late">60</td>' in page


def test_filters_in_the_address_narrow_the_list_and_stand_as_chips(clerk_client, ledger):
    kind = ledger["late"].client.client_type
    page = body(listed(clerk_client, type=kind.pk, state="open", amount_min="200"))
    assert ledger["current"].number in page
    assert ledger["late"].number not in page
    assert "Remove the filter Client type: Public sector" in page
    assert "€250.00" in page


def test_a_filter_that_makes_no_sense_is_named_and_left_out(clerk_client, ledger):
    answer = listed(clerk_client, due_from="31/31/2026", state="open")
    assert answer.status_code == 200
    assert "it was left out" in body(answer)
    assert ledger["late"].number in body(answer)


@pytest.mark.parametrize(
    "params",
    [
        {"after": "garbage"},
        {"sort": "nonsense"},
        {"type": "x"},
        {"client": "99999999999999999999999"},
        {"q": "\x00"},
        {"late_min": "1e9"},
        {"amount_min": "1" * 400},
    ],
)
def test_a_hostile_address_is_answered_with_a_page(clerk_client, ledger, params):
    assert listed(clerk_client, **params).status_code == 200


def test_htmx_gets_the_list_alone_and_hears_its_sum(clerk_client, ledger):
    answer = clerk_client.get(
        reverse("invoices:list"), {"state": "open"}, headers={"HX-Request": "true"}
    )
    assert "<html" not in body(answer)
    assert 'id="announce" hx-swap-oob' in body(answer)
    assert "HX-Request" in answer["Vary"]


def test_sales_see_their_own_only(db):
    seller = make_user(role=User.Role.SALES)
    own, other = make_invoice(owner=seller), make_invoice()
    from django.test import Client as Browser

    browser = Browser()
    browser.force_login(seller, backend="allauth.account.auth_backends.AuthenticationBackend")
    page = body(listed(browser))
    assert own.number in page
    assert other.number not in page
    assert browser.get(reverse("invoices:export-csv")).status_code == 403


def test_an_address_with_a_client_of_somebody_else_does_not_tell_its_name(sales_client):
    client = make_client(name="Chantiers secrets")
    make_invoice(client=client, owner=make_user())
    answer = sales_client.get(reverse("invoices:list"), {"client": client.pk})
    assert answer.status_code == 200
    assert "Chantiers secrets" not in answer.text


def test_a_list_of_sixty_makes_as_many_queries_as_one_of_three(
    clerk_client, ledger, django_assert_max_num_queries, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        listed(clerk_client, size=50)
    for _ in range(57):
        make_invoice()
    with CaptureQueriesContext(connection) as many:
        listed(clerk_client, size=50)
    assert len(many) == len(few)


def test_pages_follow_each_other_without_gap_or_double(clerk_client):
    numbers = {make_invoice(issue_date=date(2026, 1, 1 + n % 3)).number for n in range(60)}
    url, seen = reverse("invoices:list") + "?sort=issued", []
    while url:
        answer = clerk_client.get(url)
        seen += [row.name for row in answer.context["rows"]]
        following = answer.context["page"].next_url
        url = reverse("invoices:list") + following if following else ""
    assert len(seen) == 60
    assert set(seen) == numbers


def test_the_csv_holds_exactly_the_rows_of_the_list(clerk_client, ledger):
    evil = make_invoice(client=make_client(name="=cmd|' /C calc'!A0"), total_minor=10_00)
    answer = clerk_client.get(reverse("invoices:export-csv"), {"state": "open", "currency": "EUR"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    by_number = {row["Number"]: row for row in rows}
    assert set(by_number) == {ledger["late"].number, ledger["current"].number, evil.number}
    assert by_number[evil.number]["Client"].startswith("'=cmd")
    assert sorted(row["Outstanding"] for row in rows) == ["10.00", "100.00", "250.00"]


def test_the_workbook_keeps_numbers_and_days_as_such(clerk_client, ledger):
    answer = clerk_client.get(reverse("invoices:export-xlsx"), {"state": "overdue"})
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    head, *rows = book.active.iter_rows(values_only=True)
    by_name = dict(zip(head, rows[0], strict=True))
    assert by_name["Outstanding"] in (100, 70)
    assert hasattr(by_name["Due"], "year")


def test_as_of_a_past_day_what_was_open_then_is_shown(clerk_client, clerk):
    from moneyed import Money

    from invoices.payments.recording import record_payment

    invoice = make_invoice(issue_date=date(2026, 3, 1), total_minor=100_00)
    record_payment(
        client_id=invoice.client_id,
        amount=Money("100", "EUR"),
        received_on=date(2026, 4, 20),
        reference="R",
        method="transfer",
        by=clerk,
        allocations=[(invoice.pk, Money("100", "EUR"))],
    )
    before = body(listed(clerk_client, state="overdue", as_of="2026-04-10"))
    assert invoice.number in before
    assert '<dt>Outstanding</dt><dd title="€100.00">€100.00</dd>' in before
    assert invoice.number not in body(listed(clerk_client, state="overdue", as_of="2026-04-20"))


def test_chosen_pdfs_come_in_one_archive(clerk_client, ledger):
    Document.objects.create(
        invoice=ledger["late"], filename="F-1.pdf", content=b"%PDF-1", sha256="0" * 64, size=6
    )
    url = reverse("invoices:download-pdfs")
    answer = clerk_client.post(url, {"ids": [ledger["late"].pk]})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.namelist() == ["F-1.pdf"]
        assert archive.read("F-1.pdf") == b"%PDF-1"


def test_pdfs_that_are_left_out_are_named_with_the_reason_before_and_in_the_archive(
    clerk_client, ledger
):
    Document.objects.create(
        invoice=ledger["late"], filename="F-1.pdf", content=b"%PDF-1", sha256="0" * 64, size=6
    )
    url = reverse("invoices:download-pdfs")
    chosen = [ledger[key].pk for key in ("late", "current", "draft")]
    first = clerk_client.post(url, {"ids": [*chosen, "x"]})
    assert first.status_code == 200
    assert "2 of the chosen documents are left out" in body(first)
    assert "Download 1 PDF" in body(first)
    assert f"{ledger['current'].number}, Mairie" in body(first)
    answer = clerk_client.post(url, {"ids": chosen, "known": "1"})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.namelist() == ["F-1.pdf", "Left out.txt"]
        said = archive.read("Left out.txt").decode("utf-8-sig")
    assert f"{ledger['current'].number}, Mairie d’Évron: brought in from the old system" in said
    assert "Audit, Mairie d’Évron: a draft" in said


@pytest.mark.parametrize("given", [[], ["current"]])
def test_no_archive_is_made_of_nothing(clerk_client, ledger, given):
    answer = clerk_client.post(
        reverse("invoices:download-pdfs"), {"ids": [ledger[key].pk for key in given], "known": "1"}
    )
    assert answer.status_code == 422
    assert ("Nothing was chosen" in body(answer)) is not bool(given)
    assert ("brought in from the old system" in body(answer)) is bool(given)


def test_a_list_of_a_past_day_shows_nothing_that_came_later(clerk_client):
    invoice = make_invoice(issue_date=date(2026, 3, 1), total_minor=100_00)
    settle(invoice, date(2026, 3, 20))
    asked = {"state": "issued", "as_of": "2026-03-10"}
    (then,) = listed(clerk_client, **asked).context["rows"]
    assert (then.open, then.late, "Settled" in then.state) == ("€100.00", "–", False)
    (now,) = listed(clerk_client, state="issued").context["rows"]
    assert (now.open, now.late, "Settled" in now.state) == ("€0.00", "−11", True)
    for params, paid, late, state in (
        (asked, "", "", "Issued"),
        ({"state": "issued"}, "2026-03-20", "-11", "Settled"),
    ):
        answer = clerk_client.get(reverse("invoices:export-csv"), params)
        row = next(
            csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
        )
        assert (row["Paid on"], row["Days late"], row["State"]) == (paid, late, state)


def test_the_first_time_the_empty_list_says_what_to_do(clerk_client):
    assert "No invoices yet" in body(listed(clerk_client))
    assert "Clear the filter" in body(listed(clerk_client, q="nothing"))


def test_tab_counts_are_those_of_the_lists(clerk_client, ledger):
    answer = clerk_client.get(reverse("invoices:tab-counts"), headers={"HX-Request": "true"})
    counts = dict(answer.context["counts"])
    for state in ("draft", "open", "overdue", "settled", "credit"):
        page = listed(clerk_client, state=state)
        assert counts[state] == str(page.context["page"].count)


@pytest.mark.parametrize("name", ["list", "payments", "clients", "deals"])
def test_a_filter_is_written_when_its_panel_is_opened(clerk_client, name):
    url = reverse(f"invoices:{name}")
    closed = body(clerk_client.get(url))
    assert 'name="q" ' not in closed.split('id="add-filter"')[1]
    assert f'href="{url}?panel=1"' in closed or 'href="?panel=1"' in closed
    fetched = clerk_client.get(url, {"panel": 1, "sort": "x"}, headers={"HX-Request": "true"})
    assert body(fetched).lstrip().startswith("<form")
    assert '<input type="hidden" name="sort" value="x">' in body(fetched)
    assert "HX-Request" in fetched["Vary"]
    # Without script the page comes with its panel open.
    whole = body(clerk_client.get(url, {"panel": 1}))
    assert '<details class="filter-more" open>' in whole
    assert 'name="q"' in whole.split('id="add-filter"')[1]


def test_a_usual_period_is_one_click(clerk_client):
    make_invoice(issue_date=timezone.localdate(), title="Now")
    make_invoice(issue_date=date(2019, 5, 5), title="Long ago")
    panel = clerk_client.get(reverse("invoices:list"), {"panel": 1})
    words, url, current = panel.context["periods"][0]
    assert (words, current) == ("This month", False)
    page = clerk_client.get(reverse("invoices:list") + url)
    assert page.context["page"].count == 1
    assert page.context["periods"][0][2]


def test_total_and_outstanding_stand_apart_each_under_its_name(clerk_client, ledger):
    """They were joined by the dots that join currencies: nobody saw where one ended."""
    text = body(listed(clerk_client, state="open"))
    sums = re.search(r'<dl class="list-sums.*?</dl>', text, re.DOTALL)[0]
    assert re.findall(r"<dt>(.*?)</dt><dd title=\"(.*?)\"", sums) == [
        ("Total", "€350.00 · US$70.00"),
        ("Outstanding", "€350.00 · US$70.00"),
    ]


@pytest.mark.parametrize("name", ["list", "clients", "payments", "mail"])
def test_a_name_that_is_cut_off_is_whole_under_the_pointer(clerk_client, name):
    long = "Société d’aménagement et de développement durable des Pays de la Loire " * 3
    long = long.strip()
    client = make_client(name=long)
    make_invoice(client=client)
    Payment.objects.create(
        client=client, received_on=timezone.localdate(), currency="EUR", amount_minor=1
    )
    Message.objects.create(
        reason_key="x", kind="invoice", client=client, to=["a@b.example"], subject=long
    )
    text = body(clerk_client.get(reverse(f"invoices:{name}")))
    assert re.search(rf'class="one-line-md[^"]*" title="{long}"', text)
