"""What a credit note over several invoices, or over a period, comes to: its shares and its lines.

Each invoice gives at most what credit notes have left of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _
from moneyed import Money

from billing_portal.money import formatted_minor, from_minor, to_minor
from invoices.clients.vat import vat_treatment
from invoices.documents import mentions
from invoices.documents.totals import STANDARD, LineInput, round_half_up, split, vat_of
from invoices.invoicing import credited, deducting
from invoices.invoicing.creditable import NoteLine, Wanted, at_rate, imported_groups, vat_part
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.reasons import Reason
from invoices.models import (
    Client,
    Company,
    Invoice,
    InvoiceLine,
)

# So many invoices are named on one page; a year of weekly invoices fits.
MOST = 100
Sort = tuple[str, int | None]  # nature, exemption


@dataclass(frozen=True)
class Asked:
    """What a person wants: a part in per cent of what was billed, or an amount, both before VAT.

    Without `invoices` it is over the days from `since` to `until` and names a `contract`; then an
    amount, `rate` (per cent) and `nature` are needed.
    """

    invoices: tuple[int, ...] = ()
    percent: Decimal | None = None
    amount: Money | None = None
    since: date | None = None
    until: date | None = None
    contract: str = ""
    rate: Decimal = Decimal(0)
    nature: str = ""


@dataclass(frozen=True)
class Share:
    invoice: Invoice
    category: str
    rate: Decimal
    basis_minor: int
    vat_minor: int
    left: tuple[int, int]

    @property
    def total_minor(self) -> int:
        return self.basis_minor + self.vat_minor


@dataclass(frozen=True)
class Planned:
    shares: tuple[Share, ...]
    wanted: Wanted

    @property
    def net_minor(self) -> int:
        return sum(basis for basis, _vat in self.wanted.by_rate.values())

    @property
    def vat_minor(self) -> int:
        return sum(vat for _basis, vat in self.wanted.by_rate.values())

    def by_invoice(self) -> dict[int, int]:
        """With VAT, by the id of the invoice."""
        found: dict[int, int] = {}
        for share in self.shares:
            found[share.invoice.pk] = found.get(share.invoice.pk, 0) + share.total_minor
        return found

    def applied(self) -> dict[int, int]:
        """What of each invoice it settles: no more than is still owed."""
        owed = {share.invoice.pk: share.invoice.outstanding_minor for share in self.shares}
        return {pk: min(minor, owed[pk]) for pk, minor in self.by_invoice().items()}


# ─ What can be chosen ───────────────────────────────────────────────────────────────────────────
def choosable(
    client: Client, currency: str, since: date | None = None, until: date | None = None
) -> list[Invoice]:
    """Issued invoices of a client of which something is left, the latest first; deposits are
    credited alone. At most `MOST`."""
    found = (
        Invoice.objects.invoices()
        .issued()
        .filter(client__in=Client.objects.account_of(client.pk), currency=currency)
        .exclude(purpose=Invoice.Purpose.DEPOSIT)
        .defer("paper")
    )
    if since:
        found = found.filter(issue_date__gte=since)
    if until:
        found = found.filter(issue_date__lte=until)
    rows = list(found.order_by("-issue_date", "-pk")[: 2 * MOST])
    left = credited.left_by_rate(rows)
    return [row for row in rows if not left[row.pk] or _has_left(left[row.pk])][:MOST]


def _has_left(groups: credited.ByRate) -> bool:
    return any(basis > 0 for basis, _vat in groups.values())


# ─ What it comes to ─────────────────────────────────────────────────────────────────────────────
def planned(
    client: Client, currency: str, asked: Asked, *, code: str, company: Company, on: date
) -> Planned:
    """Raises IssueRefused. Lock the invoices before acting on it."""
    _check_period(asked, on)
    if (asked.percent is None) == (asked.amount is None):
        raise IssueRefused([Reason("amount", _("Give a percentage or an amount."), "")])
    if asked.amount is not None and to_minor(asked.amount) <= 0:
        raise IssueRefused([Reason("amount", _("Give an amount above zero."), "")])
    if asked.percent is not None and not 0 < asked.percent <= 100:
        raise IssueRefused([Reason("percent", _("Between 0 and 100 per cent."), "")])
    if not asked.invoices:
        return _without_invoices(client, currency, asked, code=code, company=company)
    invoices = _chosen(client, currency, asked.invoices, on)
    left = _left(invoices, company)
    shares = _right_vat(
        _by_percent(invoices, left, asked)
        if asked.percent
        else _by_amount(invoices, left, asked, currency)
    )
    if not shares:
        raise IssueRefused(_("Nothing is left of these invoices to credit."))
    _check_finals(shares, left)
    return Planned(tuple(shares), _as_lines(client, shares, currency, code))


def _check_period(asked: Asked, on: date) -> None:
    if asked.since and asked.until and asked.until < asked.since:
        text = _("The period ends before it begins.")
        raise IssueRefused([Reason("until", text, "")])
    if asked.until and asked.until > on and not asked.invoices:
        text = _("A rebate is for a period that is over: it ends in the future.")
        raise IssueRefused([Reason("until", text, "")])


def _chosen(client: Client, currency: str, ids: Sequence[int], on: date) -> list[Invoice]:
    if len(ids) > MOST:
        text = _("One credit note names at most %(most)s invoices: choose fewer.")
        raise IssueRefused([Reason("invoices", text % {"most": MOST}, "")])
    account = set(Client.objects.account_of(client.pk).values_list("pk", flat=True))
    rows = Invoice.objects.filter(pk__in=ids).order_by("issue_date", "pk")
    found = [row for row in rows if row.client_id in account]
    if len(found) != len(set(ids)):
        text = _("One of these is no invoice of %(client)s. Nothing was kept.")
        raise IssueRefused([Reason("invoices", text % {"client": client.name}, "")])
    for row in found:
        if text := _not_this_one(row, currency, on):
            raise IssueRefused([Reason("invoices", text, "")])
    return found


def _not_this_one(row: Invoice, currency: str, on: date) -> str:
    values = {"number": row.number or _("A draft"), "currency": row.currency}
    if row.is_credit_note or not row.is_issued:
        return _("%(number)s is no issued invoice: only such are credited.") % values
    if row.currency != currency:
        return _("%(number)s is in %(currency)s: one credit note is in one currency.") % values
    if row.is_deposit:
        return _("%(number)s is a deposit: it is credited alone.") % values
    if row.issue_date is not None and row.issue_date > on:
        return _("A credit note is not dated before its invoice.")
    return deducting.reason_not_to_credit(row)


def _left(invoices: Sequence[Invoice], company: Company) -> dict[int, credited.ByRate]:
    found = credited.left_by_rate(invoices)
    for row in invoices:
        if not found[row.pk]:
            # Brought in from an older system: only its sums are known.
            rest = row.total_minor - credited.total_taken_back(row)
            found[row.pk] = imported_groups(row, rest, company) if rest > 0 else {}
    return found


def _by_percent(
    invoices: Sequence[Invoice], left: dict[int, credited.ByRate], asked: Asked
) -> list[Share]:
    assert asked.percent is not None
    billed = {
        (pk, category, rate): basis
        for pk, category, rate, basis in Invoice.objects.filter(
            pk__in=[row.pk for row in invoices]
        ).values_list(
            "pk", "vat_breakdown__category", "vat_breakdown__rate", "vat_breakdown__basis_minor"
        )
    }
    found = []
    for row in invoices:
        for (category, rate), (basis, vat) in left[row.pk].items():
            whole = billed.get((row.pk, category, rate), row.net_minor)
            part = round_half_up(Decimal(whole) * asked.percent / 100)
            if part <= 0:
                continue
            if part > basis:
                text = _(
                    "%(number)s has %(left)s before VAT left to credit: %(percent)s %% of what it "
                    "billed is more."
                ) % {
                    "number": row.number,
                    "left": formatted_minor(max(basis, 0), row.currency),
                    "percent": format(asked.percent.normalize(), "f"),
                }
                raise IssueRefused([Reason("percent", text, "")])
            share = vat_part(part, rate, basis, vat)
            found.append(Share(row, category, rate, part, share, (basis, vat)))
    return found


def _by_amount(
    invoices: Sequence[Invoice],
    left: dict[int, credited.ByRate],
    asked: Asked,
    currency: str,
) -> list[Share]:
    assert asked.amount is not None
    minor = to_minor(asked.amount)
    rows = {row.pk: row for row in invoices}
    weights = {
        (pk, *key): basis for pk in rows for key, (basis, _vat) in left[pk].items() if basis > 0
    }
    rest = sum(weights.values())
    if minor > rest:
        text = _("These invoices have %(left)s before VAT left to credit.")
        values = {"left": formatted_minor(rest, currency)}
        raise IssueRefused([Reason("amount", text % values, "")])
    found = []
    for (pk, category, rate), part in split(minor, weights).items():
        if part:
            basis, vat = left[pk][category, rate]
            share = vat_part(part, rate, basis, vat)
            found.append(Share(rows[pk], category, rate, part, share, (basis, vat)))
    return found


def _right_vat(shares: list[Share]) -> list[Share]:
    """VAT is rounded once per rate of the note (EN 16931), so its shares give or take a cent; one
    that takes all that is left of an invoice takes its VAT to the cent."""
    found = list(shares)
    for group in dict.fromkeys((share.category, share.rate) for share in shares):
        places = [n for n, each in enumerate(found) if (each.category, each.rate) == group]
        basis = sum(found[n].basis_minor for n in places)
        differs = vat_of(basis, group[1]) - sum(found[n].vat_minor for n in places)
        step = 1 if differs > 0 else -1
        for n in places:
            share = found[n]
            whole = share.basis_minor == share.left[0]
            if differs and not whole and 0 <= share.vat_minor + step <= share.left[1]:
                found[n] = replace(share, vat_minor=share.vat_minor + step)
                differs -= step
    return found


def _check_finals(shares: Sequence[Share], left: dict[int, credited.ByRate]) -> None:
    """A final invoice that is taken back whole sets its deposits free: on its own page."""
    taken: dict[int, int] = {}
    for share in shares:
        taken[share.invoice.pk] = taken.get(share.invoice.pk, 0) + share.total_minor
    for invoice in {share.invoice.pk: share.invoice for share in shares}.values():
        rest = sum(net + vat for net, vat in left[invoice.pk].values())
        if invoice.is_final and taken[invoice.pk] >= rest:
            text = _(
                "%(number)s deducts deposits and would be credited whole: do that on its own page, "
                "which sets the deposits free."
            )
            raise IssueRefused([Reason("invoices", text % {"number": invoice.number}, "")])


def _as_lines(client: Client, shares: Sequence[Share], currency: str, code: str) -> Wanted:
    sorts = _sorts({share.invoice.pk for share in shares})
    nets: dict[tuple[str, Decimal], dict[Sort, int]] = {}
    by_rate: dict[tuple[str, Decimal], tuple[int, int]] = {}
    for share in shares:
        group = (share.category, share.rate)
        net, vat = by_rate.get(group, (0, 0))
        by_rate[group] = (net + share.basis_minor, vat + share.vat_minor)
        weights = sorts.get((share.invoice.pk, *group)) or {("", None): 1}
        for sort, minor in split(share.basis_minor, weights).items():
            of_group = nets.setdefault(group, {})
            of_group[sort] = of_group.get(sort, 0) + minor
    words = _label(client, code, len({share.invoice.pk for share in shares}))
    lines = []
    for group in sorted(nets, key=lambda each: (-each[1], each[0])):
        french = client.language == "fr"
        label = f"{words}{at_rate(group[1], french=french)}" if len(nets) > 1 else words
        lines += [
            _line(label, group, net, currency, sort) for sort, net in nets[group].items() if net
        ]
    return Wanted(tuple(lines), {line_group: by_rate[line_group] for line_group in by_rate})


def _sorts(ids: Iterable[int]) -> dict[tuple[int, str, Decimal], dict[Sort, int]]:
    """What each VAT rate of each invoice supplies, by net; a discount counts with the largest."""
    found: dict[tuple[int, str, Decimal], dict[Sort, int]] = {}
    lines = InvoiceLine.objects.filter(invoice__in=ids).order_by("position", "pk")
    for pk, category, rate, nature, exemption, net in lines.values_list(
        "invoice", "vat_category", "vat_rate", "nature", "exemption", "net_minor"
    ):
        of_group = found.setdefault((pk, category, rate), {})
        of_group[nature, exemption] = of_group.get((nature, exemption), 0) + net
    for key, weights in found.items():
        if min(weights.values()) < 0 or not sum(weights.values()):
            found[key] = {max(weights, key=lambda sort: weights[sort]): 1}
    return found


def _label(client: Client, code: str, count: int) -> str:
    """In the language of the document."""
    french = client.language == "fr"
    what = mentions.credit_reason(client.language, code) or ("Avoir" if french else "Credit")
    if not count:
        return what
    if french:
        return f"{what}, {count} facture{'s' if count > 1 else ''}"
    return f"{what}, {count} invoice{'s' if count > 1 else ''}"


def _line(label: str, group: tuple[str, Decimal], net: int, currency: str, sort: Sort) -> NoteLine:
    amounts = LineInput(
        quantity=Decimal(1),
        unit_price=from_minor(net, currency).amount,
        vat_rate=group[1],
        vat_category=group[0],
    )
    return NoteLine(label, "C62", amounts, net, exemption_id=sort[1], nature=sort[0])


def _without_invoices(
    client: Client, currency: str, asked: Asked, *, code: str, company: Company
) -> Planned:
    """Over a period: at the rate that the person names, where the client is charged VAT."""
    missing = [
        (asked.since, "since", _("Without an invoice it names a period: give its first day.")),
        (asked.until, "until", _("Without an invoice it names a period: give its last day.")),
        (
            asked.contract.strip(),
            "contract",
            _("Without an invoice it names the contract or agreement by which it is granted."),
        ),
        (asked.amount, "amount", _("Without an invoice only an amount can be credited.")),
    ]
    if reasons := [Reason(field, text, "") for given, field, text in missing if not given]:
        raise IssueRefused(reasons)
    assert asked.amount is not None
    category = vat_treatment(client, company, asked.nature or None).category
    if company.in_franchise:
        category = "E"
    rate = asked.rate if category == STANDARD else Decimal(0)
    if category == STANDARD and rate <= 0:
        raise IssueRefused([Reason("rate", _("Choose the VAT rate that was billed."), "")])
    net, group = to_minor(asked.amount), (category, rate)
    sort = (asked.nature or company.usual_nature, None)
    line = _line(_label(client, code, 0), group, net, currency, sort)
    return Planned((), Wanted((line,), {group: (net, vat_of(net, rate))}))
