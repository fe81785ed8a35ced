"""The recurring lines of a won deal become subscriptions: one for each rhythm, length and start."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.recipients import recipients_for
from invoices.deals.changes import changing
from invoices.deals.lacking import missing_for
from invoices.deals.lines import drafted_for, has_subscription, recurring_lines
from invoices.documents.totals import TotalsRefused
from invoices.models import Company, Deal, DealLine, Subscription
from invoices.subscriptions.beginning import begun
from invoices.subscriptions.standing import SubscriptionRefused

# The CRM's word to a unit and how many of it.
RHYTHMS: Final = {
    "weekly": ("week", 1),
    "monthly": ("month", 1),
    "quarterly": ("month", 3),
    "semi-annually": ("month", 6),
    "annually": ("year", 1),
}


def begin(*, deal_id: int, by: User | None, on: date) -> list[Subscription]:
    """Drafts of subscriptions with the deal's recurring lines, at least one; a deal's once.

    From now on a draft of the deal holds what is billed once; one that was made before waits for a
    person, as after any change of its deal. Raises SubscriptionRefused.
    """
    with transaction.atomic():
        deal = (
            Deal.objects.select_for_update(of=("self",))
            .select_related("client__merged_into", "owner", "contact")
            .filter(pk=deal_id)
            .first()
        )
        if deal is None:
            raise SubscriptionRefused(_("This deal is no longer here."))
        if has_subscription(deal):
            raise SubscriptionRefused(_("A subscription of this deal was begun already."))
        recurring = recurring_lines(deal)
        if not recurring:
            raise SubscriptionRefused(_("No line of this deal recurs."))
        company = Company.ours()
        stops = ("status", "outdated", "client", "other_client", "currency")
        for missing in missing_for([deal], company)[deal.pk]:
            if missing.prevents_draft and missing.field in stops:
                raise SubscriptionRefused(missing.text)
        if deal.client is None:
            raise SubscriptionRefused(_("The deal has no organisation: choose its client first."))
        with changing([deal.pk], on):
            try:
                return [_one(deal, lines, company, by=by, on=on) for lines in _by_rhythm(recurring)]
            except TotalsRefused as refusal:
                raise SubscriptionRefused(str(refusal)) from None


def _by_rhythm(lines: list[DealLine]) -> list[list[DealLine]]:
    groups: dict[tuple[str, int | None, date | None], list[DealLine]] = {}
    for line in lines:
        key = (line.billing_frequency, line.billing_cycles, line.billing_starts_on)
        groups.setdefault(key, []).append(line)
    return list(groups.values())


def _one(
    deal: Deal, lines: list[DealLine], company: Company | None, *, by: User | None, on: date
) -> Subscription:
    assert deal.client is not None
    client = deal.client.merged_into or deal.client
    first = lines[0]
    unit, every = RHYTHMS.get(first.billing_frequency, ("month", 1))
    drafted = drafted_for(deal, client, company, of=lines)
    start = first.billing_starts_on or deal.service_from
    begins: dict[str, Any] = {"starts_on": start} if start else {}
    return begun(
        client,
        by=by,
        on=on,
        lines=drafted.lines,
        deal=deal,
        owner_id=deal.owner_id or client.owner_id,
        title=deal.title,
        currency=deal.currency,
        purchase_order=deal.purchase_order,
        recipients=recipients_for(deal),
        unit=unit,
        every=every,
        most_periods=first.billing_cycles,
        **begins,
    )
