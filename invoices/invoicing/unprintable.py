"""Characters that no font of the page has: the page would lack them, so it is not issued."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from invoices.documents.paper import CREDIT_NOTE, Paper
from invoices.documents.pdf.checking import Unprintable, unprintable, unprintable_in
from invoices.invoicing.reasons import Reason
from invoices.invoicing.supplying import delivered_of
from invoices.models import Company, Invoice, InvoiceLine
from invoices.models.supplied import DeliveredTo

# More of them than these are not told apart.
MOST_NAMED = 6


def reasons_of_draft(
    invoice: Invoice, lines: Sequence[InvoiceLine], company: Company | None
) -> list[Reason]:
    """Of what is stored or typed, before there is a paper."""
    return _reasons(unprintable_in(_texts(invoice, lines, company)))


def reasons_of_paper(paper: Paper) -> list[Reason]:
    """Of the page itself. A credit note answers for its own words only: it repeats those of an
    invoice, which may have been issued with a sign that stands for such a character."""
    found = unprintable(paper)
    if paper.kind == CREDIT_NOTE:
        found = tuple(each for each in found if each.field == "notes")
    return _reasons(found)


def _texts(
    invoice: Invoice, lines: Sequence[InvoiceLine], company: Company | None
) -> Iterator[tuple[str, int, str]]:
    for place, line in enumerate(lines, 1):
        yield "lines.description", place, line.description
        yield "lines.unit", place, line.unit
    yield "title", 0, invoice.title
    yield "notes", 0, invoice.note
    yield "purchase_order", 0, invoice.purchase_order
    yield "supplied_at", 0, invoice.tie_address
    client = invoice.client
    if invoice.delivered_to == DeliveredTo.OTHER:
        yield "typed_delivery", 0, "\n".join(delivered_of(client, invoice).address)
    yield "buyer", 0, "\n".join([client.name, *client.address_lines])
    if company is not None:
        yield "seller", 0, "\n".join([company.name, company.address_line1, company.city])


def _reasons(found: Iterable[Unprintable]) -> list[Reason]:
    reasons: dict[tuple[str, str], Reason] = {}
    for each in found:
        field, name, anchor = _place(each)
        text = _("%(where)s: no font of the page has %(characters)s. Write it otherwise.") % {
            "where": name,
            "characters": _named(each.characters),
        }
        reasons.setdefault((field, text), Reason(field, text, anchor))
    return list(reasons.values())


def _place(odd: Unprintable) -> tuple[str, str, str]:
    """The field, its name for people, and where it is mended."""
    room = odd.field.partition(".")[0]
    if room in ("lines", "offered"):
        name = _("Line %(line)s") % {"line": odd.line}
        return "lines", name, f"#id_lines-{odd.line - 1}-description"
    known = {
        "title": ("title", _("Subject"), "#id_title"),
        "notes": ("note", _("Text on the invoice"), "#id_note"),
        "purchase_order": ("purchase_order", _("Purchase order"), "#id_purchase_order"),
        "buyer": ("client", _("The client"), "client"),
        "delivery_address": ("client", _("Delivery address"), "client"),
        "typed_delivery": ("delivery_address", _("Delivery address"), "#id_delivery_address"),
        "supplied_at": ("tie_address", _("Which building or event"), "#id_tie_address"),
        "seller": ("company.name", _("The company"), "company"),
    }
    return known.get(room, ("lines", _("The sentences of the page"), "company"))


def _named(characters: Sequence[str]) -> str:
    shown = [f"{each} (U+{ord(each):04X})" for each in characters[:MOST_NAMED]]
    return ", ".join(shown) + ("…" if len(characters) > MOST_NAMED else "")
