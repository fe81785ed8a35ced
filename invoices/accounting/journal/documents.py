"""Issued documents as the ledger sees them: what the client owes, what was sold, and its VAT.

VAT on services is due when the money comes in, unless the company chose the debits (CGI 269, 2, c):
until then it waits on an account of its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from invoices.accounting.chart import Account, Role
from invoices.accounting.journal.entries import Entry, Lines, Worth, in_parts, share
from invoices.accounting.journal.making import Making, NoRate
from invoices.documents.adjustments import CHARGE
from invoices.documents.nature import Nature
from invoices.documents.totals import vat_of
from invoices.models import Instalment, Invoice, InvoiceLine, VatBreakdown
from invoices.models.clients import account
from invoices.tax.territories import territory_of

_COLUMNS = (
    "pk", "kind", "number", "issue_date", "due_date", "currency", "net_minor", "vat_minor",
    "total_minor", "exchange_rate", "account", "imported", "recorded_at", "settled_on",
    "paper__buyer__country", "paper__buyer__address", "paper__vat_on_debits", "client__country",
    "client__postal_code", "purpose", "corrects__purpose", "credit_reason", "retained",
)  # fmt: skip


class Doc(NamedTuple):
    pk: int
    kind: str
    number: str
    issue_date: date
    due_date: date
    currency: str
    net: int
    vat: int
    total: int
    exchange_rate: Decimal | None
    account: int
    imported: bool
    recorded_at: datetime
    settled_on: date | None
    # As the document says; None of one of the old system, which has no page here.
    buyer_country: str | None
    buyer_address: list[str] | None
    on_debits: bool | None
    client_country: str
    client_postal_code: str
    purpose: str
    # Of a credit note: what the invoice was for that it credits.
    credited_purpose: str | None
    credit_reason: str

    @property
    def is_rebate(self) -> bool:
        """A reduction after the sale, which stays what it was (PCG 709); a return or a mistake
        takes the sale itself back."""
        return self.credit_reason in (Invoice.CreditReason.REBATE, Invoice.CreditReason.GOODWILL)

    # What of an invoice is held back, in its currency.
    retained: int = 0

    @property
    def is_of_deposit(self) -> bool:
        """A deposit, or a credit note on one: nothing is sold yet, an advance is owed."""
        return Invoice.Purpose.DEPOSIT in (self.purpose, self.credited_purpose)

    @property
    def word(self) -> str:
        """Of the words of an entry."""
        return "deposit" if self.purpose == Invoice.Purpose.DEPOSIT else self.kind

    @property
    def is_note(self) -> bool:
        return self.kind == Invoice.Kind.CREDIT_NOTE

    @property
    def shown_at(self) -> tuple[str, int]:
        return "invoices:detail", self.pk

    @property
    def territory(self) -> str:
        """Where the buyer is, as of the document: it does not move with the client."""
        if self.buyer_country is None:
            return territory_of(self.client_country, self.client_postal_code)
        last = (self.buyer_address or [""])[-1]
        code = re.match(r"\s*[\w-]*\d[\w-]*", last)
        return territory_of(self.buyer_country, code[0] if code else "")


class Part(NamedTuple):
    """What is alike in a document: its net and VAT, in the document's currency."""

    category: str
    # None where the document does not say at which rate.
    rate: Decimal | None
    nature: str
    net: int
    vat: int
    # A deposit, or what a final invoice takes off of one (then below zero).
    is_advance: bool = False
    # Of what is taken off: the rate at which the deposit was booked.
    booked_at: Decimal | None = None
    # Of a discount or charge on the whole: which of both.
    adjusts: str = ""

    def waits(self, doc: Doc) -> bool:
        """VAT on services waits for the money; that on a deposit of goods too (CGI 269, 2, a)."""
        return self.nature == Nature.SERVICES or doc.is_of_deposit


@dataclass(frozen=True)
class Booked:
    """A document in the company's currency: its parts come to its total."""

    doc: Doc
    worth: Worth
    total: int
    parts: list[tuple[Part, int, int]]
    # What rounding each part left, of a document in another currency.
    rounding: int
    # VAT by rate that is due when the money comes in.
    waiting: dict[Decimal | None, int]


def documents(rows: Any) -> Any:
    """The rows of a query of invoices as `Doc` takes them."""
    held = Instalment.objects.filter(invoice=OuterRef("pk"), is_retention=True)
    found = rows.annotate(
        account=account(),
        recorded_at=Coalesce("issued_at", "created_at"),
        retained=Coalesce(Subquery(held.values("amount_minor")[:1]), 0),
    )
    return found.values_list(*_COLUMNS)


def booked(making: Making, docs: Sequence[Doc]) -> dict[int, Booked]:
    """By id; without those whose worth is not known."""
    parts = _parts(docs, making)
    found: dict[int, Booked] = {}
    for doc in docs:
        try:
            worth = making.worth_of_document(doc.currency, doc.exchange_rate)
        except NoRate:
            continue
        found[doc.pk] = _booked(making, doc, worth, parts[doc.pk])
    return found


def _booked(making: Making, doc: Doc, worth: Worth, parts: list[Part]) -> Booked:
    total = worth.of(doc.total)
    vat = in_parts(worth.of(doc.vat), [part.vat for part in parts], worth)
    net = _nets(making, doc, worth, parts)
    waiting: dict[Decimal | None, int] = defaultdict(int)
    on_debits = making.company.vat_on_debits if doc.imported else bool(doc.on_debits)
    if not on_debits:
        for part, minor in zip(parts, vat, strict=True):
            if part.waits(doc) and minor:
                waiting[part.rate] += minor
    rounding = total - sum(vat) - sum(net)
    return Booked(doc, worth, total, list(zip(parts, net, vat, strict=True)), rounding, waiting)


def _nets(making: Making, doc: Doc, worth: Worth, parts: Sequence[Part]) -> list[int]:
    """An advance leaves its account at the rate at which it came there; what that differs by from
    the rate of today is part of the sale."""
    found, differs = [], 0
    for part in parts:
        minor = worth.of(part.net)
        if part.booked_at is not None:
            then = making.worth_of_document(doc.currency, part.booked_at).of(part.net)
            minor, differs = then, differs + minor - then
        found.append(minor)
    for place, part in enumerate(parts):
        if differs and not part.is_advance:
            found[place] += differs
            break
    return found


# (nature, net below zero, VAT below zero, rate of the deposit) by document, category and rate.
Advances = dict[tuple[int, str, Decimal], list[tuple[str, int, int, Decimal | None]]]


def _advances(ids: Sequence[int]) -> Advances:
    """What final invoices take off, and what credit notes on them give back of it."""
    found: Advances = defaultdict(list)
    taken = InvoiceLine.objects.filter(invoice__in=ids, deducts__isnull=False).order_by("pk")
    for pk, category, rate, nature, net, vat, booked_at in taken.values_list(
        "invoice", "vat_category", "vat_rate", "nature", "net_minor", "deducted_vat_minor",
        "deducts__deposit__exchange_rate",
    ):  # fmt: skip
        found[pk, category, rate].append((nature, net, -vat, booked_at))
    back = InvoiceLine.objects.filter(invoice__in=ids, credits__deducts__isnull=False)
    for pk, category, rate, nature, net, whole, vat, booked_at in back.order_by("pk").values_list(
        "invoice", "vat_category", "vat_rate", "nature", "net_minor", "credits__net_minor",
        "credits__deducted_vat_minor", "credits__deducts__deposit__exchange_rate",
    ):  # fmt: skip
        mine = -vat if net == whole else vat_of(net, rate)
        found[pk, category, rate].append((nature, net, mine, booked_at))
    return found


# Net by nature and InvoiceLine.adjusts.
Nets = dict[tuple[str, str], int]


def _parts(docs: Sequence[Doc], making: Making) -> dict[int, list[Part]]:
    ids = [doc.pk for doc in docs]
    lines: dict[tuple[int, str, Decimal], Nets] = defaultdict(dict)
    for pk, category, rate, nature, adjusts, net in (
        InvoiceLine.objects.filter(invoice__in=ids)
        .order_by()
        .values_list("invoice", "vat_category", "vat_rate", "nature", "adjusts")
        .annotate(net=Sum("net_minor"))
    ):
        lines[pk, category, rate][nature, adjusts] = net
    groups: dict[int, list[Any]] = defaultdict(list)
    breakdown = VatBreakdown.objects.filter(invoice__in=ids).order_by("-rate", "category")
    for row in breakdown.values_list("invoice", "category", "rate", "basis_minor", "vat_minor"):
        groups[row[0]].append(row)
    usual = making.company.usual_nature
    advances = _advances(ids)
    found: dict[int, list[Part]] = {}
    for doc in docs:
        parts = []
        for pk, category, rate, basis, vat in groups[doc.pk]:
            nets = lines.get((pk, category, rate), {})
            for nature, net, its_vat, at in advances.get((pk, category, rate), ()):
                parts.append(Part(category, rate, nature or usual, net, its_vat, True, at))
                nets[nature, ""] = nets.get((nature, ""), 0) - net
                basis, vat = basis - net, vat - its_vat
            if basis or vat or (pk, category, rate) not in advances:
                parts += _of_group(category, rate, basis, vat, nets, usual)
        if doc.is_of_deposit:
            parts = [part._replace(is_advance=True) for part in parts]
        stated = sum(p.net for p in parts) == doc.net and sum(p.vat for p in parts) == doc.vat
        found[doc.pk] = parts if parts and stated else [Part("", None, usual, doc.net, doc.vat)]
    return found


def _of_group(
    category: str, rate: Decimal, basis: int, vat: int, nets: Nets, usual: str
) -> Iterable[Part]:
    """A VAT row by what its lines supply, discounts and charges apart; its VAT is split in
    proportion, the last has the rest."""
    by_sort: Nets = defaultdict(int)
    for (nature, adjusts), net in nets.items():
        by_sort[nature or usual, adjusts] += net
    if sum(by_sort.values()) != basis or not basis:
        by_sort = {(next(iter(by_sort), (usual, ""))[0], ""): basis}
    left = vat
    for place, ((nature, adjusts), net) in enumerate(sorted(by_sort.items()), 1):
        mine = left if place == len(by_sort) else share(vat, net, basis)
        left -= mine
        yield Part(category, rate, nature, net, mine, adjusts=adjusts)


def document_entry(making: Making, found: Booked, letters: Sequence[Any]) -> Entry | None:
    """None where it comes to nothing, or where an account is missing (which is then noted).

    `letters` are what a credit note settled (`steps.Lettered`); the rest of the note, and an
    invoice but for what is held back, stand on one line.
    """
    doc, sign = found.doc, -1 if found.doc.is_note else 1
    if making.span.with_history and any(part.rate is None and part.vat for part, *_ in found.parts):
        making.problems.without_vat_rate.add(doc.number, doc.shown_at)
    lines = Lines()
    left, left_foreign = found.total, doc.total
    who = making.auxiliary(doc.account)
    for minor, worth, letter, retained in letters:
        lines.add(
            making.owed_by(retained=retained),
            sign * worth,
            auxiliary=who,
            foreign=making.foreign(doc.currency, sign * minor),
            letter=letter,
        )
        left, left_foreign = left - worth, left_foreign - minor
    settled = not doc.is_note and doc.settled_on and doc.settled_on <= making.span.ends_on
    letter = (letter_of(doc.pk), doc.settled_on) if settled else ("", None)
    # By the difference, as steps are worth it.
    held = left - found.worth.of(doc.total - doc.retained) if doc.retained else 0
    for owed, minor, foreign in (
        (making.clients, left - held, left_foreign - doc.retained),
        (making.owed_by(retained=True), held, doc.retained),
    ):
        lines.add(
            owed,
            sign * minor,
            auxiliary=who,
            foreign=making.foreign(doc.currency, sign * foreign),
            letter=letter,
            due_on=None if doc.is_note else doc.due_date,
        )
    if not _sold(making, found, sign, lines):
        return None
    if found.rounding:
        role = Role.SMALL_GAIN if sign * found.rounding > 0 else Role.SMALL_LOSS
        lines.add(making.chart.one(role), -sign * found.rounding)
    postings = lines.done()
    if not postings:
        return None
    return Entry(
        number=f"V{doc.pk}",
        journal="sales",
        day=doc.issue_date,
        piece=doc.number,
        piece_day=doc.issue_date,
        text=making.words[doc.word].format(
            piece=doc.number, client=making.client_name(doc.account)
        ),
        postings=postings,
        recorded_on=timezone.localdate(doc.recorded_at),
        shown_at=doc.shown_at,
    )


def _sold(making: Making, found: Booked, sign: int, lines: Lines) -> bool:
    """The lines of sales and VAT, one per account and rate; False where one has no account."""
    doc = found.doc
    sums: dict[tuple[Any, Decimal | None], list[int]] = {}
    vat_sums: dict[tuple[Any, Decimal | None], list[int]] = {}
    for part, net, vat in found.parts:
        account = _account_of(making, doc, part)
        _count(sums, (account, part.rate), net, part.net)
        if not part.vat:
            continue
        waits = part.rate in found.waiting and part.waits(doc)
        vat_account = making.chart.waiting(part.rate) if waits else making.chart.vat(part.rate)
        if vat_account is None:
            making.problems.without_account.add(doc.number, doc.shown_at)
            if part.rate is not None:
                making.problems.rates_without_account.add(part.rate)
            return False
        _count(vat_sums, (vat_account, part.rate), vat, part.vat)
    for each in (sums, vat_sums):
        for (account, rate), (minor, foreign) in each.items():
            lines.add(
                account,
                -sign * minor,
                foreign=making.foreign(doc.currency, -sign * foreign),
                rate=rate,
            )
    return True


def _account_of(making: Making, doc: Doc, part: Part) -> Account:
    if part.is_advance:
        return making.chart.one(Role.DEPOSITS)
    if doc.is_rebate:
        return making.chart.rebates(doc.territory, part.category, part.rate, part.nature)
    if part.adjusts:
        is_charge = part.adjusts == CHARGE
        return making.chart.one(Role.SALES_CHARGE if is_charge else Role.SALES_DISCOUNT)
    return making.chart.sales(doc.territory, part.category, part.rate, part.nature)


def _count(sums: dict[Any, list[int]], key: Any, minor: int, foreign: int) -> None:
    found = sums.setdefault(key, [0, 0])
    found[0] += minor
    found[1] += foreign


def letter_of(invoice_id: int) -> str:
    return f"F{invoice_id}"
