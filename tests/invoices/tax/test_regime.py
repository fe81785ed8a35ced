"""A seller in the franchise shows no VAT, says why by itself, and needs no VAT id (CGI 293 B)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from invoices.clients.vat import vat_treatment
from invoices.deals.lacking import missing_for
from invoices.invoicing import drafting
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.invoicing.snapshot import paper_on
from invoices.models import Company
from tests.factories import make_client, make_company, make_deal, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
SENTENCE = "TVA non applicable, article 293 B du CGI."


def franchise(**fields):
    company = make_company()
    Company.objects.update(vat_regime="franchise", vat_id="", **fields)
    company.refresh_from_db()
    return company


def exempt_draft(**fields):
    draft = make_draft(**fields)
    draft.lines.update(vat_category="E", vat_rate=0)
    drafting.recalculate(draft)
    return draft


def test_what_is_billed_at_home_bears_no_vat_whatever_the_usual_rate_says():
    company = franchise()
    assert company.vat_rate == Decimal(20)
    for postal_code in ("56100", "20000", "97400"):
        treatment = vat_treatment(make_client(postal_code=postal_code), company)
        assert (treatment.category, treatment.rate) == ("E", 0)
    # Abroad it is as of every other seller.
    assert vat_treatment(make_client(country="DE", vat_id="DE129273398"), company).category == "AE"


def test_the_page_says_why_and_nobody_has_to_type_it():
    franchise()
    invoice = issue(invoice_id=exempt_draft().pk, by=None, on=ON)
    assert invoice.vat_minor == 0
    paper = paper_on(invoice, ON)
    assert paper.exemptions == (SENTENCE,)
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON)
    assert paper_on(note, ON).exemptions == (SENTENCE,)


def test_vat_that_is_shown_is_refused():
    franchise()
    draft = make_draft()
    (reason,) = [each for each in reasons_not_to_issue(draft, ON) if each.field == "vat"]
    assert reason.text == (
        "Line 1 bears VAT at 20%, and the company charges none (franchise, CGI 293 B)."
    )
    with pytest.raises(IssueRefused):
        issue(invoice_id=draft.pk, by=None, on=ON)


def test_a_deal_says_before_its_draft_that_it_bears_vat():
    franchise()
    line = {"quantity": Decimal(1), "unit_price": Decimal(100)}
    taxed = make_deal(client=make_client(), lines=(line | {"tax_percent": Decimal(20)},))
    assert [each.field for each in missing_for([taxed])[taxed.pk] if each.blocking] == ["vat"]
    free = make_deal(client=make_client(), lines=(line | {"tax_percent": Decimal(0)},))
    assert [each.field for each in missing_for([free])[free.pk] if each.blocking] == []


def test_a_seller_who_charges_vat_on_one_line_needs_a_vat_id():
    taxed, exempt = make_draft(), exempt_draft(note="Article 261, 4, 4° du CGI")
    Company.objects.update(vat_rate=0, vat_id="")
    assert "company.vat_id" in {each.field for each in reasons_not_to_issue(taxed, ON)}
    assert "company.vat_id" not in {each.field for each in reasons_not_to_issue(exempt, ON)}
