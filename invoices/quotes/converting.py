"""An accepted quote becomes invoices: whole, by deposits, by chosen lines, and the rest.

Each comes out as a draft through the one door of invoicing. What a quote was billed for is counted
by the totals that its invoices have now: a discarded draft and an invoice that was credited whole
free their part again. Beyond what was accepted nothing is drafted unless somebody says so, and that
is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import formatted_minor
from invoices.documents.adjustments import as_line, stored
from invoices.documents.totals import Totals, TotalsRefused, compute
from invoices.invoicing import adjusting, deducting, deposits
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.drafting import DraftRefused, draft
from invoices.models import (
    Deal,
    DepositDeduction,
    Invoice,
    Quote,
    QuoteAcceptance,
    QuoteBilledAdjustment,
    QuoteBilledLine,
    QuoteBilling,
    QuoteEvent,
    QuoteLine,
)
from invoices.models.quotes import ROUNDING
from invoices.models.terms import TermsKind
from invoices.quotes.adjusting import Share, Sharing
from invoices.quotes.choices import input_of
from invoices.quotes.drafting import locked, tell
from invoices.quotes.refusals import Exceeds, QuoteRefused

Kind = QuoteBilling.Kind


@dataclass(frozen=True)
class LeftOfLine:
    line: QuoteLine
    billed: Decimal

    @property
    def left(self) -> Decimal:
        return Decimal(self.line.quantity) - self.billed


@dataclass(frozen=True)
class Standing:
    """What of an accepted quote is billed, drafts counted, in minor units with VAT."""

    accepted_minor: int
    billed_minor: int
    currency: str

    @property
    def left_minor(self) -> int:
        return self.accepted_minor - self.billed_minor


def alive(quote: Quote) -> list[QuoteBilling]:
    """The billings whose invoice stands: drafted or issued, not credited whole."""
    return list(
        quote.billings.filter(invoice__in=Invoice.objects.billing().order_by())
        # What was replaced is billed by what stands in its place, whoever keeps the money.
        .exclude(invoice__replaced_by__status__in=[Invoice.Status.ISSUED, Invoice.Status.SETTLED])
        .select_related("invoice")
        .prefetch_related("lines", "adjustments")
    )


def standing(acceptance: QuoteAcceptance, billings: Iterable[QuoteBilling]) -> Standing:
    rows = list(billings)
    billed = sum(each.invoice.total_minor for each in rows)
    # What was credited of a deposit is billed by the final invoice, which deducts what is left.
    found = [each.invoice_id for each in rows if each.invoice.is_deposit]
    if found:
        notes = Invoice.objects.filter(corrects__in=found).issued()
        billed -= notes.aggregate(sum=Sum("total_minor"))["sum"] or 0
    return Standing(acceptance.total_minor, billed, acceptance.currency)


def left_of_lines(
    acceptance: QuoteAcceptance, billings: Iterable[QuoteBilling]
) -> list[LeftOfLine]:
    """The accepted lines in their order, each with the quantity that invoices bill already."""
    billed: dict[int, Decimal] = {}
    for billing in billings:
        for row in billing.lines.all():
            billed[row.line_id] = billed.get(row.line_id, Decimal(0)) + row.quantity
    return [
        LeftOfLine(line, billed.get(line.pk, Decimal(0)))
        for line in acceptance.lines.order_by("position", "pk")
    ]


def not_deducted(billings: Iterable[QuoteBilling]) -> list[Invoice]:
    """The issued deposits that no final invoice takes off yet, and of which something is left."""
    issued = [
        each.invoice for each in billings if each.invoice.is_deposit and each.invoice.is_issued
    ]
    if not issued:
        return []
    rows = DepositDeduction.objects.filter(deposit__in=issued, released=False)
    taken = set(rows.values_list("deposit", flat=True))
    return [each for each in issued if each.pk not in taken and deducting.total_left(each) > 0]


# ─ The four ways ────────────────────────────────────────────────────────────────────────────────
def bill_whole(
    *, quote_id: int, by: User | None, on: date, agreed: str = "", terms: int | None = None
) -> Invoice:
    """All accepted lines in one draft, by the quote's terms or by `terms` of several instalments.
    Raises QuoteRefused, Exceeds."""
    with transaction.atomic():
        way = _Way(quote_id, by, on, agreed, terms)
        if way.billings:
            raise QuoteRefused(_("A part of it is billed already: bill the rest instead."))
        return way.of_lines(Kind.WHOLE, {row.line.pk: row.left for row in way.left})


def bill_lines(
    *,
    quote_id: int,
    quantities: Mapping[int, Decimal],
    by: User | None,
    on: date,
    agreed: str = "",
) -> Invoice:
    """Of each line so much as `quantities` has by its key. Raises QuoteRefused, Exceeds."""
    with transaction.atomic():
        way = _Way(quote_id, by, on, agreed)
        wanted = {pk: quantity for pk, quantity in quantities.items() if quantity}
        if not wanted:
            raise QuoteRefused(_("Say how much of which line is billed."))
        known = {row.line.pk: row.line for row in way.left}
        for pk, quantity in wanted.items():
            if pk not in known:
                raise QuoteRefused(_("One of these lines was not accepted."))
            # A discount line has a negative quantity, and parts of it are negative too.
            if quantity * known[pk].quantity < 0:
                raise QuoteRefused(
                    _("“%(line)s”: the quantity has the sign of the quote’s.")
                    % {"line": known[pk].name[:60]}
                )
        return way.of_lines(Kind.LINES, wanted)


def bill_rest(
    *, quote_id: int, by: User | None, on: date, agreed: str = "", terms: int | None = None
) -> Invoice:
    """What no invoice bills yet of the lines, less the deposits: then it is the final invoice.
    Raises QuoteRefused, Exceeds."""
    with transaction.atomic():
        way = _Way(quote_id, by, on, agreed, terms)
        return way.of_lines(
            Kind.BALANCE,
            {row.line.pk: row.left for row in way.left if row.left * row.line.quantity > 0},
            less=way.deposits(),
        )


def bill_deposit(
    *,
    quote_id: int,
    percent: Decimal = Decimal(0),
    amount_minor: int = 0,
    by: User | None,
    on: date,
    agreed: str = "",
) -> Invoice:
    """A share of the accepted total, or an amount with VAT. Raises QuoteRefused, Exceeds."""
    if not 0 <= percent <= 100 or amount_minor < 0 or bool(percent) == bool(amount_minor):
        raise QuoteRefused(_("A deposit is above 0 and at most 100 per cent."))
    with transaction.atomic():
        return _drafted_deposit(_Way(quote_id, by, on, agreed), percent, amount_minor)


def _drafted_deposit(way: _Way, percent: Decimal, amount_minor: int) -> Invoice:
    code = way.acceptance.currency
    whole = way.inputs_of({row.line.pk: Decimal(row.line.quantity) for row in way.left})
    # What is taken off or added on the whole goes along, by its VAT rate.
    whole += way.sharing.as_lines()
    language = way.acceptance.version.language
    of = f"le devis {way.quote.number}" if language == "fr" else f"quote {way.quote.number}"
    lines = deposits.deposit_lines(
        whole,
        code,
        words=deposits.words_of_deposit(language, of, percent=percent),
        percent=percent,
        amount_minor=amount_minor,
    )
    return way.drafted(Kind.DEPOSIT, lines, {})


class _Way:
    """An accepted quote under its lock, with what was billed of it."""

    def __init__(
        self, quote_id: int, by: User | None, on: date, agreed: str, terms: int | None = None
    ) -> None:
        self.by, self.on, self.agreed, self.terms = by, on, agreed, terms
        self.quote = locked(quote_id)
        acceptance = (
            QuoteAcceptance.objects.select_related("version", "quote")
            .filter(quote=self.quote)
            .first()
        )
        if acceptance is None:
            raise QuoteRefused(_("Only a quote that was accepted is billed."))
        self.acceptance = acceptance
        self.billings = alive(self.quote)
        self.left = left_of_lines(acceptance, self.billings)
        try:
            self.sharing = Sharing(
                acceptance.version, [row.line for row in self.left], self.billings
            )
        except TotalsRefused as refusal:
            raise QuoteRefused(str(refusal)) from None

    def inputs_of(self, quantities: Mapping[int, Decimal]) -> list[DraftLine]:
        return [
            DraftLine(
                row.line.description,
                row.line.unit,
                input_of(row.line, quantities[row.line.pk]),
                exemption_id=row.line.exemption_id,
                nature=row.line.nature,
                item_id=row.line.item_id,
            )
            for row in self.left
            if row.line.pk in quantities
        ]

    def deposits(self) -> list[Invoice]:
        """The deposits that stand, under their lock. Raises QuoteRefused while one is a draft."""
        billed = [each.invoice for each in self.billings if each.invoice.is_deposit]
        if any(invoice.is_draft for invoice in billed):
            raise QuoteRefused(
                _("A deposit of it is still a draft: issue it first, or discard it.")
            )
        older = [
            each.invoice.number
            for each in self.billings
            if each.kind == Kind.DEPOSIT and not each.invoice.is_deposit and each.invoice.is_issued
        ]
        if older:
            raise QuoteRefused(
                _(
                    "%(number)s was issued as a plain invoice, before there were deposits: credit "
                    "it and bill the deposit again, or bill the rest line by line."
                )
                % {"number": older[0]}
            )
        return deposits.locked([invoice.pk for invoice in billed])

    def of_lines(
        self, kind: str, quantities: Mapping[int, Decimal], less: Sequence[Invoice] = ()
    ) -> Invoice:
        if not quantities:
            raise QuoteRefused(_("Every line of it is billed already."))
        return self.drafted(kind, self.inputs_of(quantities), quantities, less)

    def drafted(
        self,
        kind: str,
        lines: Sequence[DraftLine],
        quantities: Mapping[int, Decimal],
        less: Sequence[Invoice] = (),
    ) -> Invoice:
        """`less` are deposits, which the draft then deducts: it becomes a final invoice."""
        acceptance, version = self.acceptance, self.acceptance.version
        share, of_lines, totals = self._added_up(lines, quantities)
        taken = sum(deducting.total_left(deposit) for deposit in less)
        if totals.total_minor <= 0:
            raise QuoteRefused(_("Nothing is left to bill on it."))
        if totals.total_minor < taken:
            raise QuoteRefused(self._deposits_too_large(totals.total_minor, taken))
        over = self._over(totals.total_minor - taken)
        (deal, step), of_deposit = self._step(kind), kind == Kind.DEPOSIT
        invoice = draft(
            client=self.quote.client,
            lines=lines,
            totals=of_lines,
            adjustments=stored(share.adjustments),
            by=self.by,
            on=self.on,
            told={"quote": self.quote.number, "quote_id": self.quote.pk},
            owner_id=self.quote.owner_id or self.quote.client.owner_id,
            deal=deal,
            plan_step=step,
            title=version.title,
            language=version.language,
            currency=acceptance.currency,
            **version.supplied,
            # As the quote says: a deposit is due on receipt, before work begins.
            terms_kind=TermsKind.NET if of_deposit else version.terms_kind,
            terms_days=0 if of_deposit else version.terms_days,
            terms_id=self.terms,
            purchase_order=deal.purchase_order if deal else "",
            recipients=list(version.recipients),
            purpose=Invoice.Purpose.DEPOSIT if of_deposit else Invoice.Purpose.STANDARD,
        )
        if less:
            try:
                deposits.deduct(invoice, less)
            except DraftRefused as refusal:
                raise QuoteRefused(str(refusal)) from None
        billing = QuoteBilling.objects.create(
            quote=self.quote, invoice=invoice, kind=kind, amount_minor=invoice.total_minor
        )
        _keep_billed(billing, quantities, share)
        facts = {"invoice_id": invoice.pk, "currency": acceptance.currency}
        amount_minor = invoice.total_minor
        self._tell(QuoteEvent.Kind.BILLED, **facts, billing=str(kind), amount_minor=amount_minor)
        if over > 0:
            self._tell(QuoteEvent.Kind.EXCEEDED, **facts, amount_minor=over)
        return invoice

    def _added_up(
        self, lines: Sequence[DraftLine], quantities: Mapping[int, Decimal]
    ) -> tuple[Share, Totals, Totals]:
        """What these lines bear of the discounts, and the totals without and with it."""
        code = self.acceptance.currency
        try:
            share = self.sharing.of(quantities) if quantities else Share([], {})
            of_lines = compute([line.amounts for line in lines], currency=code)
            parts = adjusting.parts_for(stored(share.adjustments), lines, of_lines, code)
            inputs = [*(line.amounts for line in lines), *(as_line(part, code) for part in parts)]
            return share, of_lines, compute(inputs, currency=code)
        except TotalsRefused as refusal:
            raise QuoteRefused(str(refusal)) from None

    def _deposits_too_large(self, lines_minor: int, taken_minor: int) -> str:
        code = self.acceptance.currency
        return _(
            "The deposits (%(deposits)s) are more than what is left to bill (%(lines)s): credit "
            "a part of them first."
        ) % {
            "deposits": formatted_minor(taken_minor, code),
            "lines": formatted_minor(lines_minor, code),
        }

    def _over(self, total_minor: int) -> int:
        """How far this would pass what was accepted. Raises Exceeds unless somebody agreed."""
        billed = standing(self.acceptance, self.billings).billed_minor + total_minor
        over = billed - self.acceptance.total_minor
        # The VAT of parts is rounded part by part: a few cents are no excess.
        if over > ROUNDING:
            asked = Exceeds(over, billed, self.acceptance)
            if self.agreed != asked.token:
                raise asked
            return over
        return 0

    def _step(self, kind: str) -> tuple[Deal | None, int]:
        """The deal that the invoice bills, and which step of it. Raises QuoteRefused."""
        if self.quote.deal_id is None:
            return None, 0
        # Whoever drafts the deal itself waits here, and is told then.
        deal = Deal.objects.select_for_update().get(pk=self.quote.deal_id)
        ours = {billing.invoice_id for billing in self.billings}
        others = Invoice.objects.billing().filter(deal=deal).exclude(pk__in=ours)
        if (other := others.first()) is not None:
            raise QuoteRefused(
                _("The deal itself is billed already: %(number)s.")
                % {"number": other.number or _("a draft")}
            )
        if kind == Kind.WHOLE:
            return deal, 0
        steps = Invoice.objects.filter(deal=deal).values_list("plan_step", flat=True)
        return deal, max([0, *steps]) + 1

    def _tell(self, kind: str, **facts: object) -> None:
        tell(self.quote, kind, on=self.on, by=self.by, version=self.acceptance.version, **facts)


def _keep_billed(billing: QuoteBilling, quantities: Mapping[int, Decimal], share: Share) -> None:
    QuoteBilledLine.objects.bulk_create(
        QuoteBilledLine(billing=billing, line_id=pk, quantity=quantity)
        for pk, quantity in quantities.items()
    )
    QuoteBilledAdjustment.objects.bulk_create(share.rows(billing))
