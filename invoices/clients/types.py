"""Client types: order, merge, delete. Their names and marks are plain rows (type_forms)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.models import Client, ClientType


class ClientTypeRefused(Exception):
    """The client type stays as it is; the message is written for staff."""


def move(*, client_type_id: int, up: bool) -> None:
    """One place up or down; positions are numbered again in the order shown."""
    with transaction.atomic():
        order = list(ClientType.objects.select_for_update().order_by("position", "name", "pk"))
        at = next((i for i, each in enumerate(order) if each.pk == client_type_id), None)
        if at is None:
            return
        to = at - 1 if up else at + 1
        if 0 <= to < len(order):
            order[at], order[to] = order[to], order[at]
        for place, each in enumerate(order, 1):
            each.position = place * 10
        ClientType.objects.bulk_update(order, ["position"])


def merge(*, client_type_id: int, into_id: int) -> int:
    """Move the clients to another type and delete this one; returns how many moved."""
    if client_type_id == into_id:
        raise ClientTypeRefused(_("Choose another client type to move the clients to."))
    with transaction.atomic():
        rows = {
            each.pk: each
            for each in ClientType.objects.select_for_update()
            .filter(pk__in=[client_type_id, into_id])
            .order_by("pk")
        }
        if len(rows) < 2:
            raise ClientTypeRefused(_("One of the two client types is gone: nothing was moved."))
        moved = Client.objects.filter(client_type_id=client_type_id).update(client_type_id=into_id)
        rows[client_type_id].delete()
        return moved


def delete(*, client_type_id: int) -> None:
    """Only a type that no client has."""
    with transaction.atomic():
        row = ClientType.objects.select_for_update().filter(pk=client_type_id).first()
        if row is None:
            return
        used = row.clients.count()
        if used:
            raise ClientTypeRefused(
                ngettext(
                    "%(type)s has %(n)s client: move it to another type first.",
                    "%(type)s has %(n)s clients: move them to another type first.",
                    used,
                )
                % {"type": row.name, "n": used}
            )
        row.delete()
