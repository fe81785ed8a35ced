"""Pages of documents that come out of an issue, and of drafts before one."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from pypdf import PdfReader

from invoices.invoicing import drafting, issuing
from tests.factories import make_client, make_draft
from tests.invoices.invoicing.test_issuing import ON, fresh, issue, nothing_happened

pytestmark = [pytest.mark.django_db, pytest.mark.prints]


def test_english_documents_are_english_throughout():
    client = make_client(language="en", country="GB", vat_id="GB123456789", siren="")
    invoice = make_draft(client=client, language="en")
    drafting.save_draft(
        invoice_id=invoice.pk,
        header={},
        lines=[
            {
                "description": "Advice",
                "unit": "DAY",
                "quantity": Decimal(2),
                "unit_price": Decimal(100),
                "vat_category": "O",
                "vat_rate": Decimal(0),
            }
        ],
        by=None,
    )
    issued = issue(fresh(invoice), send=True)
    paper = issued.paper
    assert paper["lines"][0]["unit"] == "DAY"
    assert paper["exemptions"] == [
        "Not subject to French VAT (article 259 of the French tax code)."
    ]
    assert paper["buyer"]["country"] == "GB"
    page = PdfReader(io.BytesIO(issued.documents.get(kind="pdf").content)).pages[0].extract_text()
    assert "2 days" in page.replace("\u00a0", " ")
    assert "United Kingdom" in page
    assert paper["payment_terms"].startswith("To be paid by")
    assert issued.messages.get().subject == "Invoice F-2026-0001 – Kerlann Conseil"


def test_a_draft_can_be_seen_as_it_will_be_without_a_number():
    invoice = make_draft()
    text = (
        PdfReader(io.BytesIO(issuing.printed_draft(issuing.preview_paper(invoice, ON))))
        .pages[0]
        .extract_text()
    )
    assert "BROUILLON" in text
    assert "F-2026" not in text
    nothing_happened(invoice)
