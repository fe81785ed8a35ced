"""The PDFs of chosen documents, in one archive that says what it leaves out and why."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.contrib.auth.decorators import permission_required
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest
from billing_portal.words import labelled
from invoices.models import Document, Invoice

MOST_PDFS = 200


class LeftOut(NamedTuple):
    name: str
    client: str
    why: str


@require_POST
@permission_required("invoices.view_invoice", raise_exception=True)
def download_pdfs(request: StaffRequest) -> HttpResponseBase:
    """The PDFs as they were issued. What is left out is said first, and again in the archive."""
    given = [pk for pk in map(row_id, request.POST.getlist("ids")) if pk is not None]
    chosen = (
        Invoice.objects.visible_to(request.user)
        .filter(pk__in=given)
        .select_related("client")
        .defer("paper", "note")
        .order_by("-issue_date", "-pk")
    )
    documents = Document.objects.filter(invoice__in=chosen, kind="pdf").order_by("pk")
    with_pdf = list(dict.fromkeys(documents.values_list("invoice", flat=True)[: 2 * MOST_PDFS]))[
        :MOST_PDFS
    ]
    left_out = [_left_out(each, len(with_pdf)) for each in chosen if each.pk not in set(with_pdf)]
    if not with_pdf or (left_out and "known" not in request.POST):
        return _said_first(request, with_pdf, left_out)
    # Closed and removed by FileResponse.
    spool = tempfile.TemporaryFile(suffix=".zip")  # noqa: SIM115
    with zipfile.ZipFile(spool, "w", zipfile.ZIP_STORED) as archive:
        for document in documents.filter(invoice__in=with_pdf).iterator(chunk_size=20):
            archive.writestr(document.filename, bytes(document.content))
        if left_out:
            archive.writestr(_("Left out") + ".txt", "\ufeff" + _listed(left_out))
    spool.seek(0)
    return FileResponse(spool, as_attachment=True, filename=f"invoices-{timezone.localdate()}.zip")


def _left_out(invoice: Invoice, taken: int) -> LeftOut:
    if invoice.status == Invoice.Status.DRAFT:
        why = _("a draft: its PDF is made when it is issued")
    elif invoice.imported:
        why = _("brought in from the old system, which keeps its PDF")
    elif taken >= MOST_PDFS:
        why = _("beyond the %(most)s that one archive holds") % {"most": grouped(MOST_PDFS)}
    else:
        why = _("its PDF is not there")
    return LeftOut(invoice.number or invoice.title or _("Draft"), invoice.client_name, why)


def _listed(left_out: Iterable[LeftOut]) -> str:
    rows = (labelled(f"{each.name}, {each.client}", each.why) for each in left_out)
    return "".join(f"{row}\r\n" for row in rows)


def _said_first(
    request: StaffRequest, with_pdf: list[int], left_out: list[LeftOut]
) -> HttpResponse:
    n = len(with_pdf)
    reasons: dict[str, int] = {}
    for each in left_out:
        reasons[each.why] = reasons.get(each.why, 0) + 1
    context: dict[str, Any] = {
        "ids": with_pdf,
        "button": ngettext("Download %(n)s PDF", "Download %(n)s PDFs", n) % {"n": grouped(n)},
        "left_out": left_out[:50],
        "left_out_count": len(left_out),
        "more": max(0, len(left_out) - 50),
        "reasons": [(grouped(count), why) for why, count in reasons.items()],
        "chosen": request.POST.getlist("ids"),
    }
    return render(
        request, "invoices/invoicing/left_out_pdfs.html", context, status=200 if n else 422
    )
