"""Two clients that are one: the CRM merged them, their account is one from then on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from invoices.models import Client


def merge_clients(*, loser_id: int, winner_id: int, at: datetime) -> None:
    """Lead the loser, and all that were merged into it before, to the winner's account.

    Invoices and payments stay with whom they name; every screen and sum asks the account.
    """
    with transaction.atomic():
        winner = Client.objects.get(pk=winner_id)
        account = winner.account_id
        if account == loser_id:
            # The CRM turned the merge round: the winner stands for itself again.
            Client.objects.filter(pk=winner_id).update(merged_into=None)
            account = winner_id
        Client.objects.filter(pk=loser_id, gone_at=None).update(gone_at=at)
        Client.objects.filter(pk=loser_id).update(merged_into=account)
        Client.objects.filter(merged_into=loser_id).exclude(pk=account).update(merged_into=account)
