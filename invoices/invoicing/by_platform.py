"""Whether an issued document has to go through the platform, and its way there at issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from invoices.clients.routes import route_of_client
from invoices.einvoicing import platforms
from invoices.einvoicing.routing import Route
from invoices.einvoicing.statuses import REFUSED
from invoices.einvoicing.transmitting import TransmitRefused, transmit, why_not
from invoices.invoicing.reasons import Reason
from invoices.models import Company, Invoice, Transmission
from invoices.models.einvoicing import Group, Way


@dataclass(frozen=True)
class Duty:
    """What the law asks for this document, and what can be done here."""

    # None of one that was handed over.
    route: Route | None
    # We are obliged on its issue date, and its client is reached by platform.
    must: bool
    # The name of the connected platform, "" without one.
    platform: str
    transmission: Transmission | None
    # Why it cannot go there, "" when it can.
    refusal: str = ""

    @property
    def may(self) -> bool:
        return bool(
            self.platform
            and self.transmission is None
            and not self.refusal
            and self.route is not None
            and self.route.way == Way.PLATFORM
        )

    @property
    def warns(self) -> bool:
        """Mailing it is no invoice: it has to go through a platform, and has not."""
        return self.must and self.transmission is None


def duty_of(invoice: Invoice, on: date, company: Company | None = None) -> Duty:
    """Of an issued document on its own date, of a draft on `on`."""
    found = (
        Transmission.objects.select_related("flow", "replaced_by")
        .filter(invoice=invoice.pk)
        .first()
    )
    if found is not None:
        # It is there: neither the directory nor the law has a say any more.
        return Duty(None, must=False, platform=platforms.connected(), transmission=found)
    company = company or Company.ours()
    route = route_of_client(invoice.client, company)
    day = invoice.issue_date or on
    must = company is not None and company.must_einvoice(day) and route.way == Way.PLATFORM
    return Duty(
        route=route,
        must=must and not invoice.imported,
        platform=platforms.connected(),
        transmission=None,
        refusal=why_not(invoice) if invoice.is_issued else "",
    )


def transmit_at_issue(
    invoice: Invoice, company: Company, *, by: User | None, on: date
) -> Transmission | None:
    """In the transaction of its issue, where the law asks for it and a platform is connected.

    What cannot go there stays issued: the page of the invoice says why.
    """
    if not platforms.connected() or not duty_of(invoice, on, company).must:
        return None
    try:
        return transmit(invoice_id=invoice.pk, by=by, on=on)
    except TransmitRefused:
        return None


def transmit_with_its_invoice(note: Invoice, *, by: User | None, on: date) -> Transmission | None:
    """A credit note goes to where its invoice went: whoever has the one must have the other.

    Not where the platform kept the invoice back: its client never saw it.
    """
    before = Transmission.objects.filter(invoice=note.corrects_id).first()
    if before is None or (before.group == Group.FAILED and before.status_code != REFUSED):
        return None
    try:
        return transmit(invoice_id=note.pk, by=by, on=on)
    except TransmitRefused:
        return None


def route_warnings(invoice: Invoice) -> list[Reason]:
    """Before a number is taken: a rejected invoice needs a credit note and another one."""
    if not platforms.connected():
        text = _(
            "This invoice has to go through an approved platform, to which nothing is connected "
            "yet: a PDF by email is not enough."
        )
        return [Reason("einvoicing", text, "")]
    route = route_of_client(invoice.client)
    if route.lacks == "address":
        text = _("%(why)s Take the new one first: the platform rejects an address that is gone.")
    elif route.way == Way.UNKNOWN:
        text = _("%(why)s It can be issued, but does not go to the platform by itself then.")
    else:
        return []
    return [Reason("einvoicing", text % {"why": route.reason}, "client")]
