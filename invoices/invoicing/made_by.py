"""Which subscription made an invoice, for whoever may see that."""

from __future__ import annotations

from billing_portal.accounts.models import User
from invoices.models import Invoice, Subscription


def subscription_of(invoice: Invoice, reader: User) -> Subscription | None:
    made = Subscription.objects.visible_to(reader).filter(periods__billings__invoice=invoice)
    return made.select_related("client").first()
