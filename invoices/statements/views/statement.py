"""The statement of a client: its page, its files, and the mail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from datetime import date
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from billing_portal.acts import already, carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown
from billing_portal.htmx import StaffRequest, render_dialog
from billing_portal.lists.columns import Amount, Column
from billing_portal.lists.exports import Beside, file_name, stream_xlsx
from invoices.clients.recipients import client_recipients
from invoices.documents.pdf.render import PdfRefused
from invoices.models import AccountLetter, Client, Payment
from invoices.outbox.queueing import MailRefused
from invoices.statements.forms import DaysForm, SendForm
from invoices.statements.keeping import LetterRefused
from invoices.statements.sending import letter_and_pdf, send_statement
from invoices.statements.statement import LateRow, Statement
from invoices.statements.views.shown import shown_claims, shown_statement

_PERMISSION = "invoices.view_client"


def _asked(request: StaffRequest, pk: int) -> tuple[Statement, DaysForm]:
    """The account's own client, whichever of those merged into it the address names."""
    found = get_object_or_404(Client.objects.select_related("merged_into", "client_type"), pk=pk)
    form = DaysForm(
        request.GET, today=timezone.localdate(), movements=request.GET.get("form") == "movements"
    )
    form.is_valid()
    since, on = form.days()
    return Statement(found.merged_into or found, on, since), form


def query_of(statement: Statement) -> str:
    """The address of the statement, without its page."""
    return "?" + "&".join(f"{name}={value}" for name, value in _given(statement).items())


def _given(statement: Statement) -> dict[str, Any]:
    if statement.since is None:
        return {"on": statement.on.isoformat()}
    return {
        "form": "movements",
        "since": statement.since.isoformat(),
        "on": statement.on.isoformat(),
    }


@require_GET
@permission_required(_PERMISSION, raise_exception=True)
def statement(request: StaffRequest, pk: int) -> HttpResponse:
    found, form = _asked(request, pk)
    if found.client.pk != pk:
        return redirect(reverse("invoices:statement", args=[found.client.pk]) + query_of(found))
    letters = AccountLetter.objects.filter(client=found.client).defer("content")
    return render(
        request,
        "invoices/statements/statement.html",
        {
            "client": found.client,
            "form": form,
            "movements": found.of_movements,
            "on": found.on,
            "query": query_of(found),
            "recipients": client_recipients(found.client),
            "letters": letters.select_related("created_by")[:10],
            **shown_statement(found, request.GET.get("page", "")),
            "late": shown_claims(found.late),
            "page_url": query_of(found) + "&page=",
        },
        status=422 if form.errors else 200,
    )


@require_GET
@xframe_options_sameorigin
@permission_required(_PERMISSION, raise_exception=True)
def statement_pdf(request: StaffRequest, pk: int) -> HttpResponse:
    found, _form = _asked(request, pk)
    try:
        letter, content = letter_and_pdf(found)
    except (LetterRefused, PdfRefused) as refusal:
        return _not_printed(request, str(refusal), found)
    return pdf_answer(content, f"{letter.kind}-{found.client.pk}-{found.on}.pdf".replace(" ", "-"))


def pdf_answer(content: bytes, filename: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/pdf")
    plain = filename.encode("ascii", "ignore").decode().replace('"', "")
    answer["Content-Disposition"] = f'inline; filename="{plain}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _not_printed(request: StaffRequest, text: str, found: Statement) -> HttpResponse:
    context = {
        "changed": text,
        "back": reverse("invoices:statement", args=[found.client.pk]) + query_of(found),
    }
    return render(request, "changed_meanwhile.html", context, status=422)


# ─ The workbook ─────────────────────────────────────────────────────────────────────────────────
_KINDS = {
    "invoice": gettext_lazy("Invoice"),
    "credit_note": gettext_lazy("Credit note"),
    "payment": gettext_lazy("Payment"),
    "reversal": gettext_lazy("Reversal"),
    "refund": gettext_lazy("Refund"),
    "write_off": gettext_lazy("Write-off"),
}
_LATE = (
    Column("invoice", gettext_lazy("Invoice"), value=lambda row: row[0].number),
    Column("due", gettext_lazy("Due"), value=lambda row: row[0].due_on),
    Column("first", gettext_lazy("From"), value=lambda row: row[1].first),
    Column("last", gettext_lazy("To"), value=lambda row: row[1].last),
    Column("days", gettext_lazy("Days"), value=lambda row: row[1].days),
    Column(
        "open",
        gettext_lazy("Outstanding"),
        value=lambda row: Amount(row[1].open_minor, row[0].currency),
    ),
    Column("rate", gettext_lazy("Yearly rate, percent"), value=lambda row: row[1].percent),
    Column(
        "interest",
        gettext_lazy("Interest of the invoice"),
        value=lambda row: (
            None
            if row[2] or row[0].claim.interest_minor is None
            else Amount(row[0].claim.interest_minor, row[0].currency)
        ),
    ),
    Column(
        "indemnity",
        gettext_lazy("Indemnity"),
        value=lambda row: None if row[2] else Amount(row[0].claim.indemnity_minor, row[3]),
    ),
)


@require_GET
@permission_required("invoices.export", raise_exception=True)
def statement_xlsx(request: StaffRequest, pk: int) -> HttpResponseBase:
    """The statement, and beside it the late-payment claim step by step, which is no part of it."""
    found, _form = _asked(request, pk)
    columns, rows = (
        (_MOVEMENTS, _movement_rows(found)) if found.of_movements else (_OPEN, _open_rows(found))
    )
    name = file_name(f"{_('Statement')} {found.client.name}"[:80], found.on, "xlsx")
    late = Beside(_("Late-payment claim"), _LATE, _late_rows(found))
    more = [late] if found.late.rows else []
    notes = [
        _("Late-payment claims are apart from the balance and not part of it."),
    ]
    return stream_xlsx(rows, columns, name, _("Statement"), more=more, notes=notes if more else ())


_MOVEMENTS = (
    Column("day", gettext_lazy("Day"), value=lambda row: row[0]),
    Column("kind", gettext_lazy("Kind"), value=lambda row: row[1]),
    Column("document", gettext_lazy("Document"), value=lambda row: row[2]),
    Column("text", gettext_lazy("Description"), value=lambda row: row[3]),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row[4]),
    Column("debit", gettext_lazy("Debit"), value=lambda row: row[5]),
    Column("credit", gettext_lazy("Credit"), value=lambda row: row[6]),
    Column("balance", gettext_lazy("Balance"), value=lambda row: row[7]),
)
_OPEN = (
    Column("document", gettext_lazy("Document"), value=lambda row: row[0]),
    Column("text", gettext_lazy("Description"), value=lambda row: row[1]),
    Column("issued", gettext_lazy("Issued"), value=lambda row: row[2]),
    Column("due", gettext_lazy("Due"), value=lambda row: row[3]),
    Column("late", gettext_lazy("Days late"), value=lambda row: row[4]),
    Column("currency", gettext_lazy("Currency"), value=lambda row: row[5]),
    Column("total", gettext_lazy("Total"), value=lambda row: row[6]),
    Column("open", gettext_lazy("Outstanding"), value=lambda row: row[7]),
)


def _movement_rows(found: Statement) -> Iterator[tuple[Any, ...]]:
    methods = dict(Payment.Method.choices)
    assert found.since is not None
    for code in found.currencies:
        first = Amount(found.openings.get(code, 0), code)
        yield (_before(found.since), _("Opening balance"), "", "", code, None, None, first)
        for line in found.lines(code):
            row = line.movement
            text = str(methods.get(row.text, row.text)) if row.kind != "write_off" else ""
            debit = Amount(row.minor, code) if row.minor >= 0 else None
            credit = Amount(-row.minor, code) if row.minor < 0 else None
            balance = Amount(line.balance_minor, code)
            kind = str(_KINDS[row.kind])
            yield (row.day, kind, row.reference, text, code, debit, credit, balance)
        last = Amount(found.closing(code), code)
        yield (found.on, _("Closing balance"), "", "", code, None, None, last)


def _before(day: date) -> date:
    return date.fromordinal(max(day.toordinal() - 1, 1))


def _open_rows(found: Statement) -> Iterator[tuple[Any, ...]]:
    for item in found.open_items:
        number = f"{item.number} / {item.part}" if item.part else item.number
        yield (
            *(number, item.title, item.issued_on, item.due_on),
            item.days_late(found.on) or None,
            item.currency,
            Amount(item.total_minor, item.currency),
            Amount(item.open_minor, item.currency),
        )
    for free in found.free_items:
        yield (
            *(free.reference, str(_KINDS[free.kind]), free.day, None, None, free.currency, None),
            Amount(-free.free_minor, free.currency),
        )


def _late_rows(found: Statement) -> Iterator[tuple[LateRow, Any, int, str]]:
    """A row for each step; what is of the invoice stands on its first."""
    for row in found.late.rows:
        for place, step in enumerate(row.claim.steps):
            yield row, step, place, found.late.indemnity_currency


# ─ The mail ─────────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.send_invoice", raise_exception=True)
def statement_send(request: StaffRequest, pk: int) -> HttpResponse:
    """The days come with the address, so that what is sent is what the page showed."""
    found, _days = _asked(request, pk)
    url = reverse("invoices:statement", args=[found.client.pk]) + query_of(found)
    form = SendForm(request.POST or None, initial={"recipients": client_recipients(found.client)})
    changed = Changed()
    if request.method == "POST" and form.is_valid():
        answer = _sent(request, found, form, url, changed)
        if answer is not None:
            return answer
        found = Statement(found.client, found.on, found.since)
    return render_dialog(
        request,
        "invoices/statements/send.html",
        {
            "client": found.client,
            "form": form,
            "on": found.on,
            "since": found.since,
            "positions": found.positions,
            "query": query_of(found),
            "changed": changed.text,
            "confirmed": _shown(found).token,
        },
        back=url,
        status=422 if form.errors or changed.text else 200,
    )


class Changed:
    """What a dialog says when what it asked about is no longer so."""

    text = ""

    def take(self, refusal: Exception) -> None:
        self.text = str(refusal)


def _shown(found: Statement) -> Shown:
    """What a person decides on: the days, and what the account comes to."""
    return Shown(
        {
            "days": [found.since, found.on],
            "positions": {code: astuple(here) for code, here in found.positions.items()},
        }
    )


def _under_lock(found: Statement) -> Shown:
    Client.objects.select_for_update(of=("self",)).get(pk=found.client.pk)
    return _shown(Statement(found.client, found.on, found.since))


def _sent(
    request: StaffRequest, found: Statement, form: SendForm, url: str, changed: Changed
) -> HttpResponse | None:
    try:
        letter, content = letter_and_pdf(found)
    except (LetterRefused, PdfRefused) as refusal:
        form.add_error(None, str(refusal))
        return None
    return carry_out(
        request,
        action="send a statement",
        act=lambda: send_statement(
            found,
            letter,
            content,
            recipients=form.cleaned_data["recipients"],
            by=request.user,
        ),
        confirmed=lambda: _under_lock(found),
        refused={MailRefused: into(form, "recipients"), ChangedMeanwhile: changed.take},
        done=lambda _kept: said(request, _("The statement is on its way."), url),
        again=already(request),
        url=url,
    )


@require_GET
@xframe_options_sameorigin
@permission_required(_PERMISSION, raise_exception=True)
def letter(request: StaffRequest, pk: int) -> HttpResponse:
    """The very bytes that left."""
    kept = get_object_or_404(AccountLetter, pk=pk)
    return pdf_answer(bytes(kept.content), kept.filename)
