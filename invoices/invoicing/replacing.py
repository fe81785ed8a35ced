"""Whether an invoice can be replaced by a corrected one, and still can when that one is issued."""

from __future__ import annotations

from django.utils.translation import gettext as _

from invoices.invoicing import credited, deducting
from invoices.invoicing.reasons import Reason
from invoices.models import Invoice


def refusal(old: Invoice) -> str:
    """Why it cannot be replaced, for staff; empty when it can."""
    if old.is_credit_note or not old.is_issued:
        return _("Only an issued invoice is corrected; a draft is simply changed.")
    values = {"number": old.number}
    if old.imported:
        return (
            _(
                "%(number)s was brought in without its lines: make a credit note on it, and a new "
                "invoice."
            )
            % values
        )
    if old.is_final and not old.total_minor:
        return (
            _(
                "%(number)s asks for nothing beyond its deposits, so that nothing of it can be "
                "credited: bill what is missing by a new invoice, or credit a deposit."
            )
            % values
        )
    if old.written_off_minor:
        return _("A part of %(number)s is written off: take that back first.") % values
    if credited.total_taken_back(old) >= old.total_minor:
        return _("%(number)s is credited in full already: make a new invoice.") % values
    return deducting.reason_not_to_credit(old)


def reasons(invoice: Invoice) -> list[Reason]:
    """Why a corrected draft cannot be issued in the place of its invoice."""
    if invoice.replaces is None:
        return []
    text = refusal(invoice.replaces)
    return [Reason("replaces", text, "")] if text else []
