"""The yearly archives: one is asked for, made by the worker, and downloaded."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing_portal.acts import already, carry_out, said
from billing_portal.htmx import StaffRequest, go_to
from billing_portal.notices import in_words
from invoices.accounting import archives
from invoices.accounting.archive import ArchiveRefused
from invoices.accounting.archives import ArchiveBusy
from invoices.accounting.forms.archives import ArchiveForm
from invoices.models import BooksArchive

may_archive = permission_required("invoices.change_accounts", raise_exception=True)
State = BooksArchive.State
SHOWN = 50


@require_GET
@may_archive
def list_archives(request: StaffRequest) -> HttpResponse:
    return _page(request)


def _page(
    request: StaffRequest, form: ArchiveForm | None = None, status: int = 200
) -> HttpResponse:
    on = timezone.localdate()
    years = archives.years(on)
    rows = BooksArchive.objects.select_related("asked_by").exclude(state=State.MAKING)[:SHOWN]
    context: dict[str, Any] = {
        "nav_section": "settings",
        "form": form or ArchiveForm(years=years),
        "years": years,
        "unfinished": [year for year in years if archives.is_unfinished(year, on)],
        "making": BooksArchive.objects.filter(state=State.MAKING).first(),
        "archives": [{"row": row, "problem": in_words(row.problem)} for row in rows],
    }
    return render(request, "invoices/accounting/archives.html", context, status=status)


@require_POST
@may_archive
def archive_make(request: StaffRequest) -> HttpResponse:
    on = timezone.localdate()
    url = reverse("invoices:archives")
    form = ArchiveForm(request.POST, years=archives.years(on))

    def refused(refusal: Exception) -> None:
        form.add_error(None, str(refusal))

    if form.is_valid():
        answer = carry_out(
            request,
            action="archive the books",
            act=lambda: archives.ask(year=form.cleaned_data["year"], by=request.user, on=on),
            done=lambda _row: said(
                request, _("The archive is being made: it stands here when it is whole."), url
            ),
            refused=dict.fromkeys((ArchiveBusy, ArchiveRefused), refused),
            again=already(request),
            url=url,
        )
        if answer is not None:
            return answer
    return _page(request, form, status=422)


@require_GET
@may_archive
def archive_progress(request: StaffRequest) -> HttpResponse:
    """The fragment that the page polls; once done it leads the window to the list."""
    making = BooksArchive.objects.filter(state=State.MAKING).first()
    if making is None:
        return go_to(request, reverse("invoices:archives"))
    context = {"making": making}
    return render(request, "invoices/accounting/partials/archive_progress.html", context)


@require_GET
@may_archive
def archive_file(request: StaffRequest, pk: int) -> HttpResponseBase:
    """Streamed from its file, whatever its size."""
    row = get_object_or_404(BooksArchive.objects.exclude(file_name=""), pk=pk)
    try:
        file = archives.path_of(row).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(file, as_attachment=True, filename=f"books-{row.year}.zip")
