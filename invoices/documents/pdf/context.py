"""What fills the template of the page: who, to whom, when, about what."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

from invoices.documents import rebates
from invoices.documents.paper import CREDIT_NOTE, QUOTE, Paper
from invoices.documents.pdf.checking import texts_of
from invoices.documents.pdf.dues import amounts_due, first_due, shows_instalments
from invoices.documents.pdf.labels import Words, as_dict
from invoices.documents.pdf.offers import of_a_quote, shown
from invoices.documents.pdf.seller import legal, spaced
from invoices.documents.pdf.text import needs_east_asian, needs_fallback, printable

# From so many lines on the head is lower: the lines need the room.
LOWER_FROM = 8


def context_of(paper: Paper, words: Words, *, draft: bool) -> dict[str, Any]:
    """Texts only, printable; the template escapes them."""
    labels, seller, buyer, look = words.labels, paper.seller, paper.buyer, paper.look
    abroad = seller.country != buyer.country
    all_text = printable("".join(texts_of(paper)))
    return {
        "labels": as_dict(labels),
        "language": paper.language,
        "draft": draft,
        "look": look,
        "layout": f"invoices/documents/pdf/{look.layout}.html",
        "low": len(paper.lines) >= LOWER_FROM or look.layout == "compact",
        "kind": words.kind(),
        "number": "" if draft else printable(paper.number),
        "facts": [fact for fact in _facts(paper, words) if fact[1]],
        "seller_name": printable(seller.name),
        "seller_lines": shown(
            [
                *seller.address,
                words.country(seller.country) if abroad else "",
                " · ".join(filter(None, (seller.phone, seller.email))),
                seller.website,
            ]
        ),
        "buyer_name": printable(buyer.name),
        "buyer_lines": shown([*buyer.address, words.country(buyer.country) if abroad else ""]),
        "buyer_ids": shown(
            [
                f"SIREN {spaced(buyer.siren)}" if buyer.siren else "",
                f"{labels.vat_id} {buyer.vat_id}" if buyer.vat_id else "",
                f"{labels.contact} {buyer.contact}" if buyer.contact else "",
            ]
        ),
        "delivery": shown([*paper.delivery_address, words.country(paper.delivery_country)]),
        "supplied_at": shown([*paper.supplied_at, words.country(paper.supplied_in)]),
        "references": shown(_references(paper, words)),
        "title": printable(paper.title),
        "settled": paper.kind != CREDIT_NOTE and paper.paid_minor > 0 and paper.payable_minor <= 0,
        **of_a_quote(paper, words, draft=draft),
        "legal": printable(legal(seller, words.own, paper.language, vat_label=labels.vat_id)),
        "has_fallback": needs_fallback(all_text),
        "has_east_asian": needs_east_asian(all_text),
    }


def running_head(paper: Paper, words: Words, *, draft: bool) -> tuple[str, str]:
    """What every page after the first says at its top: at the left and at the right."""
    said = " ".join(filter(None, (words.kind(), "" if draft else paper.number)))
    left = (paper.seller.name, said, words.day(paper.issue_date))
    return printable(" · ".join(filter(None, left))), printable(paper.buyer.name)


def _facts(paper: Paper, words: Words) -> list[tuple[str, str]]:
    labels = words.labels
    facts = [(labels.issued, words.day(paper.issue_date))]
    if paper.kind == QUOTE:
        facts.append((labels.valid_until, words.day(paper.valid_until)))
    elif paper.kind != CREDIT_NOTE and not words.pro_forma:
        facts.append((labels.due, first_due(paper, words)))
    return facts


def _references(paper: Paper, words: Words) -> list[str]:
    labels = words.labels
    lines: list[str] = []
    if paper.corrects_number:
        lines.append(
            labels.corrects.format(number=paper.corrects_number, day=words.day(paper.corrects_date))
        )
    lines += rebates.references(paper)
    if paper.replaces_number:
        lines.append(
            labels.replaces.format(number=paper.replaces_number, day=words.day(paper.replaces_date))
        )
    if paper.credit_reason:
        lines.append(labels.why.format(reason=paper.credit_reason))
    if paper.purchase_order:
        lines.append(f"{labels.purchase_order} {paper.purchase_order}")
    if paper.buyer.reference:
        lines.append(f"{labels.your_reference} {paper.buyer.reference}")
    start, end = paper.service_from, paper.service_until
    if start and end and start.day == 1 and end == _end_of_month(start):
        lines.append(labels.month.format(month=words.month(start)))
    elif start and end and start != end:
        lines.append(labels.period.format(start=words.day(start), end=words.day(end)))
    elif day := end or start:
        lines.append(labels.day_of_supply.format(day=words.day(day)))
    if paper.nature:
        lines.append(getattr(labels, paper.nature))
    return lines


def payment_rows(paper: Paper, words: Words, *, draft: bool) -> list[tuple[str, str]]:
    labels = words.labels
    rows = [
        ("IBAN", spaced(paper.seller.iban, 4)),
        ("BIC", paper.seller.bic),
        (labels.account_holder, paper.seller.name if paper.seller.iban else ""),
        (labels.reference, "" if draft else paper.number),
    ]
    due = amounts_due(paper, words)
    # The days stand under the sentence that leads to them.
    rows = [*due, *rows] if shows_instalments(paper) else [*rows, *due]
    return [(label, printable(value)) for label, value in rows if value]


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
