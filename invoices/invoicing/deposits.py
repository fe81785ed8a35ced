"""Deposits: billed as invoices of their own, and taken off the final invoice that bills the whole.

deducting.py makes the rows; here is what somebody does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, from_minor
from invoices.documents.deposits import in_proportion, share_of
from invoices.documents.totals import LineInput, TotalsRefused, compute
from invoices.invoicing import deducting, drafting
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.drafting import DraftRefused
from invoices.models import Client, DepositDeduction, Invoice, InvoiceLine


# ─ Billing a deposit ────────────────────────────────────────────────────────────────────────────
def words_of_deposit(language: str, of: str, *, percent: Decimal) -> str:
    """The line of a deposit on `of`, in the language of the document."""
    share = format(percent.normalize() + 0, "f")
    if language == "fr":
        part = f" de {share.replace('.', ',')}\u202f%" if percent else ""
        return f"Acompte{part} sur {of}"
    part = f" of {share}%" if percent else ""
    return f"Deposit{part} on {of}"


def deposit_lines(
    whole: Sequence[DraftLine],
    currency: str,
    *,
    words: str,
    percent: Decimal = Decimal(0),
    amount_minor: int = 0,
) -> list[DraftLine]:
    """A share of the lines of the whole, one line for each way in which they are taxed.

    `percent` of the net, or `amount_minor` with VAT. Raises TotalsRefused.
    """
    totals = compute([line.amounts for line in whole], currency=currency)
    sorts: dict[tuple[str, Decimal], dict[tuple[str, int | None], int]] = {}
    for line, sums in zip(whole, totals.lines, strict=True):
        of_group = sorts.setdefault((line.amounts.vat_category, line.amounts.vat_rate), {})
        sort = (line.nature, line.exemption_id)
        of_group[sort] = of_group.get(sort, 0) + sums.net_minor
    found = []
    for (category, rate), net in share_of(
        totals, percent=percent, amount_minor=amount_minor
    ).items():
        weights = sorts[category, rate]
        if min(weights.values()) * max(weights.values()) < 0:
            weights = {max(weights, key=lambda sort: abs(weights[sort])): 1}
        for (nature, exemption_id), minor in in_proportion(net, weights).items():
            if minor:
                amounts = LineInput(
                    quantity=Decimal(1 if minor > 0 else -1),
                    unit_price=from_minor(abs(minor), currency).amount,
                    vat_rate=rate,
                    vat_category=category,
                )
                found.append(
                    DraftLine(words, "C62", amounts, exemption_id=exemption_id, nature=nature)
                )
    return found


def bill_deposit_on(
    *,
    invoice_id: int,
    percent: Decimal = Decimal(0),
    amount_minor: int = 0,
    by: User | None,
    on: date,
) -> Invoice:
    """A deposit of a share of what a draft bills, as a draft of its own. Raises DraftRefused.

    The draft stays: once the deposit is issued, it can deduct it, and is then the final invoice.
    """
    if not 0 <= percent <= 100 or amount_minor < 0 or bool(percent) == bool(amount_minor):
        raise DraftRefused(_("A deposit is above 0 and at most 100 per cent."))
    with transaction.atomic():
        whole = drafting.locked_draft(invoice_id)
        if whole.is_deposit:
            raise DraftRefused(_("This draft is a deposit itself."))
        rows = list(whole.lines.filter(deducts=None))
        of = _basis_in_words(whole)
        try:
            lines = deposit_lines(
                [as_draft_line(row) for row in rows],
                whole.currency,
                words=words_of_deposit(whole.language, of, percent=percent),
                percent=percent,
                amount_minor=amount_minor,
            )
            totals = compute([line.amounts for line in lines], currency=whole.currency)
        except TotalsRefused as refusal:
            raise DraftRefused(str(refusal)) from None
        if totals.total_minor <= 0:
            raise DraftRefused(_("A deposit of this would be nothing: give lines first."))
        if totals.total_minor > whole.total_minor:
            raise DraftRefused(
                _("The deposit is more than the draft bills: %(total)s at most.")
                % {"total": formatted_minor(whole.total_minor, whole.currency)}
            )
        return drafting.draft(
            client=whole.client,
            lines=lines,
            totals=totals,
            by=by,
            on=on,
            told={"deposit_on": whole.pk, "deposit_of": whole.title or str(whole)},
            owner_id=whole.owner_id,
            title=whole.title,
            language=whole.language,
            currency=whole.currency,
            terms_kind=whole.terms_kind,
            terms_days=whole.terms_days,
            purchase_order=whole.purchase_order,
            recipients=list(whole.recipients),
            **whole.supplied,
            purpose=Invoice.Purpose.DEPOSIT,
        )


def _basis_in_words(whole: Invoice) -> str:
    """What the deposit is a part of, as its line says it."""
    if whole.title:
        return f"«\u00a0{whole.title}\u00a0»" if whole.language == "fr" else f"“{whole.title}”"
    if whole.purchase_order:
        french = whole.language == "fr"
        return f"{'la commande' if french else 'order'} {whole.purchase_order}"
    return "votre commande" if whole.language == "fr" else "your order"


def as_draft_line(row: InvoiceLine) -> DraftLine:
    return DraftLine(
        row.description,
        row.unit,
        drafting.input_of(row),
        price_missing=row.price_missing,
        exemption_id=row.exemption_id,
        nature=row.nature,
        item_id=row.item_id,
    )


# ─ Taking deposits off ──────────────────────────────────────────────────────────────────────────
def locked(ids: Iterable[int]) -> list[Invoice]:
    """In the order of their keys, as everybody locks them."""
    deposits = Invoice.objects.filter(pk__in=list(ids)).order_by("pk")
    return list(deposits.select_for_update(of=("self",)))


def to_deduct(invoice: Invoice) -> list[Invoice]:
    """The deposits of the client's account that a draft may take off, those it does among them."""
    if not invoice.is_draft or invoice.is_deposit or invoice.is_corrective:
        return []
    others = DepositDeduction.objects.filter(released=False).exclude(invoice=invoice)
    found = (
        Invoice.objects.issued()
        .filter(
            purpose=Invoice.Purpose.DEPOSIT,
            client__in=Client.objects.account_of(invoice.client_id),
            currency=invoice.currency,
        )
        .exclude(pk__in=others.values("deposit"))
        .order_by("issue_date", "pk")
    )
    return [deposit for deposit in found if deducting.total_left(deposit) > 0]


def choose_deposits(
    *, invoice_id: int, deposit_ids: Collection[int], by: User | None, on: date
) -> Invoice:
    """Let a draft deduct these deposits and no others. Raises DraftRefused."""
    with transaction.atomic():
        invoice = drafting.locked_draft(invoice_id)
        deposits = locked(deposit_ids)
        offered = {deposit.pk for deposit in to_deduct(invoice)}
        for pk in deposit_ids:
            if pk not in offered:
                raise DraftRefused(_refusal(pk, invoice))
        deduct(invoice, deposits)
        return invoice


def deduct(invoice: Invoice, deposits: Sequence[Invoice]) -> None:
    """Both the draft and the deposits are locked by the caller. Raises DraftRefused."""
    taken = DepositDeduction.objects.filter(deposit__in=deposits, released=False)
    if other := taken.exclude(invoice=invoice).select_related("deposit", "invoice").first():
        raise DraftRefused(_deducted_elsewhere(other))
    invoice.purpose = Invoice.Purpose.FINAL if deposits else Invoice.Purpose.STANDARD
    invoice.save(update_fields=["purpose", "updated_at"])
    deducting.write(invoice, deposits)
    try:
        drafting.recalculate(invoice)
    except TotalsRefused as refusal:
        raise DraftRefused(str(refusal)) from None


def _refusal(pk: int, invoice: Invoice) -> str:
    other = (
        DepositDeduction.objects.filter(deposit=pk, released=False)
        .exclude(invoice=invoice)
        .select_related("deposit", "invoice")
        .first()
    )
    if other is not None:
        return _deducted_elsewhere(other)
    return _("One of these deposits can no longer be deducted. Nothing was changed: look again.")


def _deducted_elsewhere(row: DepositDeduction) -> str:
    return _("The deposit %(deposit)s is deducted already, by %(final)s.") % {
        "deposit": row.deposit.number,
        "final": row.invoice.number or _("another draft"),
    }
