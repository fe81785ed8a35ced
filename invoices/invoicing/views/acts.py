"""Small acts on an invoice: a note, cash or credit applied, a write-off."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.htmx import StaffRequest, render_dialog, wants_partial
from billing_portal.money import formatted, formatted_minor, from_minor
from billing_portal.toasts import add_toast, close_overlays
from billing_portal.words import labelled
from invoices.invoicing.confirming import balance_shown, under_lock
from invoices.invoicing.forms.acts import ApplyForm, WriteOffForm
from invoices.invoicing.forms.drafts import NoteForm
from invoices.invoicing.notes import NoteRefused, add_note
from invoices.invoicing.views.invoice import visible
from invoices.invoicing.views.panels import applicable, timeline_of
from invoices.models import (
    Invoice,
)
from invoices.payments.applying import PaymentRefused, apply_credit_note, write_off
from invoices.payments.recording import allocate_unapplied
from invoices.payments.write_off_limits import hint


# ─ Small acts ───────────────────────────────────────────────────────────────────────────────────
@require_http_methods(["GET", "POST"])
@permission_required("invoices.change_invoice", raise_exception=True)
def note(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = visible(request, pk)
    detail_url = reverse("invoices:detail", args=[pk])
    form = NoteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="note on an invoice",
            act=lambda: add_note(
                invoice_id=pk,
                text=form.cleaned_data["text"],
                by=request.user,
                on=timezone.localdate(),
            ),
            refused={NoteRefused: into(form, "text")},
            done=lambda _event: _noted(request, invoice),
            url=detail_url,
        )
        if answer is not None:
            return answer
    return render_dialog(
        request,
        "invoices/invoicing/note.html",
        {"invoice": invoice, "form": form},
        back=detail_url,
        status=422 if form.errors else 200,
    )


def _noted(request: StaffRequest, invoice: Invoice) -> HttpResponse:
    if not wants_partial(request):
        return said(request, _("The note is kept."), reverse("invoices:detail", args=[invoice.pk]))
    answer = render(
        request,
        "invoices/invoicing/partials/timeline.html",
        {"invoice": invoice, **timeline_of(invoice, timezone.localdate(), request.user)},
    )
    answer["HX-Retarget"], answer["HX-Reswap"] = "#timeline", "outerHTML"
    return close_overlays(add_toast(answer, _("The note is kept.")))


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def apply_money(request: StaffRequest, pk: int) -> HttpResponse:
    """Settle it with the client's unapplied cash or unused credit."""
    invoice = visible(request, pk)
    if request.method == "GET":
        return _apply_dialog(request, invoice, *_apply_form(None, invoice))
    form, choices = _apply_form(request.POST, invoice)
    if form.is_valid():
        detail_url = reverse("invoices:detail", args=[pk])
        text = _("%(amount)s is applied to %(number)s.") % {
            "amount": formatted(form.cleaned_data["amount"]),
            "number": invoice.number,
        }
        answer = carry_out(
            request,
            action="apply cash or credit",
            act=lambda: _apply(invoice, form.cleaned_data, request.user),
            confirmed=under_lock(pk, balance_shown),
            refused={
                PaymentRefused: into(form, "amount"),
                ChangedMeanwhile: lambda refusal: _apply_again(request, pk, refusal),
            },
            done=lambda _result: said(request, text, detail_url),
            url=detail_url,
        )
        if answer is not None:
            return answer
    return _apply_dialog(request, invoice, form, choices)


def _apply_again(request: StaffRequest, pk: int, refusal: ChangedMeanwhile) -> HttpResponse:
    """What is outstanding and what is there to use, as they are now."""
    invoice = visible(request, pk)
    form, choices = _apply_form(None, invoice)
    return _apply_dialog(request, invoice, form, choices, changed=str(refusal))


def _apply_dialog(
    request: StaffRequest,
    invoice: Invoice,
    form: ApplyForm,
    choices: list[tuple[str, str]],
    *,
    changed: str = "",
) -> HttpResponse:
    return render_dialog(
        request,
        "invoices/invoicing/apply.html",
        {
            "invoice": invoice,
            "form": form,
            "sources": choices,
            "changed": changed,
            "confirmed": balance_shown(invoice).token,
        },
        back=reverse("invoices:detail", args=[invoice.pk]),
        status=422 if form.errors or changed else 200,
    )


def _apply_form(
    given: QueryDict | None, invoice: Invoice
) -> tuple[ApplyForm, list[tuple[str, str]]]:
    cash, credit = applicable(invoice)
    sources = [
        *(
            (
                f"payment-{p.pk}",
                _("Payment %(reference)s of %(day)s")
                % {"reference": p, "day": dates.day(p.received_on)},
                p.amount_minor - p.allocated_minor,
            )
            for p in cash
        ),
        *(
            (
                f"credit-{n.pk}",
                _("Credit note %(number)s") % {"number": n.number},
                n.outstanding_minor,
            )
            for n in credit
        ),
    ]
    choices = [
        (key, labelled(label, formatted_minor(free, invoice.currency)))
        for key, label, free in sources
    ]
    first = min(sources[0][2], invoice.outstanding_minor) if sources else 0
    form = ApplyForm(
        given,
        currency=invoice.currency,
        sources=choices,
        instalments=[
            (
                str(part.pk),
                labelled(
                    dates.day(part.due_date),
                    formatted_minor(part.outstanding_minor, invoice.currency),
                ),
            )
            for part in invoice.instalments.open()
        ],
        initial={
            "source": sources[0][0] if sources else "",
            "amount": format(from_minor(first, invoice.currency).amount, "f"),
        },
    )
    return form, choices


def _apply(invoice: Invoice, wanted: dict[str, Any], by: User) -> Any:
    kind, _dash, pk = wanted["source"].partition("-")
    on, named = timezone.localdate(), wanted.get("instalment")
    instalment = int(named) if named else None
    if kind == "payment":
        return allocate_unapplied(
            payment_id=int(pk),
            allocations=[(invoice.pk, wanted["amount"])],
            by=by,
            on=on,
            instalment=instalment,
        )
    return apply_credit_note(
        credit_note_id=int(pk),
        invoice_id=invoice.pk,
        amount=wanted["amount"],
        by=by,
        on=on,
        instalment=instalment,
    )


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def write_off_invoice(request: StaffRequest, pk: int) -> HttpResponse:
    invoice = visible(request, pk)
    detail_url = reverse("invoices:detail", args=[pk])
    form = _write_off_form(request.POST or None, invoice)
    if request.method == "POST" and form.is_valid():
        text = _("%(amount)s of %(number)s is written off.") % {
            "amount": formatted(form.cleaned_data["amount"]),
            "number": invoice.number,
        }
        answer = carry_out(
            request,
            action="write off",
            act=lambda: write_off(
                invoice_id=pk,
                amount=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"],
                cause=form.cleaned_data["cause"],
                by=request.user,
                on=timezone.localdate(),
            ),
            confirmed=under_lock(pk, balance_shown),
            refused={
                PaymentRefused: into(form, "amount"),
                ChangedMeanwhile: lambda refusal: _write_off_again(request, pk, refusal),
            },
            done=lambda _row: said(request, text, detail_url),
            url=detail_url,
        )
        if answer is not None:
            return answer
    return _write_off_dialog(request, invoice, form)


def _write_off_form(given: QueryDict | None, invoice: Invoice) -> WriteOffForm:
    owed = format(invoice.outstanding_balance.amount, "f")
    return WriteOffForm(given, currency=invoice.currency, initial={"amount": owed})


def _write_off_again(request: StaffRequest, pk: int, refusal: ChangedMeanwhile) -> HttpResponse:
    invoice = visible(request, pk)
    form = _write_off_form(None, invoice)
    return _write_off_dialog(request, invoice, form, changed=str(refusal))


def _write_off_dialog(
    request: StaffRequest, invoice: Invoice, form: WriteOffForm, *, changed: str = ""
) -> HttpResponse:
    return render_dialog(
        request,
        "invoices/invoicing/write_off.html",
        {
            "invoice": invoice,
            "form": form,
            "changed": changed,
            "confirmed": balance_shown(invoice).token,
            "may_give_up": hint(request.user),
        },
        back=reverse("invoices:detail", args=[invoice.pk]),
        status=422 if form.errors or changed else 200,
    )
