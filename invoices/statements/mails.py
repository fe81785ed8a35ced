"""The mail of a letter about an account: a few words, and the letter as it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.documents.mentions import long_date, money
from invoices.models import AccountLetter, Company, Message
from invoices.outbox.kinds import File, Kind, Moot, Render, Words
from invoices.outbox.queueing import MailRefused, queue
from invoices.statements.words import WORDS, language_of

KINDS = {
    AccountLetter.Kind.STATEMENT: "statement",
    AccountLetter.Kind.CLAIM: "late_claim",
    AccountLetter.Kind.RECEIPT: "receipt",
}
_TEMPLATES = {
    "fr": ("invoices/statements/email/letter.fr.txt", "invoices/statements/email/letter.fr.html"),
    "en": ("invoices/statements/email/letter.en.txt", "invoices/statements/email/letter.en.html"),
}


def queue_letter(
    letter: AccountLetter,
    recipients: Sequence[str],
    *,
    sums: Sequence[tuple[str, int]],
    by: User | None,
) -> Message:
    """Mail it, once: the same letter again is the mail that is there. Raises MailRefused.

    `sums` are the amounts that the mail names, by currency, in minor units: what the letter says,
    whatever becomes of the account before the mail leaves.
    """
    if not recipients:
        raise MailRefused(_("Say who receives it by email."))
    return queue(
        reason_key=f"letter:{letter.pk}",
        kind=KINDS[AccountLetter.Kind(letter.kind)],
        to=recipients,
        client=letter.client,
        data={"letter": letter.pk, "sums": [list(each) for each in sums]},
        language=letter.language,
        by=by,
    )


class LetterMail(Kind):
    """All three kinds of letters."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def words(self, message: Message) -> Words:
        letter = AccountLetter.objects.defer("content").get(pk=message.data["letter"])
        number = ""
        if letter.kind == AccountLetter.Kind.CLAIM:
            claim = letter.claim
            if claim.withdrawn_at is not None:
                raise Moot("withdrawn")
            number = claim.number
        company = Company.objects.get(pk=1)
        language = language_of(letter.language)
        said = WORDS[language]
        kinds = {
            AccountLetter.Kind.STATEMENT: said.statement,
            AccountLetter.Kind.CLAIM: said.claim,
            AccountLetter.Kind.RECEIPT: said.receipt,
        }
        context: dict[str, Any] = {
            "letter": letter,
            "kind": kinds[AccountLetter.Kind(letter.kind)],
            "number": number,
            "company": company,
            "on": long_date(letter.on, language),
            "since": long_date(letter.since, language) if letter.since else "",
            "sums": [money(language, minor, code) for code, minor in message.data["sums"]],
            "iban": " ".join(
                company.iban.replace(" ", "")[n : n + 4]
                for n in range(0, len(company.iban.replace(" ", "")), 4)
            ),
            "account": letter.client.ledger_account,
        }
        text, html = (self._render(name, context) for name in _TEMPLATES[language])
        named = " ".join(filter(None, (context["kind"], number)))
        subject = f"{named} – {context['on']} – {company.name}"
        return Words(subject, text.strip() + "\n", html)

    def files(self, message: Message) -> Sequence[File]:
        letter = AccountLetter.objects.get(pk=message.data["letter"])
        return [File(letter.filename, bytes(letter.content), "application/pdf")]

    def reason(self, code: str) -> str:
        return _("The claim was withdrawn before this email left.") if code == "withdrawn" else ""
