"""What a deal lacks, in short words that lead to where it is mended."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from billing_portal.accounts.models import User
from invoices.deals.lacking import Missing
from invoices.deals.queue import CHIPS, OF_THE_CHOICE, OF_THE_CLIENT
from invoices.models import Deal


@dataclass(frozen=True)
class Chip:
    """One thing that a deal lacks, and where it is mended."""

    text: str
    url: str
    hint: str


def chip(missing: Missing, deal: Deal, user: User) -> Chip:
    short = CHIPS.get(missing.field)
    text = str(short) if short else missing.text
    chosen = deal.client_id is None or deal.client_chosen_at is not None
    if missing.field in OF_THE_CHOICE and chosen and user.has_perm("invoices.bill_deal"):
        url = reverse("invoices:deal-client", args=[deal.pk])
    elif (
        missing.field in OF_THE_CLIENT
        and deal.client_id
        and user.has_perm("invoices.change_client")
    ):
        url = reverse("invoices:client-edit", args=[deal.client_id])
    else:
        url = reverse("invoices:deal", args=[deal.pk])
    return Chip(text, url, missing.text)
