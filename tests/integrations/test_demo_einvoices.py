"""The demo, issued as `make run` issues it: every document passes every judge."""

from __future__ import annotations

import io
from datetime import date

import pikepdf
import pytest
from django.core.management import call_command

from integrations.sandbox import Sandbox, build_world
from invoices.accounting import books
from invoices.accounting.einvoices import attached_in
from invoices.documents.facturx import judging, writing
from invoices.documents.paper import Paper
from invoices.invoicing.crediting import issue_credit_note
from invoices.models import Document, Invoice
from tests.pdf_a import faults_of

ON = date(2026, 11, 24)


@pytest.mark.slow
@pytest.mark.django_db
def test_every_document_of_the_demo_passes_the_validators(settings):
    settings.DEMO = True
    with Sandbox(build_world(today=ON)) as crm:
        call_command("demo", base_url=crm.base_url, on=ON, stdout=io.StringIO())
    ours = Invoice.objects.issued().filter(imported=False)
    assert ours.count() > 20
    for place, invoice in enumerate(ours.invoices().order_by("pk")[:12]):
        if place % 3 == 0 and invoice.outstanding_minor:
            issue_credit_note(invoice_id=invoice.pk, reason="Erreur", by=None, on=ON)
    kept = {kind: Document.objects.filter(kind=kind).count() for kind in ("pdf", "xml")}
    assert kept["pdf"] == kept["xml"] == ours.count()
    for invoice in ours:
        content = bytes(invoice.documents.get(kind="xml").content)
        paper = Paper.from_json(invoice.paper)
        assert judging.judged_content(content) == [], invoice
        assert judging.judged_content(writing.ubl(paper), "ubl-2.1") == [], invoice
        page = bytes(invoice.documents.get(kind="pdf").content)
        assert attached_in(page) == content
        with pikepdf.open(io.BytesIO(page)) as pdf:
            assert faults_of(pdf) == [], invoice
    assert books.verify() == []
