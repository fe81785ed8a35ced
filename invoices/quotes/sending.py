"""A quote leaves the house: numbered, printed, kept, with a link; and is taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.dates import day
from invoices.attachments.keeping import AttachmentRefused, enclosed
from invoices.clients.recipients import address_problem
from invoices.documents.totals import TotalsRefused
from invoices.models import (
    Company,
    Message,
    Quote,
    QuoteEvent,
    QuoteLine,
    QuoteVersion,
    SalesTerms,
)
from invoices.models.quotes import State
from invoices.outbox.queueing import MailRefused, queue
from invoices.quotes import links, mails, numbering, printing
from invoices.quotes.choices import deposit_of, least, proposed, taken, totals_of
from invoices.quotes.drafting import choice_problems, locked, locked_draft, tell
from invoices.quotes.refusals import QuoteRefused


def reasons_not_to_send(version: QuoteVersion, lines: Sequence[QuoteLine], on: date) -> list[str]:
    """All that stands in the way of sending this draft on `on`, as sentences."""
    found: list[str] = []
    if not any(line.description for line in lines):
        found.append(_("Write at least one line."))
    for number, line in enumerate(lines, 1):
        if not line.description:
            found.append(_("Line %(number)s has no description.") % {"number": number})
        if line.price_missing:
            found.append(_("Line %(number)s has no price.") % {"number": number})
    found += choice_problems(
        [{"role": e.role, "section": e.section, "proposed": e.proposed} for e in lines]
    ).values()
    if version.total_minor <= 0 and any(line.description for line in lines):
        found.append(_("The total is not above zero: there is nothing to accept."))
    if not found and version.adjustments:
        found += _too_much_off(version, lines)
    if version.valid_until < on:
        found.append(
            _("It would have expired already, on %(day)s.") % {"day": day(version.valid_until)}
        )
    if version.deposit_minor > deposit_of(version, version.total_minor):
        found.append(_("The deposit is more than the quote: at most its total."))
    return found


def _too_much_off(version: QuoteVersion, lines: Sequence[QuoteLine]) -> list[str]:
    """Whatever the client chooses, his total has to be above zero."""
    choice = least(lines, version.currency)
    try:
        totals = totals_of(taken(lines, choice), version.currency, version.adjustments)
    except TotalsRefused as refusal:
        reason = str(refusal)
    else:
        if totals.total_minor > 0:
            return []
        reason = _("The total is not above zero: there is nothing to accept.")
    return [_("If the client takes the least that he can choose: %(reason)s") % {"reason": reason}]


def send(
    *,
    version_id: int,
    recipients: Sequence[str],
    by: User | None,
    on: date,
    standing: Collection[int] | None = None,
) -> QuoteVersion:
    """Number, print and keep it, make its link, and mail both; the version before is replaced.

    `standing`: which files of the company go along, all of them if nobody was asked. Without
    recipients nothing is mailed: the link is handed over in another way. Raises QuoteRefused,
    MailRefused, PdfRefused; then nothing has happened.
    """
    with transaction.atomic():
        version = locked_draft(version_id)
        quote = version.quote
        lines = list(version.lines.all())
        if reasons := reasons_not_to_send(version, lines, on):
            raise QuoteRefused(" ".join(reasons))
        if wrong := address_problem(recipients):
            raise MailRefused(wrong)
        before = quote.version
        if before is not None and before.status == State.ACCEPTED:
            raise QuoteRefused(_accepted_meanwhile(quote))
        if Company.ours() is None:
            raise QuoteRefused(_("Say who sells: fill in the company in Settings."))
        if not quote.number:
            numbering.give_number(quote, on)
            quote.first_sent_on = on
        if before is not None and before.pk != version.pk:
            _replace(quote, before, by=by, on=on, newer=version)
        _freeze(version, lines, recipients, by=by, on=on)
        quote.version = version
        quote.save()
        tell(
            quote,
            QuoteEvent.Kind.SENT,
            on=on,
            by=by,
            version=version,
            number=version.number,
            to=list(recipients),
            total_minor=version.total_minor,
            currency=version.currency,
        )
        if recipients:
            _mail(version, recipients, by=by, standing=standing)
        return version


def _freeze(
    version: QuoteVersion,
    lines: Sequence[QuoteLine],
    recipients: Sequence[str],
    *,
    by: User | None,
    on: date,
) -> None:
    quote = version.quote
    version.sales_terms = SalesTerms.objects.in_force(version.language)
    try:
        paper = printing.paper_of(version, lines, proposed(lines), on=on, number=quote.number)
    except TotalsRefused as refusal:
        raise QuoteRefused(str(refusal)) from None
    content = printing.printed(paper)
    version.status, version.sent_at, version.sent_by = State.SENT, timezone.now(), by
    version.link_key = links.new_key()
    version.recipients = list(recipients) or version.recipients
    version.paper = paper.to_json()
    version.save()
    printing.keep(version, "sent", content)


def _replace(
    quote: Quote, before: QuoteVersion, *, by: User | None, on: date, newer: QuoteVersion
) -> None:
    before.status = State.REPLACED
    before.save(update_fields=["status", "updated_at"])
    tell(
        quote,
        QuoteEvent.Kind.REPLACED,
        on=on,
        by=by,
        version=before,
        number=before.number,
        newer=newer.number,
    )


def _accepted_meanwhile(quote: Quote) -> str:
    acceptance = quote.acceptance
    return _("%(who)s accepted version %(version)s of it on %(day)s: nothing was sent.") % {
        "who": acceptance.name,
        "version": acceptance.version.number,
        "day": day(timezone.localdate(acceptance.at)),
    }


def send_again(
    *,
    quote_id: int,
    recipients: Sequence[str],
    by: User | None,
    on: date,
    standing: Collection[int] | None = None,
) -> Message:
    """The mail of an open quote once more, with the same link. Raises QuoteRefused, MailRefused."""
    with transaction.atomic():
        quote = locked(quote_id)
        version = quote.version
        if version is None or not version.is_open(on):
            raise QuoteRefused(_("Only a quote that can still be accepted is sent again."))
        if not version.link_key:
            version.link_key = links.new_key()
            version.save(update_fields=["link_key", "updated_at"])
            tell(quote, QuoteEvent.Kind.LINK_RENEWED, on=on, by=by, version=version)
        version.quote = quote
        return _mail(version, recipients, by=by, standing=standing)


def _mail(
    version: QuoteVersion,
    recipients: Sequence[str],
    *,
    by: User | None,
    standing: Collection[int] | None,
) -> Message:
    if not recipients:
        raise MailRefused(_("Say who receives it by email."))
    try:
        files = enclosed(version.quote, standing)
    except AttachmentRefused as refusal:
        raise MailRefused(str(refusal)) from None
    before = Message.objects.filter(reason_key__startswith=f"quote:{version.pk}:").count()
    return queue(
        reason_key=f"quote:{version.pk}:{before + 1}",
        kind=mails.OFFER,
        to=recipients,
        enclosures=files,
        client=version.quote.client,
        data={"quote": version.quote_id, "version": version.pk},
        language=version.language,
        by=by,
    )


def withdraw(*, quote_id: int, reason: str, by: User | None, on: date) -> Quote:
    """The client can no longer accept it, and reads so behind the link. Raises QuoteRefused."""
    with transaction.atomic():
        quote = locked(quote_id)
        version = quote.version
        if version is None or version.status not in (State.SENT, State.DECLINED):
            raise QuoteRefused(_not_open(quote))
        version.status = State.WITHDRAWN
        version.save(update_fields=["status", "updated_at"])
        tell(quote, QuoteEvent.Kind.WITHDRAWN, on=on, by=by, version=version, reason=reason[:300])
        return quote


def _not_open(quote: Quote) -> str:
    version = quote.version
    if version is not None and version.status == State.ACCEPTED:
        return _("%(number)s is accepted: it cannot be withdrawn.") % {"number": quote.number}
    return _("Only a quote that was sent can be withdrawn.")


def end_link(*, quote_id: int, by: User | None, on: date) -> Quote:
    """Whoever has the link of the version that counts reads nothing any more; done twice, it is
    done."""
    with transaction.atomic():
        quote = locked(quote_id)
        version = quote.version
        if version is not None and version.link_key:
            version.link_key = ""
            version.save(update_fields=["link_key", "updated_at"])
            tell(quote, QuoteEvent.Kind.LINK_ENDED, on=on, by=by, version=version)
        return quote


def renew_link(*, quote_id: int, by: User | None, on: date) -> Quote:
    """Another link; every one before ends. Raises QuoteRefused."""
    with transaction.atomic():
        quote = locked(quote_id)
        version = quote.version
        if version is None or version.sent_at is None:
            raise QuoteRefused(_("It has no link yet: send it first."))
        version.link_key = links.new_key()
        version.save(update_fields=["link_key", "updated_at"])
        tell(quote, QuoteEvent.Kind.LINK_RENEWED, on=on, by=by, version=version)
        return quote
