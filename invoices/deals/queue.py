"""The queue of won deals that nobody has billed yet: what is ready, what lacks what, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invoices.deals.lacking import Missing, missing_for
from invoices.models import Company, Deal, Invoice

# What a deal lacks is found by adding its lines up, so the queue looks at so many at a time, the
# latest won first. More than this waiting is a sign that the first billing day is not set.
MOST_EXAMINED = 500

# Short words for a chip; what is not here is said in its own sentence.
CHIPS: dict[str, Any] = {
    "client": gettext_lazy("Organisation"),
    "other_client": gettext_lazy("Another client in the CRM"),
    "address": gettext_lazy("Billing address"),
    "billing_email": gettext_lazy("Billing email"),
    "vat_id": gettext_lazy("VAT id"),
    "siren": gettext_lazy("SIREN"),
    "purchase_order": gettext_lazy("Purchase order"),
    "exempt": gettext_lazy("Reason for no VAT"),
    "quote": gettext_lazy("Accepted quote"),
}
# These are mended on the client's page, the others in the CRM or in the draft.
OF_THE_CLIENT = {"address", "billing_email", "vat_id", "siren"}
# These where the client of the deal is chosen.
OF_THE_CHOICE = {"client", "other_client"}


class SetAsideRefused(Exception):
    """The deal stays where it is; the message is written for staff."""


@dataclass(frozen=True)
class Waiting:
    """A deal of the queue and what it lacks."""

    deal: Deal
    missing: tuple[Missing, ...]

    @property
    def is_ready(self) -> bool:
        return not any(each.blocking for each in self.missing)

    @property
    def can_be_drafted(self) -> bool:
        return not any(each.prevents_draft for each in self.missing)

    @property
    def blocking(self) -> list[Missing]:
        return [each for each in self.missing if each.blocking]

    @property
    def remarks(self) -> list[Missing]:
        return [each for each in self.missing if not each.blocking]


@dataclass(frozen=True)
class Queue:
    ready: list[Waiting]
    lacking: list[Waiting]
    # There are more than were looked at.
    cut_off: bool

    @property
    def all(self) -> list[Waiting]:
        return [*self.ready, *self.lacking]


def first_billing_day() -> date | None:
    """What was won before was billed in the old system."""
    return Company.objects.filter(pk=1).values_list("billing_starts_on", flat=True).first()


def examine(deals: QuerySet[Deal], company: Company | None = None) -> Queue:
    """Sort deals into ready and lacking, in a number of queries that does not grow with them."""
    company = company or Company.ours()
    found = list(
        deals.select_related(
            "client__client_type", "client_in_crm", "owner", "stage__pipeline"
        ).order_by("-won_on", "-pk")[: MOST_EXAMINED + 1]
    )
    cut_off = len(found) > MOST_EXAMINED
    found = found[:MOST_EXAMINED]
    missing = missing_for(found, company)
    waiting = [Waiting(deal, tuple(missing[deal.pk])) for deal in found]
    return Queue(
        ready=[each for each in waiting if each.is_ready],
        lacking=[each for each in waiting if not each.is_ready],
        cut_off=cut_off,
    )


def set_aside(*, deal_id: int, reason: str, at: datetime) -> Deal:
    """This deal is not billed here, and why; it leaves the queue. Raises SetAsideRefused."""
    reason = reason.strip()
    if not reason:
        raise SetAsideRefused(_("Say why it is not billed here."))
    if len(reason) > 300:
        raise SetAsideRefused(_("At most %(limit)s characters.") % {"limit": 300})
    with transaction.atomic():
        deal = _locked(deal_id)
        if deal.set_aside_at is not None:
            raise SetAsideRefused(
                _("It was set aside already: “%(reason)s”") % {"reason": deal.set_aside_reason}
            )
        billed = (
            deal.invoices.filter(kind=Invoice.Kind.INVOICE)
            .exclude(status=Invoice.Status.VOID)
            .first()
        )
        if billed is not None:
            raise SetAsideRefused(
                _("A draft of this deal exists: discard it first.")
                if billed.is_draft
                else _("This deal is billed already: %(number)s.") % {"number": billed.number}
            )
        deal.set_aside_at, deal.set_aside_reason = at, reason
        deal.save(update_fields=["set_aside_at", "set_aside_reason", "updated_at"])
        return deal


def take_back(*, deal_id: int) -> Deal:
    """A deal that was set aside waits in the queue again; doing it twice changes nothing."""
    with transaction.atomic():
        deal = _locked(deal_id)
        if deal.set_aside_at is not None:
            deal.set_aside_at, deal.set_aside_reason = None, ""
            deal.save(update_fields=["set_aside_at", "set_aside_reason", "updated_at"])
        return deal


def _locked(deal_id: int) -> Deal:
    deal = Deal.objects.select_for_update().filter(pk=deal_id).first()
    if deal is None:
        raise SetAsideRefused(_("This deal is no longer here."))
    return deal
