"""What the client says to a quote: accepted once, declined with a reason, or asked for again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.documents.totals import Totals, TotalsRefused
from invoices.models import (
    Quote,
    QuoteAcceptance,
    QuoteDocument,
    QuoteEvent,
    QuoteLine,
    QuoteVersion,
)
from invoices.models.quotes import State
from invoices.quotes import mails, printing, words
from invoices.quotes.choices import deposit_of, taken, totals_of, whole
from invoices.quotes.drafting import locked, tell
from invoices.quotes.refusals import QuoteRefused


class NotOpen(QuoteRefused):
    """It cannot be answered any more; the page of its state says why."""


class OtherTotal(QuoteRefused):
    """What was read on the page is not what would be accepted: both are said."""


@dataclass(frozen=True)
class Signer:
    """Who accepts, and from where."""

    name: str
    role: str = ""
    ip: str | None = None
    user_agent: str = ""


def accept(
    *,
    version_id: int,
    picked: Collection[int],
    read_minor: int | None,
    signer: Signer,
    at: datetime,
    recorded_by: User | None = None,
) -> QuoteAcceptance:
    """Once, with the choices made, the page printed with the acceptance on it, and the people told.

    `read_minor` is the total that stood on the button. A second acceptance is the first one; two at
    the same moment queue at the quote's lock, and its unique key is the last guard. Raises NotOpen,
    OtherTotal, PdfRefused.
    """
    on = timezone.localdate(at)
    with transaction.atomic():
        quote, version = _locked(version_id)
        before = QuoteAcceptance.objects.filter(quote=quote).select_related("version").first()
        if before is not None:
            return before
        if quote.version_id != version.pk or not _may_be_accepted(version, on):
            raise NotOpen(_("This quote can no longer be accepted."))
        lines = list(version.lines.all())
        choice = whole(lines, picked)
        kept = taken(lines, choice)
        try:
            totals = totals_of(kept, version.currency, version.adjustments)
        except TotalsRefused as refusal:
            raise OtherTotal(str(refusal)) from None
        if read_minor is not None and read_minor != totals.total_minor:
            raise OtherTotal(
                _("You read a total of %(read)s, with these choices it is %(now)s. Look again.")
                % {
                    "read": formatted_minor(read_minor, version.currency),
                    "now": formatted_minor(totals.total_minor, version.currency),
                }
            )
        acceptance = _of(version, totals, signer, at, recorded_by)
        document = _printed(acceptance, lines, choice)
        acceptance.document, acceptance.sha256 = document, document.sha256
        acceptance.save(force_insert=True)
        acceptance.lines.set(kept)
        version.status, version.answered_at = State.ACCEPTED, at
        version.save(update_fields=["status", "answered_at", "updated_at"])
        tell(
            quote,
            QuoteEvent.Kind.ACCEPTED,
            on=on,
            by=recorded_by,
            version=version,
            number=version.number,
            name=acceptance.name,
            total_minor=acceptance.total_minor,
            currency=acceptance.currency,
        )
        mails.accepted(acceptance)
        return acceptance


def _of(
    version: QuoteVersion, totals: Totals, signer: Signer, at: datetime, recorded_by: User | None
) -> QuoteAcceptance:
    return QuoteAcceptance(
        quote=version.quote,
        version=version,
        via=QuoteAcceptance.Via.PAPER if recorded_by else QuoteAcceptance.Via.LINK,
        at=at,
        name=signer.name[:120],
        role=signer.role[:120],
        ip=signer.ip,
        user_agent=signer.user_agent[:400],
        recorded_by=recorded_by,
        currency=version.currency,
        net_minor=totals.net_minor,
        vat_minor=totals.vat_minor,
        total_minor=totals.total_minor,
        deposit_minor=deposit_of(version, totals.total_minor),
        sales_terms=version.sales_terms,
        sales_terms_sha256=version.sales_terms.sha256 if version.sales_terms else "",
    )


def _locked(version_id: int) -> tuple[Quote, QuoteVersion]:
    found = QuoteVersion.objects.filter(pk=version_id).values_list("quote_id", flat=True).first()
    if found is None:
        raise NotOpen(_("This quote is no longer here."))
    quote = locked(found)
    version = quote.versions.get(pk=version_id)
    version.quote = quote
    return quote, version


def _may_be_accepted(version: QuoteVersion, on: date) -> bool:
    """Declined is no last word: until it expires the client may come back on it."""
    return version.status in (State.SENT, State.DECLINED) and on <= version.valid_until


def _printed(
    acceptance: QuoteAcceptance, lines: list[QuoteLine], choice: Collection[int]
) -> QuoteDocument:
    version = acceptance.version
    assert version.sent_at is not None
    sent = version.documents.filter(kind=QuoteDocument.Kind.SENT).values_list("sha256", flat=True)
    paper = printing.paper_of(
        version,
        lines,
        choice,
        on=timezone.localdate(version.sent_at),
        number=version.quote.number,
        accepted=words.stamp(acceptance, sent[0]),
    )
    return printing.keep(version, QuoteDocument.Kind.ACCEPTED, printing.printed(paper))


def decline(*, version_id: int, reason: str, text: str, at: datetime) -> QuoteVersion:
    """Said twice, it is said once. Raises NotOpen."""
    on = timezone.localdate(at)
    if reason not in QuoteVersion.DeclineReason.values:
        raise QuoteRefused(_("Say what makes you decline."))
    with transaction.atomic():
        quote, version = _locked(version_id)
        if version.status == State.DECLINED:
            return version
        if quote.version_id != version.pk or not version.is_open(on):
            raise NotOpen(_("This quote can no longer be declined."))
        version.status, version.answered_at = State.DECLINED, at
        version.decline_reason, version.decline_words = reason, text[:1000]
        version.save(
            update_fields=[
                "status",
                "answered_at",
                "decline_reason",
                "decline_words",
                "updated_at",
            ]
        )
        event = tell(
            quote,
            QuoteEvent.Kind.DECLINED,
            on=on,
            version=version,
            number=version.number,
            reason=reason,
            words=version.decline_words,
        )
        mails.told_the_owner(event)
        return version


def reconsider(*, version_id: int, at: datetime) -> QuoteVersion:
    """A declined quote is open again, until it expires. Raises NotOpen."""
    on = timezone.localdate(at)
    with transaction.atomic():
        quote, version = _locked(version_id)
        if version.status == State.SENT:
            return version
        if quote.version_id != version.pk or not _may_be_accepted(version, on):
            raise NotOpen(_("This quote can no longer be accepted."))
        version.status, version.answered_at = State.SENT, None
        version.decline_reason = version.decline_words = ""
        version.save(
            update_fields=[
                "status",
                "answered_at",
                "decline_reason",
                "decline_words",
                "updated_at",
            ]
        )
        tell(quote, QuoteEvent.Kind.RECONSIDERED, on=on, version=version, number=version.number)
        return version


def ask_again(*, version_id: int, at: datetime) -> bool:
    """The client asks for a new version of one that expired or was withdrawn; once a day.

    False when it was asked today already.
    """
    on = timezone.localdate(at)
    with transaction.atomic():
        quote, version = _locked(version_id)
        if quote.version_id != version.pk or version.state(on) not in (
            State.EXPIRED,
            State.WITHDRAWN,
        ):
            raise NotOpen(_("There is nothing to ask for: this quote is not over."))
        asked = quote.events.filter(kind=QuoteEvent.Kind.ASKED, version=version, on=on)
        if asked.exists():
            return False
        event = tell(quote, QuoteEvent.Kind.ASKED, on=on, version=version, number=version.number)
        mails.told_the_owner(event)
        return True


def seen(*, version_id: int, at: datetime) -> None:
    """The client opened it: the first time is kept with the version, and once an hour below it."""
    with transaction.atomic():
        quote, version = _locked(version_id)
        if version.status != State.SENT:
            return
        if version.viewed_at is None:
            version.viewed_at = at
            version.save(update_fields=["viewed_at", "updated_at"])
        views = quote.events.filter(kind=QuoteEvent.Kind.VIEWED, version=version)
        last = views.values_list("at", flat=True).first()
        if last is None or (at - last).total_seconds() >= 3600:
            tell(
                quote,
                QuoteEvent.Kind.VIEWED,
                on=timezone.localdate(at),
                version=version,
                number=version.number,
            )
