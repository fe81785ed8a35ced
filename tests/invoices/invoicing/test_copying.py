"""A copy says the same and owes nothing to what it was copied from."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from billing_portal.idempotency import new_key
from invoices.clients.merging import merge_clients
from invoices.invoicing import copying
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import Client, Invoice
from tests.factories import make_client, make_company, make_draft, make_invoice, make_issued

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
LATER = date(2026, 12, 3)


def said(invoice):
    names = ("title", "note", "purchase_order", "language", "currency", "terms_kind", "terms_days")
    lines = invoice.lines.values_list("description", "quantity", "unit_price", "vat_rate", "nature")
    return [getattr(invoice, name) for name in names], list(lines), invoice.total_minor


def test_it_says_the_same_without_number_days_or_payments():
    make_company()
    source = make_issued(lines=((2, "150.00"), (1, "80.00")), title="Audit", purchase_order="PO-7")
    made = copying.copy(invoice_id=source.pk, by=None, on=LATER)
    assert said(made) == said(source)
    assert made.is_draft and not made.number and made.deal_id is None and made.issue_date is None
    assert made.outstanding_minor == made.total_minor
    assert made.recipients == source.recipients
    assert not made.due_date_typed and made.service_from is None
    assert not reasons_not_to_issue(made, LATER)
    again = copying.copy(invoice_id=made.pk, by=None, on=LATER)
    assert said(again) == said(source)


def test_it_goes_to_the_account_that_a_merged_client_became():
    make_company()
    old, living = make_client(name="Old"), make_client(name="New")
    source = make_draft(client=old)
    merge_clients(winner_id=living.pk, loser_id=old.pk, at=timezone.now())
    assert copying.copy(invoice_id=source.pk, by=None, on=ON).client == living


def test_of_a_client_who_moved_the_reasons_are_named():
    make_company()
    client = make_client(country="DE", vat_id="DE129273398", city="Berlin")
    source = make_draft(client=client)
    source.lines.update(vat_category="AE", vat_rate=0)
    source.vat_minor, source.total_minor = 0, source.net_minor
    assert not [r for r in reasons_not_to_issue(source, ON) if r.field == "vat"]
    Client.objects.filter(pk=client.pk).update(country="FR", postal_code="97400", vat_id="")
    made = copying.copy(invoice_id=source.pk, by=None, on=ON)
    assert said(made) == said(source)
    assert any(reason.field == "vat" for reason in reasons_not_to_issue(made, ON))


def test_a_credit_note_and_what_has_no_lines_are_not_copied(clerk_client):
    make_company()
    note = make_invoice(kind=Invoice.Kind.CREDIT_NOTE, number="A-1")
    bare = make_invoice(number="F-1")
    for source in (note, bare):
        with pytest.raises(DraftRefused):
            copying.copy(invoice_id=source.pk, by=None, on=ON)
    url = reverse("invoices:copy", args=[note.pk])
    answer = clerk_client.post(url, {"once": new_key()}, follow=True)
    assert "takes a certain invoice back" in answer.text
    assert not Invoice.objects.drafts().exists()


def test_one_click_leads_to_the_editor_and_a_second_to_the_same_draft(clerk_client):
    make_company()
    source = make_issued()
    assert (
        reverse("invoices:copy", args=[source.pk])
        in clerk_client.get(reverse("invoices:detail", args=[source.pk])).text
    )
    key = new_key()
    url = reverse("invoices:copy", args=[source.pk])
    first = clerk_client.post(url, {"once": key})
    assert clerk_client.post(url, {"once": key})["Location"] == first["Location"]
    made = Invoice.objects.drafts().get()
    assert first["Location"] == reverse("invoices:edit", args=[made.pk])
