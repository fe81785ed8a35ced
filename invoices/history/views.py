"""Go-live in the browser: three files, what they would do, and the click that does it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from operator import itemgetter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import already, carry_out, said
from billing_portal.confirming import Shown, row_under_lock
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest, go_to
from billing_portal.lists.columns import Column
from billing_portal.lists.exports import file_name, stream_csv, stream_xlsx
from billing_portal.notices import in_words
from invoices.history.bringing_in import COLUMNS
from invoices.history.exporting import ROWS
from invoices.history.forms import FilesForm, QuestionsForm
from invoices.history.imports import (
    KINDS,
    LEFT_ALONE_FOR,
    MAX_ROWS,
    answer,
    discard,
    is_moving,
    is_ready,
    keep,
    leave_out,
    progress_of,
    start,
)
from invoices.history.rows import DAY_COLUMNS
from invoices.models import HistoryImport

BYTES = ("clients_file", "invoices_file", "payments_file", "items_file")
PERMISSION = "invoices.import_history"
State = HistoryImport.State
SHOWN_COMPLAINTS = 100
KIND_NAMES = {
    "clients": gettext_lazy("Clients"),
    "invoices": gettext_lazy("Invoices"),
    "credit_notes": gettext_lazy("Credit notes"),
    "payments": gettext_lazy("Payments"),
    "items": gettext_lazy("Items of the catalogue"),
}
FIELD_NAMES = {
    "client_type": gettext_lazy("client type"),
    "owner": gettext_lazy("account owner"),
    "country": gettext_lazy("country"),
    "currency": gettext_lazy("currency"),
    "language": gettext_lazy("language"),
    "terms_days": gettext_lazy("payment terms in days"),
    "billing_email": gettext_lazy("billing email"),
    "vat_id": gettext_lazy("VAT id"),
    "siren": gettext_lazy("SIREN"),
    "name": gettext_lazy("name"),
    "description": gettext_lazy("description"),
    "unit": gettext_lazy("unit"),
    "nature": gettext_lazy("nature"),
    "vat": gettext_lazy("VAT"),
    "state": gettext_lazy("whether it is archived"),
}
REFUSED_COLUMNS = [
    Column("file", gettext_lazy("File"), value=lambda row: row.file),
    Column("line", gettext_lazy("Line"), value=lambda row: row.line or ""),
    Column("column", gettext_lazy("Column"), value=lambda row: row.column),
    Column("reason", gettext_lazy("Reason"), value=lambda row: in_words(row.notice)),
]


@require_http_methods(["GET", "POST"])
@permission_required(PERMISSION, raise_exception=True)
def import_history(request: StaffRequest) -> HttpResponse:
    if request.method != "POST":
        return _first_page(request, FilesForm())
    if getattr(request, "upload_too_large", False):
        return _first_page(request, FilesForm(), too_large=True, status=422)
    form = FilesForm(request.POST, request.FILES)
    if form.is_valid():
        go_live = form.cleaned_data.pop("go_live", None)
        sources = {kind: _read(file) for kind, file in form.cleaned_data.items()}
        kept = keep(sources=sources, by=request.user, on=timezone.localdate(), go_live=go_live)
        return go_to(request, reverse("invoices:history_preview", args=[kept.pk]))
    return _first_page(request, form, status=422)


def _read(file: UploadedFile[Any]) -> tuple[str, bytes]:
    return (file.name or _("the file"))[-120:], file.read()


def _first_page(
    request: StaffRequest, form: FilesForm, *, too_large: bool = False, status: int = 200
) -> HttpResponse:
    earlier = (
        HistoryImport.objects.exclude(
            ~Q(created_by=request.user), state__in=(State.READING, State.PREVIEWED)
        )
        .select_related("created_by")
        .defer(*BYTES)[:20]
    )
    context = {
        "nav_section": _section(request),
        "form": form,
        "too_large": too_large,
        "most_mb": settings.MAX_UPLOAD_BYTES // 2**20,
        "most_rows": MAX_ROWS,
        "earlier": [
            {"import": each, "told": _what_came(each), "mine": each.created_by == request.user}
            for each in earlier
        ],
        # “columns.items” would be the method of the dictionary.
        "columns": {**COLUMNS, "items_of_catalogue": COLUMNS["items"]},
    }
    return render(request, "invoices/history/history.html", context, status=status)


def _what_came(kept: HistoryImport) -> str:
    """“120 clients, 2,466 invoices” of what was new, for the list of earlier imports."""
    counts = {kind: each["new"] for kind, each in kept.report.get("counts", {}).items()}
    words = (
        ("clients", ngettext("%(n)s client", "%(n)s clients", counts.get("clients", 0))),
        ("invoices", ngettext("%(n)s invoice", "%(n)s invoices", counts.get("invoices", 0))),
        (
            "credit_notes",
            ngettext("%(n)s credit note", "%(n)s credit notes", counts.get("credit_notes", 0)),
        ),
        ("items", ngettext("%(n)s item", "%(n)s items", counts.get("items", 0))),
        ("payments", ngettext("%(n)s payment", "%(n)s payments", counts.get("payments", 0))),
    )
    return ", ".join(
        text % {"n": grouped(counts[kind])} for kind, text in words if counts.get(kind)
    )


def _own(request: StaffRequest, pk: int) -> HistoryImport:
    """Files are shown to the person who brought them, and to nobody else."""
    found = HistoryImport.objects.defer(*BYTES)
    return get_object_or_404(found, pk=pk, created_by=request.user)


def _section(request: StaffRequest) -> str:
    """Where the way here begins: in the settings for who may see them, else in the invoices."""
    return "settings" if request.user.has_perm("accounts.change_company") else "invoices"


@require_GET
@permission_required(PERMISSION, raise_exception=True)
def history_preview(request: StaffRequest, pk: int) -> HttpResponse:
    return _preview(request, _own(request, pk))


def _preview(
    request: StaffRequest, kept: HistoryImport, form: QuestionsForm | None = None, status: int = 200
) -> HttpResponse:
    context = _context(kept) | {"nav_section": _section(request)}
    if context["asks"]:
        context["form"] = form or QuestionsForm(kept.report["questions"])
    return render(request, "invoices/history/history_preview.html", context, status=status)


@require_POST
@permission_required(PERMISSION, raise_exception=True)
def history_answer(request: StaffRequest, pk: int) -> HttpResponse:
    """How columns are to be read that can be read in two ways; the files are read again."""
    kept = _own(request, pk)
    form = QuestionsForm(kept.report.get("questions", []), request.POST)
    if not form.is_valid():
        return _preview(request, kept, form, status=422)
    answer(import_id=pk, by=request.user, answers=form.answers(), on=timezone.localdate())
    return go_to(request, reverse("invoices:history_preview", args=[pk]))


@require_GET
@permission_required(PERMISSION, raise_exception=True)
def history_progress(request: StaffRequest, pk: int) -> HttpResponse:
    """The fragment that the page polls; once done it leads the window to the result."""
    kept = _own(request, pk)
    if kept.state not in (State.READING, State.QUEUED):
        return go_to(request, reverse("invoices:history_preview", args=[pk]))
    return render(request, "invoices/history/partials/history_progress.html", _context(kept))


@require_POST
@permission_required(PERMISSION, raise_exception=True)
def history_bring_in(request: StaffRequest, pk: int) -> HttpResponse:
    _own(request, pk)
    url = reverse("invoices:history_preview", args=[pk])

    def begun(kept: HistoryImport) -> HttpResponse:
        if kept.state == State.DONE:
            messages.success(request, _("The history is in."))
        return go_to(request, url)

    answer = carry_out(
        request,
        action="import_history",
        confirmed=_under_lock(request, pk),
        act=lambda: start(import_id=pk, by=request.user, on=timezone.localdate()),
        done=begun,
        again=already(request),
        url=url,
    )
    assert answer is not None
    return answer


@require_POST
@permission_required(PERMISSION, raise_exception=True)
def history_leave_out(request: StaffRequest, pk: int) -> HttpResponse:
    """The preview of the good rows without the bad ones; nothing comes in by this click."""
    _own(request, pk)
    url = reverse("invoices:history_preview", args=[pk])
    answer = carry_out(
        request,
        action="leave_out_history",
        confirmed=_under_lock(request, pk),
        act=lambda: leave_out(import_id=pk, by=request.user, on=timezone.localdate()),
        done=lambda _kept: go_to(request, url),
        url=url,
    )
    assert answer is not None
    return answer


@require_POST
@permission_required(PERMISSION, raise_exception=True)
def history_discard(request: StaffRequest, pk: int) -> HttpResponse:
    url = reverse("invoices:import_history")
    answer = carry_out(
        request,
        action="discard_history",
        confirmed=_under_lock(request, pk),
        act=lambda: discard(import_id=pk, by=request.user),
        done=lambda _none: said(
            request, _("The preview is thrown away; nothing of it was brought in."), url
        ),
        again=already(request),
        url=url,
    )
    assert answer is not None
    return answer


def _under_lock(request: StaffRequest, pk: int) -> Callable[[], Shown]:
    """The preview that its person looked at: in another tab it may be in the books by now."""
    own = HistoryImport.objects.defer(*BYTES)
    return row_under_lock(own.filter(created_by=request.user), pk)


@require_GET
@permission_required(PERMISSION, raise_exception=True)
def history_refused(request: StaffRequest, pk: int) -> HttpResponseBase:
    """All that is wrong, as CSV, to work through beside the files."""
    rows = _own(request, pk).complaints.iterator(chunk_size=2_000)
    return stream_csv(rows, REFUSED_COLUMNS, file_name(pgettext("file", "refused"), pk, "csv"))


@require_GET
@permission_required("invoices.export", raise_exception=True)
def export_history(request: StaffRequest, kind: str, ending: str) -> HttpResponseBase:
    """All that is here in the columns of the import. In one spelling whoever asks, so that it can
    be read in one way only when it comes back."""
    if kind not in ROWS or ending not in ("csv", "xlsx"):
        raise Http404
    columns = [
        Column(name, name, value=itemgetter(place)) for place, name in enumerate(COLUMNS[kind])
    ]
    name = f"{kind}-{timezone.localdate()}.{ending}"
    with translation.override("en-gb"):
        if ending == "csv":
            return stream_csv(ROWS[kind](), columns, name)
        return stream_xlsx(ROWS[kind](), columns, name, kind)


@require_GET
@permission_required(PERMISSION, raise_exception=True)
def history_left_out(request: StaffRequest, pk: int, kind: str) -> HttpResponseBase:
    """The rows that stay out as their file has them, with line and reasons: put right, the same
    file may be brought in again."""
    kept = _own(request, pk)
    columns = dict(COLUMNS).get(kind)
    if columns is None:
        raise Http404
    rows: dict[int, tuple[dict[str, str], list[str]]] = {}
    for each in kept.complaints.filter(kind=kind, line__gt=0).order_by("line", "pk"):
        _cells, reasons = rows.setdefault(each.line, (each.cells, []))
        reasons.append(in_words(each.notice))
    heads = [Column(name, name, value=_cell_of(name)) for name in columns]
    heads += [
        Column("line", "line", value=lambda row: row[0]),
        Column("reason", "reason", value=lambda row: " ".join(dict.fromkeys(row[1][1]))),
    ]
    named = f"{pgettext('file', 'left-out')}-{kind}"
    return stream_csv(rows.items(), heads, file_name(named, pk, "csv"))


def _cell_of(name: str) -> Callable[[Any], str]:
    return lambda row: row[1][0].get(name, "")


def _context(kept: HistoryImport) -> dict[str, Any]:
    told = kept.report
    wrong = told["refused"] or told.get("left_out", 0)
    shown = list(kept.complaints.all()[:SHOWN_COMPLAINTS]) if wrong else []
    previewed = kept.state == State.PREVIEWED
    moves = kept.state in (State.READING, State.QUEUED)
    return {
        "import": kept,
        "report": told,
        "counts": [
            {"name": KIND_NAMES[kind], "unread": kind in told["unread"], **counts}
            for kind, counts in told["counts"].items()
        ],
        "totals": [{"currency": c, **sums} for c, sums in told["totals"].items()],
        "complaints": shown,
        "not_shown": kept.complaints.count() - len(shown) if wrong else 0,
        "changes": _changes(told["changes"]),
        "item_changes": _changes(told.get("item_changes", [])),
        "invoices": [_with_days(row) for row in told["first_invoices"]],
        "payments": [_with_days(row) for row in told["first_payments"]],
        "is_moving": moves,
        "progress": progress_of(kept) if moves else None,
        "resumes": moves and kept.attempts > 0 and not is_moving(kept) and _is_late(kept),
        "asks": previewed and bool(told.get("questions")),
        "may_start": previewed and is_ready(kept) and told["writes"],
        "may_leave_out": previewed and bool(told.get("may_leave_out")) and not kept.leave_out,
        "left_out_kinds": [
            (kind, KIND_NAMES[kind])
            for kind in KINDS
            if told.get("left_out") and kept.complaints.filter(kind=kind, line__gt=0).exists()
        ],
        "kinds": KINDS,
    }


def _is_late(kept: HistoryImport) -> bool:
    """A worker took it up, and has said nothing for a while."""
    return kept.asked_at is not None and timezone.now() - kept.asked_at > LEFT_ALONE_FOR


def _changes(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": change["name"],
            "fields": [(_field_name(f), a or "–", b) for f, a, b in change["fields"]],
        }
        for change in told
    ]


def _field_name(name: str) -> Any:
    if name.startswith("price "):
        return _("price in %(currency)s") % {"currency": name.removeprefix("price ")}
    return FIELD_NAMES.get(name, name)


def _with_days(row: dict[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(row[name]) for name in DAY_COLUMNS if name in row}
    return {**row, **days}
