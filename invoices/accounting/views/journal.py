"""The journal for the accountant: what a period comes to, what stands in its way, and the file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from billing_portal.acts import already, carry_out, into
from billing_portal.dates import as_typed
from billing_portal.htmx import StaffRequest
from invoices.accounting.forms.journal import ExportForm, PeriodForm
from invoices.accounting.journal.entries import Entry, Posting
from invoices.accounting.journal.exporting import (
    ExportRefused,
    Since,
    come_since,
    making_of,
    month_before,
    remember,
    write,
)
from invoices.accounting.journal.formats import FORMATS
from invoices.accounting.journal.journal import entries
from invoices.accounting.journal.making import Making, Span
from invoices.accounting.journal.summary import Summary
from invoices.accounting.missing import drafts_in
from invoices.models import Company, JournalExport

may_export = permission_required("invoices.export", raise_exception=True)
# Exports that are listed; what came since is asked of the first few only.
LISTED, WATCHED = 20, 5
MOST_ROWS = 500
JOURNALS = {
    "sales": gettext_lazy("Sales and credit notes"),
    "bank": gettext_lazy("Receipts and refunds"),
    "other": gettext_lazy("Settlements: exchange, VAT due, write-offs"),
}


@require_GET
@may_export
def journal(request: StaffRequest) -> HttpResponse:
    return _page(request, ExportForm(_wanted(request)), asked=False)


def _wanted(request: StaffRequest) -> dict[str, str]:
    """What the address asks for; without days the last whole month, as FEC."""
    first, last = month_before(timezone.localdate())
    usual = {"first": as_typed(first), "last": as_typed(last), "format": "fec"}
    return {**usual, **{name: str(value) for name, value in request.GET.items()}}


def _page(request: StaffRequest, form: ExportForm, *, asked: bool) -> HttpResponse:
    """`asked`: the form was sent, so that what is wrong in it is a refusal."""
    company = Company.ours()
    context: dict[str, Any] = {
        "form": form,
        "company": company,
        "exports": _exports(company),
        "may_change": request.user.has_perm("invoices.change_accounts"),
        "nav_section": "invoices",
    }
    if form.is_valid() and company is not None:
        context.update(_contents(_span(form)))
    status = 422 if form.errors and (asked or request.GET) else 200
    return render(request, "invoices/accounting/journal.html", context, status=status)


def _span(form: PeriodForm) -> Span:
    cleaned = form.cleaned_data
    return Span(cleaned["first"], cleaned["last"], cleaned["history"])


def _contents(span: Span) -> dict[str, Any]:
    making, found = making_of(span), Summary()
    for entry in entries(making):
        found.count(entry)
    on = timezone.localdate()
    closed = making.company.closed_until
    return {
        "span": span,
        "summary": found,
        "journals": [(JOURNALS[name], found.by_journal[name]) for name in JOURNALS],
        "vat": sorted(found.vat.items(), key=lambda each: -(each[0] if each[0] else 0)),
        "problems": _linked(making),
        "drafts": drafts_in(span, on),
        "is_over": span.ends_on < on,
        "is_closed": closed is not None and span.ends_on <= closed,
        "home": making.home,
        "most_lines": {
            each.name: each.most_lines
            for each in FORMATS.values()
            if each.most_lines and found.lines > each.most_lines
        },
        "of_period": _query(span),
    }


def _query(span: Span) -> str:
    history = "&history=on" if span.with_history else ""
    return f"first={span.starts_on:%d/%m/%Y}&last={span.ends_on:%d/%m/%Y}{history}"


def _linked(making: Making) -> dict[str, Any]:
    """The facts of each warning with the addresses of their pages."""
    problems = making.problems
    return {
        "left_out": problems.left_out,
        "rates": sorted(problems.rates_without_account),
        **{
            name: {
                "count": facts.count,
                "named": [(each.name, _address(each.shown_at)) for each in facts.named],
                "more": facts.count - len(facts.named),
            }
            for name, facts in (
                ("without_rate", problems.without_rate),
                ("without_account", problems.without_account),
                ("old_rate", problems.old_rate),
                ("without_vat_rate", problems.without_vat_rate),
            )
        },
    }


def _address(shown_at: tuple[str, int]) -> str:
    return reverse(shown_at[0], args=[shown_at[1]])


def _exports(company: Company | None) -> list[dict[str, Any]]:
    rows = JournalExport.objects.select_related("by")[:LISTED]
    found = []
    for place, row in enumerate(rows):
        since = come_since(row, company) if company and place < WATCHED else None
        found.append(
            {
                "row": row,
                "format": FORMATS[row.format].name if row.format in FORMATS else row.format,
                "since": since,
                "named": _named(since),
                "of_period": _query(Span(row.starts_on, row.ends_on, row.with_history)),
                "currency": company.currency if company else "EUR",
            }
        )
    return found


def _named(since: Since | None) -> list[tuple[str, str]]:
    return [(piece, _address(at)) for piece, at in since.named] if since else []


@require_POST
@may_export
def journal_export(request: StaffRequest) -> HttpResponseBase:
    """The file is written before anything is kept: it may take a while, and locks nothing."""
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _page(request, form, asked=True)
    # Closed and removed by FileResponse.
    spool = tempfile.TemporaryFile(suffix=".journal")  # noqa: SIM115
    cleaned = form.cleaned_data
    try:
        written = write(
            making_of(_span(form)), cleaned["format"], spool, leave_out=cleaned["leave_out"]
        )
    except ExportRefused as refusal:
        spool.close()
        into(form)(refusal)
        return _page(request, form, asked=True)
    spool.seek(0)
    url = f"{reverse('invoices:journal')}?{_query(_span(form))}"
    answer = carry_out(
        request,
        action="export a journal",
        act=lambda: remember(written, request.user),
        done=lambda _row: _sent(spool, written.filename),
        again=already(request),
        url=url,
    )
    assert answer is not None
    if not answer.streaming:
        spool.close()
    return answer


def _sent(spool: Any, filename: str) -> Any:
    return FileResponse(
        spool, as_attachment=True, filename=filename, content_type="application/octet-stream"
    )


@require_GET
@may_export
def journal_account(request: StaffRequest, number: str) -> HttpResponse:
    """The lines of one account in a period, each with the page of what it tells."""
    form = PeriodForm(_wanted(request))
    company = Company.ours()
    if company is None or not form.is_valid():
        raise Http404
    span = _span(form)
    making, found = making_of(span), Summary()
    rows: list[dict[str, Any]] = []
    balance = 0
    for entry, posting in _lines(making, number):
        found.count_line(posting)
        balance += posting.debit - posting.credit
        if len(rows) < MOST_ROWS:
            url = _address(entry.shown_at)
            rows.append({"entry": entry, "posting": posting, "url": url, "balance": balance})
    account = found.by_account.get(number)
    return render(
        request,
        "invoices/accounting/journal_account.html",
        {
            "number": number[:20],
            "account": account,
            "rows": rows,
            "more": (account.lines if account else 0) - len(rows),
            "span": span,
            "home": making.home,
            "of_period": _query(span),
            "nav_section": "invoices",
        },
    )


def _lines(making: Making, number: str) -> Iterator[tuple[Entry, Posting]]:
    for entry in entries(making):
        for posting in entry.postings:
            if posting.account.number == number:
                yield entry, posting
