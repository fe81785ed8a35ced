"""Issuing a draft and sending what is issued: first what will happen, then the act."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, came_from, go_to, render_dialog
from invoices.attachments.forms import choices_of, chosen_of
from invoices.attachments.keeping import attachments_of
from invoices.clients.recipients import client_recipients
from invoices.clients.routes import have_asked
from invoices.company import numbering
from invoices.company.numbering import NumberRefused
from invoices.invoicing import drafting
from invoices.invoicing.by_platform import duty_of
from invoices.invoicing.confirming import draft_shown, mail_shown, under_lock
from invoices.invoicing.far_dates import far_dates
from invoices.invoicing.forms.drafts import IssueForm, SendForm
from invoices.invoicing.freezing import IssueRefused, reasons_of_einvoice
from invoices.invoicing.issuing import issue
from invoices.invoicing.readiness import reasons_not_to_issue, warnings_before_issue
from invoices.invoicing.reasons import Reason
from invoices.invoicing.sending import invoice_mail, queue_invoice
from invoices.invoicing.views.mending import place_of
from invoices.models import Company, Invoice
from invoices.outbox.queueing import MailRefused


@require_http_methods(["GET", "POST"])
@permission_required("invoices.issue_invoice", raise_exception=True)
def issue_invoice(request: StaffRequest, pk: int) -> HttpResponse:
    on = timezone.localdate()
    invoice = _draft(pk)
    detail = reverse("invoices:detail", args=[pk])
    if request.method == "GET":
        if not invoice.is_draft:
            return go_to(request, detail)
        return issue_dialog(request, invoice, on)
    send = "send" in request.POST
    form = IssueForm(request.POST)
    if form.is_valid() and send and not form.cleaned_data["recipients"]:
        # Not to those of the draft after all: somebody has just taken them out.
        form.add_error("recipients", _("Say who receives it by email."))
    far = far_dates(invoice, on)
    if far.questions and request.POST.get("dates") != far.token:
        return issue_dialog(request, invoice, on, form=form, unanswered=True)
    if form.errors:
        return issue_dialog(request, invoice, on, form=form)
    answer = carry_out(
        request,
        action="issue an invoice",
        act=lambda: issue(
            invoice_id=pk,
            by=request.user,
            on=on,
            send=send,
            recipients=form.cleaned_data.get("recipients", []),
            standing=chosen_of(request.POST),
        ),
        confirmed=under_lock(pk, lambda found: draft_shown(found, on)),
        refused={
            ChangedMeanwhile: lambda refusal: issue_dialog(
                request, _draft(pk), on, changed=str(refusal)
            ),
            IssueRefused: lambda refusal: _refused(request, invoice, on, form, refusal.reasons),
            NumberRefused: lambda refusal: issue_dialog(
                request, invoice, on, form=form, reasons=[Reason("number", str(refusal), "company")]
            ),
        },
        done=lambda issued: said(request, _issued(issued, send), detail),
        url=detail,
    )
    assert answer is not None
    return answer


def _refused(
    request: StaffRequest, invoice: Invoice, on: date, form: IssueForm, reasons: list[Reason]
) -> HttpResponse:
    """What is wrong with the addresses is mended in the dialog itself, where they stand."""
    elsewhere = [reason for reason in reasons if reason.field != "recipients"]
    if reasons and not elsewhere:
        for reason in reasons:
            form.add_error("recipients", reason.text)
    return issue_dialog(request, invoice, on, form=form, reasons=reasons if elsewhere else [])


def _draft(pk: int) -> Invoice:
    drafts = Invoice.objects.select_related("client", "issued_by", "replaces").prefetch_related(
        "lines"
    )
    return get_object_or_404(drafts, pk=pk)


def _issued(invoice: Invoice, sent: bool) -> str:
    if not sent:
        return _("%(number)s is issued.") % {"number": invoice.number}
    return _("%(number)s is issued and on its way to %(who)s.") % {
        "number": invoice.number,
        "who": ", ".join(invoice.recipients),
    }


def issue_dialog(
    request: StaffRequest,
    invoice: Invoice,
    on: date,
    *,
    form: IssueForm | None = None,
    reasons: list[Reason] | None = None,
    changed: str = "",
    unanswered: bool = False,
) -> HttpResponse:
    """What issuing would do, or the reasons why it cannot be done yet."""
    status = 422 if reasons or changed or unanswered or (form and form.errors) else 200
    company = Company.ours()
    if reasons is None:
        reasons = reasons_not_to_issue(invoice, on, company=company)
        if company is not None and not reasons:
            reasons = reasons_of_einvoice(invoice, company, on)
    issue_date, due = drafting.dates_of(invoice, on)
    edit_url = reverse("invoices:edit", args=[invoice.pk])
    have_asked(invoice.client_id)
    inside = came_from(request) == edit_url
    return render_dialog(
        request,
        "invoices/invoicing/issue.html",
        {
            "invoice": invoice,
            "changed": changed,
            "confirmed": draft_shown(invoice, on).token,
            "form": form or IssueForm(initial={"recipients": list(invoice.recipients)}),
            "reasons": [
                (r.text, place_of(r, invoice, request.user, "" if inside else edit_url))
                for r in reasons
            ],
            "warnings": [
                (r.text, place_of(r, invoice, request.user, "" if inside else edit_url))
                for r in (
                    warnings_before_issue(invoice, on, company=company) if not reasons else []
                )
            ],
            "number": numbering.next_number(invoice.kind, issue_date) if company else "",
            "issue_date": issue_date,
            "due": due,
            "edit_url": edit_url,
            "far": far_dates(invoice, on),
            "agreed": request.POST.get("dates", ""),
            "standing": choices_of(invoice, request.POST),
            "unanswered": unanswered,
            "duty": duty_of(invoice, on, company) if company and not reasons else None,
        },
        url=reverse("invoices:issue", args=[invoice.pk]),
        back=edit_url,
        status=status,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.send_invoice", raise_exception=True)
def send_invoice(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = _issued_one(pk)
    detail = reverse("invoices:detail", args=[pk])
    if invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID):
        messages.error(request, _("Only an issued invoice is sent: issue it first."))
        return go_to(request, detail)
    form: Any = SendForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        answer = carry_out(
            request,
            action="send an invoice",
            act=lambda: queue_invoice(
                invoice_id=pk,
                recipients=form.cleaned_data["recipients"],
                by=request.user,
                on=timezone.localdate(),
                standing=chosen_of(request.POST),
            ),
            confirmed=under_lock(pk, mail_shown),
            refused={
                MailRefused: into(form, "recipients"),
                ChangedMeanwhile: lambda refusal: _send_dialog(
                    request, _issued_one(pk), None, changed=str(refusal)
                ),
            },
            done=lambda message: said(
                request,
                _("%(number)s is on its way to %(who)s.")
                % {"number": invoice.number, "who": ", ".join(message.to)},
                detail,
            ),
            url=detail,
        )
        if answer is not None:
            return answer
    return _send_dialog(request, invoice, form)


def _issued_one(pk: int) -> Invoice:
    return get_object_or_404(Invoice.objects.select_related("client", "corrects"), pk=pk)


def _send_dialog(
    request: StaffRequest, invoice: Invoice, form: SendForm | None, *, changed: str = ""
) -> HttpResponse:
    company = Company.ours()
    subject = text = ""
    if company is not None:
        subject, text, _html = invoice_mail(invoice, company)
    document = invoice.documents.filter(kind="pdf").defer("content").first()
    recipients = list(invoice.recipients) or client_recipients(invoice.client)
    return render_dialog(
        request,
        "invoices/invoicing/send.html",
        {
            "invoice": invoice,
            "changed": changed,
            "confirmed": mail_shown(invoice).token,
            "form": form or SendForm(initial={"recipients": recipients}),
            "subject": subject,
            "text": text,
            "document": document,
            "enclosed": attachments_of(invoice),
            "standing": choices_of(invoice, request.POST),
            "again": invoice.sent_at is not None,
            "duty": duty_of(invoice, timezone.localdate(), company),
        },
        back=reverse("invoices:detail", args=[invoice.pk]),
        status=422 if changed or (form is not None and form.errors) else 200,
    )
