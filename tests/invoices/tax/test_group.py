"""A member of a VAT group names the group on each of its documents."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import company_reasons
from invoices.models import Company
from tests.accounts.test_settings import INVOICING
from tests.factories import make_company, make_draft

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
GROUP = {
    "vat_regime": "group",
    "vat_group_name": "Assujetti unique Kerlann",
    "vat_group_address": "14, quai de la Fosse, 44000 Nantes",
    "vat_group_vat_id": "FR96552100554",
}
SAID = (
    "Membre d’un assujetti unique\u202f: Assujetti unique Kerlann, 14, quai de la Fosse, 44000 "
    "Nantes, n°\u00a0TVA\u00a0FR96552100554."
)


def save(browser, **changed):
    given = {**INVOICING, **GROUP, **changed, "once": new_key()}
    return browser.post(reverse("company:invoicing"), given, follow=True)


def test_each_document_of_a_member_names_the_group():
    draft = make_draft()
    Company.objects.update(**GROUP)
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert invoice.paper["vat_group"] == SAID
    assert invoice.vat_minor == 200_00
    note = issue_credit_note(invoice_id=invoice.pk, reason="An error", by=None, on=ON)
    assert note.paper["vat_group"] == SAID


def test_nobody_else_names_one():
    Company.objects.filter(pk=make_company().pk).update(**{**GROUP, "vat_regime": "normal"})
    invoice = issue(invoice_id=make_draft().pk, by=None, on=ON)
    assert "vat_group" not in invoice.paper


def test_a_group_without_a_name_issues_nothing():
    unnamed = make_company(vat_regime="group")
    assert [each.field for each in company_reasons(unnamed)] == ["company.vat_group"]


def test_the_settings_ask_for_the_group(admin_client):
    make_company()
    page = save(admin_client, vat_group_name="", vat_group_vat_id="FR44732829320")
    assert page.status_code == 422
    assert "Each document of a member names its group" in page.text
    assert "not that of the company" in page.text
    assert "not that of the company" in save(admin_client, vat_group_vat_id="DE129273398").text
    assert save(admin_client, vat_group_vat_id="FR 96 552 100 554").status_code == 200
    company = Company.ours()
    assert company.in_vat_group
    assert company.vat_group_vat_id == "FR96552100554"
