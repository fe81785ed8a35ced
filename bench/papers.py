"""One PDF, and one Factur-X, of few lines and of many."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import segno
from django.utils import timezone
from pypdf import PdfReader
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from xhtml2pdf import pisa

from bench.data import bench_user
from bench.drafts import a_client, a_draft
from bench.timing import Row, by_turns
from invoices.documents.facturx import judging
from invoices.documents.facturx.attaching import attachment
from invoices.documents.paper import Paper
from invoices.documents.pdf import render
from invoices.documents.totals import vat_of
from invoices.invoicing import issuing

# Lines, and what xhtml2pdf took at best when it was tried: of its own table, laid out without a
# second pass (the floor), so much remained where the lines were drawn by an element of ours.
SIZES = ((10, 0.82), (48, 0.31), (200, 0.17))


def document() -> Iterator[Row]:
    issued = issuing.issue(
        invoice_id=a_draft(a_client(), timezone.localdate()),
        by=bench_user(),
        on=timezone.localdate(),
    )
    paper = Paper.from_json(issued.paper)
    pages = text_of(render.render(paper))
    drawn, plain = by_turns(lambda: render.render(paper), lambda: on_canvas(pages), runs=25)
    yield Row.of(
        "one PDF/A-3 of one page, fonts embedded",
        drawn,
        [("a reportlab canvas with the same lines of text, no layout, no fonts embedded", plain)],
    )
    for lines, share in SIZES:
        yield from _of_so_many_lines(longer(paper, lines), share)


def _of_so_many_lines(paper: Paper, share: float) -> Iterator[Row]:
    """XML, schema, schematrons, rules of our own, attached: against the PDF by itself, all warm."""
    lines = len(paper.lines)
    made, drawn, table = by_turns(
        lambda: _with_xml(paper),
        lambda: render.render(paper),
        lambda: _by_html(paper),
        runs=5 if lines > 100 else 15,
        warm_up=1,
    )
    floor = "xhtml2pdf with the same parts and lines as tables in HTML"
    yield Row.of(f"one PDF/A-3 of {lines} lines", drawn, [(floor, table)], most_times=share)
    what = f"one Factur-X of {lines} lines, validated"
    yield Row.of(what, made, [("its PDF alone", drawn)], most_times=1.6)


def _with_xml(paper: Paper) -> bytes:
    found = judging.judged(paper)
    assert found.content is not None and not found.failures, found.failures
    return render.render(paper, attachments=(attachment(found.content),))


def longer(paper: Paper, lines: int) -> Paper:
    """The same lines again and again, and their sums."""
    (row,) = paper.breakdown
    some = tuple(paper.lines[n % len(paper.lines)] for n in range(lines))
    basis = sum(line.net_minor for line in some)
    vat = vat_of(basis, row.vat_rate)
    return replace(
        paper,
        lines=some,
        breakdown=(replace(row, basis_minor=basis, vat_minor=vat),),
        net_minor=basis,
        vat_minor=vat,
        total_minor=basis + vat,
    )


_HEAD = """<style>
@font-face { font-family: Portal; src: url(PortalSans-Regular.ttf) }
@page { size: a4; @frame body { top: 20mm; left: 18mm; width: 174mm; height: 240mm }
  @frame foot { -pdf-frame-content: foot; top: 270mm; left: 18mm; width: 174mm; height: 20mm } }
body { font-family: Portal; font-size: 9pt }
td { padding: 3pt; border-bottom: 0.5pt solid #ccc; overflow-wrap: anywhere }
.card { background-color: #f4f6fa; border-radius: 4pt; padding: 6pt }
.kept { page-break-inside: avoid } .right { text-align: right }
</style>"""


def _row(*cells: Any) -> str:
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _by_html(paper: Paper) -> bytes:
    """A page of the same parts as xhtml2pdf itself lays them out: parties, particulars, lines,
    totals kept together with the code to pay by, and a foot."""
    rows = "".join(
        _row(
            n, line.description, line.quantity, line.unit, line.unit_price, line.vat_rate, "950,00"
        )
        for n, line in enumerate(paper.lines, 1)
    )
    head = f"<thead>{_row('', 'Text', 'Quantity', 'Unit', 'Price', 'VAT', 'Net')}</thead>"
    lines = f'<table repeat="1">{head}{rows}</table>'
    card = '<div class="card">{0.name}<br/>{0.siren}<br/>{0.vat_id}</div>'
    parties = f"<table>{_row(card.format(paper.seller), card.format(paper.buyer))}</table>"
    particulars = "".join(_row(name, paper.number) for name in ("No.", "Date", "Due", "Order"))
    sums = "".join(_row(name, paper.total_minor) for name in ("Net", "VAT", "Total", "To pay"))
    code = segno.make(paper.number * 9, error="m").svg_data_uri(border=2)
    pay = f'<img src="{code}" width="80" height="80"/>'
    totals = f"<table>{sums}</table>{pay}<p>{paper.payment_terms}</p>"
    kept = f'<div class="kept right">{totals}</div>'
    foot = f'<div id="foot">{paper.seller.name}, {paper.number}, page 1 of 1</div>'
    body = f"{parties}<h1>{paper.title}</h1><table>{particulars}</table>{lines}{kept}{foot}"
    made = io.BytesIO()
    pisa.CreatePDF(f"{_HEAD}<body>{body}</body>", dest=made, path=render._BASE)
    return made.getvalue()


def text_of(content: bytes) -> list[list[str]]:
    return [page.extract_text().splitlines() for page in PdfReader(io.BytesIO(content)).pages]


def on_canvas(pages: list[list[str]]) -> bytes:
    """The same lines of text, one under the other, in a font of reportlab's own."""
    made = io.BytesIO()
    canvas: Any = Canvas(made, pagesize=A4)
    for lines in pages:
        canvas.setFont("Helvetica", 9)
        for place, line in enumerate(lines):
            canvas.drawString(50, 800 - 11 * place, line)
        canvas.showPage()
    canvas.save()
    return made.getvalue()
