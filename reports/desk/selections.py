"""Which rows wait for somebody: the desk, its links and the sidebar count the same ones."""

from __future__ import annotations

from datetime import date

from django.db.models import F, QuerySet

from billing_portal.accounts.models import User
from invoices.models import (
    Company,
    Deal,
    DealBasis,
    Invoice,
    Message,
    Payment,
    Quote,
    Subscription,
    SubscriptionPeriod,
)
from invoices.models.dues import Columns
from invoices.outbox.waiting import waiting_for_a_person
from invoices.selections.filters import InvoiceFilter, select


def to_bill(user: User, company: Company | None) -> QuerySet[Deal]:
    since = company.billing_starts_on if company else None
    return Deal.objects.to_bill(since).visible_to(user)


def drafts(user: User) -> QuerySet[Invoice]:
    return Invoice.objects.drafts().visible_to(user)


def quotes_to_bill(user: User) -> QuerySet[Quote]:
    return Quote.objects.visible_to(user).to_bill()


def stuck_periods(user: User) -> QuerySet[SubscriptionPeriod]:
    """Of subscriptions that issue by themselves: drafts that wait for a person first."""
    mine = Subscription.objects.visible_to(user)
    return SubscriptionPeriod.objects.waiting().filter(subscription__in=mine)


def overdue(user: User, on: date) -> tuple[QuerySet[Invoice], Columns]:
    """A row for each instalment that is late, where an invoice has them."""
    return select(Invoice.objects.visible_to(user), InvoiceFilter(state="overdue"), on)


def changed_deals(user: User) -> QuerySet[DealBasis]:
    return DealBasis.objects.waiting().visible_to(user)


def mails() -> QuerySet[Message]:
    return waiting_for_a_person()


def unapplied() -> QuerySet[Payment]:
    return Payment.objects.unapplied().annotate(
        unapplied_minor=F("amount_minor") - F("allocated_minor")
    )
