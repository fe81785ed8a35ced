"""Why there is no VAT is printed from rows of the law, each with its days."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import pytest

from invoices.company.exemptions import SOWN, sow, standing_of, standing_on
from invoices.invoicing import drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Company, ExemptionReason
from invoices.tax.supplies import Supply
from tests.factories import make_client, make_draft
from tests.invoices.tax.test_places import AT

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
GERMAN = {"country": "DE", "vat_id": "DE129273398", "postal_code": "10115"}
# Category and nature of the line, where the client is, what the page names.
CASES = [
    ("AE", "services", GERMAN, "fr", "article 196 de la directive"),
    ("AE", "services", GERMAN, "en", "article 196 of Directive"),
    ("K", "goods", GERMAN, "fr", "article 262 ter, I du CGI"),
    ("K", "goods", GERMAN, "en", "article 138 of Directive"),
    ("G", "goods", {"country": "CH"}, "fr", "article 262, I du CGI"),
    ("G", "goods", {"country": "RE"}, "en", "articles 262, I and 294, 2 of the French"),
    ("G", "goods", {"country": "CH"}, "en", "article 146 of Directive"),
    ("O", "services", {"country": "CH"}, "fr", "article 259 du CGI"),
    ("O", "services", {"country": "PF"}, "en", "article 259 of the French tax code"),
    ("O", "services", {"country": "GF"}, "fr", "article 294, 1 du CGI"),
    ("O", "goods", {"country": "FR", "postal_code": "97600"}, "en", "article 294, 1 of the"),
]


def draft_of(category, nature, where, language="fr"):
    draft = make_draft(client=make_client(**where), language=language, service_from=ON)
    draft.lines.update(vat_category=category, vat_rate=0, nature=nature)
    drafting.recalculate(draft)
    return draft


def refusals(draft):
    return [(each.text, each.anchor) for each in reasons_not_to_issue(draft, ON)]


@pytest.mark.parametrize(("category", "nature", "where", "language", "named"), CASES)
def test_the_page_names_its_article(category, nature, where, language, named):
    draft = draft_of(category, nature, where, language)
    assert refusals(draft) == []
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    (sentence,) = invoice.paper["exemptions"]
    assert named in sentence
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON)
    assert note.paper["exemptions"] == [sentence]


def test_a_new_law_is_a_new_row_and_counts_from_its_first_day():
    row = standing_on("K", ON)
    row.ends_on = ON - timedelta(days=1)
    row.save()
    draft = draft_of("K", "goods", GERMAN)
    ((text, anchor),) = refusals(draft)
    assert "No sentence of the law for “Goods to another state of the Union” holds on" in text
    assert anchor == "rates"
    ExemptionReason.objects.create(
        category="K",
        code="VATEX-EU-IC",
        name_fr="Selon le CIBS",
        name_en="By the CIBS",
        sentence_fr="Exonération de TVA, article L. 234-1 du CIBS.",
        sentence_en="Exempt from VAT, article L. 234-1 of the CIBS.",
        starts_on=ON,
        source="CIBS",
    )
    assert refusals(draft) == []
    # What was supplied before bears the sentence of its day.
    before = draft_of("K", "goods", GERMAN)
    before.service_until = before.service_from = ON - timedelta(days=1)
    before.save()
    said = [
        issue(invoice_id=each.pk, by=None, on=ON).paper["exemptions"] for each in (before, draft)
    ]
    assert ["262 ter" in said[0][0], "CIBS" in said[1][0]] == [True, True]


def test_in_the_franchise_the_page_says_so_by_its_row():
    draft = draft_of("E", "services", {})
    Company.objects.update(vat_regime="franchise", vat_rate=0)
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.paper["exemptions"] == ["TVA non applicable, article 293 B du CGI."]
    # A credit note says the same after the regime has changed, and after the row has.
    Company.objects.update(vat_regime="normal", vat_rate=20)
    ExemptionReason.objects.filter(category="293B").update(sentence_fr="Autre texte")
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON)
    assert note.paper["exemptions"] == invoice.paper["exemptions"]


def test_each_category_has_its_row_and_those_of_an_older_portal_come_with_the_update():
    places = [None, *AT.values()]
    for category, seller, client, tied in product(("AE", "K", "G", "O"), places[1:], AT, places):
        supply = Supply(seller, AT[client], tied=tied)
        for kind in standing_of(category, supply, ["goods", "services", ""]) or [""]:
            assert standing_on(kind, ON) is not None
    assert [standing_of(each, supply) for each in ("S", "Z", "E")] == [[], [], []]
    ExemptionReason.objects.exclude(category="E").delete()
    sow()
    assert ExemptionReason.objects.count() == len(SOWN)
