"""The seller's message 212: money received, one for each receipt, by VAT rate.

Not a hook of the payments: a sweep asks the database what settled a document and was not declared
yet, so it survives any crash; a unique row per allocation keeps it from being said twice. A receipt
that is taken back is declared with a minus, as the use cases do it for a credit note (UC5). [U]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from billing_portal.money import from_minor
from invoices.documents.cdar.message import Amount
from invoices.documents.cdar.writing import ADMINISTRATION
from invoices.einvoicing.folding import fold
from invoices.einvoicing.locking import locked
from invoices.einvoicing.minor import share
from invoices.einvoicing.own_messages import Said, buyer_of, put_into_outbox
from invoices.einvoicing.statuses import RECEIVED_MONEY
from invoices.einvoicing.taking_in import ZONE
from invoices.einvoicing.transmitting import tell
from invoices.models import (
    Allocation,
    DeclaredAllocation,
    Invoice,
    Transmission,
)
from invoices.models.einvoicing import Group, TransmissionQuerySet

ByRate = Mapping[Decimal, int]
WORDS: Final = "Encaissée"
_Kind = Allocation.Kind
# A credit that was kept in the books only was never declared by its note either.
_COUNTED: Final = (Group.WAITING, Group.CLIENT, Group.DISPUTED, Group.PAID)


def at_the_platform() -> Q:
    """Transmissions that the platform has taken and not rejected."""
    return Q(group__in=_COUNTED) & (
        Q(deposited_at__isnull=False) | Q(received_at__isnull=False) | Q(flow__acknowledged="Ok")
    )


def declare_all(limit: int = 200) -> int:
    """Put a message into the outbox for each receipt that was not told yet; how many."""
    made = 0
    for pk in _with_news().order_by("pk").values_list("pk", flat=True)[:limit]:
        made += declare(pk)
    return made


def _with_news() -> TransmissionQuerySet:
    told = DeclaredAllocation.objects.filter(
        allocation=OuterRef("pk"), transmission=OuterRef(OuterRef("pk"))
    )
    of_document = Q(invoice=OuterRef("invoice"), kind=_Kind.PAYMENT) | Q(
        invoice=OuterRef("invoice"), kind=_Kind.CREDIT, credit_note__transmission__isnull=False
    )
    of_note = Q(credit_note=OuterRef("invoice"), kind=_Kind.REFUND) | Q(
        credit_note=OuterRef("invoice"),
        kind=_Kind.CREDIT,
        invoice__transmission__isnull=False,
    )
    # Two questions of one index each: asked with OR, neither index would serve.
    return Transmission.objects.filter(at_the_platform()).filter(
        Exists(Allocation.objects.filter(of_document).filter(~Exists(told)))
        | Exists(Allocation.objects.filter(of_note).filter(~Exists(told)))
    )


@dataclass(frozen=True)
class Receipt:
    """What one message tells: rows of one payment or credit note, and its amounts by rate."""

    rows: tuple[Allocation, ...]
    by_rate: ByRate

    @property
    def minor(self) -> int:
        return sum(self.by_rate.values())


def declare(transmission_id: int) -> int:
    """The receipts of one document that were not told yet, under its lock; how many."""
    with transaction.atomic():
        found = locked(at_the_platform() & Q(pk=transmission_id))
        if found is None:
            return 0
        receipts = untold(found)
        for receipt in receipts:
            _put_into_outbox(found, receipt)
        if receipts:
            fold(found)
        return len(receipts)


def untold(transmission: Transmission) -> list[Receipt]:
    """What is to be declared; a receipt taken back before it was told is not told at all."""
    document = transmission.invoice
    rows = list(_settling(document))
    split = amounts_by_rate(document, rows)
    told = set(transmission.declared.values_list("allocation_id", flat=True))
    back = {row.takes_back_id: row.pk for row in rows if row.takes_back_id}
    grouped: dict[tuple[int | None, int | None, int | None, bool], list[Allocation]] = {}
    for row in rows:
        undone_untold = back.get(row.pk, row.takes_back_id)
        if row.pk in told or not _counts(row, document):
            continue
        if undone_untold is not None and undone_untold not in told:
            continue
        key = (row.payment_id, row.credit_note_id, row.refund_id, row.amount_minor < 0)
        grouped.setdefault(key, []).append(row)
    found = []
    for together in grouped.values():
        sums: dict[Decimal, int] = defaultdict(int)
        for row in together:
            for rate, minor in split[row.pk].items():
                sums[rate] += minor
        found.append(Receipt(tuple(together), {r: m for r, m in sums.items() if m}))
    return [receipt for receipt in found if receipt.by_rate]


def _settling(document: Invoice) -> Iterator[Allocation]:
    rows = Allocation.objects.select_related("payment")
    rows = (
        rows.filter(credit_note=document)
        if document.is_credit_note
        else rows.filter(invoice=document)
    )
    accepted = Q(credit_note__transmission__group__in=_COUNTED)
    if document.is_credit_note:
        accepted = Q(invoice__transmission__group__in=_COUNTED)
    return (
        rows.annotate(other_is_told=Exists(Allocation.objects.filter(accepted, pk=OuterRef("pk"))))
        .order_by("pk")
        .iterator()
    )


def _counts(row: Allocation, document: Invoice) -> bool:
    if row.kind == _Kind.CREDIT:
        return bool(row.other_is_told)  # type: ignore[attr-defined]
    return row.kind == (_Kind.REFUND if document.is_credit_note else _Kind.PAYMENT)


def amounts_by_rate(document: Invoice, rows: Sequence[Allocation]) -> dict[int, ByRate]:
    """Allocation → its amount by VAT rate, with VAT, in minor units; of a credit note with a minus.

    Each takes its share of what every rate still has open, so the last one has the rest; what takes
    one back takes back its very amounts. The parts of one come to its amount, to the cent.
    """
    left: dict[Decimal, int] = defaultdict(int)
    for rate, basis, vat in document.vat_breakdown.order_by("-rate", "category").values_list(
        "rate", "basis_minor", "vat_minor"
    ):
        left[rate] += basis + vat
    sign = -1 if document.is_credit_note else 1
    found: dict[int, ByRate] = {}
    for row in rows:
        if row.takes_back_id in found:
            mine = {rate: -minor for rate, minor in found[row.takes_back_id].items()}
        else:
            mine = {r: sign * m for r, m in split(row.amount_minor, left).items()}
        for rate, minor in mine.items():
            left[rate] -= sign * minor
        found[row.pk] = mine
    return found


def split(minor: int, left: ByRate) -> dict[Decimal, int]:
    """`minor` in proportion to what is left of each; the cent that rounding leaves goes to the
    largest. Nothing left: nothing is said."""
    whole = sum(left.values())
    if not whole:
        return {}
    parts = {rate: share(open_minor, minor, whole) for rate, open_minor in left.items()}
    largest = max(parts, key=lambda rate: (abs(left[rate]), rate))
    parts[largest] += minor - sum(parts.values())
    return parts


# ─ The message ──────────────────────────────────────────────────────────────────────────────────
def _put_into_outbox(transmission: Transmission, receipt: Receipt) -> None:
    document = transmission.invoice
    row = put_into_outbox(
        transmission,
        Said(
            code=RECEIVED_MONEY,
            words=WORDS,
            at=_moment(receipt),
            recipients=(buyer_of(transmission), ADMINISTRATION),
            amounts=tuple(
                Amount("MEN", from_minor(minor, document.currency).amount, document.currency, rate)
                for rate, minor in receipt.by_rate.items()
            ),
        ),
    )
    DeclaredAllocation.objects.bulk_create(
        DeclaredAllocation(allocation=each, transmission=transmission, status=row)
        for each in receipt.rows
    )
    tell(
        document,
        "declared",
        status_id=row.pk,
        amount_minor=receipt.minor,
        currency=document.currency,
    )


def _moment(receipt: Receipt) -> datetime:
    """The day on which the money counts, at noon; of today, now. Local time of France. [U]"""
    now = timezone.localtime(timezone.now(), ZONE)
    day = max(row.applied_on for row in receipt.rows)
    if day >= now.date():
        return now.replace(microsecond=0)
    return datetime.combine(day, time(12), tzinfo=ZONE)
