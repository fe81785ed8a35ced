"""What is due is made: each period once, in a transaction of its own, as of a day that is given.

Two steps, so that a worker that dies between them leaves nothing to guess. First the draft and the
row of its period, together, under the subscription's lock: the row says that the period was dealt
with, and its unique key is the last guard. Then, where the subscription issues by itself, the
draft is issued as any other; a period that is `to_issue` is found again by the next run.

After a standstill each period has its own invoice, dated on the day on which it is made (an issue
date is never put back; the document states the period). When more than MOST_BY_ITSELF periods of
one subscription are due at once, none of them is issued by itself: a client who gets a heap of
invoices in one minute should hear from a person first, and whatever stopped the task for so long
may have changed what is owed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.invoicing.drafting import draft
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.models import (
    Client,
    Company,
    Invoice,
    Subscription,
    SubscriptionBilling,
    SubscriptionEvent,
    SubscriptionPeriod,
)
from invoices.subscriptions import mails
from invoices.subscriptions.periods import Period, Schedule
from invoices.subscriptions.standing import (
    SubscriptionRefused,
    locked,
    next_number,
    refresh,
    tell,
    told_of,
)
from invoices.subscriptions.upcoming import Upcoming, contents_of, invoice_of

logger = logging.getLogger(__name__)
MOST_BY_ITSELF: Final = 2
State = SubscriptionPeriod.State
Way = Subscription.Way


class MakingFailed(Exception):
    """Some subscriptions hit a fault of ours; all others were made. The run ends red."""


@dataclass
class Made:
    drafted: int = 0
    issued: int = 0
    refused: int = 0
    asked: int = 0
    failed: list[int] = field(default_factory=list)


def due(on: date) -> QuerySet[Subscription]:
    return Subscription.objects.filter(status=Subscription.Status.ACTIVE, next_due_on__lte=on)


def make_due(on: date) -> Made:
    """Everything that is due on `on` or before. Run again, or twice at once, it does nothing new.

    Raises MakingFailed at its end when a subscription hit a fault.
    """
    made = Made()
    for pk in due(on).order_by("next_due_on", "pk").values_list("pk", flat=True):
        try:
            for period in make_all(pk, on):
                made.drafted += 1
                made.asked += period.state == State.ASKED
        except Exception:
            logger.exception("Subscription %s could not be made", pk)
            made.failed.append(pk)
    # The oldest first: numbers follow the order in which clients were owed them.
    waiting = SubscriptionPeriod.objects.filter(state=State.TO_ISSUE)
    for pk in waiting.order_by("due_on", "pk").values_list("pk", flat=True):
        try:
            state = issue_made(pk, on)
        except Exception:
            logger.exception("The invoice of period %s could not be issued", pk)
            made.failed.append(pk)
        else:
            made.issued += state == State.ISSUED
            made.refused += state == State.REFUSED
    if made.asked or made.refused:
        mails.tell_what_waits(on)
    if made.failed:
        raise MakingFailed(f"{len(made.failed)} of the periods that are due failed: see the log.")
    return made


def make_all(subscription_id: int, on: date) -> Iterator[SubscriptionPeriod]:
    """One period after the other, each committed before the next begins."""
    while (period := make_next(subscription_id, on)) is not None:
        yield period


def make_next(subscription_id: int, on: date) -> SubscriptionPeriod | None:
    """The draft of the next period if it is due on `on`; None when nothing is."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status != Subscription.Status.ACTIVE:
            return None
        contents = contents_of(subscription)
        coming = contents.schedule.period(next_number(subscription))
        if coming is None or contents.schedule.due_on(coming) > on:
            # What the row says of the next period led here: it is put right.
            refresh(subscription, on, contents=contents)
            return None
        if contents.holds(coming):
            # It stays due, and is looked at again by every run: the page says what it waits for.
            return None
        found = invoice_of(contents, coming)
        period = SubscriptionPeriod.objects.create(
            subscription=subscription,
            number=coming.number,
            first_day=coming.first,
            last_day=coming.last,
            due_on=found.due_on,
            made_on=on,
            state=_state(subscription, contents.schedule, coming, found, on),
        )
        bill(subscription, period, found, by=None, on=on)
        refresh(subscription, on, contents=contents)
        return period


def _state(
    subscription: Subscription, schedule: Schedule, coming: Period, found: Upcoming, on: date
) -> State:
    if subscription.way == Way.DRAFT:
        return State.DRAFTED
    if found.totals is None:
        return State.REFUSED
    if len(schedule.due_by(coming.number, on, MOST_BY_ITSELF + 1)) > MOST_BY_ITSELF:
        return State.ASKED
    # The last ones of a heap wait with the others.
    before = subscription.periods.filter(number=coming.number - 1, state=State.ASKED).first()
    if before is not None and found.due_on <= before.made_on:
        return State.ASKED
    return State.TO_ISSUE


def bill(
    subscription: Subscription,
    period: SubscriptionPeriod,
    found: Upcoming,
    *,
    by: User | None,
    on: date,
) -> Invoice:
    """The draft of a period, in the transaction that locked its subscription."""
    client: Client = subscription.client.merged_into or subscription.client
    told = {
        "subscription_id": subscription.pk,
        "subscription": str(subscription),
        "period": told_of(period),
    }
    if found.totals is None:
        told["notes"] = [{"text": found.refusal}]
    invoice = draft(
        client=client,
        lines=found.lines if found.totals is not None else (),
        totals=found.of_lines,
        adjustments=list(found.adjustments),
        by=by,
        on=on,
        told=told,
        owner_id=subscription.owner_id,
        title=subscription.title,
        language=subscription.language,
        currency=subscription.currency,
        terms_kind=subscription.terms_kind,
        terms_days=subscription.terms_days,
        terms_id=subscription.terms_id,
        purchase_order=subscription.purchase_order,
        note=subscription.note,
        **subscription.supplied,
        recipients=list(subscription.recipients),
        service_from=period.first_day,
        service_until=period.last_day,
    )
    SubscriptionBilling.objects.create(period=period, invoice=invoice)
    tell(
        subscription,
        SubscriptionEvent.Kind.MADE,
        on=on,
        by=by,
        **told_of(period),
        invoice_id=invoice.pk,
        total_minor=invoice.total_minor,
        currency=invoice.currency,
        asked=period.state == State.ASKED,
    )
    return invoice


def issue_made(period_id: int, on: date) -> str:
    """Issue the draft of a period that is `to_issue`, or say that it cannot be: its state then.

    Issuing is a transaction of its own, with the mail in it: a worker that dies before the period
    is marked leaves an issued invoice, which the next run sees and marks.
    """
    period = SubscriptionPeriod.objects.select_related("subscription").get(pk=period_id)
    invoice = standing_invoice(period)
    refused: IssueRefused | None = None
    if invoice is not None and invoice.is_draft and period.state == State.TO_ISSUE:
        try:
            # Reasons are kept as they are told: in the company's language, a worker has none.
            with translation.override(company_language()):
                issue(
                    invoice_id=invoice.pk,
                    by=None,
                    on=on,
                    send=period.subscription.way == Way.SEND,
                )
        except IssueRefused as refusal:
            refused = refusal
    with transaction.atomic():
        subscription = locked(period.subscription_id)
        period = SubscriptionPeriod.objects.get(pk=period_id)
        if period.state != State.TO_ISSUE:
            return period.state
        # Read again: another worker may have issued it meanwhile, a person discarded it.
        invoice = standing_invoice(period)
        if invoice is None:
            period.state = State.DRAFTED
        elif invoice.is_issued:
            period.state = State.ISSUED
            _tell(subscription, period, invoice, SubscriptionEvent.Kind.ISSUED, on)
        elif refused is not None:
            period.state = State.REFUSED
            reasons = [reason.text[:300] for reason in refused.reasons][:10]
            _tell(
                subscription,
                period,
                invoice,
                SubscriptionEvent.Kind.REFUSED,
                on,
                reasons=reasons,
            )
        period.save(update_fields=["state"])
        return period.state


def _tell(
    subscription: Subscription,
    period: SubscriptionPeriod,
    invoice: Invoice,
    kind: str,
    on: date,
    **more: Any,
) -> None:
    tell(
        subscription,
        kind,
        on=on,
        **told_of(period),
        invoice_id=invoice.pk,
        invoice=invoice.number,
        **more,
    )


def company_language() -> str:
    company = Company.ours()
    return company.language if company else "fr"


def standing_invoice(period: SubscriptionPeriod) -> Invoice | None:
    """The invoice that bills the period now, drafts included; None when it was taken back."""
    return Invoice.objects.billing().filter(subscription_billing__period=period).first()


def draft_again(*, period_id: int, by: User | None, on: date) -> Invoice:
    """A period whose draft was discarded, whose invoice was credited whole, or that was skipped, is
    billed after all: as a draft, with the lines of its day. Raises SubscriptionRefused."""
    with transaction.atomic():
        found = SubscriptionPeriod.objects.filter(pk=period_id).first()
        if found is None:
            raise SubscriptionRefused(_("This period is no longer here."))
        subscription = locked(found.subscription_id)
        period = SubscriptionPeriod.objects.get(pk=period_id)
        if (invoice := standing_invoice(period)) is not None:
            raise SubscriptionRefused(
                _("A draft of this period exists already.")
                if invoice.is_draft
                else _("This period is billed already: %(number)s.") % {"number": invoice.number}
            )
        contents = contents_of(subscription)
        of_calendar = contents.schedule.period(period.number)
        if of_calendar is None or (of_calendar.first, of_calendar.last) != (
            period.first_day,
            period.last_day,
        ):
            raise SubscriptionRefused(_("The calendar no longer has this period."))
        content = invoice_of(contents, of_calendar)
        if content.totals is None:
            raise SubscriptionRefused(content.refusal)
        period.state = State.DRAFTED
        period.save(update_fields=["state"])
        return bill(subscription, period, content, by=by, on=on)


def release(*, subscription_id: int, by: User, on: date) -> int:
    """A person looked: the drafts that were asked about are issued by the next step of the task.

    Returns how many. Raises SubscriptionRefused when none waits.
    """
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.way == Way.DRAFT:
            raise SubscriptionRefused(
                _("This subscription issues nothing by itself: issue its drafts one by one.")
            )
        waiting = subscription.periods.filter(state__in=[State.ASKED, State.REFUSED]).filter(
            billings__invoice__status=Invoice.Status.DRAFT
        )
        pks = list(waiting.values_list("pk", flat=True).distinct())
        if not pks:
            raise SubscriptionRefused(_("Nothing waits here to be issued."))
        SubscriptionPeriod.objects.filter(pk__in=pks).update(state=State.TO_ISSUE)
        tell(subscription, SubscriptionEvent.Kind.RELEASED, on=on, by=by, count=len(pks))
        return len(pks)
