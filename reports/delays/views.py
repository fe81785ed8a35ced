"""The payment delay report: page, figures and exports, all from the same query string."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.forms import RowsField
from billing_portal.htmx import render_page
from billing_portal.lists.filters import left_out
from billing_portal.lists.page import Listing, export
from billing_portal.templatetags.portal import query_with
from billing_portal.typed.addresses import AddressForm, mistyped, typed_filters
from billing_portal.typed.fields import DayField
from invoices.company.currencies import usual_currencies
from invoices.models import Client, ClientType, Invoice
from invoices.selections.filters import NOBODY, InvoiceFilter
from invoices.selections.sql import first_day, month_index
from reports.cells import Head
from reports.delays.exports import export_columns, export_rows
from reports.delays.measuring import BYS, MEASURES, By, Measure, Scope
from reports.delays.report import DelayReport
from reports.exports import About
from reports.links import invoice_list

VIEW = "reports.view_reports"
MONTHS = 24
WORDS_OF_BY: tuple[tuple[By, Any], ...] = (
    ("client_type", gettext_lazy("Client type")),
    ("client", gettext_lazy("Client")),
    ("owner", gettext_lazy("Sold by")),
    ("month", gettext_lazy("Month")),
)
WORDS_OF_MEASURE: tuple[tuple[Measure, Any], ...] = (
    ("late", gettext_lazy("Days late")),
    ("to_pay", gettext_lazy("Days to pay")),
)


class ScopeForm(AddressForm):
    issued_from = DayField(label=gettext_lazy("Issued from"), required=False)
    issued_to = DayField(label=gettext_lazy("until"), required=False)
    as_of = DayField(label=gettext_lazy("As of"), required=False)
    type = RowsField(
        ClientType.objects.all(),
        label=gettext_lazy("Client types"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    type_today = forms.BooleanField(
        label=gettext_lazy("Clients by their type of today"), required=False
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    owner = forms.ChoiceField(label=gettext_lazy("Sold by"), required=False)

    def __init__(self, params: QueryDict, **shown: Any) -> None:
        """`shown` are the values that the report goes by, which an address may leave out; beside
        them stands what was typed and could not be read."""
        super().__init__(params)
        currencies, owners = self.fields["currency"], self.fields["owner"]
        assert isinstance(currencies, forms.ChoiceField) and isinstance(owners, forms.ChoiceField)
        currencies.choices = [
            ("", _("every currency")),
            *((code, code) for code in usual_currencies()),
        ]
        # One look at an index for each person: the owners of all invoices would be read for long.
        people = User.objects.filter(Exists(Invoice.objects.issued().filter(owner=OuterRef("pk"))))
        owners.choices = [
            ("", _("everybody")),
            *((person.pk, person.name or person.email) for person in people),
            ("0", _("nobody")),
        ]
        for name, value in shown.items():
            if name not in mistyped(params):
                self._show(name, value)

    def _show(self, name: str, value: Any) -> None:
        given = self.data
        assert isinstance(given, QueryDict)
        self.readable(name)
        field: Any = self.fields[name]
        if name in ("currency", "owner"):
            offered = {str(key) for key, _label in field.choices}
            if str(value or "") not in offered:
                # The report goes by it, whether or not it is offered.
                field.choices = [*field.choices, (str(value), "?" if name == "owner" else value)]
        if isinstance(value, date):
            given[name] = dates.as_typed(value)
        elif isinstance(value, tuple):
            given.setlist(name, [str(each) for each in value])
        else:
            given[name] = "" if value is None or value is False else str(value)


def usual_start(as_of: date) -> date:
    """The first day of the 24 calendar months that end with the as-of day."""
    return first_day(month_index(as_of) - MONTHS + 1)


def read_scope(params: QueryDict, today: date) -> tuple[Scope, list[str]]:
    """What the query string asks for; a sentence for each thing that could not be."""
    wanted, problems = InvoiceFilter.read(params)
    as_of = wanted.as_of or today
    if as_of > today:
        problems.append(
            _("%(day)s has not come yet: the report shows the books as of today.")
            % {"day": dates.day(as_of)}
        )
        as_of = today
    start = wanted.issued_from
    if start is None and not params.get("issued_from") and "issued_from" not in params:
        start = usual_start(as_of)
    end = min(wanted.issued_to or as_of, as_of)
    if start and start > end:
        problems.append(
            _("The period starts on %(start)s, after its end on %(end)s: it was left out.")
            % {"start": dates.day(start), "end": dates.day(end)}
        )
        start, wanted = usual_start(as_of), wanted.but(issued_to=None)
    return (
        Scope(
            as_of=as_of,
            issued_from=start,
            issued_to=wanted.issued_to,
            client_types=wanted.type,
            type_today=wanted.type_today,
            client=wanted.client,
            owner=wanted.owner,
            currency=wanted.currency,
        ),
        problems,
    )


def _report(request: HttpRequest) -> tuple[DelayReport, list[str]]:
    today = timezone.localdate()
    scope, problems = read_scope(request.GET, today)
    by: By = next((by for by in BYS if by == request.GET.get("by")), "client_type")
    measure: Measure = next((m for m in MEASURES if m == request.GET.get("measure")), "late")
    return (
        DelayReport(scope, by, measure, request.GET.get("sort", ""), today=today),
        problems,
    )


@require_GET
@permission_required(VIEW, raise_exception=True)
@typed_filters(ScopeForm, empty=("issued_from",))
def delays(request: HttpRequest) -> HttpResponse:
    report, problems = _report(request)
    params = request.GET
    groups, scope = report.groups, report.groups.scope
    form = ScopeForm(
        params,
        issued_from=scope.issued_from,
        issued_to=scope.issued_to,
        as_of=scope.as_of,
        type=scope.client_types,
        type_today=scope.type_today,
        currency=scope.currency,
        owner=scope.owner,
    )
    context = {
        "report": report,
        "problems": [*problems, *left_out(form, mistyped(params))],
        "form": form,
        "by_links": [
            (label, query_with(params, {"by": by, "sort": None}), by == groups.by)
            for by, label in WORDS_OF_BY
        ],
        "measure_links": [
            (label, query_with(params, {"measure": measure}), measure == groups.measure)
            for measure, label in WORDS_OF_MEASURE
        ],
        "period_links": _period_links(params, scope),
        "heads": [_head(head, params, groups.sort) for head in _group_head(report)],
        "kept": [(name, params[name]) for name in ("by", "measure", "sort") if params.get(name)],
        "chips": chips_of(params, scope.wanted),
        "figures_url": f"{reverse('reports:delays-figures')}{query_with(params, {})}",
        "csv_url": f"{reverse('reports:delays-csv')}{query_with(params, {})}",
        "xlsx_url": f"{reverse('reports:delays-xlsx')}{query_with(params, {})}",
        "rows_url": invoice_list(scope.wanted),
        "watch_url": _watch_url(request, scope),
        "clear_url": reverse("reports:delays"),
        "narrowed": bool(params),
    }
    return render_page(
        request,
        page="reports/delays/delays.html",
        partial="reports/delays/partials/delay_report.html",
        context=context,
    )


def _group_head(report: DelayReport) -> list[Head]:
    return [Head("group", _group_label(report), "first"), *report.table.heads]


def _head(head: Head, params: QueryDict, sort: str) -> dict[str, str]:
    """What partials/sort_head.html shows."""
    classes = "" if head.classes == "first" else f"num {head.classes}".strip()
    url = aria = ""
    if head.key:
        now = sort.lstrip("-") == head.key
        falls = sort.startswith("-")
        aria = ("descending" if falls else "ascending") if now else ""
        falling = not falls if now else head.key != "group"
        url = query_with(params, {"sort": ("-" if falling else "") + head.key})
    return {
        "key": head.key or "interval",
        "label": head.label,
        "classes": classes,
        "url": url,
        "aria_sort": aria,
    }


def _period_links(params: QueryDict, scope: Scope) -> list[tuple[str, str, bool]]:
    """Shortcuts to the usual periods."""
    found = []
    for label, months in ((_("12 months"), 12), (_("24 months"), 24), (_("5 years"), 60)):
        start = first_day(month_index(scope.as_of) - months + 1)
        url = query_with(params, {"issued_from": start.isoformat(), "issued_to": None})
        found.append((label, url, scope.issued_from == start and not scope.issued_to))
    everything = query_with(params, {"issued_to": None, "issued_from": None})
    joint = "&" if len(everything) > 1 else ""
    found.append((_("All"), f"{everything}{joint}issued_from=", scope.issued_from is None))
    return found


def chips_of(params: QueryDict, wanted: InvoiceFilter) -> list[tuple[str, str, str]]:
    """Filters beyond the period: name, value, and the address without it."""
    found = []
    if wanted.type:
        names = ClientType.objects.filter(pk__in=wanted.type).values_list("name", flat=True)
        found.append((_("Client type"), ", ".join(names), "type"))
    if wanted.type_today:
        found.append((_("Client type"), _("of today"), "type_today"))
    if wanted.client is not None:
        client = Client.objects.filter(pk=wanted.client).first()
        found.append((_("Client"), str(client or "?"), "client"))
    if wanted.currency:
        found.append((_("Currency"), wanted.currency, "currency"))
    if wanted.owner is not None:
        person = User.objects.filter(pk=wanted.owner).first()
        unknown = _("nobody") if wanted.owner == NOBODY else "?"
        found.append((_("Sold by"), str(person or unknown), "owner"))
    return [(name, value, query_with(params, {field: None})) for name, value, field in found]


def _watch_url(request: HttpRequest, scope: Scope) -> str:
    if not request.user.has_perm("reports.change_alertrule"):
        return ""
    url = reverse("reports:rule-new")
    one = scope.client_types[0] if len(scope.client_types) == 1 else ""
    return f"{url}?kind=type_delay&client_type={one}" if one else f"{url}?kind=type_delay"


@require_GET
@permission_required(VIEW, raise_exception=True)
def figures(request: HttpRequest) -> HttpResponse:
    """The charts of the page, by key, as portal/charts.js draws them."""
    import orjson

    report, _problems = _report(request)
    return HttpResponse(orjson.dumps(report.figures.drawn()), content_type="application/json")


LISTING = Listing(name="payment-delays", title=gettext_lazy("Payment delays"), columns=())


@require_GET
@permission_required(VIEW, raise_exception=True)
def export_delays(request: HttpRequest, kind: str) -> HttpResponseBase:
    report, problems = _report(request)
    groups, scope = report.groups, report.groups.scope
    measure = str(dict(WORDS_OF_MEASURE)[groups.measure])
    about = About(
        scope.issued_from,
        scope.until,
        scope.as_of,
        [(name, value) for name, value, _url in chips_of(request.GET, scope.wanted)],
        [(_("Measure"), measure)],
    )
    return export(
        LISTING,
        kind,
        export_rows(report),
        columns=[*export_columns(report, _group_label(report), measure), *about.columns],
        title=f"{LISTING.title} {measure} {_group_label(report)}",
        span=about.span,
        left_out=problems,
        notes=[measure, report.formula, report.weight_words],
    )


def _group_label(report: DelayReport) -> str:
    groups = report.groups
    if groups.by == "client_type" and groups.scope.type_today:
        return _("Client type of today")
    return str(dict(WORDS_OF_BY)[groups.by])
