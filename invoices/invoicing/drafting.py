"""A draft invoice that adds up: made, changed, discarded.

What asks for one (deals, quotes, plans) stands above and comes in by `draft`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from billing_portal.accounts.models import User
from billing_portal.changes import write_down
from billing_portal.money import is_currency
from invoices.clients.recipients import address_problem, client_recipients
from invoices.documents.adjustments import as_line
from invoices.documents.deposits import less_deposits
from invoices.documents.totals import (
    LineInput,
    Totals,
    TotalsRefused,
    compute,
)
from invoices.invoicing import adjusting, deducting, dues
from invoices.invoicing.draft_lines import (
    DraftLine,
    told,
)
from invoices.invoicing.line_input import lines_in
from invoices.invoicing.supplying import supplied_problems
from invoices.models import (
    Client,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    VatBreakdown,
)
from invoices.models.supplied import SUPPLIED
from invoices.models.terms import TermsKind

EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 1, 1)


class DraftRefused(Exception):
    """No draft can be made or changed so; the message is written for staff.

    `existing_id` is the invoice that already bills the deal: lead the person there.
    """

    def __init__(self, message: str, existing_id: int | None = None) -> None:
        super().__init__(message)
        self.existing_id = existing_id


def draft_notes(invoice: Invoice) -> list[str]:
    """What staff should know about how the draft came to be."""
    event = invoice.events.filter(kind=InvoiceEvent.Kind.DRAFTED).first()
    return [told(note) for note in (event.data.get("notes", []) if event else [])]


def draft(
    *,
    client: Client,
    lines: Sequence[DraftLine] = (),
    totals: Totals | None = None,
    by: User | None,
    on: date,
    told: Mapping[str, Any] | None = None,
    **header: Any,
) -> Invoice:
    """The one door to a new draft, for whatever asks for one: a deal, a quote, a plan, a person.

    Language and terms are the client's, unless `header` has others; `told` is kept with the event
    that says how the draft came to be. The caller holds the transaction and has checked the lines.
    """
    values = {
        "owner_id": client.owner_id,
        "currency": client.currency,
        **_manners_of(client),
        **header,
    }
    with transaction.atomic():
        invoice = Invoice.objects.create(client=client, created_by=by, **values)
    data = dict(told or {})
    if totals is not None:
        _replace_lines(invoice, lines, totals)
        data |= {"total_minor": invoice.total_minor, "currency": invoice.currency}
    InvoiceEvent.objects.create(
        invoice=invoice, kind=InvoiceEvent.Kind.DRAFTED, on=on, by=by, data=data
    )
    return invoice


def _manners_of(client: Client) -> dict[str, Any]:
    return {
        "language": "fr" if client.language.startswith("fr") else "en",
        "terms_kind": client.terms_kind,
        "terms_days": client.terms_days,
        "terms_id": client.terms_id,
    }


def taken_from(client: Client) -> dict[str, Any]:
    """What a draft takes from its client when it is given to another: a header for `save_draft`.

    Never the currency: the prices of its lines are in the one that it has.
    """
    return {
        "client_id": client.pk,
        **_manners_of(client),
        "recipients": client_recipients(client),
        "dues_typed": [],
    }


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
        return draft(client=client, recipients=client_recipients(client), by=by, on=on)


def void_draft(*, invoice_id: int, by: User | None, on: date, reason: str = "") -> Invoice:
    """Discard a draft; its deal may be billed again. Raises DraftRefused for anything issued."""
    with transaction.atomic():
        invoice = locked_draft(invoice_id)
        invoice.status = Invoice.Status.VOID
        invoice.save(update_fields=["status", "updated_at"])
        deducting.release(invoice, by=by, on=on)
        InvoiceEvent.objects.create(
            invoice=invoice,
            kind=InvoiceEvent.Kind.VOIDED,
            on=on,
            by=by,
            data={"reason": reason[:300]},
        )
        return invoice


def locked_draft(invoice_id: int) -> Invoice:
    invoice = Invoice.objects.select_for_update().filter(pk=invoice_id).first()
    if invoice is None:
        raise DraftRefused(_("This draft is no longer here."))
    refuse_unless_draft(invoice)
    return invoice


def refuse_unless_draft(invoice: Invoice) -> None:
    if invoice.status == Invoice.Status.VOID:
        raise DraftRefused(_("This draft was discarded."))
    if not invoice.is_draft:
        raise DraftRefused(
            _("%(number)s is issued and cannot be changed: make a credit note.")
            % {"number": invoice.number}
        )


# ─ Editing a draft ──────────────────────────────────────────────────────────────────────────────

HEADER_FIELDS = [
    *("client_id", "title", "language", "currency", "issue_date"),
    *SUPPLIED,
    "terms_kind",
    "terms_days",
    "terms_id",
    "dues_typed",
    "adjustments",
    "retention_percent",
    "retention_on",
    "due_date",
    "service_from",
    "service_until",
    "purchase_order",
    "note",
    "recipients",
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
        invoice = locked_draft(invoice_id)
        if seen is not None and invoice.updated_at != seen:
            raise DraftRefused(
                _("Somebody changed this draft meanwhile. Nothing was overwritten: load it again.")
            )
        problems = _header_problems(header, invoice)
        currency = header.get("currency", invoice.currency)
        known = currency if "currency" not in problems else invoice.currency
        inputs, line_problems = lines_in(lines, known)
        problems |= line_problems
        if not problems:
            taken = [input_of(line) for line in deducting.lines_of(invoice)]
            try:
                totals = compute([line.amounts for line in inputs], currency=currency)
                kept = header.get("adjustments", invoice.adjustments)
                adjusted = adjusting.inputs_for(kept, inputs, totals, problems)
                # What deposits take off has to fit beside what is typed.
                compute([*(line.amounts for line in inputs), *adjusted, *taken], currency=currency)
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
        write_down(invoice, ["draft"], by)
        return {}


def preview_totals(
    lines: Sequence[Mapping[str, Any]],
    currency: str,
    deposits: Sequence[InvoiceLine] = (),
    adjustments: Sequence[Mapping[str, str]] = (),
) -> Totals:
    """The totals while somebody types, with discounts and charges, less `deposits`; nothing is read
    or written. Raises TotalsRefused."""
    inputs, problems = lines_in(lines, currency)
    if problems:
        raise TotalsRefused(next(iter(problems.values())))
    amounts = [line.amounts for line in inputs]
    if adjustments:
        own = compute(amounts, currency=currency)
        amounts += [
            as_line(part, currency)
            for part in adjusting.parts_for(adjustments, inputs, own, currency)
        ]
    amounts += map(input_of, deposits)
    return less_deposits(compute(amounts, currency=currency), deducting.deducted(deposits))


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
    totals = compute([input_of(line) for line in lines], currency=invoice.currency)
    return less_deposits(totals, deducting.deducted(lines))


def dates_of(invoice: Invoice, on: date) -> tuple[date, date]:
    """Issue date and due date that the draft would bear if it were issued on `on`.

    Of several instalments the due date is the last one's.
    """
    issue_date = invoice.issue_date or on
    if last := dues.last_day(invoice, issue_date):
        return issue_date, last
    return issue_date, dues.plain_day(invoice, issue_date)


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
    invoice.lines.filter(deducts=None).delete()
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            unit=line.unit,
            quantity=line.amounts.quantity,
            unit_price=line.amounts.unit_price,
            price_missing=line.price_missing,
            discount_percent=line.amounts.discount_percent,
            discount_amount=line.amounts.discount_amount,
            vat_category=line.amounts.vat_category,
            vat_rate=line.amounts.vat_rate,
            exemption_id=line.exemption_id,
            item_id=line.item_id,
            nature=line.nature,
            net_minor=amounts.net_minor,
        )
        for position, (line, amounts) in enumerate(zip(lines, totals.lines, strict=True), 1)
    )
    parts = adjusting.parts_for(invoice.adjustments, lines, totals, invoice.currency)
    InvoiceLine.objects.bulk_create(adjusting.rows_of(invoice, parts, after=len(lines)))
    if invoice.is_final:
        deducting.refresh(invoice)
    if parts or invoice.is_final:
        totals = totals_of(invoice, list(invoice.lines.all()))
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
    problems |= _of_deposits(header, invoice) | supplied_problems(header, invoice)
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


def _of_deposits(header: Mapping[str, Any], invoice: Invoice) -> dict[str, str]:
    """What the deposits that a draft deducts hold fast: whose they are, and their currency."""
    rows = deducting.in_force(invoice) if invoice.is_final else []
    if not rows:
        return {}
    problems = {}
    account = Client.objects.account_of(header.get("client_id", invoice.client_id))
    deposits = Invoice.objects.filter(pk__in=[row.deposit_id for row in rows])
    if deposits.exclude(client__in=account).exists():
        problems["client_id"] = _(
            "This draft deducts deposits of its client: leave them out first, or keep the client."
        )
    if header.get("currency", invoice.currency) != invoice.currency:
        problems["currency"] = _("This draft deducts deposits in %(currency)s: it stays in it.") % {
            "currency": invoice.currency
        }
    return problems
