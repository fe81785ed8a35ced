"""Deposits on a draft without a quote, pro forma, and where the list tells them apart."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.urls import reverse

from billing_portal.idempotency import new_key
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.invoicing import deducting, deposits, drafting, issuing
from invoices.invoicing.drafting import DraftRefused
from invoices.invoicing.sending import invoice_mail
from invoices.models import Company, Invoice
from tests.factories import make_client, make_draft, make_unprinted
from tests.invoices.documents.pdf.test_render import text_of
from tests.invoices.quotes.making import TODAY, accepted_quote

pytestmark = pytest.mark.django_db
DAY = {"by": None, "on": TODAY}


def test_a_draft_is_billed_by_a_deposit_first_and_then_deducts_it(clerk_client):
    draft = make_draft(lines=[(1, "1000"), (2, "50", 10)])
    url = reverse("invoices:deposit-on", args=[draft.pk])
    assert "€1,310.00" in clerk_client.get(url).text
    refused = clerk_client.post(url, {"share": "2000 EUR", "once": new_key()})
    assert refused.status_code == 422
    assert "€1,310.00 at most" in refused.text
    answer = clerk_client.post(url, {"share": "30", "once": new_key()})
    deposit = Invoice.objects.get(purpose="deposit")
    assert answer["Location"] == reverse("invoices:edit", args=[deposit.pk])
    assert (deposit.net_minor, deposit.vat_minor) == (330_00, 63_00)
    assert {row.description for row in deposit.lines.all()} == {
        "Acompte de 30\u202f% sur «\u00a0Work\u00a0»"
    }
    # Not issued yet, it cannot be deducted.
    choose = reverse("invoices:deposits", args=[draft.pk])
    assert "no deposit that could be deducted" in clerk_client.get(choose).text
    make_unprinted(deposit)
    assert deposit.number in clerk_client.get(choose).text
    clerk_client.post(choose, {"deposits": [str(deposit.pk)], "once": new_key()})
    draft.refresh_from_db()
    assert draft.is_final
    assert draft.total_minor == 1310_00 - 393_00
    page = clerk_client.get(reverse("invoices:edit", args=[draft.pk])).text
    assert deposit.number in page and "€917.00" in page
    # Left out again, it bills the whole.
    clerk_client.post(choose, {"once": new_key(), "nothing": "1"})
    draft.refresh_from_db()
    assert (draft.purpose, draft.total_minor) == ("standard", 1310_00)


def test_a_deposit_belongs_to_one_client_and_one_final_invoice():
    whole = make_draft()
    deposit = make_unprinted(
        deposits.bill_deposit_on(invoice_id=whole.pk, percent=Decimal(30), **DAY)
    )
    stranger = make_draft()
    with pytest.raises(DraftRefused, match="can no longer be deducted"):
        deposits.choose_deposits(invoice_id=stranger.pk, deposit_ids=[deposit.pk], **DAY)
    deposits.choose_deposits(invoice_id=whole.pk, deposit_ids=[deposit.pk], **DAY)
    second = make_draft(client=whole.client)
    with pytest.raises(DraftRefused, match="deducted already, by another draft"):
        deposits.choose_deposits(invoice_id=second.pk, deposit_ids=[deposit.pk], **DAY)
    whole.refresh_from_db()
    said = drafting.save_draft(
        invoice_id=whole.pk, header={"client_id": make_client().pk, "currency": "USD"},
        lines=[], by=None,
    )  # fmt: skip
    assert set(said) == {"client_id", "currency"}
    # Discarded, the draft sets its deposit free.
    drafting.void_draft(invoice_id=whole.pk, **DAY)
    deposits.choose_deposits(invoice_id=second.pk, deposit_ids=[deposit.pk], **DAY)
    assert [row.invoice_id for row in deducting.in_force(second)] == [second.pk]


@pytest.mark.prints
def test_a_pro_forma_says_what_it_is_and_takes_no_number(clerk_client):
    draft = make_draft(lines=[(1, "1000")], language="en")
    answer = clerk_client.get(reverse("invoices:pro-forma", args=[draft.pk]))
    said = text_of(answer.content)
    assert "Pro forma invoice" in said and "gives no right to deduct VAT" in said
    assert "F-2026" not in said and "To be paid" not in said
    assert not Invoice.objects.exclude(number="").exists()
    quote = accepted_quote()
    answer = clerk_client.get(reverse("invoices:quote-pro-forma", args=[quote.pk]))
    assert "facture pro forma" in text_of(answer.content).lower()


@pytest.mark.prints
def test_the_page_of_a_final_invoice_names_each_deposit_and_its_vat():
    whole = make_draft(lines=[(1, "1000")], language="fr")
    deposit = make_unprinted(
        deposits.bill_deposit_on(invoice_id=whole.pk, percent=Decimal(30), **DAY)
    )
    deposits.choose_deposits(invoice_id=whole.pk, deposit_ids=[deposit.pk], **DAY)
    paper = issuing.preview_paper(Invoice.objects.get(pk=whole.pk), TODAY)
    assert Paper.from_json(paper.to_json()) == paper
    said = text_of(render.render(paper)).replace("\u202f", " ").replace("\u00a0", " ")
    assert "Facture définitive" in said
    assert "300,00 € HT, TVA 60,00 €, 360,00 € TTC" in said
    assert deposit.number in said
    said = text_of(render.render(replace(paper, second_language="en")))
    said = " ".join(said.replace("\u202f", " ").replace("\u00a0", " ").split())
    assert f"Acompte / Deposit {deposit.number}," in said
    assert "300,00 € HT / net, TVA / VAT 60,00 €, 360,00 € TTC / in all" in said


@pytest.mark.parametrize(
    ("language", "purpose", "kind", "said"),
    [
        ("fr", "deposit", "Facture d’acompte", "ci-joint la facture d’acompte"),
        ("fr", "final", "Facture définitive", "ci-joint la facture définitive"),
        ("en", "deposit", "Deposit invoice", "attached deposit invoice"),
        ("en", "standard", "Invoice", "attached invoice"),
    ],
)
def test_the_mail_names_what_it_carries(language, purpose, kind, said):
    invoice = make_unprinted(make_draft(language=language))
    invoice.purpose = purpose  # not stored: the database would not have it change
    subject, text, html = invoice_mail(invoice, Company.objects.get(pk=1))
    assert subject.startswith(f"{kind} {invoice.number}")
    assert f"{said} {invoice.number}" in text
    assert said in html


def test_the_list_tells_them_apart(clerk_client):
    whole = make_draft()
    deposit = make_unprinted(
        deposits.bill_deposit_on(invoice_id=whole.pk, percent=Decimal(30), **DAY)
    )
    other = make_unprinted(make_draft())
    page = clerk_client.get(reverse("invoices:list"), {"purpose": "deposit"}).text
    assert deposit.number in page and other.number not in page
    assert "deposit invoice" in page
    assert other.number not in clerk_client.get(reverse("invoices:list"), {"reason": "error"}).text
    written = b"".join(clerk_client.get(reverse("invoices:export-csv")).streaming_content).decode()
    assert "Deposit invoice" in written
