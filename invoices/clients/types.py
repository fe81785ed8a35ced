"""Client types: order, merge, delete. Their names and marks are plain rows (type_forms)."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invoices.models import Client, ClientType, Invoice


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


class Moved(NamedTuple):
    clients: int
    invoices: int


def merge(*, client_type_id: int, into_id: int) -> Moved:
    """Move clients and issued invoices to another type, delete this one; returns how many moved.

    It changes what past reports by client type say, which nothing else does: a client that changes
    its type takes no invoice along.
    """
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
        # Said first: the database lets issued invoices follow their type there, and only there.
        source = rows[client_type_id]
        source.merged_into_id = into_id
        source.save(update_fields=["merged_into"])
        moved = Client.objects.filter(client_type=source).update(client_type_id=into_id)
        invoices = Invoice.objects.filter(client_type=source).update(client_type_id=into_id)
        source.delete()
        return Moved(moved, invoices)


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
        if row.invoices.exists():
            raise ClientTypeRefused(
                _(
                    "Invoices were issued to clients of this type, and reports count them there: "
                    "merge it into another one instead."
                )
            )
        row.delete()
