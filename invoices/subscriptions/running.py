"""A subscription is started, paused, resumed, ended; its prices rise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.models import (
    PriceRise,
    Subscription,
    SubscriptionEvent,
    SubscriptionPeriod,
)
from invoices.subscriptions.periods import LATEST, Period
from invoices.subscriptions.standing import (
    Status,
    SubscriptionRefused,
    locked,
    next_number,
    refresh,
    tell,
    told_of,
)
from invoices.subscriptions.upcoming import Contents, contents_of, invoice_of

# So many periods can be put off at a stroke; nobody pauses for longer than this shows.
MOST_SKIPPED: Final = 60
Kind = SubscriptionEvent.Kind


def reasons_not_to_start(subscription: Subscription) -> list[str]:
    contents = contents_of(subscription)
    found: list[str] = []
    lines = contents.versions[0].lines if contents.versions else []
    if not lines:
        return [_("There are no lines: nothing would be billed.")]
    bare = [n for n, line in enumerate(lines, 1) if not line.description.strip()]
    if bare:
        found.append(
            ngettext("Line %(lines)s says nothing.", "Lines %(lines)s say nothing.", len(bare))
            % {"lines": ", ".join(map(str, bare))}
        )
    without = [n for n, line in enumerate(lines, 1) if line.price_missing]
    if without:
        found.append(
            ngettext("Line %(lines)s has no price.", "Lines %(lines)s have no price.", len(without))
            % {"lines": ", ".join(map(str, without))}
        )
    period = contents.schedule.period(1)
    if period is None:
        return [*found, _("Its calendar has no period.")]
    coming = invoice_of(contents, period)
    if coming.totals is None:
        found.append(coming.refusal)
    elif coming.totals.total_minor <= 0 and not without:
        found.append(
            _("The total is %(total)s: an invoice asks for something.")
            % {"total": formatted_minor(coming.totals.total_minor, contents.currency)}
        )
    if subscription.way == Subscription.Way.SEND and not subscription.recipients:
        found.append(_("Say who receives the invoices by email."))
    return found


def start(*, subscription_id: int, by: User | None, on: date) -> Subscription:
    """From now on the task makes what is due. Raises SubscriptionRefused."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status != Status.DRAFT:
            raise SubscriptionRefused(_("It was started or discarded already."))
        if reasons := reasons_not_to_start(subscription):
            raise SubscriptionRefused(" ".join(reasons))
        subscription.status = Status.ACTIVE
        tell(subscription, Kind.STARTED, on=on, by=by)
        refresh(subscription, on)
        return subscription


def discard(*, subscription_id: int, by: User | None, on: date) -> Subscription:
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status != Status.DRAFT:
            raise SubscriptionRefused(_("It was started: end it instead."))
        subscription.status = Status.DISCARDED
        tell(subscription, Kind.DISCARDED, on=on, by=by)
        refresh(subscription, on)
        return subscription


def pause(*, subscription_id: int, by: User | None, on: date, reason: str = "") -> Subscription:
    """Nothing is made until it is resumed; what was made stays."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status != Status.ACTIVE:
            raise SubscriptionRefused(_("Only an active subscription can be paused."))
        subscription.status = Status.PAUSED
        tell(subscription, Kind.PAUSED, on=on, by=by, reason=reason[:300])
        refresh(subscription, on)
        return subscription


def choices_of_next(subscription: Subscription, contents: Contents, on: date) -> list[Period]:
    """From which period on it may be billed: those that were not made yet, until the first that is
    still to come on `on`."""
    found: list[Period] = []
    for period in islice(contents.schedule.periods(next_number(subscription)), MOST_SKIPPED):
        found.append(period)
        if period.first > on:
            break
    return found


def resume(*, subscription_id: int, number: int, by: User | None, on: date) -> Subscription:
    """Billed again from the period of this number on; those before it are not billed."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status != Status.PAUSED:
            raise SubscriptionRefused(_("Only a paused subscription can be resumed."))
        skipped = _skip_before(subscription, number, on)
        subscription.status = Status.ACTIVE
        tell(subscription, Kind.RESUMED, on=on, by=by, skipped=[told_of(each) for each in skipped])
        refresh(subscription, on)
        return subscription


def skip_next(*, subscription_id: int, number: int, by: User | None, on: date) -> Subscription:
    """The next period, which has this number, is not billed. Raises SubscriptionRefused."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status not in (Status.ACTIVE, Status.PAUSED):
            raise SubscriptionRefused(_("It makes no invoices now: there is nothing to skip."))
        if number != next_number(subscription):
            raise SubscriptionRefused(_("This period was dealt with meanwhile."))
        skipped = _skip_before(subscription, number + 1, on)
        tell(subscription, Kind.SKIPPED, on=on, by=by, **told_of(skipped[0]))
        refresh(subscription, on)
        return subscription


def _skip_before(subscription: Subscription, number: int, on: date) -> list[SubscriptionPeriod]:
    first = next_number(subscription)
    if not first <= number <= first + MOST_SKIPPED:
        raise SubscriptionRefused(_("This period was dealt with meanwhile."))
    schedule = contents_of(subscription).schedule
    found = [schedule.period(n) for n in range(first, number)]
    rows = [
        SubscriptionPeriod(
            subscription=subscription,
            number=period.number,
            first_day=period.first,
            last_day=period.last,
            due_on=schedule.due_on(period),
            made_on=on,
            state=SubscriptionPeriod.State.SKIPPED,
        )
        for period in found
        if period is not None
    ]
    if len(rows) != number - first:
        raise SubscriptionRefused(_("Its calendar has no such period."))
    return SubscriptionPeriod.objects.bulk_create(rows)


def billed_until(subscription: Subscription) -> date | None:
    """The last day of the last period that was dealt with."""
    last = subscription.periods.order_by("-number").first()
    return last.last_day if last else None


def end(*, subscription_id: int, last_day: date, by: User | None, on: date) -> Subscription:
    """`last_day` is the last one that is billed: the period in which it lies is cut there.

    Raises SubscriptionRefused where later days are billed already.
    """
    with transaction.atomic():
        subscription = locked(subscription_id)
        if subscription.status not in (Status.ACTIVE, Status.PAUSED):
            raise SubscriptionRefused(_("It is not running: there is nothing to end."))
        until = billed_until(subscription)
        if until is not None and last_day < until:
            raise SubscriptionRefused(
                _(
                    "It is billed until %(day)s already: end it on that day at the earliest, and "
                    "take back what is too much by a credit note."
                )
                % {"day": dates.day(until)}
            )
        if last_day < subscription.starts_on - timedelta(days=1):
            raise SubscriptionRefused(_("It ends before it begins."))
        if last_day > LATEST:
            raise SubscriptionRefused(_("This day is out of range."))
        tell(subscription, Kind.END_SET, on=on, by=by, last=last_day.isoformat())
        if last_day < subscription.starts_on:
            # Nothing of it is billed at all; a calendar of no day is none.
            subscription.status = Status.ENDED
            tell(subscription, Kind.ENDED, on=on, by=by)
        else:
            subscription.ends_on, subscription.most_periods = last_day, None
        refresh(subscription, on)
        return subscription


def raise_prices(
    *,
    subscription_id: int,
    first_day: date,
    percent: Decimal,
    yearly: bool,
    by: User | None,
    on: date,
) -> PriceRise:
    """For periods that begin on `first_day` or later, none of which was made yet."""
    with transaction.atomic():
        subscription = locked(subscription_id)
        if not subscription.is_open:
            raise SubscriptionRefused(_("It has ended: no price of it can rise."))
        if not (Decimal(-100) < percent <= Decimal(900)) or not percent:
            raise SubscriptionRefused(_("Write a rise between −99 and 900 per cent, and not 0."))
        _refuse_made(subscription, first_day)
        if first_day <= subscription.starts_on:
            raise SubscriptionRefused(
                _("The prices are those of the start: they can rise after %(day)s.")
                % {"day": dates.day(subscription.starts_on)}
            )
        rise = PriceRise.objects.create(
            subscription=subscription,
            first_day=first_day,
            percent=percent,
            yearly=yearly,
            created_by=by,
        )
        tell(
            subscription,
            Kind.RISE,
            on=on,
            by=by,
            first=first_day.isoformat(),
            percent=str(percent),
            yearly=yearly,
        )
        refresh(subscription, on)
        return rise


def call_off_rise(*, rise_id: int, by: User | None, on: date) -> Subscription:
    """What it raised in periods that were made stays; later ones do not rise any more."""
    with transaction.atomic():
        found = PriceRise.objects.filter(pk=rise_id).first()
        if found is None:
            raise SubscriptionRefused(_("This price rise is no longer here."))
        subscription = locked(found.subscription_id)
        rise = PriceRise.objects.filter(pk=rise_id).first()
        if rise is None or rise.ends_before is not None:
            raise SubscriptionRefused(_("This price rise was called off already."))
        made = last_made_day(subscription)
        if made is None or rise.first_day > made:
            rise.delete()
        elif not rise.yearly:
            raise SubscriptionRefused(
                _("Periods were billed at this price: type new prices from a later period.")
            )
        else:
            rise.ends_before = made + timedelta(days=1)
            rise.save(update_fields=["ends_before"])
        tell(
            subscription,
            Kind.RISE_ENDED,
            on=on,
            by=by,
            first=rise.first_day.isoformat(),
            percent=str(rise.percent),
            yearly=rise.yearly,
        )
        refresh(subscription, on)
        return subscription


def last_made_day(subscription: Subscription) -> date | None:
    """The first day of the last period that was dealt with: prices until then are history."""
    last = subscription.periods.order_by("-number").first()
    return last.first_day if last else None


def _refuse_made(subscription: Subscription, first_day: date) -> None:
    made = last_made_day(subscription)
    if made is not None and first_day <= made:
        raise SubscriptionRefused(
            _("The period that begins on %(day)s is billed already: choose a later day.")
            % {"day": dates.day(made)}
        )


def first_days(subscription: Subscription, contents: Contents, most: int) -> Sequence[Period]:
    """The next periods, for “from when on”."""
    return list(islice(contents.schedule.periods(next_number(subscription)), most))
