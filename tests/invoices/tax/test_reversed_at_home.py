"""Reverse charge within France has articles of its own, chosen from rows like an exemption."""

from __future__ import annotations

import html
from datetime import date

import pytest
from django.urls import reverse
from moneyed import Money

from invoices.invoicing import drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import ExemptionReason
from tests.factories import make_client, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
SENTENCE = "Autoliquidation de la TVA par le preneur, article 283, 2 nonies du CGI."


def building():
    return ExemptionReason.objects.get(sentence_fr=SENTENCE)


def draft_of(why, client=None, category="AE", nature="services"):
    draft = make_draft(client=client or make_client(siren="552100554"))
    draft.lines.update(vat_category=category, vat_rate=0, exemption=why, nature=nature)
    drafting.recalculate(draft)
    return draft


def refusals(draft):
    fields = ("vat", "vat_id", "note")
    return [each.text for each in reasons_not_to_issue(draft, ON) if each.field in fields]


def test_subcontracted_work_in_paris_is_billed_with_its_article():
    draft = draft_of(building())
    assert refusals(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.paper["exemptions"] == [SENTENCE]
    assert invoice.vat_minor == 0


@pytest.mark.parametrize("given", [{}, {"amount": Money("250", "EUR")}])
def test_a_credit_note_says_the_same_article(given):
    invoice = issue(invoice_id=draft_of(building()).pk, by=None, on=ON)
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON, **given)
    assert note.paper["exemptions"] == [SENTENCE]


def test_without_an_article_it_is_that_of_the_directive_and_not_for_paris():
    (told,) = refusals(draft_of(None))
    assert "it is for services to businesses of other states of the Union" in told


def test_the_article_is_for_clients_in_france():
    german = make_client(country="DE", vat_id="DE129273398")
    (told,) = refusals(draft_of(building(), client=german))
    assert told == (
        "Line 1 says “Reverse charge within France”, and the client is in another state of the "
        "Union: the article that it names is for clients in France."
    )


def test_who_accounts_for_the_vat_is_named_by_a_number():
    nobody = make_client(siren="", vat_id="")
    assert refusals(draft_of(building(), client=nobody)) == [
        "Reverse charge needs the client's VAT id or SIREN: both are missing."
    ]


def test_goods_may_have_such_an_article_too():
    scrap = ExemptionReason.objects.get(source="CGI 283, 2 sexies")
    assert refusals(draft_of(scrap, nature="goods")) == []


def test_an_article_holds_on_its_days_only_and_for_its_category():
    why = building()
    why.ends_on = date(2025, 12, 31)
    why.save()
    (told,) = refusals(draft_of(why))
    assert "is no reason for no VAT on 24" in told
    draft = make_draft()
    line = {"description": "It", "vat_category": "E", "vat_rate": 0, "exemption_id": why.pk}
    problems = drafting.save_draft(invoice_id=draft.pk, header={}, lines=[line], by=None)
    assert problems == {"lines.0.vat_category": "Choose why there is no VAT on the line."}


def test_the_editor_offers_it_apart(clerk_client):
    why = building()
    page = html.unescape(clerk_client.get(reverse("invoices:edit", args=[draft_of(why).pk])).text)
    assert '<optgroup label="Reverse charge within France">' in page
    assert f'<option value="AE:0:{why.pk}" selected>Subcontracted construction work' in page
