"""The amounts of an invoice as money, from the minor units of its columns."""

from __future__ import annotations

from moneyed import Money

from billing_portal.money import from_minor
from invoices.models.standing import Kind


class InvoiceAmounts:
    kind: str
    currency: str
    net_minor: int
    vat_minor: int
    total_minor: int
    paid_minor: int
    credited_minor: int
    outstanding_minor: int

    @property
    def net(self) -> Money:
        return from_minor(self.net_minor, self.currency)

    @property
    def vat(self) -> Money:
        return from_minor(self.vat_minor, self.currency)

    @property
    def total(self) -> Money:
        return from_minor(self.total_minor, self.currency)

    @property
    def signed_total(self) -> Money:
        """As it stands in a list beside other documents: there a credit note counts down."""
        return -self.total if self.kind == Kind.CREDIT_NOTE else self.total

    @property
    def paid(self) -> Money:
        return from_minor(self.paid_minor, self.currency)

    @property
    def credited(self) -> Money:
        return from_minor(self.credited_minor, self.currency)

    @property
    def outstanding_balance(self) -> Money:
        return from_minor(self.outstanding_minor, self.currency)
