"""Where a subscription stands: its lock, its next period, what its row says of them."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.documents.totals import TotalsRefused
from invoices.models import Subscription, SubscriptionEvent
from invoices.subscriptions.periods import Period
from invoices.subscriptions.upcoming import Contents, contents_of, invoice_of, yearly_net

Status = Subscription.Status


class SubscriptionRefused(Exception):
    """Nothing was changed or made; the message is written for staff."""


def locked(subscription_id: int) -> Subscription:
    """Under its lock, which whoever changes it or makes its periods takes first."""
    found = (
        Subscription.objects.select_for_update(of=("self",))
        .select_related("client__merged_into", "owner", "terms")
        .filter(pk=subscription_id)
        .first()
    )
    if found is None:
        raise SubscriptionRefused(_("This subscription is no longer here."))
    return found


def next_number(subscription: Subscription) -> int:
    """By the rows: the last period that was dealt with, and one."""
    last = subscription.periods.aggregate(last=Max("number"))["last"]
    return 1 if last is None else last + 1


def next_period(subscription: Subscription, contents: Contents) -> Period | None:
    return contents.schedule.period(next_number(subscription))


def refresh(subscription: Subscription, on: date, *, contents: Contents | None = None) -> None:
    """Write what follows from the rows, in the transaction that changed them.

    Where no period is left to come, the subscription has ended.
    """
    if contents is None:
        # Read anew: rows may have been prefetched before they were changed, and this row itself.
        subscription.save()
        fresh = Subscription.objects.prefetch_related("versions__lines", "rises")
        contents = contents_of(fresh.get(pk=subscription.pk))
    period = next_period(subscription, contents)
    subscription.next_number = next_number(subscription)
    subscription.next_first_day = subscription.next_due_on = None
    subscription.next_net_minor = subscription.next_total_minor = subscription.yearly_minor = 0
    if period is not None and subscription.is_open:
        subscription.next_first_day = period.first
        subscription.next_due_on = contents.schedule.due_on(period)
        coming = invoice_of(contents, period)
        if coming.totals is not None:
            subscription.next_net_minor = coming.totals.net_minor
            subscription.next_total_minor = coming.totals.total_minor
        try:
            subscription.yearly_minor = yearly_net(contents, period.first)
        except TotalsRefused:
            # Its next invoice says so: it cannot be added up.
            subscription.yearly_minor = 0
    elif period is None and subscription.status in (Status.ACTIVE, Status.PAUSED):
        subscription.status = Status.ENDED
        tell(subscription, SubscriptionEvent.Kind.ENDED, on=on)
    subscription.save()


def tell(
    subscription: Subscription, kind: str, *, on: date, by: User | None = None, **data: Any
) -> SubscriptionEvent:
    """Written down in the transaction of what happened."""
    return SubscriptionEvent.objects.create(
        subscription=subscription, kind=kind, on=on, by=by, data=data
    )


def told_of(period: Any) -> dict[str, Any]:
    """A period as the events keep it: of a row, or of the calendar."""
    first = getattr(period, "first_day", None) or period.first
    last = getattr(period, "last_day", None) or period.last
    return {"number": period.number, "first": first.isoformat(), "last": last.isoformat()}
