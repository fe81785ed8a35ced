"""What the engine draws too slowly or not at all, drawn by reportlab: the table of lines, the
payment code, the draft mark.

HTML cells cost about 1.5 ms each; a table of plain strings costs next to nothing. The elements
below appear in document.html as <invoicelines>, <invoiceqr> and <invoicemark>: the engine looks
tags up by name among the globals of its parser, and `drawn_by` puts ours there for the time of one
document. tests/invoices/test_pdf.py pins that.
"""

from collections.abc import Iterator, Sequence
from copy import copy
from decimal import Decimal
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Paragraph, Table, TableStyle
from reportlab.platypus.paraparser import ParaFrag

from invoices.documents.paper import CREDIT_NOTE, Paper, PaperDeposit, PaperLine
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.text import BOLD, REGULAR, is_right_to_left, printable, runs, visual

INK, MUTED, LINE, ACCENT = (HexColor(c) for c in ("#1a1d23", "#5f6674", "#dfe2e7", "#3a4fc0"))
WIDTH = 493.0
SIZE, LEADING, SMALL, SMALL_LEADING = 9, 12.5, 7.8, 11
GAP = 12
HEAD_ROWS = 2
KEPT_ROWS = 20  # at most so many rows of totals stay together: they must fit a page
# A longer description continues in rows of its own, so that the page can turn inside it.
PIECE_HEIGHT = 5 * LEADING
_MIN_DESCRIPTION = 150.0  # points left for words, however long the figures


def table_of_lines(paper: Paper, words: Words) -> Table:
    """Lines, then totals, in one table: its head is repeated, its totals stay whole and with the
    last line."""
    labels = words.labels
    lines = _shown(paper)
    has_discount = any(line.discount_minor for line in lines)
    head = [labels.description, labels.quantity, labels.unit_price]
    head += [*([labels.discount] if has_discount else []), labels.vat, labels.net_amount]
    figures = [_figures(line, words, has_discount) for line in lines]
    totals = list(_totals(paper, words))
    widths, size, grand = _fitted(head, figures, [amount for _label, amount, _kind in totals])
    # The second row is the air below the head, repeated with it: a description may continue there.
    rows: list[list[Any]] = [head, [""] * len(head)]
    continued, ends, headings = _add_lines(rows, lines, figures, widths[0] - GAP)
    last = len(head) - 1
    styles: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), REGULAR, size, LEADING),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (last - 1, -1), GAP),
        ("RIGHTPADDING", (last, 0), (last, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 1), (-1, 1), 0),
        ("BOTTOMPADDING", (0, 1), (-1, 1), 0),
        ("FONT", (0, 0), (-1, 0), BOLD, SMALL, SMALL_LEADING),
        ("TEXTCOLOR", (0, 0), (-1, 0), MUTED),
        ("LINEBELOW", (0, 0), (-1, 0), 0.9, INK),
    ]
    styles += [("LINEBELOW", (0, row), (-1, row), 0.5, LINE) for row in ends]
    for row in headings:
        # A heading does not stay behind at the foot of a page.
        styles += [("SPAN", (0, row), (-1, row)), ("NOSPLIT", (0, row), (-1, row + 1))]
        styles += [("BOTTOMPADDING", (0, row), (-1, row), 1)]
    for row in continued:
        styles += [
            ("BOTTOMPADDING", (0, row - 1), (-1, row - 1), 0),
            ("TOPPADDING", (0, row), (-1, row), 0),
        ]
    first_total = len(rows)
    for label, amount, kind in totals:
        row = len(rows)
        rows.append([_Label(label, kind), *[""] * (last - 1), amount])
        styles += [
            ("SPAN", (0, row), (last - 1, row)),
            ("TOPPADDING", (0, row), (-1, row), 3.2),
            ("BOTTOMPADDING", (0, row), (-1, row), 3.2),
        ]
        if kind == "grand":
            styles += [
                ("LINEABOVE", (0, row), (-1, row), 0.9, INK),
                ("FONT", (last, row), (last, row), BOLD, grand, 15),
                ("TOPPADDING", (0, row), (-1, row), 7),
            ]
    styles.append(("TOPPADDING", (0, first_total), (-1, first_total), 9))
    styles.append(
        ("NOSPLIT", (0, max(first_total - 1, HEAD_ROWS, len(rows) - KEPT_ROWS)), (0, len(rows) - 1))
    )
    return Table(
        rows,
        colWidths=widths,
        rowHeights=[None, 3.0, *[None] * (len(rows) - HEAD_ROWS)],
        repeatRows=HEAD_ROWS,
        style=TableStyle(styles),
        spaceBefore=4,
        spaceAfter=14,
    )


def _shown(paper: Paper) -> list[PaperLine]:
    """Without deposits: they stand among the totals, where each is named with its VAT."""
    return [line for line in paper.lines if not line.deducts]


def _add_lines(
    rows: list[list[Any]],
    lines: Sequence[PaperLine],
    figures: Sequence[Sequence[str]],
    width: float,
) -> tuple[list[int], list[int], list[int]]:
    """The rows that go on with a description, those that end a line, and the headings."""
    continued: list[int] = []
    ends: list[int] = []
    headings: list[int] = []
    section = ""
    for line, cells in zip(lines, figures, strict=True):
        if line.section and line.section != section:
            headings.append(len(rows))
            rows.append([_heading(line.section), *[""] * len(cells)])
        section = line.section
        pieces = _pieces(_description(line.description, width), width)
        rows.append([pieces[0], *cells])
        for piece in pieces[1:]:
            continued.append(len(rows))
            rows.append([piece, *[""] * len(cells)])
        ends.append(len(rows) - 1)
    return continued, ends, headings


def _pieces(description: Paragraph, width: float) -> list[Paragraph]:
    pieces: list[Paragraph] = []
    rest = description
    while rest.wrap(width, 1e6)[1] > PIECE_HEIGHT * 1.5:
        parts = rest.split(width, PIECE_HEIGHT)
        if len(parts) < 2:
            break
        pieces.append(parts[0])
        rest = parts[1]
    return [*pieces, rest]


def _figures(line: Any, words: Words, has_discount: bool) -> list[str]:
    quantity = words.quantity(line.quantity)
    unit = printable(words.unit(line.unit, line.quantity))
    cells = [f"{quantity}\u00a0{unit}" if unit else quantity, words.price(line.unit_price)]
    if has_discount:
        if line.discount_percent:
            cells.append("\u2212" + words.percent(line.discount_percent))
        else:
            cells.append(words.number(-line.discount_minor) if line.discount_minor else "")
    cells.append(words.percent(line.vat_rate) if line.vat_category == "S" else "–")
    cells.append(words.number(line.net_minor))
    return cells


def _totals(paper: Paper, words: Words) -> Iterator[tuple[str, str, str]]:
    labels = words.labels
    if paper.allowances:
        yield labels.total_lines, words.money(_lines_minor(paper)), ""
    for label, percent, amount in _document_discounts(paper):
        name = printable(label) or labels.discount
        text = f"{name} ({words.percent(percent)})" if percent else name
        yield text, words.money(-amount), ""
    if paper.deposits:
        taken = sum(deposit.net_minor for deposit in paper.deposits)
        yield labels.before_deposits, words.money(paper.net_minor + taken), ""
        for deposit in paper.deposits:
            yield _deposit(deposit, words), words.money(-deposit.net_minor), ""
    has_vat = any(group.vat_category == "S" for group in paper.breakdown)
    if has_vat or len(paper.breakdown) > 1:
        yield labels.total_net, words.money(paper.net_minor), "strong"
    for group in paper.breakdown:
        basis = words.money(group.basis_minor)
        if group.vat_category == "S":
            text = labels.vat_on.format(rate=words.percent(group.vat_rate), basis=basis)
        else:
            text = labels.no_vat_on.format(
                category=labels.categories[group.vat_category], basis=basis
            )
        yield text, words.money(group.vat_minor), ""
    is_credit = paper.kind == CREDIT_NOTE
    grand = labels.total_gross if has_vat else labels.total_no_vat
    yield (labels.total_credit if is_credit else grand), words.money(paper.total_minor), "grand"
    if paper.paid_minor and not is_credit:
        paid = f"{labels.paid}, {words.day(paper.paid_on)}" if paper.paid_on else labels.paid
        yield paid, words.money(-paper.paid_minor), ""
        yield labels.payable, words.money(paper.payable_minor), "grand"


def _deposit(deposit: PaperDeposit, words: Words) -> str:
    return words.labels.deposit_taken.format(
        number=printable(deposit.number),
        day=words.day(deposit.issue_date),
        net=words.money(deposit.net_minor),
        vat=words.money(deposit.vat_minor),
        total=words.money(deposit.net_minor + deposit.vat_minor),
    )


def _lines_minor(paper: Paper) -> int:
    return paper.net_minor + sum(allowance.amount_minor for allowance in paper.allowances)


def _document_discounts(paper: Paper) -> list[tuple[str, Decimal, int]]:
    """The reader sees each discount once; its split over VAT rates shows in the bases."""
    found: dict[tuple[str, Decimal], int] = {}
    for allowance in paper.allowances:
        key = (allowance.label, allowance.percent)
        found[key] = found.get(key, 0) + allowance.amount_minor
    return [(label, percent, amount) for (label, percent), amount in found.items()]


def _fitted(
    head: Sequence[str], figures: Sequence[Sequence[str]], amounts: Sequence[str]
) -> tuple[list[float], float, float]:
    """Column widths, and the sizes of figures and of the great total that leave room for words."""
    for size, grand in ((SIZE, 12.0), (8.0, 10.5), (7.0, 9.0), (6.0, 7.5), (5.0, 6.0)):
        widths = [0.0]
        for column, title in enumerate(head[1:]):
            widest = max((stringWidth(row[column], REGULAR, size) for row in figures), default=0.0)
            widths.append(max(widest, stringWidth(title, BOLD, SMALL)) + GAP + 2)
        totals = max((stringWidth(amount, BOLD, grand) for amount in amounts), default=0.0)
        widths[-1] = max(widths[-1] - GAP - 2, totals) + 1
        widths[0] = WIDTH - sum(widths)
        if widths[0] >= _MIN_DESCRIPTION:
            break
    return widths, size, grand


_BASE = ParagraphStyle(
    "invoice-line",
    fontName=REGULAR,
    fontSize=SIZE,
    leading=LEADING,
    textColor=INK,
    splitLongWords=1,
)


def _description(text: str, width: float) -> Paragraph:
    """First line in ink, details in grey. Built from fragments, so that no text is ever read as
    markup."""
    fragments: list[Any] = []
    for index, line in enumerate(printable(text).strip("\n").split("\n")):
        if index:
            fragments.append(_fragment("", REGULAR, SIZE, INK, line_break=True))
        size, color = (SIZE, INK) if index == 0 else (SMALL, MUTED)
        for position, wrapped in enumerate(_wrapped_if_rtl(line, width, size)):
            if position:
                fragments.append(_fragment("", REGULAR, size, color, line_break=True))
            fragments += [_fragment(piece, font, size, color) for font, piece in runs(wrapped)]
    return Paragraph("", _BASE, frags=fragments)


def _heading(text: str) -> Paragraph:
    shown = " ".join(_wrapped_if_rtl(printable(text), WIDTH, SIZE))
    pieces = [_fragment(piece, font, SIZE, INK) for font, piece in runs(shown, bold=True)]
    return Paragraph("", _BASE, frags=pieces)


def _fragment(text: str, font: str, size: float, color: Color, *, line_break: bool = False) -> Any:
    fragment = copy(_PLAIN)
    fragment.text, fragment.fontName, fragment.fontSize, fragment.textColor = (
        text,
        font,
        size,
        color,
    )
    if line_break:
        fragment.lineBreak = True
    return fragment


_PLAIN = ParaFrag(
    text="", fontName=REGULAR, fontSize=SIZE, textColor=INK, backColor=None, rise=0, bold=0,
    italic=0, underline=0, strike=0, link=[], us_lines=[], sub=0, super=0,
)  # fmt: skip


def _wrapped_if_rtl(line: str, width: float, size: float) -> list[str]:
    """Arabic and Hebrew are put in visual order line by line, so the lines must be known first."""
    if not is_right_to_left(line):
        return [line]
    lines: list[str] = []
    current = ""
    for word in line.split(" "):
        longer = f"{current} {word}" if current else word
        drawn = sum(stringWidth(piece, font, size) for font, piece in runs(visual(longer)))
        if current and drawn > width:
            lines.append(visual(current))
            current = word
        else:
            current = longer
    return [*lines, visual(current)]


class _Label(Paragraph):  # type: ignore[misc]
    """The name of a total, at the right of its spanned cells."""

    def __init__(self, text: str, kind: str) -> None:
        bold = kind in ("strong", "grand")
        size = 12 if kind == "grand" else SIZE
        style = ParagraphStyle(
            f"invoice-total-{kind}",
            parent=_BASE,
            alignment=TA_RIGHT,
            fontSize=size,
            leading=15 if kind == "grand" else LEADING,
        )
        color = INK if bold else MUTED
        shown = (visual(text) if is_right_to_left(text) else text).replace("\u202f", "\u00a0")
        super().__init__(
            "",
            style,
            frags=[_fragment(piece, font, size, color) for font, piece in runs(shown, bold=bold)],
        )


def payment_details(rows: Sequence[tuple[str, str]]) -> Table:
    """Names in grey, values in ink, in two columns."""
    if not rows:
        return Table([[""]])
    names = max(stringWidth(label, REGULAR, SIZE) for label, _value in rows) + GAP
    cells = [[label, _paragraph(value)] for label, value in rows]
    style = TableStyle(
        [
            ("FONT", (0, 0), (0, -1), REGULAR, SIZE, LEADING),
            ("TEXTCOLOR", (0, 0), (0, -1), MUTED),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0.4),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.4),
        ]
    )
    return Table(cells, colWidths=[names, 350 - names], style=style, hAlign="LEFT")


def _paragraph(text: str) -> Paragraph:
    shown = visual(text) if is_right_to_left(text) else text
    return Paragraph(
        "", _BASE, frags=[_fragment(piece, font, SIZE, INK) for font, piece in runs(shown)]
    )
