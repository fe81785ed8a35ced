"""A Paper to the bytes of its PDF/A-3b: HTML by page, layout by xhtml2pdf, finish by pdf_a.

Rendered once, when the invoice is issued; downloads serve the stored bytes. The same Paper always
gives the same bytes. About 100 ms for ten lines and one second for five hundred; threads do not
help, for the engine takes one document at a time in a process.
"""

import base64
import logging
import threading
from calendar import monthrange
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from io import BytesIO
from typing import Any

import segno
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError
from reportlab import rl_config
from segno import helpers
from xhtml2pdf import pisa
from xhtml2pdf.config.resources import RenderLimitError, ResourceAccessPolicy

from invoices.documents.paper import CREDIT_NOTE, QUOTE, Paper
from invoices.documents.pdf import page
from invoices.documents.pdf import text as pdf_text
from invoices.documents.pdf.archive import Attachment, Facts, FontNotEmbedded, finish
from invoices.documents.pdf.dues import amounts_due, first_due, shows_instalments, terms
from invoices.documents.pdf.labels import Words, as_dict
from invoices.documents.pdf.lines import payment_details, table_of_lines
from invoices.documents.pdf.marks import (
    DraftMark,
    PageNumber,
    PageTotal,
    PaymentCode,
    drawn_by,
)
from invoices.documents.pdf.offers import of_a_quote, shown
from invoices.documents.pdf.seller import legal, spaced
from invoices.documents.pdf.text import needs_fallback, printable

logger = logging.getLogger(__name__)

MAX_LINES = 500
MAX_DESCRIPTION = 2_000
MAX_TEXT = 4_000
MAX_SECONDS = 30
MAX_LOGO_BYTES = 2_000_000
MAX_LOGO_PIXELS = 16_000_000
LOGO_BOX = (170, 46)  # points
QR_SIDE = 78  # points
EPC_LIMITS = {"name": 70, "text": 140}
_POLICY = ResourceAccessPolicy.server(
    pdf_text.FONTS, allow_remote=False, max_render_seconds=MAX_SECONDS, max_depth=60
)
_BASE = str(pdf_text.FONTS / "document.html")  # relative font addresses start here
_one_at_a_time = threading.Lock()

rl_config.invariant = 1  # no clock and no random identifier in the file
rl_config.useA85 = 0


class PdfRefused(Exception):
    """The document cannot be printed as it is; the message is written for staff."""


def render(
    paper: Paper,
    *,
    draft: bool = False,
    pro_forma: bool = False,
    logo_png: bytes | None = None,
    attachments: tuple[Attachment, ...] = (),
) -> bytes:
    """The PDF of `paper`. Raises PdfRefused.

    A draft bears a mark on every page and no number; one that is handed out as `pro_forma` says
    that instead.
    """
    draft = draft or pro_forma
    _check(paper)
    words = Words(paper, pro_forma=pro_forma)
    context = _context(paper, words, draft=draft)
    context["logo"] = logo_of(logo_png) if logo_png else None
    code = None if draft else _payment_code(paper)
    context["has_qr"] = code is not None
    makers = {
        "lines": lambda: table_of_lines(paper, words),
        "qr": lambda: PaymentCode(code, QR_SIDE),
        "payment": lambda: payment_details(_payment(paper, words, draft=draft)),
        "page": PageNumber,
        "end": lambda: PageTotal(
            words.mark if draft else printable(paper.number), words.labels.page
        ),
        "mark": lambda: DraftMark(words.mark),
    }
    raw = laid_out(page.html_of(context), makers)
    title = " ".join(filter(None, (words.kind(), "" if draft else paper.number)))
    facts = Facts(
        title=f"{title} – {paper.seller.name}",
        author=paper.seller.name,
        language="fr-FR" if paper.language == "fr" else "en-GB",
        on=paper.issue_date or date(2000, 1, 1),
    )
    try:
        return finish(raw, facts, attachments=attachments)
    except FontNotEmbedded as error:
        raise PdfRefused(
            _("A font (%(font)s) is missing from the PDF, which would not be archivable.")
            % {"font": str(error)}
        ) from error


def unprintable(paper: Paper) -> tuple[str, ...]:
    """The characters of the paper that the page will lack (emoji) or show as □: to be told before
    it is issued."""
    found: dict[str, None] = {}
    for text in _texts(paper):
        found.update(dict.fromkeys(pdf_text.unprintable(text)))
    return tuple(found)


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


def _check(paper: Paper) -> None:
    if len(paper.lines) > MAX_LINES:
        raise PdfRefused(
            _("A document has at most %(limit)s lines; this one has %(count)s. Make two of it.")
            % {"limit": MAX_LINES, "count": len(paper.lines)}
        )
    for position, line in enumerate(paper.lines, start=1):
        if len(line.description) > MAX_DESCRIPTION:
            raise PdfRefused(
                _("The description of line %(position)s has more than %(limit)s characters.")
                % {"position": position, "limit": MAX_DESCRIPTION}
            )
    for text in _texts(paper):
        if len(text) > MAX_TEXT or text.count("\n") > MAX_TEXT // 20:
            raise PdfRefused(
                _("A text of this document has more than %(limit)s characters or too many lines.")
                % {"limit": MAX_TEXT}
            )
    if paper.kind == CREDIT_NOTE and paper.total_minor < 0:
        raise PdfRefused(_("A credit note states positive amounts."))


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in _texts(item)]
    if is_dataclass(value):
        return [text for field in fields(value) for text in _texts(getattr(value, field.name))]
    return []


def _context(paper: Paper, words: Words, *, draft: bool) -> dict[str, Any]:
    labels = words.labels
    seller, buyer = paper.seller, paper.buyer
    abroad = seller.country != buyer.country
    is_credit, is_quote = paper.kind == CREDIT_NOTE, paper.kind == QUOTE
    shown_number = "" if draft else printable(paper.number)
    all_text = "".join(_texts(paper))
    return {
        "labels": as_dict(labels),
        "language": paper.language,
        "draft": draft,
        "kind": words.kind(),
        "number": shown_number,
        "facts": [fact for fact in _facts(paper, words) if fact[1]],
        "seller_name": printable(seller.name),
        "seller_lines": shown(
            [
                *seller.address,
                words.country(seller.country) if abroad else "",
                " · ".join(filter(None, (seller.phone, seller.email))),
                seller.website,
            ]
        ),
        "buyer_name": printable(buyer.name),
        "buyer_lines": shown([*buyer.address, words.country(buyer.country) if abroad else ""]),
        "buyer_ids": shown(
            [
                f"SIREN {spaced(buyer.siren)}" if buyer.siren else "",
                f"{labels.vat_id} {buyer.vat_id}" if buyer.vat_id else "",
                f"{labels.contact} {buyer.contact}" if buyer.contact else "",
            ]
        ),
        "delivery": shown(paper.delivery_address),
        "references": shown(_references(paper, words)),
        "title": printable(paper.title),
        "pays": not (is_credit or is_quote or words.pro_forma) and paper.payable_minor > 0,
        "settled": not is_credit and paper.paid_minor > 0 and paper.payable_minor <= 0,
        **of_a_quote(paper, words, draft=draft),
        # A pro forma claims nothing yet.
        **({} if words.pro_forma else terms(paper, words)),
        "mentions": shown(
            [
                paper.early_payment,
                paper.late_penalty,
                paper.recovery_indemnity,
                *paper.exemptions,
                labels.debits if paper.vat_on_debits else "",
                labels.vat_in_eur.format(amount=words.euros(paper.vat_minor_in_eur))
                if paper.vat_minor_in_eur is not None
                else "",
                paper.eur_rate,
                paper.vat_group,
                labels.missing if pdf_text.MISSING in printable(all_text) else "",
            ]
        ),
        "notes": shown(paper.notes.splitlines()),
        "legal": printable(legal(seller, labels, paper.language)),
        "has_fallback": needs_fallback(printable(all_text)),
    }


def _facts(paper: Paper, words: Words) -> list[tuple[str, str]]:
    labels = words.labels
    facts = [(labels.issued, words.day(paper.issue_date))]
    if paper.kind == QUOTE:
        facts.append((labels.valid_until, words.day(paper.valid_until)))
    elif paper.kind != CREDIT_NOTE and not words.pro_forma:
        facts.append((labels.due, first_due(paper, words)))
    return facts


def _references(paper: Paper, words: Words) -> list[str]:
    labels = words.labels
    lines: list[str] = []
    if paper.corrects_number:
        lines.append(
            labels.corrects.format(number=paper.corrects_number, day=words.day(paper.corrects_date))
        )
    if paper.replaces_number:
        lines.append(
            labels.replaces.format(number=paper.replaces_number, day=words.day(paper.replaces_date))
        )
    if paper.credit_reason:
        lines.append(labels.why.format(reason=paper.credit_reason))
    if paper.purchase_order:
        lines.append(f"{labels.purchase_order} {paper.purchase_order}")
    if paper.buyer.reference:
        lines.append(f"{labels.your_reference} {paper.buyer.reference}")
    start, end = paper.service_from, paper.service_until
    if start and end and start.day == 1 and end == _end_of_month(start):
        lines.append(labels.month.format(month=words.month(start)))
    elif start and end and start != end:
        lines.append(labels.period.format(start=words.day(start), end=words.day(end)))
    elif day := end or start:
        lines.append(labels.day_of_supply.format(day=words.day(day)))
    if paper.nature:
        lines.append(getattr(labels, paper.nature))
    return lines


def _payment(paper: Paper, words: Words, *, draft: bool) -> list[tuple[str, str]]:
    labels = words.labels
    rows = [
        ("IBAN", spaced(paper.seller.iban, 4)),
        ("BIC", paper.seller.bic),
        (labels.account_holder, paper.seller.name if paper.seller.iban else ""),
        (labels.reference, "" if draft else paper.number),
    ]
    due = amounts_due(paper, words)
    # The days stand under the sentence that leads to them.
    rows = [*due, *rows] if shows_instalments(paper) else [*rows, *due]
    return [(label, printable(value)) for label, value in rows if value]


def _end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def _payment_code(paper: Paper) -> segno.QRCode | None:
    """The EPC code of a SEPA transfer, where one can be made: euros, an IBAN, something to pay.

    Of several instalments it asks for the first one.
    """
    iban = paper.seller.iban.replace(" ", "")
    in_parts = paper.instalments and not paper.paid_minor
    minor = paper.instalments[0].amount_minor if in_parts else paper.payable_minor
    amount = Decimal(minor) / 100
    if paper.kind in (CREDIT_NOTE, QUOTE) or paper.currency != "EUR" or not iban:
        return None
    if not Decimal("0.01") <= amount <= Decimal("999999999.99"):
        return None
    try:
        return helpers.make_epc_qr(
            name=paper.seller.name[: EPC_LIMITS["name"]],
            iban=iban,
            amount=amount,
            text=paper.number[: EPC_LIMITS["text"]],
            bic=paper.seller.bic.replace(" ", "") or None,
            encoding="utf-8",
        )
    except ValueError:
        # A malformed IBAN or BIC: the page still prints it, and the seller's form is where it is
        # refused.
        logger.warning("No payment code for a document of %s", paper.issue_date)
        return None


@lru_cache(maxsize=2)
def logo_of(png: bytes) -> dict[str, Any]:
    """The picture made anew by Pillow, so that nothing of the upload but its pixels reaches the
    file."""
    refusal = _("The logo cannot be used: give a PNG or JPEG of at most 2 MB and 16 megapixels.")
    if len(png) > MAX_LOGO_BYTES:
        raise PdfRefused(refusal)
    try:
        with Image.open(BytesIO(png), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_LOGO_PIXELS:
                raise PdfRefused(refusal)
            picture = image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise PdfRefused(refusal) from error
    picture.thumbnail((LOGO_BOX[0] * 4, LOGO_BOX[1] * 4))
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    out = BytesIO()
    flat.save(out, "PNG")
    scale = min(LOGO_BOX[0] / flat.width, LOGO_BOX[1] / flat.height)
    return {
        "uri": "data:image/png;base64," + base64.b64encode(out.getvalue()).decode(),
        "width": f"{flat.width * scale:.2f}",
        "height": f"{flat.height * scale:.2f}",
    }
