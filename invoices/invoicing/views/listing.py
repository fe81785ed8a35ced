"""What the list of invoices is: its columns, its sums and the words for what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, ngettext_lazy, pgettext_lazy

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from billing_portal.lists.columns import Column
from billing_portal.lists.page import Listing
from billing_portal.lists.totals import Total, totals_per_currency
from billing_portal.templatetags.portal import STATES
from invoices.invoicing.views.list_rows import Line, client_of, type_place
from invoices.models import Invoice
from invoices.models.dues import Columns
from invoices.models.invoices import InvoiceQuerySet
from invoices.selections.as_of import state_as_of
from invoices.selections.filters import InvoiceFilter, select
from invoices.selections.signs import MIXED, Sums, with_signs

# The client type by its name, as the list shows it.
TYPE_SHOWN = "type_shown"
# The tabs: key of the state, its word, and where its list begins.
TABS = (
    ("", pgettext_lazy("invoices", "All"), "-issued"),
    ("draft", gettext_lazy("Drafts"), "-issued"),
    ("open", gettext_lazy("Open"), "due"),
    ("overdue", gettext_lazy("Overdue"), "due"),
    ("part", pgettext_lazy("invoices", "Part settled"), "due"),
    ("settled", pgettext_lazy("invoices", "Settled"), "-issued"),
    ("credit", gettext_lazy("Credit notes"), "-issued"),
)
WORDS_OF_STATE = {
    "issued": gettext_lazy("Issued"),
    "paid": gettext_lazy("Paid"),
    "withdrawn": gettext_lazy("Settled without money"),
    "changed": gettext_lazy("Deal changed"),
    **{key: label for key, label, _sort in TABS if key},
}


def listing_of(found: Selection, size: int = 25) -> Listing:
    """The list of this state: what it is called, how it sorts, what it writes into a file."""
    wanted, sums, columns = found.wanted, found.sums, found.columns
    # How late an open invoice is follows from its due date, which sorts quickly.
    late = "" if wanted.state in ("open", "overdue", "part", "draft") else columns.days_late
    default = next((sort for key, _label, sort in TABS if key == wanted.state), "-issued")
    return Listing(
        name="invoices",
        title=_("Invoices"),
        columns=(
            _from_row("number", _("Number"), order="number_sort"),
            Column("kind", _("Kind"), value=lambda line: _kind(line)),
            Column(
                "client",
                _("Client"),
                order="client__name_key",
                value=lambda line: client_of(line.row),
            ),
            Column(
                "type",
                _("Type"),
                order=TYPE_SHOWN,
                value=lambda line: line.row[f"{type_place(line.row)}__name"],
            ),
            Column(
                "owner",
                _("Sold by"),
                value=lambda line: line.row["owner__name"] or line.row["owner__email"] or "",
            ),
            _from_row("title", _("Title")),
            _from_row(
                "issue_date", _("Issued"), "issued", order="issue_date", nullable=True, falling=True
            ),
            *_due_columns(columns),
            Column(
                "late",
                _("Days late"),
                order="late_then" if late and found.is_past else late,
                nullable=True,
                falling=True,
                value=lambda line: line.days_late,
            ),
            Column("paid", _("Paid on"), value=lambda line: line.paid_on),
            Column(
                "state",
                _("State"),
                order="status",
                value=lambda line: str(STATES[line.states[0]][1]),
            ),
            *_for_the_ledger(),
            Column(
                "total", _("Total"), order=sums.total, falling=True, value=lambda line: line.total
            ),
            Column(
                "open",
                _("Outstanding"),
                order=sums.open,
                falling=True,
                value=lambda line: line.open,
            ),
            *(
                [Column("draft", _("Draft, not counted"), value=lambda line: line.draft)]
                if wanted.state in MIXED
                else []
            ),
        ),
        default=default,
        words=words_of(wanted, apart=columns.apart),
        page="invoices/invoicing/list.html",
        partial="invoices/invoicing/partials/invoice_list.html",
        panel="invoices/invoicing/partials/invoice_filter.html",
        sums=("total", "open"),
        size=size,
        key=columns.key,
    )


def _due_columns(columns: Columns) -> list[Column]:
    """When it is due; where instalments have rows of their own, which of them it is too."""
    which = [Column("instalment", _("Instalment"), value=lambda line: line.place)]
    due = _from_row("due_date", _("Due"), "due", order=columns.due, nullable=True)
    return [*(which if columns.apart else []), due]


def _from_row(name: str, label: str, key: str = "", **options: Any) -> Column:
    return Column(key or name, label, value=lambda line: line.row[name], **options)


def _for_the_ledger() -> list[Column]:
    """Of the files alone: the currency, who bought, what is corrected, and the VAT."""
    return [
        _from_row("currency", _("Currency")),
        Column("siren", _("SIREN"), value=lambda line: _of_buyer(line, "siren")),
        Column("vat-id", _("VAT id"), value=lambda line: _of_buyer(line, "vat_id")),
        Column("country", _("Country"), value=lambda line: _of_buyer(line, "country")),
        Column("corrects", _("Corrects"), value=lambda line: line.row["corrects__number"]),
        Column("replaces", _("Replaces"), value=lambda line: line.row["replaces__number"]),
        Column("reason", _("Reason"), value=_reason),
        Column("net", _("Before VAT"), value=lambda line: line.net),
        Column("vat", _("VAT"), value=lambda line: line.vat),
    ]


def _of_buyer(line: Line, name: str) -> str:
    """As the document says; without a page of ours, as the client is today."""
    said = line.row[f"paper__buyer__{name}"]
    if line.row["paper__buyer__country"] is None:
        said = line.row[f"client__{name}"]
    # An id of figures alone comes out of JSON as a number.
    return "" if said is None else str(said)


def _kind(line: Line) -> str:
    if line.row["kind"] == Invoice.Kind.CREDIT_NOTE:
        return str(Invoice.Kind.CREDIT_NOTE.label)
    return str(Invoice.Purpose(line.row["purpose"]).label)


def _reason(line: Line) -> str:
    code = line.row["credit_reason"]
    return str(Invoice.CreditReason(code).label) if code else ""


def words_of(wanted: InvoiceFilter, *, apart: bool = False) -> Any:
    """“24 invoices”, in the word for what this list holds; `apart`, each instalment by itself."""
    if wanted.state == "draft":
        return ngettext_lazy("%(n)s draft", "%(n)s drafts", "count")
    if wanted.state == "credit" or wanted.kind == Invoice.Kind.CREDIT_NOTE:
        return ngettext_lazy("%(n)s credit note", "%(n)s credit notes", "count")
    if wanted.state in MIXED and not wanted.kind:
        return ngettext_lazy("%(n)s document", "%(n)s documents", "count")
    if apart:
        return ngettext_lazy("%(n)s due amount", "%(n)s due amounts", "count")
    return ngettext_lazy("%(n)s invoice", "%(n)s invoices", "count")


@dataclass(frozen=True)
class Selection:
    """The documents that an address means and this person may see, with their signed amounts."""

    rows: Any
    wanted: InvoiceFilter
    # What was not understood and left out.
    problems: list[str]
    # The day whose end the list shows.
    day: date
    is_past: bool
    sums: Sums
    # Where the dues of the rows stand.
    columns: Columns

    @property
    def totals(self) -> list[Total]:
        """Per currency. Of drafts among documents only the number is told."""
        of_drafts = self.wanted.state == "draft"
        names = [*self.sums, "drafts"] if self.sums.total == "counted_minor" else [*self.sums]
        return [
            Total(
                found.currency,
                found.count,
                {
                    "total": found.sums[self.sums.total],
                    "open": found.sums[self.sums.open],
                    "drafts": 0 if of_drafts else found.sums.get("drafts", 0),
                },
            )
            for found in totals_per_currency(self.rows, *names)
        ]


def selection(request: HttpRequest, on: date) -> Selection:
    assert isinstance(request.user, User)
    wanted, problems = InvoiceFilter.read(request.GET)
    rows, columns = select(Invoice.objects.visible_to(request.user), wanted, on)
    day = wanted.as_of or on
    # Of today the stored columns say it all, and quickly.
    is_past = day != on
    rows, sums = with_amounts(rows, wanted, day, is_past, columns)
    if request.GET.get("sort", "").lstrip("-") == "type":
        # Two joins that no other order needs.
        rows = rows.annotate(**{TYPE_SHOWN: _type_shown(wanted)})
    return Selection(rows, wanted, problems, day, is_past, sums, columns)


def _type_shown(wanted: InvoiceFilter) -> Coalesce:
    """What `type_place` finds in a row."""
    own = "client__client_type__name"
    first = "client__merged_into__client_type__name" if wanted.type_today else "client_type__name"
    return Coalesce(first, own)


def with_amounts(
    rows: InvoiceQuerySet, wanted: InvoiceFilter, day: date, is_past: bool, columns: Columns
) -> tuple[InvoiceQuerySet, Sums]:
    """The rows as they were at the end of `day`, amounts with their signs."""
    if is_past:
        rows = state_as_of(rows, day, columns=columns)
    return with_signs(rows, wanted, "open_minor" if is_past else columns.open, columns.total)


def counted(total: Total) -> int:
    """How many count where the sums do."""
    return total.count - total.sums["drafts"]


def found_in_words(wanted: InvoiceFilter, totals: Iterable[Total], *, apart: bool) -> str:
    """“964 documents, 12 drafts”: what counts as the sums do, and the drafts beside it."""
    totals = list(totals)
    documents, drafts = sum(map(counted, totals)), drafts_among(totals)
    found = str(words_of(wanted, apart=apart) % {"count": documents, "n": grouped(documents)})
    if not drafts:
        return found
    of_drafts = ngettext("%(n)s draft", "%(n)s drafts", drafts) % {"n": grouped(drafts)}
    return f"{found}, {of_drafts}" if documents else of_drafts


def drafts_among(totals: Iterable[Total]) -> int:
    return sum(total.sums["drafts"] for total in totals)


def left_out_of_sums(n: int) -> str:
    if not n:
        return ""
    words = ngettext(
        "%(n)s draft is not in the totals: it is no document yet.",
        "%(n)s drafts are not in the totals: they are no documents yet.",
        n,
    )
    return words % {"n": grouped(n)}
