"""A Paper to the bytes of its PDF/A-3b: HTML by page, layout by xhtml2pdf, finish by archive.

Rendered once, when the invoice is issued; downloads serve the stored bytes. The same Paper, logo
and moment always give the same bytes. Threads do not help, for the engine takes one document at a
time in a process.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, date, datetime, time
from functools import cache
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from reportlab import rl_config
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import RenderLimitError, ResourceAccessPolicy

from invoices.documents.paper import Paper
from invoices.documents.pdf import page
from invoices.documents.pdf import text as pdf_text
from invoices.documents.pdf.archive import Attachment, Facts, FontNotEmbedded, finish
from invoices.documents.pdf.checking import PdfRefused, check, unprintable
from invoices.documents.pdf.codes import payment_code
from invoices.documents.pdf.context import context_of, payment_rows, running_head
from invoices.documents.pdf.labels import Words
from invoices.documents.pdf.logo import logo_of
from invoices.documents.pdf.marks import DraftMark, PageDress, PageNumber, PageTotal, drawn_by
from invoices.documents.pdf.paragraphs import theme_of
from invoices.documents.pdf.sheet import Sheet
from invoices.documents.pdf.text import printable

__all__ = ["PdfRefused", "laid_out", "render", "unprintable"]

logger = logging.getLogger(__name__)

MAX_SECONDS = 30
_POLICY = ResourceAccessPolicy.server(
    pdf_text.FONTS, allow_remote=False, max_render_seconds=MAX_SECONDS, max_depth=60
)
_BASE = str(pdf_text.FONTS / "document.html")  # relative font addresses start here
_one_at_a_time = threading.Lock()

rl_config.invariant = 1  # no clock and no random identifier in the file
rl_config.useA85 = 0


def render(
    paper: Paper,
    *,
    draft: bool = False,
    pro_forma: bool = False,
    logo_png: bytes | None = None,
    attachments: tuple[Attachment, ...] = (),
    made_at: datetime | None = None,
) -> bytes:
    """The PDF of `paper`. Raises PdfRefused.

    A draft bears a mark on every page and no number; one that is handed out as `pro_forma` says
    that instead. `made_at`, which is aware, is what the file says about its making; without it the
    beginning of the issue date.
    """
    draft = draft or pro_forma
    check(paper)
    words = Words(paper, pro_forma=pro_forma)
    context = context_of(paper, words, draft=draft)
    context["logo"] = logo_of(logo_png, paper.look.layout) if logo_png else None
    raw = laid_out(page.html_of(context), _makers(paper, words, draft=draft))
    title = " ".join(filter(None, (words.kind(), "" if draft else paper.number)))
    facts = Facts(
        title=f"{title} – {paper.seller.name}",
        author=paper.seller.name,
        language="fr-FR" if paper.language == "fr" else "en-GB",
        at=made_at or datetime.combine(paper.issue_date or date(2000, 1, 1), time(), UTC),
    )
    try:
        return finish(raw, facts, attachments=attachments)
    except FontNotEmbedded as error:
        raise PdfRefused(
            _("A font (%(font)s) is missing from the PDF, which would not be archivable.")
            % {"font": str(error)}
        ) from error


def _makers(paper: Paper, words: Words, *, draft: bool) -> dict[str, Any]:
    """What stands for the elements of ours in the template."""
    head = running_head(paper, words, draft=draft)
    mark = words.mark

    @cache
    def sheet() -> Sheet:
        # Not before the engine has read the fonts, which it measures with.
        return Sheet(
            paper,
            words,
            payment=payment_rows(paper, words, draft=draft),
            code=None if draft else payment_code(paper),
            draft=draft,
        )

    return {
        "lines": lambda: sheet().lines(),
        "rest": lambda: sheet().rest(),
        "dress": lambda: PageDress(theme_of(paper.look), *head),
        "page": PageNumber,
        "end": lambda: PageTotal(mark if draft else printable(paper.number), words.labels.page),
        "mark": lambda: DraftMark(mark),
    }


def laid_out(html: str, makers: dict[str, Any]) -> bytes:
    out = BytesIO()
    try:
        with _one_at_a_time, drawn_by(**makers):
            result = pisa.CreatePDF(html, dest=out, path=_BASE, resource_policy=_POLICY)
    except RenderLimitError as error:
        raise PdfRefused(
            _("This document takes too long to lay out: use fewer or shorter lines.")
        ) from error
    except Exception as error:
        # The engine fails in many ways on hostile input (RecursionError, ZeroDivisionError,
        # LayoutError…).
        logger.exception("The PDF engine failed.")
        raise PdfRefused(
            _(
                "The PDF could not be made (%(kind)s). Nothing was kept: shorten the texts or "
                "change the logo."
            )
            % {"kind": type(error).__name__}
        ) from error
    if result.err or result.warn or result.log:
        reasons = "; ".join(str(entry[2]) for entry in result.log[:3])
        logger.error("The PDF engine warned: %s", reasons)
        raise PdfRefused(_("The PDF would be incomplete: %(reasons)s") % {"reasons": reasons})
    return out.getvalue()
