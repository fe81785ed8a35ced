"""A receipt: money that came in, and what it settled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.documents.letters import Column, Letter, Table
from invoices.documents.mentions import long_date, money
from invoices.models import AccountLetter, Allocation, Company, Payment
from invoices.statements.keeping import LetterRefused, company_that_writes, keep, printed
from invoices.statements.letters import letter_of
from invoices.statements.mails import queue_letter
from invoices.statements.words import WORDS, language_of, short_day


def receipt_letter(payment: Payment, company: Company, on: date) -> Letter:
    """What the payment settled as known today: what was taken back since is left out."""
    client = payment.client
    language = language_of(client.language)
    words = WORDS[language]
    letter = letter_of(client, company, kind=words.receipt, on=on, language=language)
    code = payment.currency
    amount = money(language, payment.amount_minor, code)
    reversed_on = payment.taken_back_on
    intro = [words.receipt_intro.format(client=client.name, amount=amount)]
    if reversed_on is not None:
        intro.append(words.reversed_on.format(day=long_date(reversed_on, language)))
    settled = _settled(payment, language) if reversed_on is None else []
    refunded = payment.allocations.filter(kind=Allocation.Kind.REFUND).aggregate(
        minor=Sum("amount_minor")
    )["minor"]
    left = payment.amount_minor - payment.allocated_minor
    beside = ((words.refunded, refunded or 0), (words.not_applied, left))
    sums = [
        (label, money(language, minor, code), "")
        for label, minor in beside
        if minor and reversed_on is None
    ]
    table = Table(
        title=words.settles,
        columns=(
            Column(label=words.document),
            Column(label=words.issued, width=1),
            Column(label=words.total, width=1, right=True),
            Column(label=words.amount, width=1, right=True),
            Column(label=words.still_due, width=1, right=True),
        ),
        rows=tuple(settled),
        sums=(*sums, (words.amount, amount, "grand")),
    )
    return replace(
        letter,
        facts=(
            (words.received, long_date(payment.received_on, language)),
            (words.method, words.methods[payment.method]),
            (words.reference, payment.reference),
            *letter.facts,
        ),
        intro=tuple(intro),
        tables=(table,) if reversed_on is None else (),
        closing=(words.receipt_closing,),
    )


def _settled(payment: Payment, language: str) -> list[tuple[str, ...]]:
    """A row for each invoice, of what stands; the parts of instalments together."""
    rows = payment.allocations.filter(invoice__isnull=False).order_by()
    sums = (
        rows.values("invoice")
        .annotate(minor=Sum("amount_minor"))
        .order_by("invoice__issue_date", "invoice")
        .values_list(
            *("invoice__number", "invoice__issue_date", "invoice__total_minor"),
            *("minor", "invoice__outstanding_minor"),
        )
    )
    return [
        (
            number,
            short_day(issued),
            money(language, total, payment.currency),
            money(language, minor, payment.currency),
            money(language, due, payment.currency),
        )
        for number, issued, total, minor, due in sums
        if minor
    ]


def print_receipt(payment: Payment, on: date) -> bytes:
    """Raises LetterRefused, PdfRefused."""
    return printed(receipt_letter(payment, company_that_writes(), on))


def send_receipt(
    payment: Payment, *, recipients: Sequence[str], by: User | None, on: date
) -> AccountLetter:
    """Print, keep and mail it. Raises LetterRefused, PdfRefused, MailRefused."""
    company = company_that_writes()
    if payment.reverses_id is not None:
        raise LetterRefused(_("This is a reversal: no money came in that a receipt could name."))
    with transaction.atomic():
        letter = receipt_letter(payment, company, on)
        kept = keep(
            letter,
            payment.client,
            kind=AccountLetter.Kind.RECEIPT,
            content=printed(letter),
            by=by,
            payment=payment,
        )
        sums = [(payment.currency, payment.amount_minor)]
        queue_letter(kept, recipients, sums=sums, by=by)
        return kept
