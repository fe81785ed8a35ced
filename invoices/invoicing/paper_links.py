"""What the page of a document says of others: what it credits, replaces, or takes off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from invoices.documents import mentions
from invoices.documents.paper import PaperCredited, PaperDeposit
from invoices.documents.rebates import per_invoice
from invoices.invoicing import deducting
from invoices.models import CreditShare, Invoice, Rebate


def of(
    invoice: Invoice, corrects: Invoice | None, language: str, deposits: Iterable[PaperDeposit]
) -> dict[str, Any]:
    """Fields of a Paper."""
    replaces = invoice.replaces
    return {
        # Of a credit note the purpose of its invoice: the note of a deposit is one of a kind.
        "purpose": (corrects or invoice).purpose,
        "corrects_number": corrects.number if corrects else "",
        "corrects_date": corrects.issue_date if corrects else None,
        "replaces_number": replaces.number if replaces else "",
        "replaces_date": replaces.issue_date if replaces else None,
        "credit_reason": _reason(invoice, language),
        "deposits": tuple(deposits),
        **_of_rebate(invoice),
    }


def _of_rebate(invoice: Invoice) -> dict[str, Any]:
    """The invoices that a credit note over several takes something off, and its agreement."""
    rebate = Rebate.objects.filter(note=invoice).first() if invoice.is_credit_note else None
    if rebate is None:
        return {}
    shares = CreditShare.objects.filter(note=invoice).select_related("invoice").order_by("pk")
    days = {row.invoice.number: row.invoice.issue_date for row in shares}
    taken = per_invoice([(r.invoice.number, r.basis_minor, r.vat_minor) for r in shares])
    return {
        "credited": tuple(
            PaperCredited(number=number, issue_date=day, net_minor=net, vat_minor=vat)
            for number, (net, vat) in taken.items()
            if (day := days[number]) is not None
        ),
        "contract": rebate.contract,
    }


def _reason(invoice: Invoice, language: str) -> str:
    other = "en" if language == "fr" else "fr"
    said = [mentions.credit_reason(language, invoice.credit_reason)]
    if invoice.client.bilingual:
        said.append(mentions.credit_reason(other, invoice.credit_reason))
    return " / ".join(filter(None, said))


def deposits_of(invoice: Invoice) -> dict[int, PaperDeposit]:
    """What a final invoice takes off, by the key of the deduction."""
    found = {}
    for row in deducting.in_force(invoice) if invoice.is_final else []:
        deposit = row.deposit
        assert deposit.issue_date is not None
        found[row.pk] = PaperDeposit(
            number=deposit.number,
            issue_date=deposit.issue_date,
            net_minor=row.net_minor,
            vat_minor=row.vat_minor,
        )
    return found
