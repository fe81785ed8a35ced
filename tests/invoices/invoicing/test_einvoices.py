"""The e-invoice of a document: kept when it is issued, refused before, downloaded, checked."""

from __future__ import annotations

import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from lxml import etree

from invoices.accounting import books
from invoices.accounting.einvoices import attached_in
from invoices.documents.facturx import judging
from invoices.invoicing.crediting import issue_credit_note
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.models import Company, Document, Invoice, NumberSeries
from tests.factories import (
    make_client,
    make_company,
    make_draft,
    make_invoice,
    make_issued,
    number_by,
)

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def test_each_document_of_a_french_seller_keeps_its_xml_inside_and_beside_its_pdf():
    invoice = make_issued()
    note = issue_credit_note(invoice_id=invoice.pk, reason="Erreur", by=None, on=ON)
    for document in (invoice, note):
        kept = document.documents.get(kind="xml")
        content = bytes(kept.content)
        assert attached_in(bytes(document.documents.get(kind="pdf").content)) == content
        assert judging.judged_content(content) == []
        assert kept.filename == document.documents.get(kind="pdf").filename[:-3] + "xml"
    assert b"<ram:TypeCode>381<" in bytes(note.documents.get(kind="xml").content)
    assert books.verify() == []


def test_a_seller_elsewhere_keeps_a_pdf_only():
    make_draft()
    Company.objects.update(country="BE", vat_id="BE0428759497", siren="", siret="", legal_form="")
    client = make_client(country="BE", siren="", vat_id="")
    draft = make_draft(client=client)
    Company.objects.update(country="BE", vat_id="BE0428759497", siren="", siret="", legal_form="")
    invoice = issue(invoice_id=draft.pk, by=None, on=ON)
    assert [kept.kind for kept in invoice.documents.all()] == ["pdf"]
    assert "billing_mode" not in invoice.paper
    assert books.verify() == []


@pytest.mark.parametrize(
    ("client", "company", "words", "anchor"),
    [
        ({"billing_email": "", "siren": "", "vat_id": ""}, {}, "cannot reach the client", "client"),
        ({"siren": "552100555", "vat_id": ""}, {}, "SIREN has a wrong digit", "client"),
        ({"country": "ZZ", "siren": "", "vat_id": ""}, {}, "ISO 3166", "client"),
        ({}, {"iban": "FR7630006000011234567890180"}, "IBAN has a wrong digit", "company"),
        ({}, {"siret": "55210055400013"}, "SIRET", "company"),
        ({}, {"prefix": "Fé {year} "}, "not fit for an e-invoice", "numbers"),
    ],
)
def test_a_rule_that_fails_is_a_reason_not_to_issue(client, company, words, anchor, clerk_client):
    draft = make_draft(client=make_client(**client))
    if prefix := company.pop("prefix", ""):
        number_by(prefix)
    elif company:
        Company.objects.update(**company)
    if client.get("country") == "ZZ":
        draft.lines.update(vat_category="O", vat_rate=0)
    with pytest.raises(IssueRefused) as refused:
        issue(invoice_id=draft.pk, by=None, on=ON)
    (reason,) = [each for each in refused.value.reasons if words in each.text]
    assert reason.anchor == anchor
    assert not Invoice.objects.issued().exists()
    assert not Document.objects.exists()
    assert not NumberSeries.objects.filter(next_value__gt=1).exists()
    # The dialog says so before anybody presses.
    page = clerk_client.get(reverse("invoices:issue", args=[draft.pk]))
    assert page.status_code == 200
    assert words in page.text


def test_both_syntaxes_are_downloaded(clerk_client):
    invoice = make_issued()
    kept = invoice.documents.get(kind="xml")
    answer = clerk_client.get(reverse("invoices:einvoice", args=[invoice.pk]))
    assert answer.content == bytes(kept.content)
    assert answer["Content-Type"] == "application/xml"
    assert answer["Content-Disposition"] == f'attachment; filename="{kept.filename}"'
    again = clerk_client.get(
        reverse("invoices:einvoice", args=[invoice.pk]), headers={"If-None-Match": answer["ETag"]}
    )
    assert again.status_code == 304
    ubl = clerk_client.get(reverse("invoices:ubl", args=[invoice.pk]))
    assert etree.fromstring(ubl.content).tag.endswith("}Invoice")
    assert "Facture-F-2026-0001-ubl.xml" in ubl["Content-Disposition"]
    assert judging.judged_content(ubl.content, "ubl-2.1") == []
    again = clerk_client.get(
        reverse("invoices:ubl", args=[invoice.pk]), headers={"If-None-Match": ubl["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["einvoice", "ubl"])
def test_what_has_no_e_invoice_has_none_to_download(name, clerk_client):
    for invoice in (make_draft(), make_invoice()):
        assert clerk_client.get(reverse(f"invoices:{name}", args=[invoice.pk])).status_code == 404


def test_the_files_are_listed(clerk_client):
    invoice = make_issued()
    text = clerk_client.get(reverse("invoices:detail", args=[invoice.pk]), {"tab": "files"}).text
    for words in ("Factur-X", "UBL 2.1", invoice.documents.get(kind="xml").sha256):
        assert words in text


def test_the_command_writes_both(tmp_path):
    invoice = make_issued()
    out, told = tmp_path / "new" / "folder", io.StringIO()
    call_command("einvoice", invoice.number, out=str(out), ubl=True, stdout=told)
    assert {path.name for path in out.iterdir()} == {
        "Facture-F-2026-0001.pdf",
        "Facture-F-2026-0001.xml",
        "Facture-F-2026-0001-ubl.xml",
    }
    for kept in invoice.documents.all():
        assert (out / kept.filename).read_bytes() == bytes(kept.content)
    assert "Facture-F-2026-0001.xml" in told.getvalue()


def test_the_command_says_what_it_cannot_do(tmp_path):
    make_company()
    old = make_invoice()
    for number in ("F-1999-0001", old.number):
        with pytest.raises(CommandError, match="No document issued here"):
            call_command("einvoice", number, out=str(tmp_path))
    invoice = make_issued()
    call_command("einvoice", invoice.number, out=str(tmp_path / "dry"), dry_run=True)
    assert not (tmp_path / "dry").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("einvoice", invoice.number, out=str(tmp_path / "file"))


def test_the_books_notice_an_e_invoice_that_was_changed():
    from invoices.models import database_rules

    invoice = make_issued()
    kept = invoice.documents.get(kind="xml")
    content = bytes(kept.content).replace(b">1200.00<", b">1300.00<")
    from django.db import connection

    database_rules.remove(connection)
    Document.objects.filter(pk=kept.pk).update(content=content)
    told = " ".join(str(one) for one in books.verify())
    assert "is not what was stored" in told
    assert "does not say what the page says" in told
    assert "does not carry the e-invoice" in told
    Document.objects.filter(pk=kept.pk).delete()
    assert "has no stored e-invoice" in " ".join(str(one) for one in books.verify())
    database_rules.install(connection)
