"""What invoicing may ask of quotes without knowing them: it is registered when the app is ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.money import formatted_minor
from invoices.invoicing.origins import Offered
from invoices.invoicing.reasons import Reason
from invoices.models import (
    Client,
    Invoice,
    QuoteAcceptance,
    QuoteBilledAdjustment,
    QuoteBilledLine,
    QuoteBilling,
)
from invoices.models.quotes import ROUNDING
from invoices.quotes.converting import alive, standing


class Quotes:
    def waiting(self, client: Client) -> Sequence[Any]:
        return ()

    def lines(self, invoice: Invoice) -> Offered | None:
        return None

    def warnings(self, invoice: Invoice) -> Sequence[Reason]:
        """The draft was changed since it was made of a quote, and passes what was accepted."""
        billing = QuoteBilling.objects.filter(invoice_id=invoice.pk).first()
        if billing is None:
            return ()
        acceptance = QuoteAcceptance.objects.select_related("quote").get(quote=billing.quote_id)
        stands = standing(acceptance, alive(acceptance.quote))
        over = -stands.left_minor
        if over <= ROUNDING:
            return ()
        text = _(
            "With this draft %(billed)s are billed on the quote %(number)s, %(over)s more than was "
            "accepted."
        ) % {
            "billed": formatted_minor(stands.billed_minor, stands.currency),
            "number": acceptance.quote.number,
            "over": formatted_minor(over, stands.currency),
        }
        return (Reason("quote", text, ""),)

    def replaced(self, old: Invoice, new: Invoice) -> None:
        """The corrected invoice bills what the old one billed of its quote."""
        was = QuoteBilling.objects.filter(invoice=old).first()
        if was is None:
            return
        billing = QuoteBilling.objects.create(
            quote_id=was.quote_id, invoice=new, kind=was.kind, amount_minor=new.total_minor
        )
        QuoteBilledLine.objects.bulk_create(
            QuoteBilledLine(billing=billing, line_id=line.line_id, quantity=line.quantity)
            for line in was.lines.all()
        )
        QuoteBilledAdjustment.objects.bulk_create(
            QuoteBilledAdjustment(
                billing=billing,
                position=each.position,
                vat_category=each.vat_category,
                vat_rate=each.vat_rate,
                amount_minor=each.amount_minor,
            )
            for each in was.adjustments.all()
        )
