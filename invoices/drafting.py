"""From a won deal, or from nothing, to a draft invoice that adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import format_decimal
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.money import (
    LARGEST_MINOR,
    formatted_minor,
    from_minor,
    is_currency,
    reader_locale,
)
from invoices.models import (
    Client,
    Company,
    Deal,
    DealLine,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    VatBreakdown,
)
from invoices.models.terms import TermsKind, due_date
from invoices.totals import (
    STANDARD,
    VAT_CATEGORIES,
    DiscountInput,
    LineInput,
    Totals,
    TotalsRefused,
    compute,
    net_lines_from_gross,
)
from invoices.vat import VatTreatment, vat_treatment

MAX_DESCRIPTION = 2_000
MAX_LINES = 500
MAX_RECIPIENTS = 20
EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)
_HUNDREDTH = Decimal("0.01")
# UN/ECE Recommendation 20 for the words that CRMs use; anything else is a piece.
_UNITS = {
    "DAY": {"d", "day", "days", "j", "jour", "jours", "tag", "tage"},
    "HUR": {"h", "hour", "hours", "heure", "heures", "hr", "hrs"},
    "MON": {"month", "months", "mois"},
    "ANN": {"year", "years", "an", "ans", "année", "années"},
    "KMT": {"km"},
}


class DraftRefused(Exception):
    """No draft can be made or changed so; the message is written for staff.

    `existing_id` is the invoice that already bills the deal: lead the person there.
    """

    def __init__(self, message: str, existing_id: int | None = None) -> None:
        super().__init__(message)
        self.existing_id = existing_id


@dataclass(frozen=True)
class Missing:
    """What a deal lacks. Blocking: an invoice of it could not be issued as things stand."""

    field: str
    text: str
    blocking: bool
    # Not even a draft can be made.
    prevents_draft: bool = False


# ─ What a deal becomes ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class DraftLine:
    """A line of a draft before it is stored: the arithmetic, and its words."""

    description: str
    unit: str
    amounts: LineInput


@dataclass(frozen=True)
class Drafted:
    """The lines of a deal as an invoice would have them, and what staff should know about them.

    `notes` are {"code": …} with figures; `told` turns one into a sentence of the reader's language.
    """

    lines: tuple[DraftLine, ...]
    notes: tuple[dict[str, Any], ...]
    totals: Totals
    # As the CRM adds up: prices as given, discounts taken off, tax neither added nor taken out.
    deal_sum_minor: int


def drafted_lines(deal: Deal, treatment: VatTreatment) -> Drafted:
    """Raises TotalsRefused. Reads only what `with_what_billing_needs` prefetches."""
    notes: list[dict[str, Any]] = []
    enabled = [line for line in deal.lines.all() if line.enabled]
    taxed = any(line.tax_percent for line in enabled)
    words: list[tuple[str, str]] = []
    amounts: list[LineInput] = []
    if enabled:
        for place, line in enumerate(enabled, 1):
            category, rate = _line_vat(deal, line, treatment, taxed=taxed)
            if Decimal(rate) != line.tax_percent and taxed and line.tax_percent:
                notes.append({"code": "rate_rounded", "line": place, "rate": _plain(rate)})
            description, was_cut = _described(line)
            if was_cut:
                notes.append({"code": "cut", "line": place, "limit": MAX_DESCRIPTION})
            if line.unit_price < 0:
                notes.append({"code": "negative_price", "line": place})
            if line.billing_frequency not in ("", "one-time"):
                notes.append({"code": "recurring", "line": place, "every": line.billing_frequency})
            words.append((description, _unit(line.unit)))
            amounts.append(_line_amounts(line, category, rate))
    else:
        notes.append({"code": "no_lines"})
        value = deal.value.amount
        words.append((deal.title, "C62"))
        amounts.append(
            LineInput(
                quantity=Decimal(-1 if value < 0 else 1),
                unit_price=abs(value),
                vat_rate=treatment.rate,
                vat_category=treatment.category,
            )
        )
    if not taxed and treatment.category == STANDARD:
        notes.append({"code": "vat_assumed", "rate": _plain(treatment.rate)})
    discounts = [
        DiscountInput(
            percent=extra.value if extra.kind == DealLine.DiscountKind.PERCENTAGE else Decimal(0),
            amount=extra.value if extra.kind == DealLine.DiscountKind.AMOUNT else Decimal(0),
            label=extra.description,
        )
        for extra in deal.discounts.all()
    ]
    as_given = compute(amounts, currency=deal.currency, discounts=discounts)
    if deal.tax_method == Deal.TaxMethod.INCLUSIVE:
        restated = net_lines_from_gross(amounts, currency=deal.currency, discounts=discounts)
        amounts, discounts = list(restated.lines), list(restated.discounts)
        if restated.difference_minor:
            notes.append(
                {
                    "code": "gross_differs",
                    "difference_minor": restated.difference_minor,
                    "currency": deal.currency,
                }
            )
    lines = [DraftLine(text, unit, line) for (text, unit), line in zip(words, amounts, strict=True)]
    before = compute(amounts, currency=deal.currency, discounts=discounts)
    lines += _discount_lines(before, deal)
    totals = compute([line.amounts for line in lines], currency=deal.currency)
    return Drafted(tuple(lines), tuple(notes), totals, as_given.net_minor)


def _discount_lines(totals: Totals, deal: Deal) -> list[DraftLine]:
    """A discount of the whole deal as a line of quantity −1 for each VAT rate it falls on."""
    fr = deal.client is None or deal.client.language == "fr"
    found = []
    for part in totals.allowances:
        label = part.label.strip() or ("Remise" if fr else "Discount")
        if part.percent:
            label += f" ({_plain(part.percent)} %)" if fr else f" ({_plain(part.percent)}%)"
        amount = from_minor(abs(part.amount_minor), totals.currency).amount
        found.append(
            DraftLine(
                label[:MAX_DESCRIPTION],
                "C62",
                LineInput(
                    quantity=Decimal(-1 if part.amount_minor > 0 else 1),
                    unit_price=amount,
                    vat_rate=part.vat_rate,
                    vat_category=part.vat_category,
                ),
            )
        )
    return found


def _line_vat(
    deal: Deal, line: DealLine, treatment: VatTreatment, *, taxed: bool
) -> tuple[str, Decimal]:
    """The rate that the deal names; where it names none, what the client's situation asks for."""
    if line.tax_percent and deal.tax_method != Deal.TaxMethod.NONE:
        return STANDARD, line.tax_percent.quantize(_HUNDREDTH, ROUND_HALF_UP)
    if taxed and treatment.category != "AE" and deal.tax_method != Deal.TaxMethod.NONE:
        # Other lines of this deal are taxed: that this one is not was meant.
        return "E", Decimal(0)
    return treatment.category, treatment.rate


def _line_amounts(line: DealLine, category: str, rate: Decimal) -> LineInput:
    quantity, price = line.quantity, line.unit_price
    if price < 0:
        # EN 16931 has no negative price: the quantity bears the sign.
        quantity, price = -quantity, -price
    is_percent = line.discount_kind == DealLine.DiscountKind.PERCENTAGE
    return LineInput(
        quantity=quantity,
        unit_price=price,
        vat_rate=rate,
        vat_category=category,
        discount_percent=line.discount if is_percent else Decimal(0),
        discount_amount=Decimal(0) if is_percent else line.discount,
    )


def _described(line: DealLine) -> tuple[str, bool]:
    text = "\n".join(part for part in (line.name.strip(), line.description.strip()) if part)
    if len(text) <= MAX_DESCRIPTION:
        return text, False
    return text[: MAX_DESCRIPTION - 1].rstrip() + "…", True


def _unit(word: str) -> str:
    lowered = word.strip().lower()
    for code, words in _UNITS.items():
        if lowered in words or word.strip().upper() == code:
            return code
    return "C62"


def _plain(number: Decimal) -> str:
    return format(number.normalize() + 0, "f")


def told(note: Mapping[str, Any]) -> str:
    """A note of a draft (data["notes"] of its DRAFTED event) in the reader's language."""
    code, values = note.get("code"), dict(note)
    if "difference_minor" in values:
        values["difference"] = formatted_minor(values["difference_minor"], values["currency"])
    if "limit" in values:
        values["limit"] = format_decimal(values["limit"], locale=reader_locale())
    sentences = {
        "cut": _("Line %(line)s was cut to %(limit)s characters."),
        "rate_rounded": _("The VAT rate of line %(line)s was rounded to %(rate)s %%."),
        "negative_price": _("Line %(line)s has a negative price: its quantity bears the sign."),
        "recurring": _("Line %(line)s recurs (%(every)s): one period is billed here."),
        "no_lines": _("The deal has no lines: one line bears its title and its value."),
        "vat_assumed": _("The deal names no VAT: %(rate)s %% was assumed."),
        "gross_differs": _(
            "No price before VAT gives the deal's total exactly: it differs by %(difference)s."
        ),
    }
    sentence = sentences.get(str(code))
    return sentence % values if sentence else str(note.get("text", ""))


def draft_notes(invoice: Invoice) -> list[str]:
    """What staff should know about how the draft came to be."""
    event = invoice.events.filter(kind=InvoiceEvent.Kind.DRAFTED).first()
    return [told(note) for note in (event.data.get("notes", []) if event else [])]


# ─ What a deal lacks ────────────────────────────────────────────────────────────────────────────


def with_what_billing_needs(deals: QuerySet[Deal]) -> QuerySet[Deal]:
    """The rows that `what_is_missing` reads, in a fixed number of queries."""
    return deals.select_related("client__client_type", "contact", "owner").prefetch_related(
        "lines", "discounts", "client__contacts"
    )


def missing_for(deals: Iterable[Deal], company: Company | None = None) -> dict[int, list[Missing]]:
    """What each deal lacks, by primary key; as many queries for a hundred deals as for one."""
    found = list(deals)
    company = company or Company.objects.filter(pk=1).first()
    prefetch_related_objects(found, "client__contacts", "contact", "lines", "discounts")
    return {deal.pk: _missing(deal, company) for deal in found}


def what_is_missing(deal: Deal) -> list[Missing]:
    return missing_for([deal])[deal.pk]


def _missing(deal: Deal, company: Company | None) -> list[Missing]:
    found: list[Missing] = []

    def lacks(field: str, text: str, *, blocking: bool = True, prevents: bool = False) -> None:
        found.append(Missing(field, text, blocking or prevents, prevents))

    if deal.status != Deal.Status.WON:
        lacks("status", _("The deal is not won."), prevents=True)
    client = deal.client
    if client is None:
        lacks("client", _("The deal has no organisation to bill."), prevents=True)
    else:
        _client_lacks(lacks, deal, client)
    if not is_currency(deal.currency):
        lacks(
            "currency",
            _("“%(code)s” is not a currency that we know.") % {"code": deal.currency[:10]},
            prevents=True,
        )
        return found
    _amounts_lack(lacks, deal, client, company)
    return found


def _client_lacks(lacks: Any, deal: Deal, client: Client) -> None:
    if client.gone_at is not None:
        lacks(
            "client",
            _("%(client)s was deleted in the CRM: check who is billed.") % {"client": client.name},
            blocking=False,
        )
    if not client.has_address:
        lacks("address", _("Billing address"))
    if not recipients_for(deal):
        lacks("billing_email", _("Billing email"), blocking=False)
    treatment = vat_treatment(client, None)
    if treatment.needs_vat_id:
        lacks("vat_id", _("VAT id: without one, French VAT is charged."))
    if client.country == "FR" and not client.siren:
        lacks("siren", _("SIREN"), blocking=False)
    if client.needs_purchase_order and not deal.purchase_order.strip():
        lacks("purchase_order", _("Purchase order, which this client asks for"))


def _amounts_lack(lacks: Any, deal: Deal, client: Client | None, company: Company | None) -> None:
    treatment = vat_treatment(client or Client(country="FR"), company)
    enabled = [line for line in deal.lines.all() if line.enabled]
    if not enabled:
        lacks(
            "lines", _("The deal has no lines: its title and value make one line."), blocking=False
        )
    if abs(deal.value_minor) > LARGEST_MINOR:
        lacks("value", _("The value is too large: check the figure."), prevents=True)
        return
    try:
        drafted = drafted_lines(deal, treatment)
    except TotalsRefused as refusal:
        lacks("lines", str(refusal), prevents=True)
        return
    if drafted.totals.total_minor == 0:
        lacks("value", _("The amount is zero: there is nothing to bill."))
    elif drafted.totals.total_minor < 0:
        lacks("value", _("The amount is negative: a credit note answers an invoice."))
    if len(drafted.lines) > MAX_LINES:
        lacks("lines", _("More than %(limit)s lines.") % {"limit": MAX_LINES}, prevents=True)
    if enabled and drafted.deal_sum_minor != deal.value_minor:
        lacks(
            "value",
            _("The deal's value is %(value)s, its lines make %(sum)s.")
            % {
                "value": formatted_minor(deal.value_minor, deal.currency),
                "sum": formatted_minor(drafted.deal_sum_minor, deal.currency),
            },
            blocking=False,
        )
    for note in drafted.notes:
        if note["code"] in ("negative_price", "recurring", "vat_assumed", "gross_differs"):
            lacks("lines", told(note), blocking=False)
    if treatment.category != STANDARD and any(
        line.amounts.vat_category == STANDARD for line in drafted.lines
    ):
        lacks(
            "vat", _("The deal charges VAT to a client outside our VAT territory."), blocking=False
        )


def recipients_for(deal: Deal) -> list[str]:
    """Billing email, else the contacts that receive invoices, else the deal's contact."""
    client = deal.client
    if client is None:
        return []
    found = client_recipients(client)
    contact = deal.contact
    if not found and contact is not None and contact.email and contact.gone_at is None:
        found = [contact.email]
    return found


def client_recipients(client: Client) -> list[str]:
    if client.billing_email:
        return [client.billing_email]
    return [
        contact.email
        for contact in client.contacts.all()
        if contact.receives_invoices and contact.email and contact.gone_at is None
    ][:MAX_RECIPIENTS]


# ─ Making a draft ───────────────────────────────────────────────────────────────────────────────


def draft_from_deal(*, deal_id: int, by: User | None, on: date) -> Invoice:
    """Draft an invoice with the deal's lines. Raises DraftRefused; a deal is billed once.

    The draft has no dates of its own yet: it is dated on the day it is issued (`dates_of`).
    """
    with transaction.atomic():
        try:
            deal = Deal.objects.select_for_update().get(pk=deal_id)
        except Deal.DoesNotExist:
            raise DraftRefused(_("This deal is no longer here.")) from None
        _refuse_second_bill(deal)
        if deal.set_aside_at is not None:
            raise DraftRefused(_("This deal was set aside: take it back before billing it."))
        company = Company.objects.filter(pk=1).first()
        for missing in missing_for([deal], company)[deal.pk]:
            if missing.prevents_draft:
                raise DraftRefused(missing.text)
        client = deal.client
        assert client is not None
        drafted = drafted_lines(deal, vat_treatment(client, company))
        try:
            with transaction.atomic():
                invoice = Invoice.objects.create(
                    client=client,
                    owner_id=deal.owner_id or client.owner_id,
                    deal=deal,
                    title=deal.title,
                    language=_document_language(client),
                    currency=deal.currency,
                    terms_kind=client.terms_kind,
                    terms_days=client.terms_days,
                    service_from=deal.service_from,
                    service_until=deal.service_until,
                    purchase_order=deal.purchase_order,
                    recipients=recipients_for(deal),
                    created_by=by,
                )
        except IntegrityError:
            # The unique constraint is the last guard, where the lock did not reach.
            _refuse_second_bill(deal)
            raise
        _replace_lines(invoice, drafted.lines, drafted.totals)
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.DRAFTED,
            on=on,
            by=by,
            data={
                "deal": deal.title,
                "deal_id": deal.pk,
                "total_minor": invoice.total_minor,
                "currency": invoice.currency,
                "notes": list(drafted.notes),
            },
        )
        return invoice


def _refuse_second_bill(deal: Deal) -> None:
    billed = (
        Invoice.objects.filter(deal=deal, kind=Invoice.Kind.INVOICE)
        .exclude(status=Invoice.Status.VOID)
        .first()
    )
    if billed is None:
        return
    text = (
        _("A draft of this deal exists already.")
        if billed.is_draft
        else _("This deal is billed already: %(number)s.") % {"number": billed.number}
    )
    raise DraftRefused(text, existing_id=billed.pk)


def _document_language(client: Client) -> str:
    return "fr" if client.language.startswith("fr") else "en"


def new_draft(*, client_id: int, by: User | None, on: date) -> Invoice:
    """A blank draft for a client, with its language, currency and terms. Raises DraftRefused."""
    with transaction.atomic():
        client = Client.objects.filter(pk=client_id).first()
        if client is None:
            raise DraftRefused(_("This client is no longer here."))
        if not is_currency(client.currency):
            raise DraftRefused(
                _("“%(code)s” is not a currency that we know.") % {"code": client.currency[:10]}
            )
        invoice = Invoice.objects.create(
            client=client,
            owner_id=client.owner_id,
            language=_document_language(client),
            currency=client.currency,
            terms_kind=client.terms_kind,
            terms_days=client.terms_days,
            recipients=client_recipients(client),
            created_by=by,
        )
        InvoiceEvent.objects.create(
            invoice=invoice, kind=InvoiceEvent.Kind.DRAFTED, on=on, by=by, data={}
        )
        return invoice


def void_draft(*, invoice_id: int, by: User | None, on: date, reason: str = "") -> Invoice:
    """Discard a draft; its deal may be billed again. Raises DraftRefused for anything issued."""
    with transaction.atomic():
        invoice = _locked_draft(invoice_id)
        invoice.status = Invoice.Status.VOID
        invoice.save(update_fields=["status", "updated_at"])
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.VOIDED,
            on=on,
            by=by,
            data={"reason": reason[:300]},
        )
        return invoice


def _locked_draft(invoice_id: int) -> Invoice:
    invoice = Invoice.objects.select_for_update().filter(pk=invoice_id).first()
    if invoice is None:
        raise DraftRefused(_("This draft is no longer here."))
    if invoice.status == Invoice.Status.VOID:
        raise DraftRefused(_("This draft was discarded."))
    if not invoice.is_draft:
        raise DraftRefused(
            _("%(number)s is issued and cannot be changed: make a credit note.")
            % {"number": invoice.number}
        )
    return invoice


# ─ Editing a draft ──────────────────────────────────────────────────────────────────────────────

HEADER_FIELDS = [
    "client_id",
    "title",
    "language",
    "currency",
    "issue_date",
    "terms_kind",
    "terms_days",
    "due_date",
    "service_from",
    "service_until",
    "purchase_order",
    "note",
    "recipients",
]
_LINE_FIELDS = [
    "description",
    "quantity",
    "unit",
    "unit_price",
    "discount_percent",
    "discount_amount",
    "vat_category",
    "vat_rate",
]


def save_draft(
    *,
    invoice_id: int,
    header: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    by: User | None,
    seen: datetime | None = None,
) -> dict[str, str]:
    """Replace the draft's words and lines, in the order given; returns problems by field.

    With a problem nothing is saved; an empty answer means saved. Keys of the answer: HEADER_FIELDS,
    `lines`, and `lines.3` or `lines.3.vat_rate` (counted from 0). A header field left out keeps its
    value; `issue_date` None is the day of issue, `due_date` None follows the terms. `seen` is the
    `updated_at` that the person worked from: a later change by another raises DraftRefused.
    """
    with transaction.atomic():
        invoice = _locked_draft(invoice_id)
        if seen is not None and invoice.updated_at != seen:
            raise DraftRefused(
                _("Somebody changed this draft meanwhile. Nothing was overwritten: load it again.")
            )
        problems = _header_problems(header, invoice)
        currency = header.get("currency", invoice.currency)
        known = currency if "currency" not in problems else invoice.currency
        inputs, line_problems = _lines_in(lines, known)
        problems |= line_problems
        if not problems:
            try:
                totals = compute([line.amounts for line in inputs], currency=currency)
            except TotalsRefused as refusal:
                problems["lines"] = str(refusal)
        if problems:
            return problems
        for field, value in header.items():
            if field == "due_date":
                invoice.due_date_typed = value is not None
            setattr(invoice, field, value)
        invoice.save()
        _replace_lines(invoice, inputs, totals)
        return {}


def preview_totals(lines: Sequence[Mapping[str, Any]], currency: str) -> Totals:
    """The totals while somebody types; nothing is read or written. Raises TotalsRefused."""
    inputs, problems = _lines_in(lines, currency)
    if problems:
        raise TotalsRefused(next(iter(problems.values())))
    return compute([line.amounts for line in inputs], currency=currency)


def recalculate(invoice: Invoice) -> Totals:
    """Add a locked draft up again from its stored lines."""
    lines = list(invoice.lines.all())
    totals = totals_of(invoice, lines)
    for line, amounts in zip(lines, totals.lines, strict=True):
        line.net_minor = amounts.net_minor
    InvoiceLine.objects.bulk_update(lines, ["net_minor"])
    _store_totals(invoice, totals)
    return totals


def totals_of(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Totals:
    return compute([input_of(line) for line in lines], currency=invoice.currency)


def dates_of(invoice: Invoice, on: date) -> tuple[date, date]:
    """Issue date and due date that the draft would bear if it were issued on `on`."""
    issue_date = invoice.issue_date or on
    if invoice.due_date_typed and invoice.due_date:
        return issue_date, invoice.due_date
    return issue_date, due_date(issue_date, invoice.terms_kind, invoice.terms_days)


def input_of(line: InvoiceLine) -> LineInput:
    return LineInput(
        quantity=Decimal(line.quantity),
        unit_price=Decimal(line.unit_price),
        vat_rate=Decimal(line.vat_rate),
        vat_category=line.vat_category,
        discount_percent=Decimal(line.discount_percent),
        discount_amount=Decimal(line.discount_amount),
    )


def _replace_lines(invoice: Invoice, lines: Sequence[DraftLine], totals: Totals) -> None:
    invoice.lines.all().delete()
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            net_minor=amounts.net_minor,
        )
        for position, (line, amounts) in enumerate(zip(lines, totals.lines, strict=True), 1)
    )
    _store_totals(invoice, totals)


def _store_totals(invoice: Invoice, totals: Totals) -> None:
    invoice.vat_breakdown.all().delete()
    VatBreakdown.objects.bulk_create(
        VatBreakdown(
            invoice=invoice,
            category=group.vat_category,
            rate=group.vat_rate,
            basis_minor=group.basis_minor,
            vat_minor=group.vat_minor,
        )
        for group in totals.breakdown
    )
    invoice.net_minor, invoice.vat_minor = totals.net_minor, totals.vat_minor
    invoice.total_minor = invoice.outstanding_minor = totals.total_minor
    invoice.save(
        update_fields=["net_minor", "vat_minor", "total_minor", "outstanding_minor", "updated_at"]
    )


def _header_problems(header: Mapping[str, Any], invoice: Invoice) -> dict[str, str]:
    problems: dict[str, str] = {}
    if unknown := set(header) - set(HEADER_FIELDS):
        raise ValueError(f"save_draft knows no {', '.join(sorted(unknown))}")
    if "client_id" in header and not Client.objects.filter(pk=header["client_id"]).exists():
        problems["client_id"] = _("Choose a client.")
    if header.get("language", "fr") not in ("fr", "en"):
        problems["language"] = _("Documents are in French or in English.")
    if not is_currency(str(header.get("currency", invoice.currency))):
        problems["currency"] = _("Choose a currency.")
    if header.get("terms_kind", TermsKind.NET) not in TermsKind.values:
        problems["terms_kind"] = _("Choose payment terms.")
    if not 0 <= int(header.get("terms_days", 0)) <= 365:
        problems["terms_days"] = _("Between 0 and 365 days.")
    for field, limit in (("title", 255), ("purchase_order", 120), ("note", 2000)):
        if len(str(header.get(field, ""))) > limit:
            problems[field] = _("At most %(limit)s characters.") % {"limit": limit}
    for field in ("issue_date", "due_date", "service_from", "service_until"):
        value = header.get(field)
        if value is not None and not EARLIEST <= value <= LATEST:
            problems[field] = _("This day is out of range.")
    issued = header.get("issue_date", invoice.issue_date)
    due = header.get("due_date", invoice.due_date if invoice.due_date_typed else None)
    if issued and due and due < issued:
        problems["due_date"] = _("The due date is before the issue date.")
    start = header.get("service_from", invoice.service_from)
    end = header.get("service_until", invoice.service_until)
    if start and end and end < start:
        problems["service_until"] = _("The service ends before it begins.")
    if "recipients" in header and (wrong := address_problem(header["recipients"])):
        problems["recipients"] = wrong
    return problems


def address_problem(addresses: Sequence[str]) -> str:
    """What is wrong with a list of addresses, as a sentence; empty when nothing is."""
    if len(addresses) > MAX_RECIPIENTS:
        return _("At most %(limit)s recipients.") % {"limit": MAX_RECIPIENTS}
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            return _("“%(address)s” is not an email address.") % {"address": address[:80]}
    return ""


def _lines_in(
    lines: Sequence[Mapping[str, Any]], currency: str
) -> tuple[list[DraftLine], dict[str, str]]:
    problems: dict[str, str] = {}
    found: list[DraftLine] = []
    if len(lines) > MAX_LINES:
        problems["lines"] = _("More than %(limit)s lines.") % {"limit": MAX_LINES}
        return found, problems
    for place, given in enumerate(lines):
        if unknown := set(given) - set(_LINE_FIELDS):
            raise ValueError(f"a line knows no {', '.join(sorted(unknown))}")
        description = str(given.get("description", "")).strip()
        if len(description) > MAX_DESCRIPTION:
            problems[f"lines.{place}.description"] = _("At most %(limit)s characters.") % {
                "limit": MAX_DESCRIPTION
            }
        rate = Decimal(given.get("vat_rate", 0))
        category = str(given.get("vat_category", STANDARD if rate else "Z"))
        if category not in VAT_CATEGORIES:
            problems[f"lines.{place}.vat_category"] = _("Choose a VAT category.")
            continue
        line = LineInput(
            quantity=Decimal(given.get("quantity", 1)),
            unit_price=Decimal(given.get("unit_price", 0)),
            vat_rate=rate,
            vat_category=category,
            discount_percent=Decimal(given.get("discount_percent", 0)),
            discount_amount=Decimal(given.get("discount_amount", 0)),
        )
        if line.unit_price < 0:
            line = replace(line, quantity=-line.quantity, unit_price=-line.unit_price)
        if rate != rate.quantize(_HUNDREDTH):
            problems[f"lines.{place}.vat_rate"] = _("At most two decimals.")
            continue
        try:
            compute([line], currency=currency)
        except TotalsRefused as refusal:
            problems[f"lines.{place}"] = str(refusal)
        found.append(DraftLine(description, str(given.get("unit", "C62"))[:3] or "C62", line))
    return found, problems
