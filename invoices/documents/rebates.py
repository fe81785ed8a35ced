"""What a credit note over several invoices, or over none, says of them, in its language."""

from __future__ import annotations

from collections.abc import Sequence

from invoices.documents.mentions import long_date, money
from invoices.documents.paper import Paper, PaperCredited


def references(paper: Paper) -> list[str]:
    """For the block of references: how many it is over, and the agreement."""
    french, count = paper.language == "fr", len(paper.credited)
    found = []
    if count == 1:
        (only,) = paper.credited
        said = long_date(only.issue_date, paper.language)
        found.append(
            f"Sur la facture {only.number} du {said}"
            if french
            else f"On invoice {only.number} of {said}"
        )
    elif count:
        found.append(
            f"Sur {count} factures, listées plus bas"
            if french
            else f"On {count} invoices, as below"
        )
    if paper.contract:
        found.append(
            f"Accord\u202f: {paper.contract}" if french else f"Agreement: {paper.contract}"
        )
    return found


def one_by_one(paper: Paper) -> list[str]:
    """Each invoice with what is taken off it, where there are several."""
    if len(paper.credited) < 2:
        return []
    return [_of(each, paper) for each in paper.credited]


def _of(each: PaperCredited, paper: Paper) -> str:
    net, vat, total = (
        money(paper.language, minor, paper.currency)
        for minor in (each.net_minor, each.vat_minor, each.net_minor + each.vat_minor)
    )
    day = long_date(each.issue_date, paper.language)
    if paper.language == "fr":
        return f"Facture {each.number} du {day}\u202f: {net} HT, TVA {vat}, {total} TTC"
    return f"Invoice {each.number} of {day}: {net} net, VAT {vat}, {total} in all"


def per_invoice(rows: Sequence[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Net and VAT by number of the invoice, of shares at single rates."""
    found: dict[str, tuple[int, int]] = {}
    for number, net, vat in rows:
        was = found.get(number, (0, 0))
        found[number] = (was[0] + net, was[1] + vat)
    return found
