"""Receivables: ageing, DSO and CEI per currency; page, figures, exports from one query string."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing_portal import dates
from billing_portal.htmx import render_page
from billing_portal.lists.columns import Column
from billing_portal.lists.filters import left_out
from billing_portal.lists.page import Listing, export
from billing_portal.money import from_minor
from billing_portal.templatetags.portal import query_with
from billing_portal.typed.addresses import mistyped, typed_filters
from invoices.selections.ageing import BUCKETS_DUE, BUCKETS_ISSUE
from invoices.selections.filters import InvoiceFilter
from reports.delays.measuring import By
from reports.delays.views import VIEW, ScopeForm, chips_of
from reports.exports import About
from reports.receivables.block import due_labels, issue_labels
from reports.receivables.measuring import Ageing, usual_start
from reports.receivables.report import ReceivablesReport

WORDS_OF_BY: tuple[tuple[By, Any], ...] = (
    ("client_type", gettext_lazy("Client type")),
    ("client", gettext_lazy("Client")),
    ("owner", gettext_lazy("Sold by")),
)


def _report(request: HttpRequest) -> tuple[ReceivablesReport, list[str]]:
    today = timezone.localdate()
    wanted, problems = InvoiceFilter.read(request.GET)
    as_of = wanted.as_of or today
    if as_of > today:
        problems.append(
            _("%(day)s has not come yet: the report shows the books as of today.")
            % {"day": dates.day(as_of)}
        )
        as_of = today
    start = wanted.issued_from or usual_start(as_of)
    if start > as_of:
        problems.append(
            _("The period starts on %(start)s, after its end on %(end)s: it was left out.")
            % {"start": dates.day(start), "end": dates.day(as_of)}
        )
        start = usual_start(as_of)
    by: By = next((by for by, _label in WORDS_OF_BY if by == request.GET.get("by")), "client_type")
    scope = InvoiceFilter(
        type=wanted.type,
        type_today=wanted.type_today,
        client=wanted.client,
        owner=wanted.owner,
        currency=wanted.currency,
    )
    return ReceivablesReport(start, as_of, by, scope), problems


@require_GET
@permission_required(VIEW, raise_exception=True)
@typed_filters(ScopeForm)
def receivables(request: HttpRequest) -> HttpResponse:
    report, problems = _report(request)
    params = request.GET
    form = ScopeForm(
        params,
        issued_from=report.start,
        as_of=report.as_of,
        type=report.wanted.type,
        type_today=report.wanted.type_today,
        currency=report.wanted.currency,
        owner=report.wanted.owner,
    )
    context = {
        "report": report,
        "problems": [*problems, *left_out(form, mistyped(params))],
        "form": form,
        "is_today": report.as_of == timezone.localdate(),
        "due_labels": due_labels(),
        "issue_labels": issue_labels(),
        "by_label": _by_label(report),
        "by_links": [
            (label, query_with(params, {"by": by}), by == report.by) for by, label in WORDS_OF_BY
        ],
        "kept": [("by", params["by"])] if params.get("by") else [],
        "narrowed": bool(
            report.wanted.type
            or report.wanted.type_today
            or report.wanted.currency
            or report.wanted.owner is not None
        ),
        "figures_url": f"{reverse('reports:receivables-figures')}{query_with(params, {})}",
        "csv_url": f"{reverse('reports:receivables-csv')}{query_with(params, {})}",
        "xlsx_url": f"{reverse('reports:receivables-xlsx')}{query_with(params, {})}",
        "clear_url": reverse("reports:receivables"),
    }
    return render_page(
        request,
        page="reports/receivables/receivables.html",
        partial="reports/receivables/partials/receivables_report.html",
        context=context,
    )


def _by_label(report: ReceivablesReport) -> str:
    if report.by == "client_type" and report.wanted.type_today:
        return _("Client type of today")
    return str(dict(WORDS_OF_BY)[report.by])


@require_GET
@permission_required(VIEW, raise_exception=True)
def figures(request: HttpRequest) -> HttpResponse:
    import orjson

    report, _problems = _report(request)
    return HttpResponse(orjson.dumps(report.figures()), content_type="application/json")


def _columns(report: ReceivablesReport) -> list[Column]:
    def amount(pick: Any) -> Any:
        def value(row: tuple[str, str, Ageing, int | None]) -> Any:
            return from_minor(pick(row[2]), row[0])

        return value

    def bucket(table: str, name: str) -> Any:
        return amount(lambda aged: getattr(aged, table)[name])

    return [
        Column("currency", _("Currency"), value=lambda row: row[0]),
        Column("id", _("Id"), value=lambda row: row[3]),
        Column("group", _by_label(report), value=lambda row: row[1]),
        Column("n", _("Invoices"), value=lambda row: row[2].count),
        *(
            Column(name, label, value=bucket("due_minor", name))
            for name, label in zip(BUCKETS_DUE, due_labels(), strict=True)
        ),
        Column("overdue", _("Overdue"), value=amount(lambda aged: aged.overdue_minor)),
        Column("receivable", _("Receivable"), value=amount(lambda aged: aged.receivable_minor)),
        *(
            Column(
                f"issue-{name}",
                _("%(bucket)s after issue") % {"bucket": label},
                value=bucket("issue_minor", name),
            )
            for name, label in zip(BUCKETS_ISSUE, issue_labels(), strict=True)
        ),
    ]


LISTING = Listing(name="receivables", title=gettext_lazy("Receivables"), columns=())


@require_GET
@permission_required(VIEW, raise_exception=True)
def export_receivables(request: HttpRequest, kind: str) -> HttpResponseBase:
    report, problems = _report(request)
    about = About(
        report.start,
        report.as_of,
        report.as_of,
        [(name, value) for name, value, _url in chips_of(request.GET, report.wanted)],
    )
    return export(
        LISTING,
        kind,
        report.all_rows(),
        columns=[*_columns(report), *about.columns],
        title=f"{LISTING.title} {_by_label(report)}",
        span=about.span,
        left_out=problems,
        notes=[report.filter_words],
    )
