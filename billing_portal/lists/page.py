"""A list, declared once: its page, its sums and its exports follow one declaration.

PAYMENTS = Listing(
    name="payments", title=gettext_lazy("Payments"), columns=COLUMNS, default="-received",
    words=…, page="….html", partial="…_list.html", sums=("amount_minor",),
)

def payment_list(request):
    rows, form = selected(request.GET)
    return show(request, PAYMENTS, rows, form=form)

def export_payments(request, kind):
    rows, _form = selected(request.GET)
    return export(PAYMENTS, kind, PAYMENTS.in_order(rows, request.GET))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import file_name, stream_csv, stream_xlsx
from billing_portal.lists.filters import chips, panel_context
from billing_portal.lists.paging import Page, ordered, paginate, sort_of
from billing_portal.lists.totals import Total, joined, totals_per_currency
from billing_portal.toasts import announce


@dataclass(frozen=True)
class Listing:
    # Begins the names of the files; `title` names the sheet.
    name: str
    title: Any
    columns: Sequence[Column]
    # The key of the column that sorts at first, with a minus when it falls.
    default: str = ""
    # ngettext_lazy("%(n)s payment", "%(n)s payments", "count")
    words: Any = "%(n)s"
    page: str = ""
    partial: str = ""
    # The form that narrows the list.
    panel: str = ""
    # What the foot adds up per currency, in minor units; the first is the list's own figure.
    sums: Sequence[str] = ()
    size: int = 50
    # What tells rows of one sort value apart, where several are of one pk.
    key: str = "pk"

    def in_order(self, rows: QuerySet[Any], params: QueryDict) -> QuerySet[Any]:
        """The whole selection in the order of the page, for exports."""
        return ordered(rows, params, self.columns, default=self.default, key=self.key)

    def sorted_by(self, params: QueryDict) -> tuple[str, str]:
        """The sort that the address asks for, "-issued", and the path that it sorts by."""
        sort, column, _falling = sort_of(params.get("sort", ""), self.columns, self.default)
        return sort, column.order

    def foot(self, total: Total) -> dict[str, str]:
        """A row of the foot, written out: the currency, how many, and each sum by its name."""
        words = str(self.words % {"count": total.count, "n": grouped(total.count)})
        sums = {name: total.text(name) for name in self.sums}
        return {"currency": total.currency, "count": words, **sums}

    def page_of(self, rows: QuerySet[Any], params: QueryDict, count: int | None) -> Page[Any]:
        return paginate(
            rows,
            params,
            self.columns,
            default=self.default,
            size=self.size,
            count=count,
            key=self.key,
        )


def show(
    request: StaffRequest,
    listing: Listing,
    rows: QuerySet[Any],
    *,
    form: forms.BaseForm | None = None,
    totals: Sequence[Total] | None = None,
    found: str = "",
    written: Callable[[list[Any]], Iterable[Any]] = list,
    kept: Sequence[str] = ("sort",),
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page of a list, or for htmx the list alone with its sum read out.

    `totals` and `found`, how many in words, when the list adds up and counts by rules of its own;
    `written` makes what the template shows of the page's rows; `kept` are the parameters that the
    filter form carries along.
    """
    params = request.GET
    if form is not None and wants_panel(request):
        return show_panel(request, listing.panel, form, kept, context)
    if totals is None and listing.sums:
        totals = totals_per_currency(rows, *listing.sums)
    # Without sums nobody has counted yet, and the page does.
    count = None if totals is None else sum(total.count for total in totals)
    page = listing.page_of(rows, params, count)
    found = found or str(listing.words % {"count": page.count, "n": page.count_text})
    sums = {name: joined(totals or (), name) for name in listing.sums}
    leading = sums[listing.sums[0]] if listing.sums and page.count else ""
    answer = render_page(
        request,
        page=listing.page,
        partial=listing.partial,
        context={
            "page": page,
            "rows": written(page.rows),
            "totals": totals or (),
            "foot": [listing.foot(total) for total in totals or ()],
            "found": found,
            "found_total": leading,
            "found_sums": sums,
            "form": form,
            "chips": chips(form, params) if form is not None else [],
            "clear_url": "?",
            "filtered": any(name != "panel" for name in params),
            "kept": carried(params, kept),
            **panel_context(form, params),
            "may_export": request.user.has_perm("invoices.export"),
            **(context or {}),
        },
    )
    if wants_partial(request):
        announce(answer, f"{found}, {leading}" if leading else found)
    return answer


def carried(params: QueryDict, kept: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, value) for name in kept for value in params.getlist(name)]


def wants_panel(request: StaffRequest) -> bool:
    return "panel" in request.GET and wants_partial(request)


def show_panel(
    request: StaffRequest,
    template: str,
    form: forms.BaseForm,
    kept: Sequence[str],
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The filter form alone, for the panel that was just opened."""
    given = {**(context or {}), "form": form, "kept": carried(request.GET, kept)}
    answer = render(request, template, given)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def export(
    listing: Listing,
    kind: str,
    rows: Iterable[Any],
    *,
    columns: Sequence[Column] | None = None,
    title: str = "",
    span: str = "",
    left_out: Sequence[str] = (),
    notes: Iterable[str] = (),
) -> HttpResponseBase:
    """The selection as a file, "csv" or "xlsx", called by the title of its list or another one.

    The name of the file ends with the day, or with the `span` of days that the selection is of.
    `left_out` is what was asked and not done: it stands on every line, since who reads the file may
    not have seen the page. `notes` are what the page says beside the table: a workbook has a sheet
    for them, a CSV is read by programs and has none. They are read after the rows, so they may tell
    what those came to.
    """
    file = file_name(title or listing.title, span or timezone.localdate(), kind)
    chosen = list(columns or listing.columns)
    if left_out:
        words = " ".join(left_out)
        chosen.append(Column("left-out", _("Left out"), value=lambda _row: words))
    if kind == "csv":
        return stream_csv(rows, chosen, file)
    return stream_xlsx(rows, chosen, file, str(listing.title), notes=notes)
