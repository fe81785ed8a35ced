"""The mails about a quote: to the client with the link, then the accepted copy; to our people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.documents.mentions import long_date
from invoices.models import Company, Message, QuoteAcceptance, QuoteEvent, QuoteVersion
from invoices.outbox.kinds import File, Kind, Moot, Render, Words
from invoices.outbox.queueing import MailRefused, queue
from invoices.quotes import links, words
from invoices.quotes.drafting import tell

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


class _Base(Kind):
    def __init__(self, render: Render) -> None:
        self._render = render

    def _filled(self, name: str, language: str, context: dict[str, Any]) -> tuple[str, str]:
        french = "fr" if language.startswith("fr") else "en"
        text = self._render(f"{_TEMPLATES}/{name}.{french}.txt", context)
        return text.strip() + "\n", self._render(f"{_TEMPLATES}/{name}.{french}.html", context)


class OfferMail(_Base):
    """The quote to the client. It leaves only while it can still be accepted."""

    def words(self, message: Message) -> Words:
        version = QuoteVersion.objects.select_related("quote__client", "quote__owner").get(
            pk=message.data["version"]
        )
        on = timezone.localdate()
        if not version.is_open(on) or not version.link_key:
            raise Moot("not_open")
        company = Company.objects.get(pk=1)
        language = version.language
        link = links.address_of(version)
        locale = words.locale_of(language)
        context = {
            "version": version,
            "quote": version.quote,
            "company": company,
            "owner": version.quote.owner,
            "total": formatted_minor(version.total_minor, version.currency, locale),
            "valid_until": long_date(version.valid_until, "fr" if language == "fr" else "en"),
            "newer": version.number > 1,
            "link": link,
        }
        text, html = self._filled("offer", language, context)
        kind = "Devis" if language == "fr" else "Quote"
        subject = f"{kind} {version.quote.number} – {company.name}"
        return Words(subject, text, html, secret=link)

    def files(self, message: Message) -> Sequence[File]:
        version = QuoteVersion.objects.get(pk=message.data["version"])
        return _documents(version, "sent")

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


class CopyMail(_Base):
    """What was accepted, to the client, as a file to keep."""

    def words(self, message: Message) -> Words:
        acceptance = _acceptance(message)
        version, company = acceptance.version, Company.objects.get(pk=1)
        language = version.language
        total = formatted_minor(
            acceptance.total_minor, acceptance.currency, words.locale_of(language)
        )
        context = {
            "quote": version.quote,
            "version": version,
            "acceptance": acceptance,
            "company": company,
            "owner": version.quote.owner,
            "total": total,
            **words.moment(acceptance.at, language),
        }
        text, html = self._filled("accepted", language, context)
        accepted_word = "Devis accepté" if language == "fr" else "Quote accepted:"
        return Words(f"{accepted_word} {version.quote.number} – {company.name}", text, html)

    def files(self, message: Message) -> Sequence[File]:
        return _documents(_acceptance(message).version, "accepted")


class AnswerMail(_Base):
    """To one of ours: what the client said, and the way to the quote."""

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
