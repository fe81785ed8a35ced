"""The deposits that a final invoice takes off: its rows, made from what is left of each deposit.

A draft makes them anew whenever it is saved; when it is issued they must still say what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, from_minor
from invoices.documents import mentions
from invoices.documents.deposits import Deducted, Group, in_proportion
from invoices.invoicing.reasons import Reason
from invoices.models import DepositDeduction, Invoice, InvoiceEvent, InvoiceLine, VatBreakdown


@dataclass(frozen=True)
class Left:
    """A part of a deposit that no credit note took back, taxed in one way."""

    vat_category: str
    vat_rate: Decimal
    nature: str
    exemption_id: int | None
    net_minor: int
    vat_minor: int


def left_of(deposit: Invoice) -> list[Left]:
    """What is left of an issued deposit, by VAT, nature and exemption. Lock it before acting."""
    groups: dict[Group, list[int]] = {}
    for row in deposit.vat_breakdown.order_by("-rate", "category"):
        groups[row.category, Decimal(row.rate)] = [row.basis_minor, row.vat_minor]
    notes = VatBreakdown.objects.filter(
        invoice__in=Invoice.objects.issued().filter(corrects=deposit)
    )
    taken = notes.order_by().values_list("category", "rate")
    for category, rate, net, vat in taken.annotate(net=Sum("basis_minor"), vat=Sum("vat_minor")):
        if (category, rate) in groups:
            groups[category, rate][0] -= net
            groups[category, rate][1] -= vat
    sorts: dict[Group, dict[tuple[str, int | None], int]] = {}
    for line in deposit.lines.all():
        of_group = sorts.setdefault((line.vat_category, Decimal(line.vat_rate)), {})
        sort = (line.nature, line.exemption_id)
        of_group[sort] = of_group.get(sort, 0) + line.net_minor
    found = []
    for group, (net, vat) in groups.items():
        weights = sorts.get(group) or {("", None): 1}
        if min(weights.values()) < 0:
            # A discount of another nature: no part of a deposit is below zero.
            weights = {max(weights, key=lambda sort: weights[sort]): 1}
        nets, vats = in_proportion(net, weights), in_proportion(vat, weights)
        found += [
            Left(*group, *sort, nets[sort], vats[sort])
            for sort in weights
            if nets[sort] or vats[sort]
        ]
    return found


def total_left(deposit: Invoice) -> int:
    """With VAT, in minor units."""
    return sum(part.net_minor + part.vat_minor for part in left_of(deposit))


# ─ The rows ─────────────────────────────────────────────────────────────────────────────────────
def lines_of(invoice: Invoice) -> list[InvoiceLine]:
    """The lines of a final invoice that take deposits off; those of others have none."""
    if not invoice.is_final:
        return []
    return list(invoice.lines.filter(deducts__isnull=False).select_related("deducts__deposit"))


def in_force(invoice: Invoice) -> list[DepositDeduction]:
    return list(
        DepositDeduction.objects.filter(invoice=invoice, released=False)
        .select_related("deposit")
        .order_by("deposit__issue_date", "deposit__pk")
    )


def refresh(invoice: Invoice) -> None:
    """Make the deductions of a locked draft anew, from what is left of their deposits today.

    One of which nothing is left goes. The caller adds the draft up.
    """
    deposits = [row.deposit for row in in_force(invoice)]
    write(invoice, deposits)


def write(invoice: Invoice, deposits: Sequence[Invoice]) -> None:
    """Let a locked draft deduct these deposits and no others; the caller has locked them too."""
    invoice.lines.filter(deducts__isnull=False).delete()
    DepositDeduction.objects.filter(invoice=invoice).delete()
    place = invoice.lines.count()
    for deposit in deposits:
        parts = [part for part in left_of(deposit) if part.net_minor]
        if not parts:
            continue
        row = DepositDeduction.objects.create(
            invoice=invoice,
            deposit=deposit,
            net_minor=sum(part.net_minor for part in parts),
            vat_minor=sum(part.vat_minor for part in parts),
            takes_over=invoice.is_corrective,
        )
        InvoiceLine.objects.bulk_create(
            _line(invoice, row, part, place + n) for n, part in enumerate(parts, 1)
        )
        place += len(parts)


def _line(invoice: Invoice, row: DepositDeduction, part: Left, place: int) -> InvoiceLine:
    return InvoiceLine(
        invoice=invoice,
        position=place,
        description=words_of(row.deposit, invoice.language),
        quantity=-1 if part.net_minor > 0 else 1,
        unit_price=from_minor(abs(part.net_minor), invoice.currency).amount,
        vat_category=part.vat_category,
        vat_rate=part.vat_rate,
        nature=part.nature,
        exemption_id=part.exemption_id,
        net_minor=-part.net_minor,
        deducts=row,
        deducted_vat_minor=part.vat_minor,
    )


def words_of(deposit: Invoice, language: str) -> str:
    """In the language of the document."""
    assert deposit.issue_date is not None
    french = language == "fr"
    day = mentions.long_date(deposit.issue_date, "fr" if french else "en")
    if french:
        return f"Acompte facturé\u202f: {deposit.number} du {day}"
    return f"Deposit invoiced: {deposit.number} of {day}"


def deducted(lines: Iterable[InvoiceLine]) -> list[Deducted]:
    """What the lines of a document take off, for its arithmetic."""
    return [
        Deducted(
            line.vat_category, Decimal(line.vat_rate), -line.net_minor, line.deducted_vat_minor
        )
        for line in lines
        if line.deducts_id is not None
    ]


# ─ Issuing, crediting, discarding ───────────────────────────────────────────────────────────────
def lock(invoice: Invoice) -> None:
    """Nobody credits a deposit while the invoice that deducts it is issued."""
    if invoice.is_final:
        ids = DepositDeduction.objects.filter(invoice=invoice, released=False)
        deposits = Invoice.objects.filter(pk__in=ids.values("deposit")).order_by("pk")
        list(deposits.select_for_update().values_list("pk", flat=True))


def reasons(invoice: Invoice) -> list[Reason]:
    """Why a draft cannot be issued with the deductions that it has."""
    if not invoice.is_final:
        return []
    found = []
    said: dict[int, list[tuple[int, int]]] = {}
    for line in lines_of(invoice):
        said.setdefault(line.deducts_id or 0, []).append((-line.net_minor, line.deducted_vat_minor))
    for row in in_force(invoice):
        left = [(part.net_minor, part.vat_minor) for part in left_of(row.deposit) if part.net_minor]
        if left != said.get(row.pk, []):
            text = _(
                "The deposit %(number)s was credited since this draft was saved: save it again, "
                "and it deducts what is left."
            )
            found.append(Reason("deposits", text % {"number": row.deposit.number}, "#lines"))
    return found


def deducted_by(deposit: Invoice) -> Invoice | None:
    """The issued invoice that deducts this deposit."""
    row = (
        DepositDeduction.objects.filter(deposit=deposit, released=False)
        .exclude(invoice__status=Invoice.Status.DRAFT)
        .select_related("invoice")
        .first()
    )
    return row.invoice if row else None


def reason_not_to_credit(deposit: Invoice) -> str:
    """Its part of the whole is billed nowhere else: taken back, nobody would owe it."""
    final = deducted_by(deposit) if deposit.is_deposit else None
    if final is None:
        return ""
    return _(
        "%(deposit)s is deducted by the final invoice %(final)s. Credited alone, its part would be "
        "billed nowhere. Credit %(final)s whole first: the deposit is then free again, and can be "
        "credited or deducted anew."
    ) % {"deposit": deposit.number, "final": final.number}


def release(invoice: Invoice, *, by: User | None, on: date) -> None:
    """Its deposits may be deducted again: it was discarded, or credited whole."""
    if not invoice.is_final:
        return
    rows = in_force(invoice)
    DepositDeduction.objects.filter(pk__in=[row.pk for row in rows]).update(released=True)
    if invoice.is_issued:
        _tell(rows, InvoiceEvent.Kind.RELEASED, invoice, by=by, on=on)


def take_over(invoice: Invoice, *, by: User | None, on: date) -> None:
    """A corrected final invoice that is being issued deducts from now on what the old one did.

    Both are locked; the old one is credited whole in the same transaction.
    """
    if invoice.replaces is None or not invoice.is_final:
        return
    release(invoice.replaces, by=by, on=on)
    DepositDeduction.objects.filter(invoice=invoice, takes_over=True).update(takes_over=False)


def tell_deposits(invoice: Invoice, *, by: User | None, on: date) -> None:
    """Into the history of each deposit: which final invoice took it."""
    if invoice.is_final:
        _tell(in_force(invoice), InvoiceEvent.Kind.DEDUCTED, invoice, by=by, on=on)


def _tell(
    rows: Iterable[DepositDeduction], kind: str, invoice: Invoice, *, by: User | None, on: date
) -> None:
    InvoiceEvent.objects.bulk_create(
        InvoiceEvent(
            invoice=row.deposit,
            kind=kind,
            on=on,
            by=by,
            data={
                "number": invoice.number,
                "invoice_id": invoice.pk,
                "amount_minor": row.total_minor,
                "currency": invoice.currency,
            },
        )
        for row in rows
    )


def in_words(rows: Iterable[DepositDeduction]) -> str:
    """“F-2026-0003 (€360.00), …”, for the reader."""
    return ", ".join(
        f"{row.deposit.number} ({formatted_minor(row.total_minor, row.deposit.currency)})"
        for row in rows
    )
