"""The general terms of sale: brought in force as a version, taken out of force, never changed.

Quotes leave with the version of their day, and whoever accepts one accepts that version: so its
file is kept as it was, with its SHA-256, for as long as there are quotes.
"""

from __future__ import annotations

import hashlib
from datetime import date
from io import BytesIO
from typing import Any, Final, Literal

import pikepdf
from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.typed.texts import lines as tidy
from invoices.company.looks import look_of
from invoices.company.seller import seller_of
from invoices.documents.letters import Letter, Table
from invoices.documents.mentions import long_date
from invoices.documents.paper import Buyer
from invoices.documents.pdf.letters import print_letter
from invoices.documents.pdf.render import PdfRefused
from invoices.models import Company, SalesTerms

LONGEST: Final = 60_000
LARGEST: Final = 5_000_000
MOST_PAGES: Final = 60
HEADING: Final = "# "
_WORDS: Final = {
    "fr": ("Conditions générales de vente", "Version", "Applicables à compter du", "CGV"),
    "en": ("General terms of sale", "Version", "In force from", "Terms"),
}


class SalesTermsRefused(Exception):
    """The terms cannot be taken; the message is written for staff."""


def name_of(terms: SalesTerms) -> str:
    """“Conditions générales de vente, version 3 du 12 novembre 2026”, in their own language."""
    language = _language(terms.language)
    joined = "du" if language == "fr" else "of"
    return f"{_WORDS[language][0]}, version {terms.number} {joined} {long_date(terms.on, language)}"


def paragraphs(text: str) -> list[tuple[str, list[str]]]:
    """Headings, each with the paragraphs below it; the first heading may be empty."""
    found: list[tuple[str, list[str]]] = []
    for block in tidy(text).split("\n\n"):
        head, _newline, rest = block.strip().partition("\n")
        if head.startswith(HEADING):
            found.append((head.removeprefix(HEADING).strip(), []))
            block = rest
        if block.strip():
            if not found:
                found.append(("", []))
            found[-1][1].append(block.strip())
    return found


def printed(text: str, *, language: str, number: int, on: date) -> bytes:
    """The text as a PDF of its own. Raises SalesTermsRefused, PdfRefused."""
    company = Company.ours()
    if company is None:
        raise SalesTermsRefused(_("Say who sells: fill in the company in Settings."))
    known = _language(language)
    kind, version, since, _short = _WORDS[known]
    letter = Letter(
        language=known,
        kind=kind,
        on=on,
        seller=seller_of(company),
        # Nobody’s address; of the seller’s own country, so that the page names none.
        recipient=Buyer(name="", country=company.country),
        facts=((version, str(number)), (since, long_date(on, known))),
        tables=tuple(
            Table(title=heading, before=tuple(blocks)) for heading, blocks in paragraphs(text)
        ),
        look=look_of(company),
    )
    return print_letter(letter, logo_png=bytes(company.logo_png) or None)


def bring_in_force(
    *, language: str, text: str = "", pdf: bytes = b"", by: User | None, on: date
) -> SalesTerms:
    """The next version in this language: of a text or of a PDF. Raises SalesTermsRefused."""
    text = tidy(text)
    if bool(text) == bool(pdf):
        raise SalesTermsRefused(_("Write the terms, or choose a PDF: one of both."))
    if len(text) > LONGEST:
        raise SalesTermsRefused(
            _("The text has more than %(n)s characters: bring it as a PDF.") % {"n": LONGEST}
        )
    if pdf and (problem := pdf_problem(pdf)):
        raise SalesTermsRefused(problem)
    with transaction.atomic():
        number, before = _next(language)
        if before is not None and (before.text, pdf and before.sha256) == (
            text,
            pdf and hashlib.sha256(pdf).hexdigest(),
        ):
            raise SalesTermsRefused(
                _("Version %(n)s says just this: nothing was changed.") % {"n": before.number}
            )
        try:
            content = pdf or printed(text, language=language, number=number, on=on)
        except PdfRefused as refusal:
            raise SalesTermsRefused(str(refusal)) from None
        short = _WORDS[_language(language)][3]
        return SalesTerms.objects.create(
            language=language,
            number=number,
            text=text,
            content=content,
            filename=f"{short}-v{number}.pdf",
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            on=on,
            created_by=by,
        )


def take_out_of_force(*, language: str, by: User | None, on: date) -> SalesTerms | None:
    """From now on quotes in this language leave without; done twice, it is done."""
    with transaction.atomic():
        number, before = _next(language)
        if before is None:
            return None
        return SalesTerms.objects.create(
            language=language, number=number, content=b"", on=on, created_by=by
        )


def _next(language: str) -> tuple[int, SalesTerms | None]:
    """The number of the next version and what is in force, under the lock of the company."""
    if language not in SalesTerms.Language.values:
        raise SalesTermsRefused(_("Documents are in French or in English."))
    # Two who save at once would both write version 4.
    if not Company.objects.select_for_update().filter(pk=1).exists():
        raise SalesTermsRefused(_("Say who sells: fill in the company in Settings."))
    rows = SalesTerms.objects.filter(language=language).order_by("-number")
    newest = rows.values_list("number", flat=True).first() or 0
    return newest + 1, SalesTerms.objects.in_force(language)


def pdf_problem(content: bytes) -> str:
    """Why this file cannot be sent to clients as it is; empty when it can."""
    if len(content) > LARGEST:
        return _("The file has more than %(n)s MB: make it smaller.") % {"n": LARGEST // 1_000_000}
    if not content.startswith(b"%PDF-"):
        return _("This file is no PDF.")
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            pages, root = len(pdf.pages), pdf.Root
            names: Any = root.get("/Names", {})
            acts = "/OpenAction" in root and "/S" in root.get("/OpenAction", {})
            active = acts or "/AA" in root or "/JavaScript" in names or "/EmbeddedFiles" in names
    except pikepdf.PasswordError:
        return _("The PDF asks for a password: clients could not read it.")
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, OSError, RuntimeError):
        return _("The PDF cannot be opened: save it again, or print it to a PDF.")
    if not 1 <= pages <= MOST_PAGES:
        return _("The PDF has %(n)s pages, and at most %(most)s are allowed.") % {
            "n": pages,
            "most": MOST_PAGES,
        }
    if active:
        return _("The PDF contains scripts or attached files: print it to a plain PDF first.")
    return ""


def _language(language: str) -> Literal["fr", "en"]:
    return "fr" if language == "fr" else "en"
