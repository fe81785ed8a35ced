"""What follows the totals: the payment box, the notes, the sentences of the law."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph, Spacer, Table, TableStyle

from invoices.documents import mentions, rebates
from invoices.documents.paper import Paper
from invoices.documents.pdf.checking import texts_of
from invoices.documents.pdf.dues import terms
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.marks import PaymentCode
from invoices.documents.pdf.offers import shown
from invoices.documents.pdf.paragraphs import (
    FINE,
    FINE_LEADING,
    GROUND,
    INK,
    LINE,
    MUTED,
    WIDTH,
    paragraph,
    theme_of,
)
from invoices.documents.pdf.text import MISSING, REGULAR, needs_fallback, printable

QR_SIDE = 74.0
_AIR = 9.0
_IBAN = 170.0  # points for the value of an account, unbroken
_MOST_DETAILS = 290.0
_SIZE, _LEADING = 8.6, 11.6


def payment_box(
    paper: Paper,
    words: Words,
    rows: Sequence[tuple[str, str]],
    code: segno.QRCode | None,
    *,
    draft: bool,
) -> Table:
    """Code, sentence and account side by side: the box is as low as its code."""
    said = terms(paper, words)
    details = _details_width(rows)
    left = WIDTH - details - (QR_SIDE + _AIR if code else 0) - 3 * _AIR
    beside = [
        paragraph([words.labels.payment], size=8, leading=11, color=MUTED, bold=True),
        Spacer(0, 2),
    ]
    lines = [*said["terms"], *_second_terms(paper)]
    if lines:
        beside.append(paragraph(lines, size=_SIZE, leading=_LEADING, width=left))
    if code:
        scan = paragraph([printable(said["scan"])], size=FINE, leading=9.6, color=MUTED)
        beside += [Spacer(0, 3), scan]
    cells: list[object] = [beside, payment_details(rows, details)]
    widths = [left + _AIR, details + 2 * _AIR]
    if code:
        cells.insert(0, PaymentCode(code, QR_SIDE))
        widths.insert(0, QR_SIDE + _AIR)
    air = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _AIR),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), _AIR),
        ("BOTTOMPADDING", (0, 0), (-1, -1), _AIR),
    ]
    theme = theme_of(paper.look)
    # A ground would hide the mark of a draft.
    tint = GROUND if theme.plain else theme.tint
    box, ground = ("BOX", (0, 0), (-1, -1), 0.5, LINE), ("BACKGROUND", (0, 0), (-1, -1), tint)
    look = TableStyle([*air, box if draft else ground])
    return Table([cells], colWidths=widths, style=look)


def _names_width(rows: Sequence[tuple[str, str]]) -> float:
    return max((stringWidth(label, REGULAR, _SIZE) for label, _value in rows), default=0) + 10


def _details_width(rows: Sequence[tuple[str, str]]) -> float:
    return min(max(220.0, _names_width(rows) + _IBAN), _MOST_DETAILS)


def payment_details(rows: Sequence[tuple[str, str]], width: float) -> Table:
    """Names in grey, values in ink, in two columns."""
    if not rows:
        return Table([[""]])
    names = _names_width(rows)
    cells = [[label, _value(value, width - names)] for label, value in rows]
    look = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), REGULAR, _SIZE, _LEADING),
            ("TEXTCOLOR", (0, 0), (0, -1), MUTED),
            ("TEXTCOLOR", (1, 0), (1, -1), INK),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0.3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.3),
        ]
    )
    return Table(cells, colWidths=[names, width - names], style=look, hAlign="LEFT")


def _value(text: str, width: float) -> Paragraph | str:
    if not needs_fallback(text) and stringWidth(text, REGULAR, _SIZE) <= width:
        return text
    return paragraph([text], size=_SIZE, leading=_LEADING, width=width)


def small_print(paper: Paper, words: Words, *, boxed: bool) -> list[Flowable]:
    """The notes of whoever made the document, then what the law wants said, in each language.

    `boxed`: the terms of payment stand in the box already.
    """
    found: list[Flowable] = []
    # A pro forma claims nothing yet.
    if not boxed and not words.pro_forma:
        lines = [*terms(paper, words)["terms"], *_second_terms(paper)]
        if paper.payment_terms and lines and not _is_settled(paper):
            found += [paragraph(lines, leading=12), Spacer(0, 6)]
    if credited := shown(rebates.one_by_one(paper)):
        found += [paragraph(credited, size=8.5, leading=11.6), Spacer(0, 6)]
    if notes := shown(paper.notes.splitlines()):
        found += [paragraph(notes, size=8.5, leading=11.6), Spacer(0, 6)]
    for sentences in (
        _mentions(paper, words),
        shown([*paper.second_claims, *paper.second_mentions]),
    ):
        if sentences:
            text = " ".join(sentences)
            found += [
                paragraph([text], size=FINE, leading=FINE_LEADING, color=MUTED),
                Spacer(0, 3),
            ]
    return found


def _is_settled(paper: Paper) -> bool:
    return paper.paid_minor > 0 and paper.payable_minor <= 0


def _second_terms(paper: Paper) -> list[str]:
    return shown([paper.second_terms])


def _mentions(paper: Paper, words: Words) -> list[str]:
    labels = words.labels
    in_euros = paper.vat_minor_in_eur
    return shown(
        [
            paper.early_payment,
            paper.late_penalty,
            paper.recovery_indemnity,
            *paper.exemptions,
            mentions.vat_on_debits(paper.language) if paper.vat_on_debits else "",
            "" if in_euros is None else labels.vat_in_eur.format(amount=words.euros(in_euros)),
            paper.eur_rate,
            paper.vat_group,
            labels.missing if _lacks_a_sign(paper) else "",
        ]
    )


def _lacks_a_sign(paper: Paper) -> bool:
    return any(MISSING in printable(text) for text in texts_of(paper) if not text.isascii())


def height_of(flowables: Sequence[Flowable], width: float = WIDTH) -> float:
    """What they take, one under the other."""
    return float(sum(each.wrap(width, 1e6)[1] for each in flowables))


def stacked(flowables: Sequence[Flowable]) -> Table:
    """As one flowable, without air of its own."""
    look = TableStyle(
        [(f"{side}PADDING", (0, 0), (-1, -1), 0) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")]
    )
    return Table([[each] for each in flowables], colWidths=[WIDTH], style=look)
