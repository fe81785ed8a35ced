"""The mails about a quote: to the client with the link, then the accepted copy; to our people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.models import Company, Message, QuoteAcceptance, QuoteEvent, QuoteVersion
from invoices.outbox.changing_words import mail_of
from invoices.outbox.kinds import File, Kind, Moot, Render, Words
from invoices.outbox.queueing import MailRefused, queue
from invoices.quotes import links
from invoices.quotes.drafting import tell
from invoices.quotes.mail_words import ACCEPTED, accepted_values, offer_values
from invoices.quotes.mail_words import OFFER as OFFER_WORDS

OFFER, COPY, ANSWER = "quote", "quote_accepted", "quote_answer"
_TEMPLATES = "invoices/quotes/email"


def accepted(acceptance: QuoteAcceptance) -> None:
    """The copy to whoever received the quote, and word to the salesperson."""
    version = acceptance.version
    if version.recipients:
        _queued(
            reason_key=f"quote-accepted:{acceptance.pk}",
            kind=COPY,
            to=version.recipients,
            client=version.quote.client,
            data={"quote": version.quote_id, "acceptance": acceptance.pk},
            language=version.language,
        )
    event = version.events.filter(kind=QuoteEvent.Kind.ACCEPTED).first()
    if event is not None:
        told_the_owner(event)


def told_the_owner(event: QuoteEvent) -> None:
    """What the client answered, to the salesperson; without one to the company's address."""
    owner = event.quote.owner
    company = Company.ours()
    if owner is not None and owner.is_active:
        to, language = owner.email, owner.language
    else:
        to = company.email if company else ""
        language = company.language if company else "fr"
    if to:
        _queued(
            reason_key=f"quote-answer:{event.pk}",
            kind=ANSWER,
            to=[to],
            client=event.quote.client,
            data={"quote": event.quote_id, "event": event.pk},
            language=language,
        )


def _queued(**mail: Any) -> None:
    try:
        queue(**mail)
    except MailRefused:
        # An address that is none must not undo what the client just said: the page shows it.
        return


class OfferMail(Kind):
    """The quote to the client. It leaves only while it can still be accepted."""

    def words(self, message: Message) -> Words:
        version = QuoteVersion.objects.select_related("quote__client", "quote__owner").get(
            pk=message.data["version"]
        )
        on = timezone.localdate()
        if not version.is_open(on) or not version.link_key:
            raise Moot("not_open")
        company = Company.objects.get(pk=1)
        link = links.address_of(version)
        values = offer_values(version, company, link)
        language = "fr" if version.language == "fr" else "en"
        return Words(*mail_of(OFFER_WORDS, language, values), secret=link)

    def files(self, message: Message) -> Sequence[File]:
        version = QuoteVersion.objects.get(pk=message.data["version"])
        terms = version.sales_terms
        return [
            *_documents(version, "sent"),
            *([File(terms.filename, bytes(terms.content), "application/pdf")] if terms else []),
        ]

    def reason(self, code: str) -> str:
        if code == "not_open":
            return _("The quote could no longer be accepted when this email was to leave.")
        return ""

    def sent(self, message: Message, *, refused: Sequence[str], by: User | None) -> None:
        _told(message, QuoteEvent.Kind.MAIL_SENT, to=message.to, refused=list(refused))

    def failed(self, message: Message) -> None:
        _told(
            message,
            QuoteEvent.Kind.MAIL_FAILED,
            to=message.to,
            trouble=message.trouble,
            error=message.error[:500],
        )


def _told(message: Message, kind: str, **more: Any) -> None:
    version = QuoteVersion.objects.select_related("quote").get(pk=message.data["version"])
    tell(
        version.quote,
        kind,
        on=timezone.localdate(),
        version=version,
        number=version.number,
        message_id=message.pk,
        **more,
    )


class CopyMail(Kind):
    """What was accepted, to the client, as a file to keep."""

    def words(self, message: Message) -> Words:
        acceptance = _acceptance(message)
        company = Company.objects.get(pk=1)
        language = "fr" if acceptance.version.language == "fr" else "en"
        return Words(*mail_of(ACCEPTED, language, accepted_values(acceptance, company)))

    def files(self, message: Message) -> Sequence[File]:
        return _documents(_acceptance(message).version, "accepted")


class AnswerMail(Kind):
    """To one of ours: what the client said, and the way to the quote."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def words(self, message: Message) -> Words:
        event = QuoteEvent.objects.select_related("quote__client", "version").get(
            pk=message.data["event"]
        )
        quote, version = event.quote, event.version
        assert version is not None
        reasons = dict(QuoteVersion.DeclineReason.choices)
        values = {"number": quote.number, "client": quote.client.name}
        subjects = {
            QuoteEvent.Kind.ACCEPTED: _("%(client)s accepted the quote %(number)s"),
            QuoteEvent.Kind.DECLINED: _("%(client)s declined the quote %(number)s"),
            QuoteEvent.Kind.ASKED: _("%(client)s asks for a new version of %(number)s"),
        }
        subject = subjects[QuoteEvent.Kind(event.kind)] % values
        context = {
            "sentence": subject,
            "quote": quote,
            "version": version,
            "event": event,
            "reason": reasons.get(event.data.get("reason", ""), ""),
            "words": event.data.get("words", ""),
            "total": formatted_minor(
                event.data.get("total_minor", version.total_minor), version.currency
            ),
            "url": f"{settings.BASE_URL}/quotes/{quote.pk}/",
        }
        text = self._render(f"{_TEMPLATES}/answer.txt", context)
        return Words(subject, text.strip() + "\n")


def _acceptance(message: Message) -> QuoteAcceptance:
    found: QuoteAcceptance = QuoteAcceptance.objects.select_related(
        "version__quote__client", "version__quote__owner"
    ).get(pk=message.data["acceptance"])
    return found


def _documents(version: QuoteVersion, kind: str) -> list[File]:
    rows = version.documents.filter(kind=kind)
    return [File(row.filename, bytes(row.content), "application/pdf") for row in rows]
