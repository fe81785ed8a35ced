"""What a client may be charged for paying late: asked for in a letter, or given up."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile, Shown, row_under_lock
from billing_portal.figures import grouped
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_dialog
from billing_portal.money import formatted_minor
from invoices.clients.recipients import client_recipients
from invoices.documents.pdf.render import PdfRefused
from invoices.models import Client, LateClaim
from invoices.models.clients import BuyerKind
from invoices.outbox.queueing import MailRefused
from invoices.statements.claiming import ClaimList, claimable, make_claim, withdraw_claim
from invoices.statements.forms import ClaimForm, WithdrawForm
from invoices.statements.keeping import LetterRefused

_PERMISSION = "invoices.send_invoice"


@require_http_methods(["GET", "POST"])
@permission_required(_PERMISSION, raise_exception=True)
def late_claim(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Client.objects.select_related("merged_into"), pk=pk)
    if found.merged_into is not None:
        return redirect("invoices:late-claim", pk=found.merged_into.pk)
    on = timezone.localdate()
    form = ClaimForm(request.POST or None, initial={"recipients": client_recipients(found)})
    given = request.POST.getlist("pick") if request.method == "POST" else ()
    picked = {key for text in given if (key := row_id(text)) is not None}
    if request.method == "POST" and form.is_valid():
        url = reverse("invoices:late-claim", args=[pk])

        def under_lock() -> Shown:
            client = Client.objects.select_for_update(of=("self",)).get(pk=pk)
            return claimable(client, on).shown

        answer = carry_out(
            request,
            action="late claim",
            act=lambda: make_claim(
                client_id=pk,
                invoices=picked,
                recipients=form.cleaned_data["recipients"],
                by=request.user,
                on=on,
            ),
            confirmed=under_lock,
            refused={
                LetterRefused: into(form),
                PdfRefused: into(form),
                MailRefused: into(form, "recipients"),
                ChangedMeanwhile: into(form),
            },
            done=lambda claim: said(request, _made(claim), url),
            url=url,
        )
        if answer is not None:
            return answer
    rows = claimable(found, on)
    return render(
        request,
        "invoices/statements/late_claim.html",
        {
            "client": found,
            "form": form,
            "on": on,
            "is_consumer": found.buyer_kind == BuyerKind.CONSUMER,
            **_shown(rows, picked if request.method == "POST" else None),
            "claims": LateClaim.objects.filter(client=found).select_related("withdrawn_by")[:20],
        },
        status=422 if form.errors else 200,
    )


def _made(claim: LateClaim) -> str:
    return _("%(number)s is made and kept.") % {"number": claim.number}


def _shown(found: ClaimList, picked: set[int] | None) -> dict[str, Any]:
    """Open invoices are ticked beforehand; those paid late only when somebody asks for them."""
    rows: list[dict[str, Any]] = []
    for each in found.rows:
        row = each.row
        left = {row.currency: each.interest_minor}
        left[found.indemnity_currency] = (
            left.get(found.indemnity_currency, 0) + each.indemnity_minor
        )
        rows.append(
            {
                "pk": row.invoice_id,
                "number": row.number,
                "due": row.due_on,
                "days": grouped(row.claim.days_late),
                "rates": tuple(dict.fromkeys(row.claim.percents)),
                "unknown": row.claim.interest_minor is None,
                "interest": formatted_minor(each.interest_minor, row.currency),
                "indemnity": formatted_minor(each.indemnity_minor, found.indemnity_currency),
                "left": " · ".join(
                    formatted_minor(minor, code) for code, minor in left.items() if minor
                ),
                "is_open": each.is_open,
                "is_asked": each.is_asked,
                "asked_by": each.asked_by,
                "ticked": not each.is_asked
                and (each.is_open if picked is None else row.invoice_id in picked),
            }
        )
    ticked: set[int] = {row["pk"] for row in rows if row["ticked"]}
    return {
        "rows": rows,
        "is_partial": any(row["unknown"] for row in rows),
        "totals": [formatted_minor(minor, code) for code, minor in found.totals(ticked).items()],
        "confirmed": found.shown.token,
    }


@require_http_methods(["GET", "POST"])
@permission_required(_PERMISSION, raise_exception=True)
def withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    claim = get_object_or_404(LateClaim.objects.select_related("client"), pk=pk)
    url = reverse("invoices:late-claim", args=[claim.client_id])
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="withdraw a claim",
            act=lambda: withdraw_claim(
                claim_id=pk, reason=form.cleaned_data["reason"], by=request.user
            ),
            confirmed=row_under_lock(LateClaim.objects.all(), pk),
            done=lambda _claim: said(
                request, _("%(number)s is withdrawn.") % {"number": claim.number}, url
            ),
            url=url,
        )
        assert answer is not None
        return answer
    return render_dialog(
        request,
        "invoices/statements/withdraw.html",
        {"claim": claim, "client": claim.client, "form": form},
        back=url,
        status=422 if form.errors else 200,
    )
