"""The table of lines and totals, drawn by reportlab: HTML cells cost about 1.5 ms each, a table of
plain strings costs next to nothing.

It appears in document.html as <invoicelines>: the engine looks tags up by name among the globals of
its parser, and `marks.drawn_by` puts ours there for the time of one document.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph, Table, TableStyle

from invoices.documents.paper import CREDIT_NOTE, Paper, PaperDeposit, PaperLine
from invoices.documents.pdf.dues import retention
from invoices.documents.pdf.labels import JOINT, Words
from invoices.documents.pdf.paragraphs import (
    INK,
    LINE,
    MUTED,
    SNUG,
    WIDTH,
    Density,
    Theme,
    fragments,
    paragraph,
    style,
    theme_of,
)
from invoices.documents.pdf.text import BOLD, REGULAR, needs_fallback, printable

GAP = 12
HEAD_ROWS = 2
KEPT_ROWS = 20  # at most so many rows of totals stay together: they must fit a page
# More totals than these, and what follows the table is no row of it: together they might not fit.
MOST_JOINED_TOTALS = 8
# So many lines go to the next page with the totals.
WITH_TOTALS = 2
_MIN_DESCRIPTION = 150.0  # points left for words, however long the figures


def table_of_lines(
    paper: Paper,
    words: Words,
    density: Density = SNUG,
    *,
    after: Sequence[Flowable] = (),
) -> Table:
    """Lines, then totals, then what comes `after`, in one table: its head is repeated, its totals
    stay whole, and with the last lines."""
    theme = theme_of(paper.look)
    lines = shown_lines(paper)
    has_discount = any(line.discount_minor for line in lines)
    head = _head(words, has_discount=has_discount)
    figures = [_figures(line, words, has_discount) for line in lines]
    totals = totals_of(paper, words)
    amounts = [amount for _label, amount, _kind in totals]
    widths, size, grand = _fitted(head, figures, amounts, density, theme)
    # The second row is the air below the head, repeated with it: a description may continue there.
    rows: list[list[Any]] = [head, [""] * len(head)]
    marks = _add_lines(rows, lines, figures, widths[0] - GAP - theme.edge, density)
    styles = _styles(len(head) - 1, size, density, theme, marks)
    first_total = len(rows)
    _add_totals(rows, styles, totals, grand, density, theme)
    for each in after:
        row = len(rows)
        rows.append([each, *[""] * (len(head) - 1)])
        styles += [
            ("SPAN", (0, row), (-1, row)),
            *((f"{side}PADDING", (0, row), (-1, row), 0) for side in ("LEFT", "RIGHT", "BOTTOM")),
            ("TOPPADDING", (0, row), (-1, row), 9),
        ]
    # Pieces of a long description are high: one of them is company enough.
    with_totals = 1 if first_total - 1 in marks.continued else WITH_TOTALS
    kept_from = max(first_total - with_totals, HEAD_ROWS, len(rows) - KEPT_ROWS - len(after))
    styles.append(("NOSPLIT", (0, kept_from), (0, len(rows) - 1)))
    return Table(
        rows,
        colWidths=widths,
        rowHeights=[None, 3.0, *[None] * (len(rows) - HEAD_ROWS)],
        repeatRows=HEAD_ROWS,
        style=TableStyle(styles),
        spaceBefore=2,
        spaceAfter=8,
    )


def shown_lines(paper: Paper) -> list[PaperLine]:
    """Without deposits: they stand among the totals, where each is named with its VAT."""
    return [line for line in paper.lines if not line.deducts]


def _head(words: Words, *, has_discount: bool) -> list[str]:
    labels = words.labels
    head = [labels.description, labels.quantity, labels.unit_price]
    head += [labels.discount] if has_discount else []
    head += [labels.vat, labels.net_amount]
    # Two languages stand one under the other: columns stay narrow.
    return [title.replace(JOINT, "\n") for title in head]


def _styles(
    last: int, size: float, density: Density, theme: Theme, marks: _Marks
) -> list[tuple[Any, ...]]:
    filled = theme.layout == "modern"
    styles: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), REGULAR, size, density.leading),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("LEFTPADDING", (0, 0), (0, -1), theme.edge),
        ("RIGHTPADDING", (0, 0), (last - 1, -1), GAP),
        ("RIGHTPADDING", (last, 0), (last, -1), theme.edge),
        ("TOPPADDING", (0, 0), (-1, -1), density.pad),
        ("BOTTOMPADDING", (0, 0), (-1, -1), density.pad + 0.4),
        ("TOPPADDING", (0, 0), (-1, 0), 5),
        ("BOTTOMPADDING", (0, 0), (-1, 0), 5),
        ("TOPPADDING", (0, 1), (-1, 1), 0),
        ("BOTTOMPADDING", (0, 1), (-1, 1), 0),
        ("FONT", (0, 0), (-1, 0), BOLD, density.small, density.small_leading),
        ("TEXTCOLOR", (0, 0), (-1, 0), theme.on_fill if filled else MUTED),
    ]
    if filled:
        styles.append(("BACKGROUND", (0, 0), (-1, 0), theme.fill))
    elif theme.layout == "compact":
        styles += [("BACKGROUND", (0, 0), (-1, 0), theme.tint)]
    else:
        styles.append(("LINEBELOW", (0, 0), (-1, 0), 0.9, theme.fill))
    styles += [("LINEBELOW", (0, row), (-1, row), 0.5, LINE) for row in marks.ends]
    for row in marks.headings:
        # A heading does not stay behind at the foot of a page.
        styles += [("SPAN", (0, row), (-1, row)), ("NOSPLIT", (0, row), (-1, row + 1))]
        styles += [("BOTTOMPADDING", (0, row), (-1, row), 1)]
    for row in marks.continued:
        styles += [
            ("BOTTOMPADDING", (0, row - 1), (-1, row - 1), 0),
            ("TOPPADDING", (0, row), (-1, row), 0),
        ]
    return styles


def _add_totals(
    rows: list[list[Any]],
    styles: list[tuple[Any, ...]],
    totals: Sequence[tuple[str, str, str]],
    grand: float,
    density: Density,
    theme: Theme,
) -> None:
    last, first = len(rows[0]) - 1, len(rows)
    for label, amount, kind in totals:
        row = len(rows)
        rows.append([_label(label, kind), *[""] * (last - 1), amount])
        styles += [
            ("SPAN", (0, row), (last - 1, row)),
            ("TOPPADDING", (0, row), (-1, row), density.total_pad),
            ("BOTTOMPADDING", (0, row), (-1, row), density.total_pad),
            ("FONT", (last, row), (last, row), REGULAR, min(grand, 9), density.leading),
        ]
        if kind == "grand":
            styles += [
                ("FONT", (last, row), (last, row), BOLD, grand, 15),
                ("TOPPADDING", (0, row), (-1, row), density.total_pad + 2),
                ("BOTTOMPADDING", (0, row), (-1, row), density.total_pad + 1),
            ]
            if theme.layout == "modern":
                styles.append(("BACKGROUND", (1, row), (-1, row), theme.tint))
                styles.append(("BACKGROUND", (0, row), (0, row), theme.tint))
                styles.append(("TEXTCOLOR", (last, row), (last, row), theme.text))
            else:
                styles.append(("LINEABOVE", (0, row), (-1, row), 0.9, theme.fill))
    styles.append(("TOPPADDING", (0, first), (-1, first), density.total_pad + 4))


class _Marks:
    """The rows that go on with a description, those that end a line, and the headings."""

    def __init__(self) -> None:
        self.continued: list[int] = []
        self.ends: list[int] = []
        self.headings: list[int] = []


def _add_lines(
    rows: list[list[Any]],
    lines: Sequence[PaperLine],
    figures: Sequence[Sequence[str]],
    width: float,
    density: Density,
) -> _Marks:
    marks = _Marks()
    section = ""
    for line, cells in zip(lines, figures, strict=True):
        if line.section and line.section != section:
            marks.headings.append(len(rows))
            heading = paragraph([printable(line.section)], size=density.size, bold=True)
            rows.append([heading, *[""] * len(cells)])
        section = line.section
        pieces = _pieces(_description(line.description, width, density), width, density)
        rows.append([pieces[0], *cells])
        for piece in pieces[1:]:
            marks.continued.append(len(rows))
            rows.append([piece, *[""] * len(cells)])
        marks.ends.append(len(rows) - 1)
    return marks


def _pieces(
    description: Paragraph | str, width: float, density: Density
) -> list[Paragraph] | list[str]:
    """A longer description continues in rows of its own, so that the page can turn inside it."""
    if isinstance(description, str):
        return [description]
    height = 5 * density.leading
    pieces: list[Paragraph] = []
    rest = description
    while rest.wrap(width, 1e6)[1] > height * 1.5:
        parts = rest.split(width, height)
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


def totals_of(paper: Paper, words: Words) -> list[tuple[str, str, str]]:
    """(label, amount, kind) of each row under the lines."""
    return list(_totals(paper, words))


def _totals(paper: Paper, words: Words) -> Iterator[tuple[str, str, str]]:
    labels = words.labels
    if paper.allowances:
        yield labels.total_lines, words.money(_lines_minor(paper)), ""
    for label, percent, amount in _adjustments(paper):
        name = printable(label) or labels.discount
        text = f"{name} ({words.percent(percent)})" if percent else name
        yield text, words.money(amount), ""
    if paper.deposits:
        taken = sum(deposit.net_minor for deposit in paper.deposits)
        yield labels.before_deposits, words.money(paper.net_minor + taken), ""
        for deposit in paper.deposits:
            yield _deposit(deposit, words), words.money(-deposit.net_minor), ""
    has_vat = any(group.vat_category == "S" for group in paper.breakdown)
    yield labels.total_net, words.money(paper.net_minor), "strong"
    # Rows of a credit note come in the order of the database: every page has that of the rates.
    for group in sorted(paper.breakdown, key=lambda row: (row.vat_category, row.vat_rate)):
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
    elif (held := paper.retention) and not is_credit:
        yield retention(paper, words), words.money(-held.amount_minor), ""
        yield labels.payable, words.money(paper.total_minor - held.amount_minor), "grand"


def _deposit(deposit: PaperDeposit, words: Words) -> str:
    return words.labels.deposit_taken.format(
        number=printable(deposit.number),
        day=words.day(deposit.issue_date),
        net=words.money(deposit.net_minor),
        vat=words.money(deposit.vat_minor),
        total=words.money(deposit.net_minor + deposit.vat_minor),
    )


def _lines_minor(paper: Paper) -> int:
    return sum(line.net_minor for line in shown_lines(paper))


def _adjustments(paper: Paper) -> list[tuple[str, Decimal, int]]:
    """The reader sees each discount and charge once, as what it adds to the net; its split over VAT
    rates shows in the bases."""
    found: dict[tuple[str, Decimal, bool], int] = {}
    for each in paper.allowances:
        key = (each.label, each.percent, each.is_charge)
        found[key] = found.get(key, 0) + each.signed_minor
    return [(label, percent, amount) for (label, percent, _kind), amount in found.items()]


def _fitted(
    head: Sequence[str],
    figures: Sequence[Sequence[str]],
    amounts: Sequence[str],
    density: Density,
    theme: Theme,
) -> tuple[list[float], float, float]:
    """Column widths, and the sizes of figures and of the great total that leave room for words."""
    for size, grand in ((density.size, 12.0), (8.0, 10.5), (7.0, 9.0), (6.0, 7.5), (5.0, 6.0)):
        widths = [0.0]
        for column, title in enumerate(head[1:]):
            widest = max((stringWidth(row[column], REGULAR, size) for row in figures), default=0.0)
            titles = (stringWidth(part, BOLD, density.small) for part in title.split("\n"))
            widths.append(max(widest, *titles) + GAP + 2)
        totals = max((stringWidth(amount, BOLD, grand) for amount in amounts), default=0.0)
        widths[-1] = max(widths[-1] - GAP - 2, totals) + 1 + theme.edge
        widths[0] = WIDTH - sum(widths)
        if widths[0] >= _MIN_DESCRIPTION:
            break
    return widths, size, grand


def _description(text: str, width: float, density: Density) -> Paragraph | str:
    """First line in ink, details in grey. Built from fragments, so that no text is ever read as
    markup; a short line is a string, which costs a tenth."""
    shown = printable(text).strip("\n")
    if (
        "\n" not in shown
        and not needs_fallback(shown)
        and stringWidth(shown, REGULAR, density.size) <= width
    ):
        return shown
    lines = [
        (line, density.small if index else density.size, MUTED if index else INK)
        for index, line in enumerate(shown.split("\n"))
    ]
    return Paragraph("", style(density.size, density.leading), frags=fragments(lines, width))


def _label(text: str, kind: str) -> Paragraph:
    """The name of a total, at the right of its spanned cells."""
    grand, bold = kind == "grand", kind in ("strong", "grand")
    return paragraph(
        [text],
        size=12 if grand else 9,
        leading=15 if grand else 12,
        color=INK if bold else MUTED,
        bold=bold,
        right=True,
    )
