"""What stands on the platform: counts by group, and what needs somebody first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    F,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from billing_portal.accounts.models import User
from invoices.einvoicing.life import SILENT
from invoices.models import IncomingInvoice, Invoice, LifecycleStatus, Transmission
from invoices.models.einvoicing import Group

# Group → its rank in the list: what needs somebody stands first.
_RANK: Final = {
    Group.FAILED: 0,
    Group.DISPUTED: 1,
    Group.WAITING: 2,
    Group.CLIENT: 3,
    Group.PAID: 4,
    Group.CLOSED: 5,
}
SHOWN: Final = (Group.FAILED, Group.DISPUTED, Group.WAITING, Group.CLIENT, Group.PAID)


@dataclass(frozen=True)
class Counted:
    count: int
    # Currency → minor units, a credit note counts down.
    sums: dict[str, int]
    oldest: datetime | None


def visible(user: User) -> QuerySet[Transmission]:
    return Transmission.objects.filter(invoice__in=Invoice.objects.visible_to(user))


def counts(rows: QuerySet[Transmission]) -> dict[str, Counted]:
    """One query; of a group without any the zeros too."""
    found: dict[str, dict[str, Any]] = {}
    signed = Sum(
        Case(
            When(invoice__kind=Invoice.Kind.CREDIT_NOTE, then=-1 * F("invoice__total_minor")),
            default=F("invoice__total_minor"),
            output_field=BigIntegerField(),
        )
    )
    groups = rows.order_by().values("group", "invoice__currency")
    for row in groups.annotate(n=Count("pk"), minor=signed, oldest=Min("asked_at")):
        each = found.setdefault(row["group"], {"n": 0, "sums": {}, "oldest": None})
        each["n"] += row["n"]
        each["sums"][row["invoice__currency"]] = row["minor"]
        each["oldest"] = min(filter(None, (each["oldest"], row["oldest"])), default=None)
    empty: dict[str, Any] = {"n": 0, "sums": {}, "oldest": None}
    return {
        group: Counted(got["n"], got["sums"], got["oldest"])
        for group in SHOWN
        for got in (found.get(group, empty),)
    }


def in_order(rows: QuerySet[Transmission]) -> QuerySet[Transmission]:
    """What needs somebody first, of each group the newest."""
    rank = Case(
        *(When(group=group, then=Value(place)) for group, place in _RANK.items()),
        default=Value(9),
        output_field=IntegerField(),
    )
    return rows.annotate(rank=rank).order_by("rank", "-pk")


def needing(rows: QuerySet[Transmission], now: datetime) -> QuerySet[Transmission]:
    """Rejected, refused, disputed, or without any word for a day; the oldest first."""
    silent = Q(group=Group.WAITING, flow__sent_at__lt=now - SILENT) & (
        Q(status_at=None) | Q(status_at__lt=now - SILENT)
    )
    return rows.filter(Q(group__in=[Group.FAILED, Group.DISPUTED]) | silent).order_by("pk")


def unknown() -> QuerySet[LifecycleStatus]:
    """Messages of which nothing could be made, the newest first."""
    return LifecycleStatus.objects.filter(transmission=None).defer("content").order_by("-pk")


def incoming() -> tuple[int, datetime | None]:
    found = IncomingInvoice.objects.aggregate(n=Count("pk"), newest=Max("kept_at"))
    return found["n"], found["newest"]
