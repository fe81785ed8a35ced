"""The list of invoices: filters in the address, totals of the whole selection, exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Count, F, Q
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from billing_portal import dates
from billing_portal.figures import EMPTY, grouped
from billing_portal.htmx import StaffRequest
from billing_portal.lists.columns import POSITION, Column
from billing_portal.lists.filters import Chip, chips, left_out, periods, tabs_of
from billing_portal.lists.page import Listing, export, show
from billing_portal.lists.totals import Total
from billing_portal.templatetags.portal import query_with
from billing_portal.typed.addresses import mistyped, typed_filters
from invoices.invoicing.forms.list_filter import FilterForm
from invoices.invoicing.views.list_rows import (
    EXPORTED_FIELDS,
    PAST_FIELDS,
    Line,
    fields_of,
    lines,
    list_rows,
    with_parts,
)
from invoices.invoicing.views.listing import (
    TABS,
    WORDS_OF_STATE,
    counted,
    drafts_among,
    found_in_words,
    left_out_of_sums,
    listing_of,
    selection,
    words_of,
)
from invoices.invoicing.views.vat_columns import rates_that_occur, vat_columns, with_vat
from invoices.models import Instalment, Invoice
from invoices.selections.filters import InvoiceFilter, filter_invoices


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
@typed_filters(FilterForm)
def invoice_list(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    found = selection(request, on)
    wanted = found.wanted
    totals = found.totals
    size = 50 if request.GET.get("size") == "50" else 25
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    apart = found.columns.apart
    words = words_of(wanted, apart=apart)
    form = FilterForm(
        request.GET, user=request.user, currencies=[total.currency for total in totals]
    )
    return show(
        request,
        listing_of(found, size),
        with_parts(found.rows, found.columns).values(
            *fields_of(wanted, found.columns), *(PAST_FIELDS if found.is_past else ())
        ),
        form=form,
        totals=totals,
        found=found_in_words(wanted, totals, apart=apart),
        written=lambda rows: list_rows(lines(rows, found.day, wanted), query),
        kept=("state", "kind", "sort"),
        context={
            "foot": [_foot(total, wanted, words) for total in totals],
            "left_out": left_out_of_sums(drafts_among(totals)),
            "problems": [*found.problems, *left_out(form, mistyped(request.GET))],
            "chips": _chips(form, request.GET, wanted),
            "clear_url": query_with(QueryDict(), {"state": wanted.state}),
            "state": wanted.state,
            "query": query,
            "tabs": _tabs(request.GET, wanted.state),
            "title": WORDS_OF_STATE.get(wanted.state, _("Invoices")),
            "as_of": wanted.as_of,
            "periods": periods(request.GET, "issued_from", "issued_to", on),
        },
    )


def _foot(total: Total, wanted: InvoiceFilter, words: Any) -> dict[str, str]:
    n = counted(total)
    return {
        "currency": total.currency,
        "count": str(words % {"count": n, "n": grouped(n)}),
        "total": total.text("total"),
        "open": EMPTY if wanted.state == "draft" else total.text("open"),
    }


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_invoices(request: StaffRequest, kind: str) -> HttpResponseBase:
    """Exactly the rows of the list, all of them, adding up to its foot."""
    found = selection(request, timezone.localdate())
    listing = listing_of(found)
    rows = listing.in_order(with_parts(found.rows, found.columns), request.GET).values(
        *fields_of(found.wanted, found.columns),
        *EXPORTED_FIELDS,
        *(PAST_FIELDS if found.is_past else ()),
    )
    # Counted while they are written, since the first byte waits for no sum.
    drafts = 0

    def written() -> Iterator[Line]:
        nonlocal drafts
        read = with_vat(rows.iterator(chunk_size=2000))
        for line in lines(read, found.day, found.wanted):
            drafts += line.draft is not None
            yield line

    def notes() -> Iterator[str]:
        if drafts:
            yield left_out_of_sums(drafts)
        if found.is_past:
            yield _(
                "As of %(day)s: states, days late and what was outstanding are of that day."
            ) % {"day": dates.day(found.day)}

    # A list of a past day is called by that day, and not by the one on which it was written.
    span = f"{found.day}" if found.is_past else ""
    columns = _with_vat_columns(listing)
    return export(
        listing,
        kind,
        written(),
        columns=columns,
        span=span,
        left_out=found.problems,
        notes=notes(),
    )


def _with_vat_columns(listing: Listing) -> list[Column]:
    """Behind the VAT of the whole document that by rate."""
    place = next(n for n, column in enumerate(listing.columns, 1) if column.key == "vat")
    by_rate = vat_columns(rates_that_occur())
    return [*listing.columns[:place], *by_rate, *listing.columns[place:]]


# What a tab does not keep of the address.
_NOT_OF_TABS = {"sort": None, "bucket": None, "ageing": None, "size": None, **POSITION}


def _tabs(params: QueryDict, state: str) -> list[dict[str, Any]]:
    kept = {**_NOT_OF_TABS, "size": params.get("size")}
    return tabs_of(params, [(key, label) for key, label, _sort in TABS], state, **kept)


def _chips(form: FilterForm, params: QueryDict, wanted: InvoiceFilter) -> list[Chip]:
    found = chips(form, params)
    tabs = {"all", *(key for key, _label, _sort in TABS)}
    if wanted.state not in tabs:
        url = query_with(params, {**POSITION, "state": None})
        found.insert(
            0, Chip("state", _("State"), str(WORDS_OF_STATE.get(wanted.state, wanted.state)), url)
        )
    return found


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def tab_counts(request: StaffRequest) -> HttpResponse:
    """How many stand behind each tab; fetched after the list, which does not wait for it."""
    on = timezone.localdate()
    narrowed = any(name not in (*_NOT_OF_TABS, "state") for name in request.GET)
    if narrowed or Instalment.objects.exists():
        return _tab_counts(request, _counted_under_filter(request, on))
    invoice = Q(kind=Invoice.Kind.INVOICE)
    found = Invoice.objects.visible_to(request.user).aggregate(
        all=Count("pk", filter=~Q(status=Invoice.Status.VOID)),
        draft=Count("pk", filter=Q(status=Invoice.Status.DRAFT)),
        open=Count("pk", filter=invoice & Q(status=Invoice.Status.ISSUED)),
        overdue=Count("pk", filter=invoice & Q(status=Invoice.Status.ISSUED, next_due__lt=on)),
        part=Count(
            "pk",
            filter=invoice
            & Q(status=Invoice.Status.ISSUED, outstanding_minor__lt=F("total_minor")),
        ),
        settled=Count("pk", filter=invoice & Q(status=Invoice.Status.SETTLED)),
        credit=Count(
            "pk",
            filter=Q(kind=Invoice.Kind.CREDIT_NOTE)
            & ~Q(status__in=[Invoice.Status.DRAFT, Invoice.Status.VOID]),
        ),
    )
    return _tab_counts(request, found)


def _counted_under_filter(request: StaffRequest, on: date) -> dict[str, int]:
    """Each tab keeps the filter: what it counts is what it opens."""
    wanted, _problems = InvoiceFilter.read(request.GET)
    mine = Invoice.objects.visible_to(request.user)
    return {
        key or "all": filter_invoices(mine, wanted.but(state=key, bucket="", ageing=""), on).count()
        for key, _label, _sort in TABS
    }


def _tab_counts(request: StaffRequest, found: Mapping[str, int]) -> HttpResponse:
    counts = [(key, grouped(n)) for key, n in found.items()]
    return render(request, "invoices/invoicing/partials/tab_counts.html", {"counts": counts})
