"""Kind and status of a document, and the states that they tell on a day."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


class Purpose(models.TextChoices):
    """What an invoice is for. Not a kind: whatever it is for, it claims money as invoices do."""

    STANDARD = "standard", _("Invoice")
    # Asks for a part before delivery; the final invoice deducts it.
    DEPOSIT = "deposit", _("Deposit invoice")
    # Bills the whole, less the deposits that were billed before.
    FINAL = "final", _("Final invoice")


class CreditReason(models.TextChoices):
    """Why something is credited, in a word that can be counted; the note says the rest."""

    ERROR = "error", _("Billing error")
    PRICE = "price", _("Price or discount corrected")
    RETURN = "return", _("Goods returned")
    NOT_DONE = "not_done", _("Service not rendered")
    CANCELLED = "cancelled", _("Order cancelled")
    DUPLICATE = "duplicate", _("Billed twice")
    DISPUTE = "dispute", _("Dispute settled")
    GOODWILL = "goodwill", _("Goodwill gesture")
    REBATE = "rebate", _("Year-end rebate")
    REPLACED = "replaced", _("Replaced by a corrected invoice")
    OTHER = "other", _("Other reason")


class Status(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ISSUED = "issued", _("Issued")
    SETTLED = "settled", _("Settled")
    VOID = "void", _("Void")


def was_issued() -> Q:
    """Issued at some time, whether settled since or not."""
    return Q(status__in=[Status.ISSUED, Status.SETTLED])


def credited_whole() -> Q:
    """Taken back by credit notes. A final invoice of nothing, paid by its deposits, was not."""
    return Q(status="settled", credited_minor=F("total_minor"), total_minor__gt=0)


class Standing(NamedTuple):
    """What tells an invoice's states: lists read just these columns, at a tenth of the cost."""

    kind: str
    status: str
    # Of the oldest instalment that is open.
    next_due: date | None
    total_minor: int
    outstanding_minor: int
    sent_at: datetime | None

    @property
    def is_outstanding(self) -> bool:
        return self.status == Status.ISSUED and self.kind == Kind.INVOICE

    def is_overdue(self, on: date) -> bool:
        return self.is_outstanding and self.next_due is not None and self.next_due < on

    def days_overdue(self, on: date) -> int:
        return (on - self.next_due).days if self.next_due and self.is_overdue(on) else 0

    def states(self, on: date) -> list[str]:
        if self.status == Status.VOID:
            return ["void"]
        if self.status == Status.DRAFT:
            return ["draft"]
        found = ["credit"] if self.kind == Kind.CREDIT_NOTE else []
        if self.status == Status.SETTLED:
            return [*found, "settled"]
        if self.is_overdue(on):
            found.append("overdue")
        if self.outstanding_minor < self.total_minor:
            found.append("part")
        found.append("sent" if self.sent_at else "issued")
        return found
