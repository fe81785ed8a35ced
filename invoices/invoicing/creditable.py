"""What credit notes have left of an invoice, and what a new one would credit of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db.models import Sum
from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.money import formatted_minor, from_minor, to_minor
from invoices.clients.vat import vat_treatment
from invoices.documents.from_gross import basis_from_gross
from invoices.documents.totals import STANDARD, LineInput, split, vat_of
from invoices.invoicing import credited, drafting
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.reasons import Reason
from invoices.models import Company, Invoice, InvoiceLine

One = TypeVar("One")


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

    def left_of(self, row: InvoiceLine) -> int:
        """Net of a line; no more than its VAT rate has, of whose lines a credit by amount took."""
        of_line = self.net_by_line.get(row.pk, 0)
        of_rate, _vat = self.by_rate.get((row.vat_category, Decimal(row.vat_rate)), (of_line, 0))
        return min(of_line, of_rate) if of_line >= 0 else of_line


def left_to_credit(invoice: Invoice) -> int:
    """What no credit note has taken back yet, in minor units."""
    return invoice.total_minor - credited.total_taken_back(invoice)


def creditable(invoice: Invoice) -> Creditable:
    """Reads the credit notes issued so far; lock the invoice before acting on it."""
    notes = Invoice.objects.filter(corrects=invoice).issued()
    total = left_to_credit(invoice)
    net_by_line = {line.pk: line.net_minor for line in invoice.lines.all()}
    by_line = InvoiceLine.objects.filter(invoice__in=notes, credits__invoice=invoice)
    for line_id, net_minor in by_line.values_list("credits_id", "net_minor"):
        net_by_line[line_id] -= net_minor
    by_rate = credited.left_by_rate([invoice])[invoice.pk]
    return Creditable(total, net_by_line, by_rate)


@dataclass(frozen=True)
class NoteLine:
    description: str
    unit: str
    amounts: LineInput
    net_minor: int
    source_id: int | None = None
    # Why it is exempt, and what it supplies, as on the invoice.
    exemption_id: int | None = None
    nature: str = ""
    # What it is a part of, as on the invoice: (InvoiceLine.adjusts, adjust_percent, adjust_code).
    adjusts: tuple[str, Decimal, str] = ("", Decimal(0), "")
    item_id: int | None = None


@dataclass(frozen=True)
class Wanted:
    lines: tuple[NoteLine, ...]
    # (category, rate) → (basis, VAT): VAT is what is left of the invoice's where all is credited.
    by_rate: dict[tuple[str, Decimal], tuple[int, int]]


def what_to_credit(
    invoice: Invoice,
    left: Creditable,
    lines: Sequence[CreditLine] | None,
    amount: Money | None,
    company: Company,
) -> Wanted:
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


def _by_lines(invoice: Invoice, left: Creditable, lines: Sequence[CreditLine]) -> Wanted:
    rows = {row.pk: row for row in invoice.lines.all()}
    found: list[NoteLine] = []
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
                    "At %(rate)s %% VAT only %(left)s before VAT is left to credit: the rest was "
                    "credited by an amount, or is a discount of the invoice, whose line is to be "
                    "credited too."
                )
                % {
                    "rate": format(key[1].normalize() + 0, "f"),
                    "left": formatted_minor(left_basis, invoice.currency),
                }
            )
        by_rate[key] = (basis, vat_part(basis, key[1], left_basis, left_vat))
    return _checked(Wanted(tuple(found), by_rate), invoice, left)


def vat_part(basis: int, rate: Decimal, left_basis: int, left_vat: int) -> int:
    """VAT on a part; the last part takes what is left, so that all parts make the invoice's VAT."""
    if basis == left_basis:
        return left_vat
    vat = vat_of(basis, rate)
    return min(vat, left_vat) if left_vat >= 0 else max(vat, left_vat)


def _note_line(row: InvoiceLine, net_minor: int, currency: str) -> NoteLine:
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
    # Of a part of a discount its percentage would be wrong.
    percent = Decimal(row.adjust_percent) if net_minor == row.net_minor else Decimal(0)
    return NoteLine(
        row.description,
        unit,
        amounts,
        net_minor,
        row.pk,
        row.exemption_id,
        row.nature,
        adjusts=(row.adjusts, percent, row.adjust_code),
        item_id=row.item_id,
    )


def _by_amount(invoice: Invoice, left: Creditable, amount: Money, company: Company) -> Wanted:
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
        groups = imported_groups(invoice, left.total_minor, company)
    french = invoice.language == "fr"
    number = invoice.number
    label = f"Avoir sur facture {number}" if french else f"Credit on invoice {number}"
    several = sum(basis + vat > 0 for basis, vat in groups.values()) > 1
    weights = {key: basis + vat for key, (basis, vat) in groups.items() if basis + vat > 0}
    shares = split(gross, weights)
    found, by_rate = [], {}
    natures: dict[tuple[str, Decimal], set[str]] = {}
    reasons: dict[tuple[str, Decimal], set[int | None]] = {}
    for row in invoice.lines.all():
        group = (row.vat_category, Decimal(row.vat_rate))
        natures.setdefault(group, set()).add(row.nature)
        reasons.setdefault(group, set()).add(row.exemption_id)
    for key, share in shares.items():
        if not share:
            continue
        net, vat = _parts(share, key[1], *groups[key])
        found.append(
            NoteLine(
                f"{label}{at_rate(key[1], french=french)}" if several else label,
                "C62",
                LineInput(
                    quantity=Decimal(1),
                    unit_price=from_minor(net, invoice.currency).amount,
                    vat_rate=key[1],
                    vat_category=key[0],
                ),
                net,
                # Of several at one rate no amount says which: the sentences of all are printed.
                exemption_id=_only(reasons.get(key, set()), None),
                nature=_only(natures.get(key, set()), ""),
            )
        )
        by_rate[key] = (net, vat)
    return _checked(Wanted(tuple(found), by_rate), invoice, left)


def _only(found: set[One], otherwise: One) -> One:
    return next(iter(found)) if len(found) == 1 else otherwise


def _parts(gross: int, rate: Decimal, left_basis: int, left_vat: int) -> tuple[int, int]:
    """Basis and VAT of a part with VAT: VAT is basis × rate wherever the amount allows it.

    The last part takes what is left, odd cent included, so that all parts make the invoice's VAT.
    """
    if left_vat <= 0:
        return gross, 0
    if gross == left_basis + left_vat:
        return left_basis, left_vat
    basis = basis_from_gross(gross, rate)
    if 0 <= basis <= left_basis and gross - basis <= left_vat:
        return basis, gross - basis
    parts = split(gross, {"net": left_basis, "vat": left_vat})
    return parts["net"], parts["vat"]


def at_rate(rate: Decimal, *, french: bool) -> str:
    written = format(rate.normalize() + 0, "f")
    return f" (TVA {written.replace('.', ',')} %)" if french else f" (VAT {written}%)"


def imported_groups(
    invoice: Invoice, left_minor: int, company: Company
) -> dict[tuple[str, Decimal], tuple[int, int]]:
    """One group from the sums of an older system, at the rate that they come to."""
    before = (
        Invoice.objects.filter(corrects=invoice)
        .issued()
        .aggregate(net=Sum("net_minor"), vat=Sum("vat_minor"))
    )
    shares = credited.shares_of(invoice).values()
    net = invoice.net_minor - (before["net"] or 0) - sum(net for net, _vat in shares)
    vat = invoice.vat_minor - (before["vat"] or 0) - sum(vat for _net, vat in shares)
    if vat <= 0 or net <= 0:
        category = vat_treatment(invoice.client, company).category
        category = "E" if category == STANDARD else category
        return {(category, Decimal(0)): (left_minor, 0)}
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


def _checked(wanted: Wanted, invoice: Invoice, left: Creditable) -> Wanted:
    total = sum(basis + vat for basis, vat in wanted.by_rate.values())
    if not wanted.lines or total <= 0:
        raise IssueRefused(_("Nothing to credit: give an amount for at least one line."))
    if total > left.total_minor:
        raise IssueRefused(_over(invoice, left))
    return wanted
