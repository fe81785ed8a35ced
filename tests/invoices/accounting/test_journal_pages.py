"""The pages of the journal and of its accounts."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse
from moneyed import Money

from billing_portal.idempotency import new_key
from invoices.accounting.chart import Chart
from invoices.models import JournalExport, JournalSetup, LedgerAccount
from invoices.payments import recording
from tests.confirm import token_on
from tests.factories import make_client, make_company, make_invoice, make_user
from tests.invoices.accounting.bookkeeping import issued

pytestmark = pytest.mark.django_db
ON = date(2026, 9, 1)
PERIOD = {"first": "01/09/2026", "last": "30/09/2026"}
URL = "/journal/"
EXPORT = "/journal/export/"


@pytest.fixture
def invoice():
    make_company()
    return issued(make_client(name="Josso"), [("1000.00", 20, "services")], ON)


def export(browser, **given):
    """The answer, with the `file` that it brought."""
    answer = browser.post(EXPORT, {**PERIOD, "format": "fec", "once": new_key(), **given})
    if answer.streaming:
        # Read to its end it is closed, and the connection to the database is not.
        answer.file = b"".join(answer.streaming_content)
    return answer


# ─ The journal ──────────────────────────────────────────────────────────────────────────────────
def test_the_page_says_what_the_period_holds(clerk_client, invoice):
    page = clerk_client.get(URL, PERIOD)
    assert page.status_code == 200
    assert "€1,200.00" in page.text
    assert "the same in credit" in page.text
    assert "An extract, no whole FEC" in page.text
    assert "706000" in page.text


def test_without_a_period_it_is_the_month_before(clerk_client, invoice):
    page = clerk_client.get(URL)
    assert 'datetime="2026-10-01"' in page.text
    assert 'value="31/10/2026"' in page.text
    assert "No entry in this period." in page.text


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("30/09/2026", "01/09/2026", "The last day is before the first one."),
        ("31/02/2026", "01/03/2026", ""),
        ("", "01/03/2026", "required"),
    ],
)
def test_bad_days_are_said(first, last, why, clerk_client, invoice):
    page = clerk_client.get(URL, {"first": first, "last": last})
    assert page.status_code == 422
    assert why in page.text
    answer = export(clerk_client, first=first, last=last)
    assert answer.status_code == 422
    assert not JournalExport.objects.exists()


def test_the_file_is_kept_in_mind_with_its_digest(clerk_client, clerk, invoice):
    answer = export(clerk_client)
    assert answer["Content-Disposition"] == (
        'attachment; filename="732829320FEC20260930-extrait.txt"'
    )
    kept = JournalExport.objects.get()
    assert kept.sha256 == hashlib.sha256(answer.file).hexdigest()
    assert (kept.by, kept.entries, kept.total_minor) == (clerk, 1, 1_200_00)
    page = clerk_client.get(URL, PERIOD)
    assert kept.sha256 in page.text
    assert "since this export" not in page.text


def test_a_double_click_exports_once(clerk_client, invoice):
    key = new_key()
    assert export(clerk_client, once=key).status_code == 200
    assert export(clerk_client, once=key).status_code == 303
    assert JournalExport.objects.count() == 1


def test_what_came_since_is_said_with_its_pages(clerk_client, invoice):
    export(clerk_client)
    late = issued(make_client(), [("10.00", 20, "services")], ON)
    recording.record_payment(
        client_id=invoice.client_id,
        amount=Money(1200, "EUR"),
        received_on=date(2026, 9, 20),
        reference="LATE",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(1200, "EUR"))],
    )
    page = clerk_client.get(URL, PERIOD)
    # The invoice, the payment, and the VAT that the payment made due.
    assert "3 entries have come since this export of" in " ".join(page.text.split())
    assert reverse("invoices:detail", args=[late.pk]) in page.text
    LedgerAccount.objects.create(role="bank", number="512100", label="Crédit Agricole")
    assert "Journals or accounts were changed since." in clerk_client.get(URL, PERIOD).text


def test_an_export_that_lacks_something_is_refused_until_its_person_knows(clerk_client, invoice):
    lost = make_invoice(imported=False, currency="USD", issue_date=ON)
    page = clerk_client.get(URL, PERIOD)
    assert lost.number in page.text
    assert "is not written" in page.text
    answer = export(clerk_client)
    assert answer.status_code == 422
    assert lost.number in answer.text
    assert not JournalExport.objects.exists()
    assert export(clerk_client, leave_out="on").status_code == 200
    assert JournalExport.objects.get().left_out == 1
    assert "1 fact was left out" in " ".join(clerk_client.get(URL, PERIOD).text.split())


def test_drafts_of_the_period_are_counted(clerk_client, invoice):
    make_invoice(status="draft", issue_date=ON, due_date=ON)
    page = clerk_client.get(URL, PERIOD)
    assert "1 draft may still be issued in this period." in " ".join(page.text.split())


def test_the_lines_of_an_account_open_what_they_tell(clerk_client, invoice):
    page = clerk_client.get("/journal/account/411000/", PERIOD)
    assert reverse("invoices:detail", args=[invoice.pk]) in page.text
    assert "€1,200.00" in page.text
    assert "No line on this account" in clerk_client.get("/journal/account/1/", PERIOD).text
    assert clerk_client.get("/journal/account/411000/", {"first": "x"}).status_code == 404


def test_a_manager_exports_and_a_salesperson_does_not(client, invoice):
    for role, code in (("manager", 200), ("sales", 403)):
        client.force_login(
            make_user(role=role), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        assert client.get(URL, PERIOD).status_code == code
        assert export(client).status_code == code
    assert client.get("/settings/accounting/").status_code == 403


def test_without_a_company_the_page_says_what_comes_first(clerk_client):
    assert "First say who the company is." in clerk_client.get(URL, PERIOD).text
    assert export(clerk_client).status_code == 422


def test_an_export_is_not_rewritten(invoice, clerk_client):
    export(clerk_client)
    for change in (lambda rows: rows.update(sha256="0" * 64), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="journalexport"), transaction.atomic():
            change(JournalExport.objects.all())


# ─ Accounts ─────────────────────────────────────────────────────────────────────────────────────
ACCOUNTS = "/settings/accounting/"
SETUP = {
    "sales_code": "ve", "sales_label": "Ventes", "bank_code": "BQ1", "bank_label": "Banque",
    "other_code": "OD", "other_label": "Divers", "with_auxiliary": "on", "small_difference": "2",
}  # fmt: skip


def test_the_journals_are_saved(clerk_client, invoice):
    answer = clerk_client.post(ACCOUNTS, {**SETUP, "once": new_key()})
    assert answer.status_code == 303
    setup = JournalSetup.ours()
    assert (setup.sales_code, setup.bank_code, setup.small_difference_minor) == ("VE", "BQ1", 200)
    page = clerk_client.post(ACCOUNTS, {**SETUP, "small_difference": "-1", "once": new_key()})
    assert page.status_code == 422
    clerk_client.post(ACCOUNTS, {**SETUP, "small_difference": "0", "once": new_key()})
    assert JournalSetup.ours().small_difference_minor == 0


@pytest.mark.parametrize(
    ("field", "typed", "why"),
    [
        ("sales_code", "BQ1", "a code of its own"),
        ("sales_code", "V É", "one to ten letters"),
        ("bank_label", "", "required"),
    ],
)
def test_a_journal_that_cannot_be_is_refused(field, typed, why, clerk_client, invoice):
    page = clerk_client.post(ACCOUNTS, {**SETUP, field: typed, "once": new_key()})
    assert page.status_code == 422
    assert why in page.text
    assert not JournalSetup.objects.exists()


def test_an_account_is_chosen_and_given_back(clerk_client, invoice):
    url = "/settings/accounting/account/?role=sales&nature=services"
    given = {"number": "706 100", "label": "Conseil", "once": new_key()}
    assert clerk_client.post(url, given).status_code == 303
    row = LedgerAccount.objects.get()
    assert (row.number, row.label, row.nature) == ("706100", "Conseil", "services")
    assert "706100" in clerk_client.get(ACCOUNTS).text
    # Changed again, it is the same row.
    clerk_client.post(url, {**given, "number": "706200", "once": new_key()})
    assert LedgerAccount.objects.get().number == "706200"
    drop = reverse("invoices:account-drop", args=[row.pk])
    for stale in ({}, {"confirmed": "1764061200." + "0" * 40}):
        assert clerk_client.post(drop, {"once": new_key(), **stale}).status_code == 422
    token = token_on(clerk_client.get(url))
    clerk_client.post(drop, {"once": new_key(), "confirmed": token})
    assert not LedgerAccount.objects.exists()
    assert Chart.ours().sales("metropole", "S", None, "services").number == "706000"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("70", "3 to 12 figures"),
        ("7060000000000", "3 to 12 figures"),
        ("70A", "3 to 12 figures"),
        ("601000", "begins with 70"),
        ("", "required"),
    ],
)
def test_a_number_that_is_none_is_refused(number, why, clerk_client, invoice):
    url = "/settings/accounting/account/?role=sales&nature=services"
    page = clerk_client.post(url, {"number": number, "label": "X", "once": new_key()})
    assert page.status_code == 422
    assert why in page.text
    assert not LedgerAccount.objects.exists()


@pytest.mark.parametrize(
    "query", ["", "role=x", "role=sales&rate=x", "role=sales&rate=9²", "role=vat&rate=33"]
)
def test_an_account_that_is_for_nothing_is_not_found(query, clerk_client, invoice):
    assert clerk_client.get(f"/settings/accounting/account/?{query}").status_code == 404


NEW = {"role": "vat", "rate": "1,05", "number": "445716", "label": "TVA 1,05 %"}


def test_an_account_for_another_rate_is_added_once(clerk_client, invoice):
    url = "/settings/accounting/new/"
    assert clerk_client.post(url, {**NEW, "once": new_key()}).status_code == 303
    assert str(LedgerAccount.objects.get().rate) == "1.05"
    page = clerk_client.post(url, {**NEW, "once": new_key()})
    assert page.status_code == 422
    assert "There is an account for exactly this" in page.text


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"rate": ""}, "Say for which rate."),
        ({"rate": "20"}, "There is an account for exactly this"),
        ({"rate": "101"}, "At most"),
        ({"category": "K"}, "Only sales and rebates are told apart"),
        ({"role": "sales", "rate": "", "number": "706000"}, "Say for which sales"),
        ({"role": "bank", "number": "512000"}, "not one of the available choices"),
        ({"number": "706000"}, "begins with 445"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused(given, why, clerk_client, invoice):
    page = clerk_client.post("/settings/accounting/new/", {**NEW, **given, "once": new_key()})
    assert page.status_code == 422
    assert why in page.text
    assert not LedgerAccount.objects.exists()


def test_how_many_lines_each_account_has_is_fetched_after_the_page(clerk_client, invoice):
    page = clerk_client.get("/settings/accounting/used/")
    assert '<span class="used-706000" hx-swap-oob="outerHTML:.used-706000">1</span>' in page.text
    assert ">–</span>" in page.text


def test_a_manager_sees_the_accounts_and_changes_none(client, invoice):
    client.force_login(
        make_user(role="manager"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    page = client.get(ACCOUNTS)
    assert page.status_code == 200
    assert "Save the journals" not in page.text
    assert client.post(ACCOUNTS, {**SETUP, "once": new_key()}).status_code == 403
    assert client.get("/settings/accounting/new/").status_code == 403


# ─ The client's own account ─────────────────────────────────────────────────────────────────────
def test_a_client_has_a_code_of_its_own(clerk_client, invoice):
    josso, other = invoice.client, make_client()
    url = reverse("invoices:client-edit", args=[josso.pk])
    form = clerk_client.get(url).context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: value for name, value in given.items() if value not in (None, False)}

    def save(code):
        return clerk_client.post(url, {**given, "ledger_code": code, "once": new_key()})

    assert save("josso").status_code in (302, 303)
    josso.refresh_from_db()
    assert josso.ledger_account == "JOSSO"
    assert "JOSSO" in clerk_client.get(reverse("invoices:client", args=[josso.pk])).text
    type(other).objects.filter(pk=other.pk).update(ledger_code="DUPONT")
    for code, why in (
        ("DUPONT", "is the account of"),
        (f"C{other.pk:06d}", "are the portal’s own"),
        ("É", "Two to seventeen"),
    ):
        page = save(code)
        assert page.status_code == 422
        assert why in page.text
    assert save(f"C{josso.pk:06d}").status_code in (302, 303)
    josso.refresh_from_db()
    assert josso.ledger_code == ""
