"""A Letter to the bytes of its PDF/A-3b: the page of an invoice without its lines."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial
from typing import Any

from babel import Locale
from django.utils.translation import gettext as _

from invoices.documents.letters import Letter
from invoices.documents.mentions import LOCALES, long_date
from invoices.documents.pdf import page, render
from invoices.documents.pdf.archive import Facts, FontNotEmbedded, finish
from invoices.documents.pdf.labels import LABELS
from invoices.documents.pdf.logo import logo_of
from invoices.documents.pdf.marks import PageDress, PageNumber, PageTotal
from invoices.documents.pdf.offers import shown
from invoices.documents.pdf.paragraphs import WIDTH, theme_of
from invoices.documents.pdf.render import PdfRefused
from invoices.documents.pdf.rows import Rows
from invoices.documents.pdf.seller import legal, spaced
from invoices.documents.pdf.tail import payment_details
from invoices.documents.pdf.text import MISSING, needs_east_asian, needs_fallback, printable

MAX_ROWS = 10_000
_AIR = 11  # of the box of payment, on each side


def print_letter(letter: Letter, *, logo_png: bytes | None = None) -> bytes:
    """The same letter always gives the same bytes. Raises PdfRefused."""
    rows = sum(len(table.rows) for table in letter.tables)
    if rows > MAX_ROWS:
        raise PdfRefused(
            _("This would be %(count)s rows, and a PDF has at most %(limit)s: choose fewer days.")
            % {"count": rows, "limit": MAX_ROWS}
        )
    labels, theme = LABELS[letter.language], theme_of(letter.look)
    makers: dict[str, Any] = {
        f"table{n}": partial(Rows, table, theme) for n, table in enumerate(letter.tables)
    }
    pay = [(label, printable(value)) for label, value in letter.pay if value]
    head = _running_head(letter)
    makers |= {
        "payment": lambda: payment_details(pay, WIDTH - 2 * _AIR),
        "dress": lambda: PageDress(theme, *head),
        "page": PageNumber,
        "end": lambda: PageTotal(printable(letter.number or letter.kind), labels.page),
    }
    raw = render.laid_out(page.html_of(_context(letter, logo_png), "letter"), makers)
    title = " ".join(filter(None, (letter.kind, letter.number)))
    facts = Facts(
        title=f"{title} – {letter.seller.name}",
        author=letter.seller.name,
        language="fr-FR" if letter.language == "fr" else "en-GB",
        at=datetime.combine(letter.on, time(), UTC),
    )
    try:
        return finish(raw, facts)
    except FontNotEmbedded as error:
        raise PdfRefused(
            _("A font (%(font)s) is missing from the PDF, which would not be archivable.")
            % {"font": str(error)}
        ) from error


def _context(letter: Letter, logo_png: bytes | None) -> dict[str, Any]:
    labels, seller, to = LABELS[letter.language], letter.seller, letter.recipient
    territories = Locale.parse(LOCALES[letter.language]).territories
    abroad = seller.country != to.country
    all_text = printable("".join(_texts(letter)))
    return {
        "language": letter.language,
        "kind": printable(letter.kind),
        "number": printable(letter.number),
        "logo": logo_of(logo_png, letter.look.layout) if logo_png else None,
        "facts": [(label, printable(value)) for label, value in letter.facts if value],
        "seller_name": printable(seller.name),
        "seller_lines": shown(
            [
                *seller.address,
                str(territories.get(seller.country, seller.country)) if abroad else "",
                " · ".join(filter(None, (seller.phone, seller.email))),
                seller.website,
            ]
        ),
        "buyer_name": printable(to.name),
        "buyer_lines": shown(
            [*to.address, str(territories.get(to.country, to.country)) if abroad else ""]
        ),
        "buyer_ids": shown(
            [
                f"SIREN {spaced(to.siren)}" if to.siren else "",
                f"{labels.vat_id} {to.vat_id}" if to.vat_id else "",
            ]
        ),
        "subject": printable(letter.subject),
        "intro": shown(letter.intro),
        # The tag of each table is written by hand: the engine looks it up by its name.
        "tables": [
            {
                "tag": f"invoicetable{n}",
                "title": printable(table.title),
                "before": shown(table.before),
                "after": shown(table.after),
                "drawn": bool(table.columns),
            }
            for n, table in enumerate(letter.tables)
        ],
        "pay_title": printable(letter.pay_title),
        "pays": any(value for _label, value in letter.pay),
        "closing": shown([*letter.closing, labels.missing if MISSING in all_text else ""]),
        "legal": printable(legal(seller, labels, letter.language)),
        "look": letter.look,
        "has_fallback": needs_fallback(all_text),
        "has_east_asian": needs_east_asian(all_text),
        "written_on": long_date(letter.on, letter.language),
    }


def _running_head(letter: Letter) -> tuple[str, str]:
    said = " ".join(filter(None, (letter.kind, letter.number)))
    left = (letter.seller.name, said, long_date(letter.on, letter.language))
    return printable(" · ".join(filter(None, left))), printable(letter.recipient.name)


def _texts(letter: Letter) -> list[str]:
    found = [
        *(letter.kind, letter.number, letter.subject, letter.seller.name, letter.recipient.name),
        *letter.seller.address,
        *letter.recipient.address,
        *letter.intro,
        *letter.closing,
        *(value for _label, value in (*letter.facts, *letter.pay)),
    ]
    for table in letter.tables:
        found += [table.title, *table.before, *table.after]
        found += [cell for row in table.rows for cell in row]
    return found
