"""Issued invoices with an e-invoice, for tests about platforms: rows and files without printing."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from decimal import Decimal

from django.utils import timezone

from integrations.sandbox.platform.messages import message
from invoices.einvoicing.taking_in import take_in
from invoices.einvoicing.transmitting import transmit
from invoices.models import Document, PlatformFlow, VatBreakdown
from tests.factories import make_client, make_company, make_invoice

SELLER, BUYER = "732829320", "552100554"
ISSUED = date(2026, 9, 1)
_CII = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocument><ram:ID>{number}</ram:ID><ram:TypeCode>{type_code}</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="102">{day:%Y%m%d}</udt:DateTimeString>
  </ram:IssueDateTime></rsm:ExchangedDocument>
 <rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>
  <ram:SellerTradeParty><ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">{seller}</ram:ID>
   </ram:SpecifiedLegalOrganization></ram:SellerTradeParty>
  <ram:BuyerTradeParty><ram:SpecifiedLegalOrganization><ram:ID schemeID="0002">{buyer}</ram:ID>
   </ram:SpecifiedLegalOrganization></ram:BuyerTradeParty>
 </ram:ApplicableHeaderTradeAgreement></rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>"""


def with_files(invoice, *, seller=SELLER, buyer=BUYER):
    """Its two kept files: the CII stands for the PDF too, which nobody here opens."""
    type_code = "381" if invoice.is_credit_note else "380"
    content = _CII.format(
        number=invoice.number,
        type_code=type_code,
        day=invoice.issue_date,
        seller=seller,
        buyer=buyer,
    ).encode()
    for kind in ("pdf", "xml"):
        Document.objects.create(
            invoice=invoice,
            kind=kind,
            filename=f"{invoice.number}.{kind}",
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
        )
    return invoice


def make_einvoice(*, rates=((20, 10_000, 2_000),), number="", client=None, **fields):
    """`rates` are (percent, basis, VAT) in cents; the paper says only what the platform needs."""
    from invoices.models import Invoice

    make_company()
    client = client or make_client(siren=BUYER)
    total = sum(basis + vat for _rate, basis, vat in rates)
    paper = {
        "number": number,
        "treatment": "B2B",
        "electronic_address": client.siren,
        "electronic_address_scheme": "0225",
        "seller": {"name": "Kerlann Conseil", "siren": SELLER},
        "buyer": {"name": client.name, "siren": client.siren},
    }
    given = {
        "client": client,
        "issue_date": ISSUED,
        "total_minor": total,
        "vat_minor": sum(vat for _rate, _basis, vat in rates),
        "paper": paper,
        "status": Invoice.Status.DRAFT,
        **fields,
    }
    status = given.pop("status") if given.get("status") != Invoice.Status.DRAFT else None
    invoice = _draft_then_issued(given, rates, number, status)
    return with_files(invoice, buyer=client.siren)


def _draft_then_issued(given, rates, number, status):
    """Its VAT rows are frozen once it is issued: so they come first."""
    from invoices.models import Invoice

    given.pop("status", None)
    draft = make_invoice(**{**given, "status": Invoice.Status.DRAFT})
    VatBreakdown.objects.bulk_create(
        VatBreakdown(
            invoice=draft,
            category="S" if rate else "E",
            rate=Decimal(str(rate)),
            basis_minor=basis,
            vat_minor=vat,
        )
        for rate, basis, vat in rates
    )
    draft.status, draft.imported = Invoice.Status.ISSUED, True
    draft.number = number or f"T-{draft.pk:05d}"
    draft.client_type_id = draft.client.client_type_id
    draft.next_due, draft.buyer_name = draft.due_date, draft.client.name
    draft.save()
    return draft


def make_transmission(**fields):
    """With a row in the outbox, not sent."""
    return transmit(invoice_id=make_einvoice(**fields).pk, by=None, on=ISSUED)


def say(found, code, *, at=None, platform_id="", **more):
    """A message of the platform about it, taken in."""
    document = found.invoice
    content = message(
        number=document.number,
        issued_on=f"{document.issue_date:%Y%m%d}",
        type_code="381" if document.is_credit_note else "380",
        seller=SELLER,
        buyer=BUYER,
        code=code,
        at=at or datetime(2026, 9, 1, 10, 0, int(code) - 200),
        **more,
    )
    name = platform_id or f"{document.pk}-{code}-{at or ''}"[:36]
    rows = take_in(platform_id=name, content=content, filename=f"{code}.xml")
    found.refresh_from_db()
    return rows


def at_platform(*transmissions, codes=("200", "202", "203")):
    """As after it was sent and the client has it."""
    for found in transmissions:
        PlatformFlow.objects.filter(pk=found.flow_id).update(
            state="sent", platform_id=f"flow-{found.pk}", sent_at=timezone.now()
        )
        for code in codes:
            say(found, code)
    return transmissions
