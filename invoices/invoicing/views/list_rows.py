"""The documents of a list: what each was at the end of a day, and how the page writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Count, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import EMPTY, grouped
from billing_portal.lists.columns import Amount
from billing_portal.money import formatted_minor
from billing_portal.templatetags.portal import STATES, ct, ct_mark, state_html
from invoices.models import ClientType, Instalment, Invoice
from invoices.models.dues import EACH, Columns
from invoices.models.invoices import InvoiceQuerySet
from invoices.models.standing import Standing
from invoices.selections.filters import InvoiceFilter
from invoices.selections.signs import counts, sign_of

# Rows come as dictionaries, which is twice as fast as instances.
FIELDS = (
    "pk", "kind", "purpose", "status", "number", "title", "currency", "issue_date", "due_date",
    "next_due", "total_minor", "outstanding_minor", "days_late", "paid_on", "sent_at", "imported",
    "client_id", "buyer_name", "client_type__name", "client_type__mark",
    # Of drafts, which have not frozen theirs yet.
    "client__name", "client__client_type__name", "client__client_type__mark",
)  # fmt: skip
EXPORTED_FIELDS = (
    "net_minor", "vat_minor", "owner__name", "owner__email", "corrects__number",
    "credit_reason", "replaces__number",
    "client__siren", "client__vat_id", "client__country",
    # As the page of an issued document says; null of drafts and of the old system.
    "paper__buyer__siren", "paper__buyer__vat_id", "paper__buyer__country",
)  # fmt: skip
# What `state_as_of` adds.
PAST_FIELDS = ("open_minor", "settled_then", "paid_then", "late_then")


# What a list by the types of today shows beside.
TODAY_FIELDS = ("client__merged_into__client_type__name", "client__merged_into__client_type__mark")


# What tells an instalment, instead of what the invoice says of the whole.
INSTALMENT_FIELDS = {
    "due_date": EACH.due,
    "total_minor": EACH.total,
    "outstanding_minor": EACH.open,
    "days_late": EACH.days_late,
    "paid_on": EACH.paid_on,
}


def fields_of(wanted: InvoiceFilter, columns: Columns) -> tuple[str, ...]:
    fields = (*FIELDS, *TODAY_FIELDS) if wanted.type_today else FIELDS
    if not columns.apart:
        return fields
    return (*fields, EACH.part, EACH.key, "position", "parts", *INSTALMENT_FIELDS.values())


def with_parts(rows: InvoiceQuerySet, columns: Columns) -> InvoiceQuerySet:
    """How many instalments the invoice of a row has, for “2/3”; only where there are any."""
    if not columns.apart:
        return rows
    mine = Instalment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice")
    return rows.annotate(parts=Subquery(mine.annotate(n=Count("pk")).values("n")))


def type_place(row: dict[str, Any]) -> str:
    """Where the client type of a row stands: kept since its issue, or with the client of a draft;
    in a list by the types of today with the client whose account it is."""
    if TODAY_FIELDS[0] in row:
        became = "client__merged_into__client_type"
        return became if row[TODAY_FIELDS[0]] else "client__client_type"
    return "client_type" if row["client_type__name"] else "client__client_type"


def client_of(row: dict[str, Any]) -> str:
    """As the document names the buyer; a draft names the client of today."""
    name: str = row["buyer_name"] or row["client__name"]
    return name


class Line(NamedTuple):
    """One document at the end of a day, as rows, sums and exports all count it.

    Amounts carry their sign; None where nothing counts: what a draft would come to is in `draft`.
    """

    row: dict[str, Any]
    # “2/3” of an instalment.
    place: str
    states: list[str]
    days_late: int | None
    paid_on: date | None
    net: Amount | None
    vat: Amount | None
    total: Amount | None
    open: Amount | None
    draft: Amount | None


def lines(rows: Iterable[dict[str, Any]], day: date, wanted: InvoiceFilter) -> Iterable[Line]:
    for row in rows:
        yield _line(row, day, wanted)


def _line(row: dict[str, Any], day: date, wanted: InvoiceFilter) -> Line:
    kind, status, currency = row["kind"], row["status"], row["currency"]
    place, next_due = "", row["next_due"] or row["due_date"]
    if row.get(EACH.part):
        row = {**row, **{name: row[each] for name, each in INSTALMENT_FIELDS.items()}}
        # VAT is the invoice's, not a due's.
        row |= {"net_minor": None, "vat_minor": None}
        place, next_due = f"{row['position']}/{row['parts']}", row["due_date"]
        if status == Invoice.Status.ISSUED and not row["outstanding_minor"]:
            status = Invoice.Status.SETTLED
    open_minor, sent_at = row["outstanding_minor"], row["sent_at"]
    paid_on, days_late = row["paid_on"], row["days_late"]
    if "settled_then" in row:
        # Nothing that came later: a row must not show two days at once.
        open_minor, paid_on, days_late = row["open_minor"], row["paid_then"], row["late_then"]
        if status in (Invoice.Status.ISSUED, Invoice.Status.SETTLED):
            used = kind == Invoice.Kind.CREDIT_NOTE and not open_minor
            settled = row["settled_then"] is not None or used
            status = Invoice.Status.SETTLED if settled else Invoice.Status.ISSUED
        if sent_at is not None and timezone.localdate(sent_at) > day:
            sent_at = None
    if "settled_then" in row and not place:
        # The due date that was open then; only today's is kept.
        next_due = row["due_date"]
    standing = Standing(kind, status, next_due, row["total_minor"], open_minor, sent_at)
    sign, drafted = sign_of(kind), status == Invoice.Status.DRAFT

    def amount(minor: int | None) -> Amount | None:
        return None if minor is None else Amount(sign * minor, currency)

    counted = counts(status, wanted)
    overdue = standing.days_overdue(day)
    return Line(
        row,
        place,
        standing.states(day),
        overdue if overdue else days_late,
        paid_on,
        amount(row.get("net_minor")) if counted else None,
        amount(row.get("vat_minor")) if counted else None,
        amount(row["total_minor"]) if counted else None,
        None if drafted or status == Invoice.Status.VOID else amount(open_minor),
        None if counted else amount(row["total_minor"]),
    )


@dataclass(frozen=True)
class Row:
    """One document, written out for the reader."""

    pk: int
    url: str
    name: str
    client: str
    # The client type's mark alone, and with its name.
    mark: SafeString
    type: SafeString
    issued: SafeString
    due: SafeString
    late: str
    late_words: str
    is_late: bool
    state: SafeString
    note: str
    total: str
    open: str
    open_minor: int
    # What the sum of a selection adds: in the list of drafts, of which nothing is outstanding, what
    # they come to.
    added_minor: int
    currency: str


def list_rows(found: Iterable[Line], query: str) -> list[Row]:
    # Once for all rows: an address and the signs take as long as the rest of a row.
    before, after = reverse("invoices:detail", args=[0]).rsplit("0", 1)
    signs: dict[str, SafeString] = {}
    types: dict[str, tuple[SafeString, SafeString]] = {}
    written = []
    purposes = {each.value: str(each.label).lower() for each in Invoice.Purpose}
    for line in found:
        row, (first, *others) = line.row, line.states
        of = type_place(row)
        name = row[f"{of}__name"]
        if name not in types:
            kind = ClientType(name=name, mark=row[f"{of}__mark"])
            types[name] = ct_mark(kind), ct(kind)
        if first not in signs:
            signs[first] = state_html(first)
        days, is_late = line.days_late, first == "overdue"
        notes = [str(STATES[key][1]).lower() for key in others if key not in ("sent", "issued")]
        if row["purpose"] != Invoice.Purpose.STANDARD:
            notes.insert(0, purposes[row["purpose"]])
        if line.draft is not None:
            notes.append(_written(line.draft))
        written.append(
            Row(
                pk=row["pk"],
                url=f"{before}{row['pk']}{after}{query}",
                name=_name(row, line.place),
                client=client_of(row),
                mark=types[name][0],
                type=types[name][1],
                issued=dates.day_tag(row["issue_date"]),
                due=dates.day_tag(row["due_date"]),
                late=EMPTY if days is None else grouped(days),
                late_words=days_late_words(days) if is_late and days is not None else "",
                is_late=is_late,
                state=signs[first],
                note=", ".join(notes),
                total=_written(line.total),
                open=_written(line.open),
                open_minor=0 if line.open is None else line.open.minor,
                added_minor=_added(line),
                currency=row["currency"],
            )
        )
    return written


def _added(line: Line) -> int:
    amount = line.total if line.open is None else line.open
    return 0 if amount is None else amount.minor


def _name(row: dict[str, Any], place: str) -> str:
    name: str = row["number"] or row["title"] or _("Draft")
    return f"{name} · {place}" if place else name


def days_late_words(days: int) -> str:
    return ngettext("%(n)s day late", "%(n)s days late", days) % {"n": grouped(days)}


def _written(amount: Amount | None) -> str:
    return EMPTY if amount is None else formatted_minor(*amount)
