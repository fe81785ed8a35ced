"""Credit notes: what answers a mistake on an issued invoice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor, from_minor, to_minor
from invoices.clients.vat import vat_treatment
from invoices.documents.totals import STANDARD, LineInput, split, vat_of
from invoices.invoicing import drafting
from invoices.invoicing.freezing import IssueRefused, freeze, queue_mail
from invoices.invoicing.readiness import Reason, company_reasons
from invoices.models import Company, Invoice, InvoiceEvent, InvoiceLine, VatBreakdown
from invoices.payments import settling


@dataclass(frozen=True)
class CreditLine:
    """A part of an invoice line to credit: its net in minor units, with the line's own sign."""

    line_id: int
    net_minor: int


@dataclass(frozen=True)
class Creditable:
    """What credit notes have left of an invoice: in all, and net of each line."""

    total_minor: int
    net_by_line: dict[int, int]
    # (category, rate) → (basis, VAT)
    by_rate: dict[tuple[str, Decimal], tuple[int, int]]


def creditable(invoice: Invoice) -> Creditable:
    """Reads the credit notes issued so far; lock the invoice before acting on it."""
    notes = Invoice.objects.filter(corrects=invoice).issued()
    total = invoice.total_minor - (notes.aggregate(sum=Sum("total_minor"))["sum"] or 0)
    net_by_line = {line.pk: line.net_minor for line in invoice.lines.all()}
    events = InvoiceEvent.objects.filter(
        invoice__in=notes, kind=InvoiceEvent.Kind.ISSUED
    ).values_list("data", flat=True)
    for data in events:
        for line_id, net_minor in data.get("lines", []):
            if line_id in net_by_line:
                net_by_line[line_id] -= net_minor
    by_rate = {
        (row.category, Decimal(row.rate)): (row.basis_minor, row.vat_minor)
        for row in invoice.vat_breakdown.all()
    }
    for row in VatBreakdown.objects.filter(invoice__in=notes):
        key = (row.category, Decimal(row.rate))
        if key in by_rate:
            basis, vat = by_rate[key]
            by_rate[key] = (basis - row.basis_minor, vat - row.vat_minor)
    return Creditable(total, net_by_line, by_rate)


def issue_credit_note(
    *,
    invoice_id: int,
    lines: Sequence[CreditLine] | None = None,
    reason: str,
    by: User | None,
    on: date,
    amount: Money | None = None,
    send: bool = False,
    recipients: Sequence[str] = (),
) -> Invoice:
    """Credit what is left of an invoice, parts of its lines, or an `amount` with VAT.

    It is applied to the invoice at once, as far as something is outstanding; the rest is the
    client's credit. Raises IssueRefused. Credit notes never exceed their invoice.
    """
    reason = reason.strip()
    if not reason:
        raise IssueRefused(
            [Reason("reason", _("Say why: it stands on the credit note."), "#id_reason")]
        )
    if len(reason) > 2000:
        raise IssueRefused([Reason("reason", _("At most 2,000 characters."), "#id_reason")])
    with transaction.atomic():
        invoice = _locked_for_credit(invoice_id)
        company = Company.ours()
        if reasons := company_reasons(company):
            raise IssueRefused(reasons)
        assert company is not None and invoice.issue_date is not None
        if on < invoice.issue_date:
            raise IssueRefused(_("A credit note is not dated before its invoice."))
        left = creditable(invoice)
        if left.total_minor <= 0:
            raise IssueRefused(
                _("%(number)s is credited in full already.") % {"number": invoice.number}
            )
        wanted = _wanted(invoice, left, lines, amount, company)
        note = Invoice.objects.create(
            kind=Invoice.Kind.CREDIT_NOTE,
            client=invoice.client,
            owner_id=invoice.owner_id,
            deal_id=invoice.deal_id,
            corrects=invoice,
            title=invoice.title,
            language=invoice.language,
            currency=invoice.currency,
            issue_date=on,
            due_date=on,
            terms_kind=invoice.terms_kind,
            terms_days=invoice.terms_days,
            service_from=invoice.service_from,
            service_until=invoice.service_until,
            purchase_order=invoice.purchase_order,
            note=reason,
            exchange_rate=invoice.exchange_rate,
            recipients=[a.strip() for a in recipients if a.strip()] or invoice.recipients,
            created_by=by,
        )
        rows = _store_credit_lines(note, wanted)
        totals = drafting.totals_of(note, rows)
        freeze(
            note,
            company,
            totals=totals,
            by=by,
            ahead=None,
            breakdown=list(note.vat_breakdown.all()),
            corrects=invoice,
        )
        applied = min(note.total_minor, invoice.outstanding_minor)
        InvoiceEvent.objects.create(
            invoice=note,
            kind=InvoiceEvent.Kind.ISSUED,
            on=on,
            by=by,
            data={
                "number": note.number,
                "corrects": invoice.number,
                "total_minor": note.total_minor,
                "currency": note.currency,
                "lines": [
                    [line.source_id, line.net_minor] for line in wanted.lines if line.source_id
                ],
            },
        )
        if applied:
            settling.allocate(
                invoice=invoice, amount_minor=applied, applied_on=on, by=by, credit_note=note
            )
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.CREDITED,
            on=on,
            by=by,
            data={
                "number": note.number,
                "credit_note_id": note.pk,
                "amount_minor": applied,
                "total_minor": note.total_minor,
                "currency": note.currency,
                "reason": reason[:300],
            },
        )
        if send:
            queue_mail(note, by=by, on=on)
    return note


def credit_totals(
    invoice: Invoice,
    *,
    lines: Sequence[CreditLine] | None = None,
    amount: Money | None = None,
) -> tuple[int, int]:
    """Net and VAT in minor units that `issue_credit_note` would credit now. Raises IssueRefused."""
    company = Company.ours()
    if reasons := company_reasons(company):
        raise IssueRefused(reasons)
    assert company is not None
    wanted = _wanted(invoice, creditable(invoice), lines, amount, company)
    groups = wanted.by_rate.values()
    return sum(basis for basis, _vat in groups), sum(vat for _basis, vat in groups)


def _locked_for_credit(invoice_id: int) -> Invoice:
    invoice = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("client")
        .filter(pk=invoice_id)
        .first()
    )
    if invoice is None:
        raise IssueRefused(_("This invoice is no longer here."))
    if invoice.is_credit_note:
        raise IssueRefused(_("A credit note cannot be credited: make an invoice."))
    if not invoice.is_issued:
        raise IssueRefused(_("Only an issued invoice is credited; a draft is simply changed."))
    return invoice


@dataclass(frozen=True)
class _NoteLine:
    description: str
    unit: str
    amounts: LineInput
    net_minor: int
    source_id: int | None = None


@dataclass(frozen=True)
class _Wanted:
    lines: tuple[_NoteLine, ...]
    # (category, rate) → (basis, VAT): VAT is what is left of the invoice's where all is credited.
    by_rate: dict[tuple[str, Decimal], tuple[int, int]]


def _wanted(
    invoice: Invoice,
    left: Creditable,
    lines: Sequence[CreditLine] | None,
    amount: Money | None,
    company: Company,
) -> _Wanted:
    if lines is not None and amount is not None:
        raise ValueError("a credit note is made by lines or by amount")
    if amount is not None:
        return _by_amount(invoice, left, amount, company)
    if not left.by_rate:
        # Brought in from an older system: only its sums are known.
        return _by_amount(invoice, left, from_minor(left.total_minor, invoice.currency), company)
    if lines is None:
        rest = [CreditLine(pk, net) for pk, net in left.net_by_line.items() if net]
        if sum(line.net_minor for line in rest) != sum(b for b, _vat in left.by_rate.values()):
            # Credited by amount before: what is left no longer belongs to single lines.
            return _by_amount(
                invoice, left, from_minor(left.total_minor, invoice.currency), company
            )
        lines = rest
    return _by_lines(invoice, left, lines)


def _by_lines(invoice: Invoice, left: Creditable, lines: Sequence[CreditLine]) -> _Wanted:
    rows = {row.pk: row for row in invoice.lines.all()}
    found: list[_NoteLine] = []
    bases: dict[tuple[str, Decimal], int] = {}
    for wanted in lines:
        row = rows.get(wanted.line_id)
        if row is None:
            raise IssueRefused(_("A line is not of this invoice. Nothing was kept: load it again."))
        rest = left.net_by_line[row.pk]
        if wanted.net_minor == 0:
            continue
        if wanted.net_minor * rest <= 0 or abs(wanted.net_minor) > abs(rest):
            raise IssueRefused(
                [
                    Reason(
                        f"line-{row.pk}",
                        _("“%(line)s” has %(left)s before VAT left to credit.")
                        % {
                            "line": row.description.splitlines()[0][:60],
                            "left": formatted_minor(rest, invoice.currency),
                        },
                        f"#id_line-{row.pk}",
                    )
                ]
            )
        found.append(_note_line(row, wanted.net_minor, invoice.currency))
        key = (row.vat_category, Decimal(row.vat_rate))
        bases[key] = bases.get(key, 0) + wanted.net_minor
    by_rate = {}
    for key, basis in bases.items():
        left_basis, left_vat = left.by_rate[key]
        if basis * left_basis < 0 or abs(basis) > abs(left_basis):
            raise IssueRefused(
                _(
                    "At %(rate)s %% VAT only %(left)s before VAT is left to credit: a discount of "
                    "the invoice belongs to it, credit that line too."
                )
                % {
                    "rate": format(key[1].normalize() + 0, "f"),
                    "left": formatted_minor(left_basis, invoice.currency),
                }
            )
        by_rate[key] = (basis, _vat_part(basis, key[1], left_basis, left_vat))
    return _checked(_Wanted(tuple(found), by_rate), invoice, left)


def _vat_part(basis: int, rate: Decimal, left_basis: int, left_vat: int) -> int:
    """VAT on a part; the last part takes what is left, so that all parts make the invoice's VAT."""
    if basis == left_basis:
        return left_vat
    vat = vat_of(basis, rate)
    return min(vat, left_vat) if left_vat >= 0 else max(vat, left_vat)


def _note_line(row: InvoiceLine, net_minor: int, currency: str) -> _NoteLine:
    if net_minor == row.net_minor:
        amounts = drafting.input_of(row)
        unit = row.unit
    else:
        unit = "C62"
        amounts = LineInput(
            quantity=Decimal(1 if net_minor > 0 else -1),
            unit_price=from_minor(abs(net_minor), currency).amount,
            vat_rate=Decimal(row.vat_rate),
            vat_category=row.vat_category,
        )
    return _NoteLine(row.description, unit, amounts, net_minor, row.pk)


def _by_amount(invoice: Invoice, left: Creditable, amount: Money, company: Company) -> _Wanted:
    """`amount` with VAT, shared over the invoice's rates as they are left."""
    if amount.currency.code != invoice.currency:
        raise IssueRefused(
            _("%(number)s is in %(currency)s.")
            % {"number": invoice.number, "currency": invoice.currency}
        )
    gross = to_minor(amount)
    if gross <= 0:
        raise IssueRefused([Reason("amount", _("Give an amount above zero."), "#id_amount")])
    if gross > left.total_minor:
        raise IssueRefused([Reason("amount", _over(invoice, left), "#id_amount")])
    groups = dict(left.by_rate)
    if not groups:
        groups = _imported_groups(invoice, left, company)
    french = invoice.language == "fr"
    number = invoice.number
    label = f"Avoir sur facture {number}" if french else f"Credit on invoice {number}"
    weights = {key: basis + vat for key, (basis, vat) in groups.items() if basis + vat > 0}
    shares = split(gross, weights)
    found, by_rate = [], {}
    for key, share in shares.items():
        if not share:
            continue
        basis, vat = groups[key]
        parts = split(share, {"net": basis, "vat": vat}) if vat > 0 else {"net": share, "vat": 0}
        net = parts["net"]
        found.append(
            _NoteLine(
                label,
                "C62",
                LineInput(
                    quantity=Decimal(1),
                    unit_price=from_minor(net, invoice.currency).amount,
                    vat_rate=key[1],
                    vat_category=key[0],
                ),
                net,
            )
        )
        by_rate[key] = (net, parts["vat"])
    return _checked(_Wanted(tuple(found), by_rate), invoice, left)


def _imported_groups(
    invoice: Invoice, left: Creditable, company: Company
) -> dict[tuple[str, Decimal], tuple[int, int]]:
    """One group from the sums of an older system, at the rate that they come to."""
    before = (
        Invoice.objects.filter(corrects=invoice)
        .issued()
        .aggregate(net=Sum("net_minor"), vat=Sum("vat_minor"))
    )
    net = invoice.net_minor - (before["net"] or 0)
    vat = invoice.vat_minor - (before["vat"] or 0)
    if vat <= 0 or net <= 0:
        category = vat_treatment(invoice.client, company).category
        category = "E" if category == STANDARD else category
        return {(category, Decimal(0)): (left.total_minor, 0)}
    rate = (Decimal(invoice.vat_minor) * 100 / invoice.net_minor).quantize(Decimal("0.01"))
    nearest = min(
        (company.vat_rate, *map(Decimal, ("20", "10", "8.5", "5.5", "2.1"))),
        key=lambda known: abs(known - rate),
    )
    if abs(nearest - rate) <= Decimal("0.05"):
        rate = nearest
    return {(STANDARD, max(rate, Decimal("0.01"))): (net, vat)}


def _over(invoice: Invoice, left: Creditable) -> str:
    return _("%(number)s has %(left)s left to credit.") % {
        "number": invoice.number,
        "left": formatted_minor(left.total_minor, invoice.currency),
    }


def _checked(wanted: _Wanted, invoice: Invoice, left: Creditable) -> _Wanted:
    total = sum(basis + vat for basis, vat in wanted.by_rate.values())
    if not wanted.lines or total <= 0:
        raise IssueRefused(_("Nothing to credit: give an amount for at least one line."))
    if total > left.total_minor:
        raise IssueRefused(_over(invoice, left))
    return wanted


def _store_credit_lines(note: Invoice, wanted: _Wanted) -> list[InvoiceLine]:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=note,
            position=position,
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            net_minor=line.net_minor,
        )
        for position, line in enumerate(wanted.lines, 1)
    )
    VatBreakdown.objects.bulk_create(
        VatBreakdown(invoice=note, category=category, rate=rate, basis_minor=basis, vat_minor=vat)
        for (category, rate), (basis, vat) in wanted.by_rate.items()
    )
    note.net_minor = sum(basis for basis, _vat in wanted.by_rate.values())
    note.vat_minor = sum(vat for _basis, vat in wanted.by_rate.values())
    note.total_minor = note.outstanding_minor = note.net_minor + note.vat_minor
    note.save()
    return list(note.lines.all())
