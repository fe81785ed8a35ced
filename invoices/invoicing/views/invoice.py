"""One invoice or credit note: its document, what is owed, what happened, what comes next."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest, render_page
from invoices.invoicing.copying import refusal
from invoices.invoicing.deal_basis import changed_of
from invoices.invoicing.made_by import subscription_of
from invoices.invoicing.views.panels import (
    lines_of,
    may_send,
    money_panel,
    neighbours,
    next_steps,
    platform_panel,
    states_of,
    timeline_of,
    usual_delay,
)
from invoices.invoicing.views.related import related
from invoices.models import Allocation, Invoice

TABS = ("document", "lines", "files", "einvoice")


def visible(request: StaffRequest, pk: int) -> Invoice:
    return get_object_or_404(
        Invoice.objects.visible_to(request.user).select_related(
            "client__client_type",
            "client_type",
            "owner",
            "deal",
            "corrects",
            "replaces",
            "created_by",
            "issued_by",
        ),
        pk=pk,
    )


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def detail(request: StaffRequest, pk: int) -> HttpResponse:
    on = timezone.localdate()
    invoice = visible(request, pk)
    if invoice.is_draft and request.user.has_perm("invoices.change_invoice"):
        return redirect("invoices:edit", pk=pk)
    tab = request.GET.get("tab", "document")
    files = list(invoice.documents.defer("content"))
    document = next((file for file in files if file.kind == "pdf"), None)
    if tab not in TABS:
        tab = "document"
    allocations = list(
        Allocation.objects.filter(
            Q(credit_note=invoice) if invoice.is_credit_note else Q(invoice=invoice)
        )
        .select_related("payment", "credit_note", "invoice", "refund")
        .order_by("applied_on", "pk")
    )
    context: dict[str, Any] = {
        "invoice": invoice,
        "client": invoice.client,
        "on": on,
        "tab": tab,
        "document": document,
        "files": files,
        "einvoice": next((file for file in files if file.kind == "xml"), None),
        "states": states_of(invoice, on),
        "money": money_panel(invoice, allocations, on, request.user),
        "habit": usual_delay(invoice),
        "credit_notes": list(
            Invoice.objects.filter(Q(corrects=invoice) | Q(credit_shares__invoice=invoice))
            .issued()
            .distinct()
            .order_by("issue_date", "pk")
        )
        if not invoice.is_credit_note
        else [],
        "subscription": subscription_of(invoice, request.user),
        "next_steps": next_steps(invoice, request.user),
        "may_copy": request.user.has_perm("invoices.change_invoice") and not refusal(invoice),
        **related(invoice),
        "deal_change": changed_of(invoice),
        **timeline_of(invoice, on, request.user),
        **neighbours(request, invoice, on),
    }
    if tab == "lines" or (tab == "document" and document is None):
        context |= lines_of(invoice)
    context |= platform_panel(invoice, on)
    if tab == "files":
        context["file_mails"] = list(invoice.messages.order_by("-created_at")[:20])
    return render_page(
        request,
        page="invoices/invoicing/detail.html",
        partial="invoices/invoicing/partials/document_card.html"
        if request.htmx and request.htmx.target == "document-card"
        else "invoices/invoicing/detail.html",
        context=context,
    )


@require_GET
@permission_required("invoices.view_invoice", raise_exception=True)
def invoice_timeline(request: StaffRequest, pk: int) -> HttpResponse:
    """Asked for again and again while a mail is under way; then it rests."""
    invoice = visible(request, pk)
    on = timezone.localdate()
    return render(
        request,
        "invoices/invoicing/partials/timeline.html",
        {
            "invoice": invoice,
            "states": states_of(invoice, on),
            "polled": True,
            # What comes next says it too; nobody sees that step who may not send.
            "may_send": may_send(invoice, request.user),
            **timeline_of(invoice, on, request.user),
        },
    )
