"""A client who moves from Réunion to Berlin between draft and issue: never the VAT of before."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Client, Invoice, InvoiceEvent, NumberSeries
from tests.confirm import token_on
from tests.factories import make_client, make_draft
from tests.invoices.tax.test_where_supplied import fields_of, form_of
from tests.test_editing import open_page

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 25)
IN_REUNION = {
    "country": "RE", "postal_code": "97400", "city": "Saint-Denis", "vat_id": "", "siren": "",
}  # fmt: skip
IN_BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin"}
GERMAN_ID = {"vat_id": "DE129273398"}


def drafted_in_reunion():
    return make_draft(client=make_client(**IN_REUNION), lines=((1, "1000", "8.5"),))


def moved_by_form(browser, client, **where):
    url = reverse("invoices:client-edit", args=[client.pk])
    assert browser.post(url, {**open_page(browser, url), **where}).status_code in (302, 303)


def as_it_was(draft, number_of_drafts=1):
    """Nothing was numbered, kept or sent, and the draft is there, whole."""
    draft.refresh_from_db()
    assert (draft.status, draft.number, draft.sequence) == ("draft", "", None)
    assert (draft.net_minor, draft.vat_minor, draft.lines.count()) == (1000_00, 85_00, 1)
    assert not draft.documents.exists() and not draft.messages.exists()
    assert not InvoiceEvent.objects.filter(invoice=draft, kind="issued").exists()
    assert not NumberSeries.objects.filter(kind="invoice", next_value__gt=1).exists()
    assert Invoice.objects.count() == number_of_drafts


@pytest.mark.parametrize(
    ("vat_id", "said"),
    [
        (GERMAN_ID, "what is supplied in another state of the Union bears no French VAT here"),
        ({}, "Line 1 bears VAT at 8.5%; it is taxed in metropolitan France or Monaco"),
    ],
)
def test_who_moves_while_somebody_looks_at_the_issue_is_not_issued_the_old_vat(
    clerk_client, vat_id, said
):
    draft = drafted_in_reunion()
    url = reverse("invoices:issue", args=[draft.pk])
    shown = clerk_client.get(url)
    token = token_on(shown)
    assert token and said not in html.unescape(shown.text)
    moved_by_form(clerk_client, draft.client, **IN_BERLIN, **vat_id)
    once = new_key()
    for _again in range(2):
        answer = clerk_client.post(url, {"confirmed": token, "once": once})
        assert answer.status_code in (409, 422)
        as_it_was(draft)
    page = html.unescape(clerk_client.get(url).text)
    assert said in page and "#id_lines-0-vat" in page


def test_the_editor_sets_the_vat_of_berlin_and_shows_it_before_it_is_kept(clerk_client):
    draft = drafted_in_reunion()
    moved_by_form(clerk_client, draft.client, **IN_BERLIN, **GERMAN_ID)
    url, typed = form_of(clerk_client, draft)
    assert typed["lines-0-vat"] == "S:8.5"
    answer = clerk_client.post(url, {**typed, "act": "vat"})
    ruled = fields_of(answer.text)
    assert ruled["lines-0-vat"] == "AE:0"
    as_it_was(draft)
    assert clerk_client.post(url, {**ruled, "act": "save"}).status_code == 302
    issue_url = reverse("invoices:issue", args=[draft.pk])
    sent = {"confirmed": token_on(clerk_client.get(issue_url)), "once": new_key()}
    for _again in range(2):
        clerk_client.post(issue_url, sent)
    invoice = Invoice.objects.get()
    assert (invoice.sequence, invoice.vat_minor, invoice.total_minor) == (1, 0, 1000_00)
    assert invoice.paper["buyer"]["country"] == "DE"
    assert "article 196" in invoice.paper["exemptions"][0]
    assert InvoiceEvent.objects.filter(kind="issued").count() == 1


def test_without_a_vat_id_the_rules_charge_the_usual_rate_of_here(clerk_client):
    draft = drafted_in_reunion()
    moved_by_form(clerk_client, draft.client, **IN_BERLIN)
    url, typed = form_of(clerk_client, draft)
    ruled = fields_of(clerk_client.post(url, {**typed, "act": "vat"}).text)
    assert ruled["lines-0-vat"] == "S:20"


def test_goods_that_still_go_to_reunion_keep_their_export():
    draft = drafted_in_reunion()
    draft.lines.update(nature="goods", vat_category="G", vat_rate=0)
    where = {
        "delivered_to": "other", "delivery_address": "Quai 4", "delivery_postal_code": "97420",
        "delivery_city": "Le Port", "delivery_country": "RE",
    }  # fmt: skip
    Client.objects.filter(pk=draft.client_id).update(**IN_BERLIN, **GERMAN_ID)
    draft = Invoice.objects.get(pk=draft.pk)
    assert [each.field for each in reasons_not_to_issue(draft, ON)] == ["vat"]
    Invoice.objects.filter(pk=draft.pk).update(**where)
    assert reasons_not_to_issue(Invoice.objects.get(pk=draft.pk), ON) == []


def test_a_move_between_the_print_and_the_lock_is_refused_too(monkeypatch):
    """The paper is laid out before the locks; what is kept is what the locked rows say."""
    from invoices.invoicing import issuing

    draft = drafted_in_reunion()
    print_ahead = issuing.print_ahead

    def printed_and_moved(invoice_id, on):
        ahead = print_ahead(invoice_id, on)
        Client.objects.filter(pk=draft.client_id).update(**IN_BERLIN, **GERMAN_ID)
        return ahead

    monkeypatch.setattr(issuing, "print_ahead", printed_and_moved)
    with pytest.raises(IssueRefused, match="no French VAT"):
        issue(invoice_id=draft.pk, by=None, on=ON)
    as_it_was(draft)
