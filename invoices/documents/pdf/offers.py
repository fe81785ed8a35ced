"""What the page of a quote says otherwise than that of an invoice, and what only it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from invoices.documents.paper import QUOTE, Paper
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.text import printable


def of_a_quote(paper: Paper, words: Words, *, draft: bool) -> dict[str, Any]:
    labels, is_quote = words.labels, paper.kind == QUOTE
    note = labels.draft_quote_note if is_quote else labels.draft_note
    return {
        "draft_note": labels.pro_forma_note if words.pro_forma else note,
        "buyer_label": labels.quoted_to if is_quote else labels.billed_to,
        "signs": is_quote and not draft,
        "offered": _offered(paper, words),
        "accepted": shown(paper.accepted),
    }


def _offered(paper: Paper, words: Words) -> list[dict[str, Any]]:
    """What the client may take and has not, by its headings."""
    found: list[dict[str, Any]] = []
    section = ""
    for line in paper.offered:
        if line.section and line.section != section:
            found.append({"section": printable(line.section)})
        section = line.section
        name, _break, details = line.description.strip().partition("\n")
        found.append(
            {
                "name": printable(name),
                "details": shown(details.splitlines()),
                "amount": words.money(line.net_minor),
            }
        )
    return found


def shown(texts: Iterable[str | None]) -> list[str]:
    return [printable(text) for text in texts if text and text.strip()]
