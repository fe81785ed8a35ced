"""Why a document bears no VAT: code and sentences, for the page and for the e-invoice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from invoices.clients.vat import supply_of
from invoices.company.exemptions import FRANCHISE, as_said_before, standing_of, standing_on
from invoices.models import Company, ExemptionReason, Invoice, InvoiceLine

Language = Literal["fr", "en"]


@dataclass(frozen=True)
class WithoutVat:
    """Of one category. `code` is of the list VATEX, "" without one or with several."""

    code: str
    # Each once. Empty where the note of the document says it.
    sentences: tuple[str, ...]
    text: str


def without_vat(
    invoice: Invoice,
    company: Company,
    language: Language,
    lines: list[InvoiceLine],
    categories: Iterable[str],
    issue_date: date,
) -> dict[str, WithoutVat]:
    """By category; a credit note says what its invoice said."""
    was = invoice.corrects or invoice
    supplied = was.service_until or was.issue_date or issue_date
    found = {}
    for category in dict.fromkeys(categories):
        rows, said = _of_category(category, invoice, company, lines, supplied)
        sentences = [row.sentence(language) for row in rows] + said
        codes = {row.code for row in rows} if not said else set()
        text = " ".join(dict.fromkeys(filter(None, sentences)))
        if category == "E":
            text = text or was.note.strip() or _as_before(invoice, language)
        if text:
            code = codes.pop() if len(codes) == 1 else ""
            found[category] = WithoutVat(code, tuple(filter(None, sentences)), text)
    return found


def _as_before(invoice: Invoice, language: Language) -> str:
    """Of a document brought in nobody knows why it bears none: its note leads to it."""
    if invoice.corrects is None:
        return ""
    said = {"fr": "Sans TVA, comme la facture {}.", "en": "Without VAT, as invoice {}."}
    return said[language].format(invoice.corrects.number)


def _of_category(
    category: str, invoice: Invoice, company: Company, lines: list[InvoiceLine], supplied: date
) -> tuple[list[ExemptionReason], list[str]]:
    """The rows that say why, and sentences that no row has."""
    ids = _reasons_of(category, lines, invoice.corrects)
    known = ExemptionReason.objects.in_bulk(ids - {None}) if ids - {None} else {}
    rows = [row for _pk, row in sorted(known.items())]
    if category == "E":
        if None in ids or not ids:
            more, said = _exempt_without_a_row(company, supplied, invoice.corrects)
            return rows + more, said
    elif not rows:
        return _standing(category, invoice, company, lines, supplied), []
    return rows, []


def _standing(
    category: str,
    invoice: Invoice,
    company: Company,
    lines: list[InvoiceLine],
    supplied: date,
) -> list[ExemptionReason]:
    """What follows from where it is supplied; of a credit note what its invoice said, wherever the
    client is since."""
    was = invoice.corrects
    if was is not None and (
        rows := as_said_before(category, (was.paper or {}).get("exemptions", ()))
    ):
        return rows
    natures = {line.nature for line in lines if line.vat_category == category}
    kinds = standing_of(category, supply_of(invoice.client, company, was or invoice), natures)
    return [row for kind in kinds if (row := standing_on(kind, supplied))]


def _reasons_of(
    category: str, lines: list[InvoiceLine], corrects: Invoice | None
) -> set[int | None]:
    """Ids of the rows that its lines name; None among them: a line names none."""
    ids = {line.exemption_id for line in lines if line.vat_category == category}
    if corrects and None in ids:
        # Credited by an amount, or brought in: what the lines of the invoice said.
        said = corrects.lines.filter(vat_category=category)
        ids = set(said.values_list("exemption_id", flat=True))
    return ids


def _exempt_without_a_row(
    company: Company, supplied: date, corrects: Invoice | None
) -> tuple[list[ExemptionReason], list[str]]:
    """By the regime of the company, or, of a credit note, as its invoice said."""
    if corrects is None:
        row = standing_on(FRANCHISE, supplied) if company.in_franchise else None
        return [row] if row else [], []
    # The regime may have changed since; the note of a credit note is its own reason.
    said = list((corrects.paper or {}).get("exemptions", ()))
    rows = ExemptionReason.objects.filter(category=FRANCHISE)
    by_regime = {sentence: row for row in rows for sentence in (row.sentence_fr, row.sentence_en)}
    standing = [sentence for sentence in said if sentence in by_regime]
    if standing:
        return [by_regime[standing[0]]], []
    note = corrects.note.strip()
    return [], [note] if note else said
