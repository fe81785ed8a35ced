"""What the mails of invoices and credit notes say, by what is owed when they leave."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing_portal.money import formatted
from invoices.documents import mentions
from invoices.models import Allocation, Company, Invoice
from invoices.outbox.wording import Block, Example, Values, Variable, Wording

INVOICE, CREDIT_NOTE = "invoice", "credit_note"

_STANDARD_INVOICE = {
    "fr": (
        "{kind} {number} – {company}",
        "Bonjour,\n\n"
        "Veuillez trouver ci-joint la {kind_in_text} {number} du {date}{about}.\n\n"
        "{amounts}\n\n"
        "Si quelque chose vous paraît inexact, répondez simplement à ce message.\n\n"
        "Bien cordialement,\n{company}\n{phone}",
    ),
    "en": (
        "{kind} {number} – {company}",
        "Hello,\n\n"
        "Please find attached {kind_in_text} {number} of {date}{about}.\n\n"
        "{amounts}\n\n"
        "If anything looks wrong, simply answer this message.\n\n"
        "Kind regards,\n{company}\n{phone}",
    ),
}
_STANDARD_CREDIT = {
    "fr": (
        "{kind} {number} – {company}",
        "Bonjour,\n\n"
        "Veuillez trouver ci-joint l’avoir {number} du {date}, d’un montant de {total}{about}.\n\n"
        "Si quelque chose vous paraît inexact, répondez simplement à ce message.\n\n"
        "Bien cordialement,\n{company}\n{phone}",
    ),
    "en": (
        "{kind} {number} – {company}",
        "Hello,\n\n"
        "Please find attached credit note {number} of {date} for {total}{about}.\n\n"
        "If anything looks wrong, simply answer this message.\n\n"
        "Kind regards,\n{company}\n{phone}",
    ),
}
_SAID = {
    "fr": {
        "about": "\u00a0: {title}",
        "corrects": ", relatif à la facture {number}",
        "total": "Montant TTC\u00a0",
        "credited": "Cette facture a été annulée par l’avoir {number}\u00a0: il n’y a rien à "
        "régler.",
        "paid": "Cette facture est déjà réglée.",
        "left": "Reste à payer\u00a0",
        "parts": "À régler\u00a0",
        "part": "{amount} au plus tard le {day}",
        "due": "À régler au plus tard le\u00a0",
        "iban": "Par virement\u00a0",
        "reference": "{iban}, référence {number}",
        "order": "Votre bon de commande\u00a0",
    },
    "en": {
        "about": ": {title}",
        "corrects": ", which refers to invoice {number}",
        "total": "Total with VAT",
        "credited": "This invoice was cancelled by credit note {number}: there is nothing to pay.",
        "paid": "This invoice is already settled.",
        "left": "Still to pay",
        "parts": "To be paid",
        "part": "{amount} by {day}",
        "due": "To be paid by",
        "iban": "By transfer to",
        "reference": "{iban}, reference {number}",
        "order": "Your purchase order",
    },
}

_KINDS: Final = {
    "credit_note": {"fr": "Avoir", "en": "Credit note"},
    "standard": {"fr": "Facture", "en": "Invoice"},
    "deposit": {"fr": "Facture d’acompte", "en": "Deposit invoice"},
    "final": {"fr": "Facture définitive", "en": "Final invoice"},
}

_OF_BOTH = (
    Variable("kind", lambda: _("Invoice, deposit invoice, credit note…, in the language")),
    Variable("kind_in_text", lambda: _("The same within a sentence, with a small letter")),
    Variable("number", lambda: _("Number of the document")),
    Variable("date", lambda: _("Issue date")),
    Variable("client", lambda: _("Name of the client")),
    Variable("total", lambda: _("Total with VAT")),
    Variable("about", lambda: _("What it is about, with its own punctuation")),
    Variable("purchase_order", lambda: _("Purchase order of the client")),
    Variable("company", lambda: _("Name of our company")),
    Variable("phone", lambda: _("Telephone of our company")),
    Variable("email", lambda: _("Email of our company")),
)
_OF_INVOICES = (
    *_OF_BOTH,
    Variable("outstanding", lambda: _("What is still to be paid")),
    Variable("due_date", lambda: _("Due date, the next one of instalments")),
    Variable("iban", lambda: _("Account to pay to")),
    Variable(
        "amounts",
        lambda: _("Total, what is left, until when, to which account"),
        alone=True,
        needed=True,
    ),
)


def settled_by(invoice: Invoice) -> dict[str, int]:
    """What settled it, in minor units by kind; a part taken back is not in it."""
    sums = invoice.allocations.order_by().values_list("kind").annotate(Sum("amount_minor"))
    return {kind: minor for kind, minor in sums if minor}


def credited_by(invoice: Invoice) -> list[str]:
    """The credit notes that took the whole invoice back; none if any of it was or is to be paid."""
    if invoice.is_credit_note or not invoice.total_minor:
        return []
    if settled_by(invoice).get(Allocation.Kind.CREDIT, 0) < invoice.total_minor:
        return []
    notes = invoice.allocations.filter(kind=Allocation.Kind.CREDIT).order_by("pk")
    return list(dict.fromkeys(notes.values_list("credit_note__number", flat=True)))


def wording_kind(invoice: Invoice) -> str:
    return CREDIT_NOTE if invoice.is_credit_note else INVOICE


def values_of(invoice: Invoice, company: Company) -> Values:
    """What the names stand for, in the language of the document, by what is owed now."""
    language = "fr" if invoice.language == "fr" else "en"
    locale, said = mentions.LOCALES[language], _SAID[language]
    assert invoice.issue_date is not None and invoice.due_date is not None
    title = invoice.title.strip()
    about = said["about"].format(title=title) if title else ""
    if invoice.is_credit_note:
        corrects = invoice.corrects.number if invoice.corrects else ""
        about = said["corrects"].format(number=corrects) if corrects else ""
    kind = _KINDS[invoice.kind if invoice.is_credit_note else invoice.purpose][language]
    return {
        "kind": kind,
        "kind_in_text": kind[:1].lower() + kind[1:],
        "number": invoice.number,
        "date": mentions.long_date(invoice.issue_date, language),
        "client": invoice.buyer_name or invoice.client.name,
        "total": formatted(invoice.total, locale),
        "outstanding": formatted(invoice.outstanding_balance, locale),
        "due_date": mentions.long_date(invoice.next_due or invoice.due_date, language),
        "about": about,
        "purchase_order": invoice.purchase_order,
        "iban": _iban(invoice, company),
        "company": company.name,
        "phone": company.phone,
        "email": company.email,
        "amounts": Block(tuple(_amounts(invoice, company, language))),
    }


def _iban(invoice: Invoice, company: Company) -> str:
    """That of the attached page, even if the company has another one by now."""
    iban = invoice.paper["seller"].get("iban", "") if invoice.paper else company.iban
    return " ".join(re.findall(".{1,4}", iban.replace(" ", "")))


def _amounts(
    invoice: Invoice, company: Company, language: str
) -> list[tuple[str, tuple[str, ...]]]:
    said = _SAID[language]
    locale = mentions.LOCALES[language]
    rows: list[tuple[str, tuple[str, ...]]] = []
    rows.append((said["total"], (formatted(invoice.total, locale),)))
    owed = invoice.outstanding_minor > 0
    taken_back = credited_by(invoice)
    if taken_back:
        rows.append(("", (said["credited"].format(number=", ".join(taken_back)),)))
    elif owed:
        rows += _owed(invoice, company, language, said)
    elif Allocation.Kind.WRITE_OFF not in settled_by(invoice):
        # A loss that we wrote off is no payment, and no promise to ask no more: nothing is said.
        rows.append(("", (said["paid"],)))
    if invoice.purchase_order:
        rows.append((said["order"], (invoice.purchase_order,)))
    return rows


def _owed(
    invoice: Invoice, company: Company, language: str, said: dict[str, str]
) -> list[tuple[str, tuple[str, ...]]]:
    rows: list[tuple[str, tuple[str, ...]]] = []
    if invoice.outstanding_minor < invoice.total_minor:
        left = formatted(invoice.outstanding_balance, mentions.LOCALES[language])
        rows.append((said["left"], (left,)))
    # Of instalments what is still open of each, when it is more than one.
    parts = list(invoice.instalments.open().values_list("due_date", "outstanding_minor"))
    if len(parts) > 1:
        shown = tuple(
            said["part"].format(
                amount=mentions.money(language, minor, invoice.currency),
                day=mentions.long_date(day, language),
            )
            for day, minor in parts
        )
        rows.append((said["parts"], shown))
    else:
        due = invoice.next_due or invoice.due_date
        assert due is not None
        rows.append((said["due"], (mentions.long_date(due, language),)))
    if iban := _iban(invoice, company):
        rows.append((said["iban"], (said["reference"].format(iban=iban, number=invoice.number),)))
    return rows


def _example(kind: str, number: str, language: str) -> Example | None:
    rows = Invoice.objects.filter(
        kind=Invoice.Kind.CREDIT_NOTE if kind == CREDIT_NOTE else Invoice.Kind.INVOICE,
        status__in=[Invoice.Status.ISSUED, Invoice.Status.SETTLED],
    ).exclude(paper=None)
    wanted = rows.filter(number=number) if number else rows.filter(language=language)
    found = wanted.select_related("client", "corrects").order_by("-pk").first()
    company = Company.ours()
    if found is None or company is None:
        return None
    return Example(f"{found.number} · {found.buyer_name}", values_of(found, company))


WORDINGS = (
    Wording(
        kind=INVOICE,
        title=lambda: _("Invoice"),
        variables=_OF_INVOICES,
        standard=_STANDARD_INVOICE,
        example=lambda number, language: _example(INVOICE, number, language),
    ),
    Wording(
        kind=CREDIT_NOTE,
        title=lambda: _("Credit note"),
        variables=_OF_BOTH,
        standard=_STANDARD_CREDIT,
        example=lambda number, language: _example(CREDIT_NOTE, number, language),
    ),
)
