"""Who is billed for a deal to which the CRM gives no organisation: a person chooses a client.

The choice stands over imports. The CRM's own word is kept beside it (`client_in_crm`): while it
names nobody, or the same account, all is quiet; once it names another client, a person decides who
is billed, and that answer holds until the CRM names yet another one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.changes import last_change, write_down
from billing_portal.confirming import Shown, locked
from invoices.deals.changes import changing
from invoices.models import Client, Deal, Invoice

_FIELDS = ("client", "client_chosen_by", "client_chosen_at", "client_chosen_over")


class ChoiceRefused(Exception):
    """The deal keeps the client that it has; the message is written for staff."""


def may_choose(deal: Deal, billing: Invoice | None) -> bool:
    """A won deal that the CRM gives to nobody, or that was chosen for before; not drafted yet."""
    free = deal.client_id is None or deal.client_chosen_at is not None
    return free and billing is None and deal.status == Deal.Status.WON


def choice_shown(deal: Deal) -> Shown:
    """What the person chose upon: whom the deal has now, and whom the CRM names."""
    names = ("client_id", "client_chosen_at", "client_chosen_over_id", "client_in_crm_id")
    return Shown(
        {name: getattr(deal, name) for name in names},
        lambda since: last_change(deal, since=since, fields=["client"]),
    )


def choice_under_lock(deal_id: int) -> Callable[[], Shown]:
    def read() -> Shown:
        deal = locked(Deal.objects.all(), deal_id)
        return choice_shown(deal) if deal is not None else Shown({})

    return read


def choose_client(*, deal_id: int, client_id: int, by: User, on: date) -> Deal:
    """This client's account is billed for the deal. Raises ChoiceRefused."""
    with transaction.atomic():
        deal = _open_deal(deal_id)
        client = Client.objects.select_related("merged_into").filter(pk=client_id).first()
        if client is None:
            raise ChoiceRefused(_("This client is no longer here: choose another one."))
        account = client.merged_into or client
        if deal.client_in_crm is not None and deal.client_in_crm.account_id == account.pk:
            return _back_to_crm(deal, by, on)
        deal.client, deal.client_chosen_over = account, deal.client_in_crm
        deal.client_chosen_by, deal.client_chosen_at = by, timezone.now()
        _keep(deal, by, on)
        return deal


def take_choice_back(*, deal_id: int, by: User, on: date) -> Deal:
    """The deal is again whose the CRM says it is; twice is as once. Raises ChoiceRefused."""
    with transaction.atomic():
        deal = _open_deal(deal_id)
        return deal if deal.client_chosen_at is None else _back_to_crm(deal, by, on)


def follow_merges(on: date) -> None:
    """Chosen clients that were merged lead to their account; other deals the CRM moves itself."""
    chosen = Deal.objects.filter(
        client_chosen_at__isnull=False, client__merged_into__isnull=False
    ).select_for_update(of=("self",))
    deals = list(chosen.select_related("client").order_by("pk"))
    with changing([deal.pk for deal in deals], on):
        for deal in deals:
            if deal.client is not None:
                deal.client_id = deal.client.account_id
                deal.save(update_fields=["client", "updated_at"])


def _open_deal(deal_id: int) -> Deal:
    deal: Deal | None = locked(Deal.objects.select_related("client_in_crm"), deal_id)
    if deal is None:
        raise ChoiceRefused(_("This deal is no longer here."))
    billing = Invoice.objects.billing().filter(deal=deal).first()
    if billing is not None:
        raise ChoiceRefused(
            _("A draft of this deal exists: discard it first.")
            if billing.is_draft
            else _("This deal is billed already: %(number)s.") % {"number": billing.number}
        )
    if deal.status != Deal.Status.WON:
        raise ChoiceRefused(_("The deal is not won."))
    if not may_choose(deal, billing):
        raise ChoiceRefused(_("The CRM gives this deal an organisation: change it there."))
    return deal


def _back_to_crm(deal: Deal, by: User, on: date) -> Deal:
    deal.client, deal.client_in_crm = deal.client_in_crm, None
    deal.client_chosen_by = deal.client_chosen_at = deal.client_chosen_over = None
    _keep(deal, by, on)
    return deal


def _keep(deal: Deal, by: User, on: date) -> None:
    with changing([deal.pk], on):
        deal.save(update_fields=[*_FIELDS, "client_in_crm", "updated_at"])
    write_down(deal, ["client"], by)
