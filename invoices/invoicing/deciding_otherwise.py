"""VAT that the rules refuse, allowed for one draft by an administrator who says why.

Kept as an event of the draft, which nobody changes or deletes; shown on the draft, when it is
issued and in the history of the invoice. It holds for the very reason and territory that were
decided (company.vat_faults.key_of): another client, and it is asked anew.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.invoicing.drafting import locked_draft
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.invoicing.reasons import Reason
from invoices.models import Invoice, InvoiceEvent

SHORTEST_REASON: Final = 10
LONGEST_REASON: Final = 300


class DecisionRefused(Exception):
    """Nothing was decided; the message is written for staff."""


def open_questions(invoice: Invoice, on: date) -> list[Reason]:
    """The reasons not to issue it that may be decided otherwise."""
    return [reason for reason in reasons_not_to_issue(invoice, on) if reason.key]


def decide_otherwise(*, invoice_id: int, reason: str, by: User, on: date) -> InvoiceEvent:
    """Allow what open_questions names. Raises DecisionRefused, and DraftRefused if it is none."""
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise DecisionRefused(
            _("Say why in %(least)s to %(most)s characters.")
            % {"least": SHORTEST_REASON, "most": LONGEST_REASON}
        )
    with transaction.atomic():
        invoice = locked_draft(invoice_id)
        keys = list(dict.fromkeys(each.key for each in open_questions(invoice, on)))
        if not keys:
            raise DecisionRefused(_("Nothing here waits for such a decision."))
        return InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.VAT_DECIDED,
            on=on,
            by=by,
            data={"keys": keys, "reason": reason},
        )
