"""The page of the next invoice of a subscription, before there is one."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from invoices.documents.paper import Paper
from invoices.invoicing.issuing import preview_paper
from invoices.models import SubscriptionPeriod
from invoices.subscriptions.making import bill
from invoices.subscriptions.standing import SubscriptionRefused, locked, next_number
from invoices.subscriptions.upcoming import contents_of, invoice_of


def next_paper(subscription_id: int, on: date) -> Paper:
    """Of the invoice that would be made next, dated on the day on which it is due, or `on` when
    that is past: drafted by the code that makes it, read and taken back. Nothing is kept.

    Raises SubscriptionRefused where none is to come or its lines do not add up, IssueRefused where
    the page cannot be written.
    """
    with transaction.atomic():
        # Locked as for making it: the number of its period is unique, and may be given meanwhile.
        subscription = locked(subscription_id)
        contents = contents_of(subscription)
        coming = contents.schedule.period(next_number(subscription))
        if coming is None:
            raise SubscriptionRefused(_("No invoice is to come: it ends before the next period."))
        found = invoice_of(contents, coming)
        if found.totals is None:
            raise SubscriptionRefused(found.refusal)
        day = max(on, found.due_on)
        period = SubscriptionPeriod.objects.create(
            subscription=subscription,
            number=coming.number,
            first_day=coming.first,
            last_day=coming.last,
            due_on=found.due_on,
            made_on=day,
            state=SubscriptionPeriod.State.DRAFTED,
        )
        paper = preview_paper(bill(subscription, period, found, by=None, on=day), day)
        transaction.set_rollback(True)
    return paper
