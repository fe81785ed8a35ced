"""The list of invoices: filters in the address, totals of the whole selection, exports."""

from __future__ import annotations

import io
import tempfile
import zipfile
from datetime import date
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import BigIntegerField, Case, Count, F, Q, Value, When
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page, wants_partial
from billing_portal.lists.columns import POSITION, Column
from billing_portal.lists.exports import stream_csv, stream_xlsx
from billing_portal.lists.filters import Chip, chips
from billing_portal.lists.paging import Page, ordered, paginate
from billing_portal.lists.totals import Total, joined, totals_per_currency
from billing_portal.money import from_minor
from billing_portal.templatetags.portal import STATES, query_with
from billing_portal.toasts import announce
from invoices.invoicing.forms.list_filter import FilterForm
from invoices.invoicing.views.list_rows import FIELDS, list_rows
from invoices.models import Document, Invoice
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    InvoiceFilter,
    filter_invoices,
)

MOST_PDFS = 200
# The tabs: key of the state, its word, and where its list begins.
TABS = (
    ("", gettext_lazy("All"), "-issued"),
    ("draft", gettext_lazy("Drafts"), "-issued"),
    ("open", gettext_lazy("Open"), "due"),
    ("overdue", gettext_lazy("Overdue"), "due"),
    ("part", pgettext_lazy("invoices", "Part paid"), "due"),
    ("settled", pgettext_lazy("invoices", "Settled"), "-issued"),
    ("credit", gettext_lazy("Credit notes"), "-issued"),
)
WORDS_OF_STATE = {
    "issued": gettext_lazy("Issued"),
    "paid": gettext_lazy("Paid"),
    "withdrawn": gettext_lazy("Settled without money"),
    **{key: label for key, label, _sort in TABS if key},
}


def columns(state: str) -> tuple[Column, ...]:
    late_order = "" if state in ("open", "overdue", "part", "draft") else "days_late"
    return (
        Column("number", _("Number"), order="number"),
        Column("client", _("Client"), order="client__name"),
        Column("type", _("Type"), order="client__client_type__name"),
        Column("issued", _("Issued"), order="issue_date", nullable=True, falling=True),
        Column("due", _("Due"), order="due_date", nullable=True),
        Column("late", _("Days late"), order=late_order, nullable=True, falling=True),
        Column("state", _("State"), order="status"),
        Column("total", _("Total"), order="total_minor", falling=True),
        Column("open", _("Outstanding"), order="outstanding_minor", falling=True),
    )


def selection(request: HttpRequest, on: date) -> tuple[Any, InvoiceFilter, list[str]]:
    """The invoices that the address means and this person may see; and what was not understood."""
    assert isinstance(request.user, User)
    wanted, problems = InvoiceFilter.read(request.GET)
    rows = filter_invoices(Invoice.objects.visible_to(request.user), wanted, on)
    if wanted.as_of and wanted.as_of != on:
        rows = with_open_amount(rows, wanted.as_of)
    return rows, wanted, problems


# States whose lists hold invoices and credit notes, drafts and what is issued, side by side.
MIXED = ("", "all")


def totals_of(rows: Any, wanted: InvoiceFilter, on: date) -> list[Total]:
    """Totals per currency. Among invoices a credit note counts down; a draft owes nothing yet."""
    open_name = "open_minor" if wanted.as_of and wanted.as_of != on else "outstanding_minor"
    total_name = "total_minor"
    if wanted.state in MIXED and not wanted.kind:
        credit = Q(kind=Invoice.Kind.CREDIT_NOTE)
        whole = BigIntegerField()
        rows = rows.annotate(
            counted=Case(
                When(credit, then=-F(total_name)), default=F(total_name), output_field=whole
            ),
            owed=Case(
                When(credit | Q(status=Invoice.Status.DRAFT), then=Value(0, output_field=whole)),
                default=F(open_name),
                output_field=whole,
            ),
        )
        total_name, open_name = "counted", "owed"
    found = totals_per_currency(rows, total_name, open_name)
    return [
        Total(t.currency, t.count, {"total": t.sums[total_name], "open": t.sums[open_name]})
        for t in found
    ]


def counted(wanted: InvoiceFilter, count: int) -> str:
    """“24 invoices”, in the word for what this list holds."""
    if wanted.state == "draft":
        words = ngettext("%(n)s draft", "%(n)s drafts", count)
    elif wanted.state == "credit" or wanted.kind == Invoice.Kind.CREDIT_NOTE:
        words = ngettext("%(n)s credit note", "%(n)s credit notes", count)
    elif wanted.state in MIXED and not wanted.kind:
        words = ngettext("%(n)s document", "%(n)s documents", count)
    else:
        words = ngettext("%(n)s invoice", "%(n)s invoices", count)
    return words % {"n": grouped(count)}


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def invoice_list(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    rows, wanted, problems = selection(request, on)
    totals = totals_of(rows, wanted, on)
    count = sum(total.count for total in totals)
    default = next((sort for key, _label, sort in TABS if key == wanted.state), "-issued")
    names = (*FIELDS, "open_minor") if wanted.as_of and wanted.as_of != on else FIELDS
    page: Page[Any] = paginate(
        rows.values(*names),
        request.GET,
        columns(wanted.state),
        default=default,
        size=50 if request.GET.get("size") == "50" else 25,
        count=count,
    )
    day = wanted.as_of or on
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    found = counted(wanted, count)
    form = FilterForm(
        request.GET, user=request.user, currencies=[total.currency for total in totals]
    )
    context = {
        "page": page,
        "rows": list_rows(page.rows, day, query),
        "totals": [
            {
                "currency": total.currency,
                "count": counted(wanted, total.count),
                "total": total.text("total"),
                "open": "–" if wanted.state == "draft" else total.text("open"),
            }
            for total in totals
        ],
        "found": found,
        "found_total": joined(totals, "total") if count else "",
        "found_open": joined(totals, "open") if any(t.sums["open"] for t in totals) else "",
        "problems": problems,
        "form": form,
        "chips": _chips(form, request.GET, wanted),
        "clear_url": query_with(QueryDict(), {"state": wanted.state}),
        "state": wanted.state,
        "tabs": _tabs(request.GET, wanted.state),
        "title": WORDS_OF_STATE.get(wanted.state, _("Invoices")),
        "as_of": wanted.as_of,
        "kept": [(key, v) for key in ("state", "kind", "sort") for v in request.GET.getlist(key)],
        "may_export": request.user.has_perm("invoices.export"),
        "filtered": bool(request.GET),
    }
    answer = render_page(
        request,
        page="invoices/invoicing/list.html",
        partial="invoices/invoicing/partials/invoice_list.html",
        context=context,
    )
    if wants_partial(request):
        announce(answer, f"{found}, {context['found_total']}" if count else found)
    return answer


def _tabs(params: QueryDict, state: str) -> list[dict[str, Any]]:
    kept = {"sort": None, "bucket": None, "ageing": None, **POSITION}
    return [
        {
            "key": key or "all",
            "label": label,
            "url": query_with(params, {**kept, "state": key}),
            "current": key == state,
        }
        for key, label, _sort in TABS
    ]


def _chips(form: FilterForm, params: QueryDict, wanted: InvoiceFilter) -> list[Chip]:
    found = chips(form, params)
    tabs = {key for key, _label, _sort in TABS}
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
    invoice = Q(kind=Invoice.Kind.INVOICE)
    found = Invoice.objects.visible_to(request.user).aggregate(
        all=Count("pk", filter=~Q(status=Invoice.Status.VOID)),
        draft=Count("pk", filter=Q(status=Invoice.Status.DRAFT)),
        open=Count("pk", filter=invoice & Q(status=Invoice.Status.ISSUED)),
        overdue=Count("pk", filter=invoice & Q(status=Invoice.Status.ISSUED, due_date__lt=on)),
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
    counts = [(key, grouped(n)) for key, n in found.items()]
    return render(request, "invoices/invoicing/partials/tab_counts.html", {"counts": counts})


# ─ Exports: exactly the rows of the list, all of them ───────────────────────────────────────────
def export_columns(on: date) -> list[Column]:
    def days_late(row: Invoice) -> int | None:
        return row.days_overdue(on) or row.days_late

    return [
        Column("number", _("Number"), value=lambda row: row.number),
        Column("kind", _("Kind"), value=lambda row: row.get_kind_display()),
        Column("client", _("Client"), value=lambda row: row.client.name),
        Column("type", _("Client type"), value=lambda row: row.client.client_type.name),
        Column("owner", _("Sold by"), value=lambda row: str(row.owner) if row.owner else ""),
        Column("title", _("Title"), value=lambda row: row.title),
        Column("issued", _("Issued"), value=lambda row: row.issue_date),
        Column("due", _("Due"), value=lambda row: row.due_date),
        Column("state", _("State"), value=lambda row: str(STATES[row.states(on)[0]][1])),
        Column("late", _("Days late"), value=days_late),
        Column("paid", _("Paid on"), value=lambda row: row.paid_on),
        Column("currency", _("Currency"), value=lambda row: row.currency),
        Column("net", _("Before VAT"), value=lambda row: row.net),
        Column("vat", _("VAT"), value=lambda row: row.vat),
        Column("total", _("Total with VAT"), value=lambda row: row.total),
        Column("open", _("Outstanding"), value=_outstanding),
    ]


def _outstanding(row: Any) -> Any:
    return from_minor(getattr(row, "open_minor", row.outstanding_minor), row.currency)


def _exported(request: StaffRequest) -> tuple[Any, list[Column]]:
    on = timezone.localdate()
    rows, wanted, _problems = selection(request, on)
    default = next((sort for key, _label, sort in TABS if key == wanted.state), "-issued")
    found = ordered(rows, request.GET, columns(wanted.state), default=default)
    found = found.select_related("client__client_type", "owner").defer("paper", "note")
    return found.iterator(chunk_size=2000), export_columns(wanted.as_of or on)


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_csv(request: StaffRequest) -> HttpResponseBase:
    rows, wanted = _exported(request)
    return stream_csv(rows, wanted, f"invoices-{timezone.localdate()}.csv")


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_xlsx(request: StaffRequest) -> HttpResponseBase:
    rows, wanted = _exported(request)
    return stream_xlsx(rows, wanted, f"invoices-{timezone.localdate()}.xlsx", _("Invoices"))


@require_POST
@permission_required("invoices.view_invoice", raise_exception=True)
def download_pdfs(request: StaffRequest) -> HttpResponseBase:
    """The PDFs of the chosen invoices, as they were issued, in one archive."""
    given = map(row_id, request.POST.getlist("ids"))
    chosen = [pk for pk in given if pk is not None][:MOST_PDFS]
    visible = Invoice.objects.visible_to(request.user).filter(pk__in=chosen)
    documents = Document.objects.filter(invoice__in=visible, kind="pdf").order_by("pk")
    if not documents.exists():
        text = _("None of the chosen documents has a PDF here: drafts and imported ones have none.")
        return render(request, "invoices/invoicing/no_pdfs.html", {"text": text}, status=422)
    # Closed and removed by FileResponse.
    spool = tempfile.TemporaryFile(suffix=".zip")  # noqa: SIM115
    with zipfile.ZipFile(spool, "w", zipfile.ZIP_STORED) as archive:
        for document in documents.iterator(chunk_size=20):
            archive.writestr(document.filename, io.BytesIO(document.content).getvalue())
    spool.seek(0)
    return FileResponse(spool, as_attachment=True, filename=f"invoices-{timezone.localdate()}.zip")
