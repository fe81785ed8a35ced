"""The page of the numbers: what comes next as it is typed, and a change that was agreed to."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.models import BooksDecision, NumberPattern, NumberSeries
from tests.confirm import confirm, token_on
from tests.factories import make_company, make_invoice, make_issued, number_by

pytestmark = pytest.mark.django_db
URL = "/settings/numbers/"
# As the clock of the tests has it.
ON = date(2026, 11, 25)


def typed(**fields):
    given = {
        "invoice_prefix": "F-{year}-",
        "invoice_width": "4",
        "invoice_restart": "year",
        "credit_note_prefix": "A-{year}-",
        "credit_note_width": "4",
        "credit_note_restart": "year",
        "quote_prefix": "D-{year}-",
        "quote_width": "4",
        "quote_restart": "year",
        "begins": "period",
        "reason": "",
    }
    return {**given, **fields}


MONTHLY = {"invoice_prefix": "F-{year}-{month}-", "invoice_restart": "month"}


def preview(browser, **fields):
    answer = browser.post(reverse("company:numbers-preview"), typed(**fields))
    assert answer.status_code == 200
    return html.unescape(answer.text)


def test_only_administrators_see_it(clerk_client, admin_client):
    make_company()
    assert clerk_client.get(URL).status_code == 403
    assert clerk_client.post(reverse("company:numbers-preview"), typed()).status_code == 403
    page = admin_client.get(URL).text
    assert "F-2026-0001" in page and "F-2027-0001" in page and "A-2026-0001" in page


def test_the_numbers_of_quotes_have_a_form_of_their_own(admin_client):
    make_company()
    text = preview(admin_client, quote_prefix="DV{yy}{month}-", quote_restart="month")
    assert "The next quote will be DV2611-0001." in text
    # One that invoices have already, or claims gave, is none for quotes.
    assert "same number" in preview(admin_client, quote_prefix="F-{year}-")
    NumberSeries.objects.create(kind="claim", period="2026", prefix="P-2026-")
    assert "name other documents" in preview(admin_client, quote_prefix="P-{year}-")
    answer = admin_client.get(URL)
    assert answer.status_code == 200
    # The series of claims is none of its rows.
    assert "P-2026-" not in answer.text


def test_without_a_company_it_leads_to_the_company(admin_client):
    assert admin_client.get(URL)["Location"] == reverse("company:details")


def test_what_would_happen_is_said_while_typing_and_nothing_is_changed(admin_client):
    make_company()
    make_issued(on=ON)
    text = preview(admin_client, **MONTHLY)
    assert "The next invoice is still F-2026-0002; from 1\xa0Jan 2027 on" in text
    text = preview(admin_client, **MONTHLY, begins="once")
    assert "The next invoice will be F-2026-11-0001." in text
    assert "The series F-2026- ends at F-2026-0001." in text
    assert "F-2026-12-0001" in text and "F-2027-01-0001" in text
    text = preview(admin_client, invoice_prefix="FA", invoice_width="6", invoice_restart="never")
    assert "from 1\xa0Jan 2027 on it is FA000001" in text
    assert NumberSeries.objects.count() == 1 and not NumberPattern.objects.exclude(
        prefix__in=["F-{year}-", "A-{year}-", "D-{year}-"]
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"invoice_prefix": "F-"}, "begins again each year"),
        ({"invoice_prefix": "F {year}"}, "only letters"),
        ({"invoice_prefix": "F-{jour}"}, "Only {year}, {yy} and {month}"),
        ({"invoice_prefix": "A-{year}-"}, "same number"),
        ({"invoice_restart": "month"}, "begins again each month"),
        ({"invoice_restart": "decade"}, "decade"),
        ({"invoice_width": "0"}, "At least 1"),
        ({"invoice_width": "12"}, "At most 9"),
        ({"invoice_width": ""}, "required"),
        ({"credit_note_prefix": "x" * 40, "credit_note_restart": "never"}, "49 signs"),
        ({"credit_note_prefix": "\0"}, "Null characters"),
    ],
)
def test_what_is_wrong_gets_a_sentence_here_and_while_typing(fields, says, admin_client):
    make_company()
    answer = confirm(admin_client, URL, typed(**fields))
    assert answer.status_code == 422
    assert says in html.unescape(answer.text)
    assert says in preview(admin_client, **fields)
    assert not BooksDecision.objects.exists()


def test_another_form_holds_from_the_next_year_on(admin_client):
    make_company()
    make_issued(on=ON)
    assert confirm(admin_client, URL, typed(**MONTHLY)).status_code == 303
    assert NumberPattern.of("invoice").restart == "month"
    assert make_issued(on=ON).number == "F-2026-0002"
    page = admin_client.get(reverse("company:books")).text
    assert "The numbers of invoices: F-{year}-{month}-0001 (At 1 each month)" in page


def test_a_series_ends_only_when_that_was_agreed_to_with_a_reason(admin_client):
    make_company()
    make_issued(on=ON)
    data = typed(**MONTHLY, begins="once")
    asked = confirm(admin_client, URL, data)
    assert asked.status_code == 422
    assert "The series F-2026- ends at F-2026-0001." in asked.text
    assert "Say why" in asked.text
    token = asked.context["asked"].token
    # Without a word why, or for numbers that are others now: not changed.
    assert confirm(admin_client, URL, {**data, "agreed": token}).status_code == 422
    make_issued(on=ON)
    data["reason"] = "The auditor asks for it"
    again = confirm(admin_client, URL, {**data, "agreed": token, "asked": "1"})
    assert again.status_code == 422 and "Nothing was changed" in again.text
    token = again.context["asked"].token
    assert confirm(admin_client, URL, {**data, "agreed": token}).status_code == 303
    assert make_issued(on=ON).number == "F-2026-11-0001"
    page = admin_client.get(reverse("company:books")).text
    assert "A series of invoices ended: F-2026-0002 was its last." in page
    assert "The auditor asks for it" in page


def test_a_double_click_changes_once(admin_client):
    make_company()
    data = typed(**MONTHLY) | {"once": new_key(), "confirmed": token_on(admin_client.get(URL))}
    assert admin_client.post(URL, data).status_code == 303
    assert "already done a moment ago" in admin_client.post(URL, data, follow=True).text
    assert BooksDecision.objects.count() == 1


def test_a_colleague_who_changed_them_meanwhile_is_not_overwritten(admin_client):
    make_company()
    token = token_on(admin_client.get(URL))
    number_by("FA", "never", width=6)
    data = typed(**MONTHLY) | {"once": new_key(), "confirmed": token}
    answer = admin_client.post(URL, data)
    assert answer.status_code == 422 and "look again" in answer.text
    assert NumberPattern.of("invoice").prefix == "FA"


@pytest.mark.parametrize("token", ["", "1.old"])
def test_without_the_token_of_the_page_nothing_is_changed(token, admin_client):
    make_company()
    data = typed(**MONTHLY) | {"once": new_key(), "confirmed": token}
    assert admin_client.post(URL, data).status_code == 422
    assert not NumberPattern.objects.filter(restart="month").exists()


def test_numbers_of_the_old_system_are_warned_of(admin_client):
    make_company()
    make_invoice(number="FA000431")
    text = preview(admin_client, invoice_prefix="FA", invoice_width="6", invoice_restart="never")
    assert "The old system gave numbers up to FA000431" in text
    assert reverse("company:books") in text


def test_a_draft_leads_its_issuer_to_the_page_that_mends_it(admin_client):
    from tests.factories import make_draft

    draft = make_draft()
    # Of another kind, by hand: no form allows it.
    NumberSeries.objects.create(kind="credit_note", period="2026", prefix="F-2026-")
    dialog = admin_client.post(
        reverse("invoices:issue", args=[draft.pk]),
        {"once": new_key(), "confirmed": token_on(admin_client.get(
            reverse("invoices:issue", args=[draft.pk])))},
    )  # fmt: skip
    assert dialog.status_code == 422
    assert "belongs to another series already" in dialog.text
    assert reverse("company:numbers") in dialog.text
