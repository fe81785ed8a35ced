"""Statements go to clients: from a page, and by themselves when a month is over."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta

from django.db import IntegrityError, transaction

from billing_portal.accounts.models import User
from invoices.clients.recipients import client_recipients
from invoices.documents.letters import Letter
from invoices.documents.pdf.render import PdfRefused
from invoices.models import AccountLetter, Client
from invoices.outbox.queueing import MailRefused
from invoices.statements.keeping import LetterRefused, company_that_writes, keep, printed
from invoices.statements.letters import statement_letter
from invoices.statements.mails import queue_letter
from invoices.statements.statement import Statement

logger = logging.getLogger(__name__)
# A statement of the last month leaves in the first days of the next one, or not at all: whoever
# ticks the box on the 20th asks for the months to come.
LAST_DAY_OF_MONTHLY = 5


def letter_and_pdf(statement: Statement) -> tuple[Letter, bytes]:
    """Raises LetterRefused, PdfRefused. It may take seconds: no transaction is open."""
    letter = statement_letter(statement, company_that_writes(), statement.client.language)
    return letter, printed(letter)


def send_statement(
    statement: Statement,
    letter: Letter,
    content: bytes,
    *,
    recipients: Sequence[str],
    by: User | None,
    reason_key: str = "",
) -> AccountLetter:
    """Keep what was printed, and mail it. Raises MailRefused: then nothing happened."""
    with transaction.atomic():
        kept = keep(
            letter,
            statement.client,
            kind=AccountLetter.Kind.STATEMENT,
            content=content,
            by=by,
            since=statement.since,
            reason_key=reason_key,
        )
        sums = [(code, here.balance_minor) for code, here in statement.positions.items()]
        queue_letter(kept, recipients, sums=sums, by=by)
        return kept


def monthly(on: date) -> dict[str, int]:
    """Statements of the month before, to the clients that get one; run again it adds nothing.

    One transaction each: a client whose letter cannot be made keeps nobody from his.
    """
    counts = {"sent": 0, "nothing_open": 0, "nobody": 0, "refused": 0}
    if on.day > LAST_DAY_OF_MONTHLY:
        return counts
    end = on.replace(day=1) - timedelta(days=1)
    clients = Client.objects.living().filter(monthly_statement=True).order_by("pk")
    for client in clients.iterator(chunk_size=200):
        key = f"statement:{client.pk}:{end:%Y-%m}"
        if AccountLetter.objects.filter(reason_key=key).exists():
            continue
        counts[_monthly_one(client, end, key)] += 1
    return counts


def _monthly_one(client: Client, end: date, key: str) -> str:
    statement = Statement(client, end)
    if not any(here.receivable_minor for here in statement.positions.values()):
        return "nothing_open"
    recipients = client_recipients(client)
    if not recipients:
        return "nobody"
    try:
        letter, content = letter_and_pdf(statement)
        send_statement(statement, letter, content, recipients=recipients, by=None, reason_key=key)
    except IntegrityError:
        # Another worker sent it this very moment.
        return "sent"
    except (LetterRefused, MailRefused, PdfRefused):
        logger.exception("The statement of client %s was not sent.", client.pk)
        return "refused"
    return "sent"
