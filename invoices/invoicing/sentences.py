"""The sentences of a document, in its language and, where the client wants both, in the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from invoices.company import late_rates
from invoices.documents import mentions
from invoices.documents.paper import PaperVat
from invoices.documents.totals import STANDARD
from invoices.invoicing.dues import retained_minor
from invoices.invoicing.without_vat import without_vat
from invoices.models import Company, Invoice, InvoiceLine
from invoices.models.clients import BuyerKind

Language = Literal["fr", "en"]


def of(
    invoice: Invoice,
    company: Company,
    issue_date: date,
    due_date: date,
    corrects: Invoice | None,
    parts: Sequence[tuple[date, int]],
    language: Language,
) -> dict[str, Any]:
    """Of the claim: when it is paid, and what late payment costs. `parts`: its instalments."""
    if invoice.is_credit_note:
        if corrects:
            return {"payment_terms": mentions.set_against(language, corrects.number)}
        named = invoice.credit_shares.exists()
        return {"payment_terms": mentions.set_against_several(language, named=named)}
    own_words = company.discount_terms_fr if language == "fr" else company.discount_terms_en
    found = {
        "payment_terms": _terms(invoice, due_date, parts, language),
        "early_payment": own_words or mentions.early_payment(language),
    }
    buyer = invoice.client.buyer_kind
    if buyer == BuyerKind.CONSUMER:
        # C. com. L441-10 is between professionals.
        return found
    indemnity = mentions.recovery_indemnity(language, cents=company.indemnity_minor)
    penalty = _late_penalty(language, late_rates.rate_for(buyer, issue_date), buyer)
    return {**found, "late_penalty": penalty, "recovery_indemnity": indemnity}


def _terms(
    invoice: Invoice, due_date: date, parts: Sequence[tuple[date, int]], language: Language
) -> str:
    if not parts:
        return mentions.due_by(language, due_date)
    if retained_minor(invoice):
        rate = Decimal(invoice.retention_percent)
        return mentions.due_with_retention(language, parts, invoice.currency, rate)
    return mentions.due_in_parts(language, parts, invoice.currency)


def _late_penalty(language: Language, rate: late_rates.LateRate | None, buyer: str) -> str:
    if rate is None:
        points = late_rates.points_over_the_ecb(buyer)
        return mentions.late_penalty_in_words(language, over_the_ecb=points)
    return mentions.late_penalty(language, rate=rate.percent, over_the_ecb=rate.over_the_ecb)


def vat_group(company: Company, language: Language) -> str:
    if not company.in_vat_group:
        return ""
    return mentions.vat_group(
        language,
        name=company.vat_group_name,
        address=company.vat_group_address,
        vat_id=company.vat_group_vat_id,
    )


def in_the_other(
    invoice: Invoice,
    company: Company,
    language: Language,
    lines: list[InvoiceLine],
    vat_rows: Sequence[PaperVat],
    issue_date: date,
    said_in: Callable[[Language], dict[str, Any]],
) -> dict[str, Any]:
    """The fields of a Paper that say it all once more; none for a client of one language."""
    if not invoice.client.bilingual:
        return {}
    other: Language = "en" if language == "fr" else "fr"
    said = said_in(other)
    categories = [row.vat_category for row in vat_rows]
    why_none = without_vat(invoice, company, other, lines, categories, issue_date)
    reasons = dict.fromkeys(each for why in why_none.values() for each in why.sentences)
    on_debits = company.vat_on_debits and any(row.vat_minor for row in vat_rows)
    claims = (said.get(name, "") for name in ("early_payment", "late_penalty"))
    mentioned = (
        *reasons,
        mentions.vat_on_debits(other) if on_debits and STANDARD in categories else "",
        vat_group(company, other),
    )
    return {
        "second_language": other,
        "second_terms": said.get("payment_terms", ""),
        "second_claims": tuple(filter(None, (*claims, said.get("recovery_indemnity", "")))),
        "second_mentions": tuple(filter(None, mentioned)),
    }
