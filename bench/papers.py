"""One PDF, and one Factur-X, of few lines and of many."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

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
SIZES = ((10, 0.82), (48, 0.4), (200, 0.14))


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
    floor = "xhtml2pdf with the lines as a table in HTML, without finishing"
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
@page { size: a4; margin: 20mm }
body { font-family: Portal; font-size: 9pt } td { padding: 3pt; border-bottom: 0.5pt solid #ccc }
</style>"""


def _by_html(paper: Paper) -> bytes:
    """The same cells as xhtml2pdf itself lays them out."""
    rows = "".join(
        f"<tr><td>{line.description}</td><td>{line.quantity}</td><td>{line.unit_price}</td>"
        f"<td>{line.vat_rate}</td><td>{line.net_minor}</td></tr>"
        for line in paper.lines
    )
    head = "<thead><tr><td>Text</td><td>Quantity</td><td>Price</td><td>VAT</td><td>Net</td></tr>"
    parties = f"<p>{paper.seller.name}</p><p>{paper.buyer.name}</p><h1>{paper.title}</h1>"
    table = f"<table>{head}</thead>{rows}</table><p>{paper.total_minor}</p>"
    made = io.BytesIO()
    pisa.CreatePDF(f"{_HEAD}<body>{parties}{table}</body>", dest=made, path=render._BASE)
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
