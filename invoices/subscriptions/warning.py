"""What invoicing may ask of subscriptions without knowing them: registered in apps.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from billing_portal import dates
from invoices.invoicing.origins import Offered
from invoices.invoicing.reasons import Reason
from invoices.models import Client, Invoice, SubscriptionBilling, SubscriptionPeriod


class Subscriptions:
    def waiting(self, client: Client) -> Sequence[Any]:
        return ()

    def lines(self, invoice: Invoice) -> Offered | None:
        return None

    def warnings(self, invoice: Invoice) -> Sequence[Reason]:
        """Why a draft that should have issued itself waits for a person."""
        billing = (
            SubscriptionBilling.objects.filter(invoice_id=invoice.pk)
            .select_related("period__subscription")
            .first()
        )
        if billing is None:
            return ()
        period = billing.period
        values = {
            "name": str(period.subscription),
            "first": dates.day(period.first_day),
            "last": dates.day(period.last_day),
        }
        if period.state == SubscriptionPeriod.State.REFUSED:
            text = _(
                "It could not be issued by itself for the subscription “%(name)s”, %(first)s to "
                "%(last)s: a person issues it."
            )
        elif period.state == SubscriptionPeriod.State.ASKED:
            text = _(
                "Several invoices of the subscription “%(name)s” were due at once, this one for "
                "%(first)s to %(last)s: a person looks before they are issued."
            )
        else:
            return ()
        return (Reason("subscription", text % values, ""),)

    def replaced(self, old: Invoice, new: Invoice) -> None:
        """The corrected invoice bills the period that the old one billed."""
        was = SubscriptionBilling.objects.filter(invoice=old).first()
        if was is not None:
            SubscriptionBilling.objects.create(period_id=was.period_id, invoice=new)
