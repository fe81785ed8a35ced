"""What the page says of instalments: the days and amounts, and what its payment code asks for."""

from __future__ import annotations

from typing import Any

from invoices.documents import mentions
from invoices.documents.paper import Paper
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.offers import shown
from invoices.documents.pdf.text import printable

# More of them than this are told in the sentence of the terms.
MOST_SHOWN = 12


def shows_instalments(paper: Paper) -> bool:
    return 0 < len(paper.instalments) <= MOST_SHOWN and not paper.paid_minor


def terms(paper: Paper, words: Words) -> dict[str, Any]:
    """The sentence over the payment details, and the one about its code."""
    labels, said = words.labels, paper.payment_terms
    if shows_instalments(paper) and paper.retention is None:
        said = labels.in_parts.format(n=len(paper.instalments))
    scan = labels.scan_first if len(paper.instalments) > 1 + bool(paper.retention) else labels.scan
    return {"terms": shown([said]), "scan": scan}


def amounts_due(paper: Paper, words: Words) -> list[tuple[str, str]]:
    if not shows_instalments(paper):
        return [(words.labels.amount, words.money(paper.payable_minor))]
    return [
        (words.day(part.due_date), words.money(part.amount_minor))
        for part in paper.instalments
        if not part.is_retention
    ]


def retention(paper: Paper, words: Words) -> str:
    """“Retention 5%, to be released on 1 June 2027”."""
    held = paper.retention
    assert held is not None
    rate, day = words.percent(paper.retention_percent), words.day(held.due_date)
    return printable(mentions.retained(paper.language, rate=rate, day=day))


def first_due(paper: Paper, words: Words) -> str:
    if not paper.instalments:
        return words.day(paper.due_date)
    at_once = [part for part in paper.instalments if not part.is_retention]
    if len(at_once) == 1:
        return words.day(at_once[0].due_date)
    first = words.labels.first_of.format(n=len(at_once))
    return f"{words.day(paper.instalments[0].due_date)} {first}"
