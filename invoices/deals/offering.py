"""What invoicing may ask of deals without knowing them: it is registered when the app is ready."""

from __future__ import annotations

from collections.abc import Sequence

from invoices.deals.lacking import with_what_billing_needs
from invoices.deals.lines import drafted_for
from invoices.deals.queue import first_billing_day
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.origins import Offered
from invoices.invoicing.reasons import Reason
from invoices.models import Client, Company, Deal, Invoice

SHOWN = 5


class Deals:
    def waiting(self, client: Client) -> Sequence[Deal]:
        account = Client.objects.account_of(client.pk)
        deals = Deal.objects.to_bill(first_billing_day()).filter(client__in=account)
        return list(deals.order_by("-won_on")[:SHOWN])

    def lines(self, invoice: Invoice) -> Offered | None:
        if invoice.deal_id is None:
            return None
        deal = with_what_billing_needs(Deal.objects.filter(pk=invoice.deal_id)).first()
        if deal is None:
            return None
        found = drafted_for(deal, invoice.client, Company.ours())
        return Offered(found.lines, deal.currency)

    def warnings(self, invoice: Invoice) -> Sequence[Reason]:
        return ()

    def replaced(self, old: Invoice, new: Invoice) -> None:
        """The deal is billed by the invoice itself: nothing is kept beside it."""


def lines_of_deal(deal: Deal) -> Sequence[DraftLine]:
    """As a quote begins with them. Raises TotalsRefused."""
    found = with_what_billing_needs(Deal.objects.filter(pk=deal.pk)).get()
    assert found.client is not None
    return drafted_for(found, found.client, Company.ours()).lines
