"""Typing a payment in: from whom, and over which invoices."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from billing_portal import dates
from billing_portal.acts import already, carry_out, into, said
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.idempotency import carried_out, key_of
from billing_portal.money import formatted, formatted_minor, from_minor
from billing_portal.toasts import with_undo
from billing_portal.typed.numbers import as_typed, machine_number
from invoices.clients.forms.clients import chosen_client
from invoices.company.closing import closed_until
from invoices.models import Client, Instalment, Invoice, Payment
from invoices.payments.alike import not_yet_answered
from invoices.payments.applying import PaymentRefused
from invoices.payments.confirming import payment_shown
from invoices.payments.entry import (
    Entry,
    currency_of,
    figures_of,
    part_name,
    read_entry,
    typed_minor,
)
from invoices.payments.forms import MOST_SHOWN, PaymentForm
from invoices.payments.payers import SHORTEST, payer_called, payer_in_label, payers
from invoices.payments.recorded import recorded_on
from invoices.payments.recording import (
    LooksAlike,
    alike_to,
    is_before_issue,
    owed_by,
    record_payment,
)
from invoices.payments.showing import of_others, shown_entry

# What a button of the page asks for that records nothing.
ASKS = ("spread", "oldest", "rest", "take")


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_payment", raise_exception=True)
def payment_new(request: StaffRequest) -> HttpResponse:
    """The bank's line, and what it settles; `?invoice=` puts one first.

    The amount leads: with each change of it the parts are proposed anew, by htmx as it is typed and
    without script when it is recorded; a part that was typed stays.
    """
    on = timezone.localdate()
    posted = request.method == "POST"
    recording = posted and not any(request.POST.get(name) for name in ASKS)
    opened = _open_invoice((request.POST if posted else request.GET).get("invoice", ""))
    data: Any = request.POST.copy() if posted else _first_figures(request, opened, on)
    client, choices = _payer(data, opened, recording)
    first = _of_payer(opened, client)
    changed = client is not None and data.get("was-client", str(client.pk)) != str(client.pk)
    # The spread of another payer or another currency was seen by nobody yet.
    currency = data.get("currency", "")
    unseen = changed or data.get("was-currency", currency) != currency
    entry = _entry(data, client, first, on, changed=changed, settles=recording and not unseen)
    form = PaymentForm(
        data,
        currency=entry.currency,
        today=on,
        invoices=entry.owed,
        knows_payer=client is not None,
    )
    alike: list[Payment] = []
    if recording and client and not unseen and form.is_valid() and _is_right_payer(form, entry):
        if request.POST.get("same") == "same" and (answer := _the_same(request, client)):
            return answer
        if answer := _record(request, form, client, on, alike):
            return answer
    elif recording and (done := carried_out(key_of(request))):
        messages.info(request, str(done))
        return redirect(done.result_url or "invoices:payments")
    refused = recording and (client is None or unseen or bool(form.errors or alike))
    judged = refused and not unseen
    return render_page(
        request,
        page="invoices/payments/payment_new.html",
        partial="invoices/payments/payment_new.html",
        context={
            "form": form if judged else form.unjudged(),
            "entry": entry,
            "client": client,
            "choices": choices,
            "no_payer": refused and client is None,
            "unseen": unseen and recording,
            **shown_entry(entry, form),
            **_question(request, entry, alike),
            "today": recorded_on(on) if client is None else None,
            "day_hint": _day_hint(),
            "method_name": dict(Payment.Method.choices).get(data.get("method", ""), ""),
            "charges": formatted_minor(entry.charges, entry.currency) if entry.charges else "",
            "refused": refused,
            "more_open": _more_open(entry),
            "first_part": _named(first, data.get("instalment", "")) if first else None,
        },
        status=422 if refused else 200,
    )


@require_GET
@permission_required("invoices.add_payment", raise_exception=True)
def payer_choices(request: StaffRequest) -> HttpResponse:
    """The list under the field: who it may be, and why."""
    text = request.GET.get("payer", "").replace("\0", "").strip()[:200]
    return render_page(
        request,
        page="invoices/payments/partials/payer_options.html",
        partial="invoices/payments/partials/payer_options.html",
        context={
            "payers": payers(text, timezone.localdate()),
            "q": text,
            "too_short": 0 < len(text) < SHORTEST,
        },
    )


# ─ Who ──────────────────────────────────────────────────────────────────────────────────────────
def _payer(
    data: MutableMapping[str, str], opened: Invoice | None, recording: bool
) -> tuple[Client | None, list[Client]]:
    """From whom: chosen, or named in the field or the label; else those that the field may mean.

    The name in the field is looked up when it is recorded only: until then it is being typed.
    """
    client = chosen_client(data.get("take") or data.get("client", ""))
    if client is None and opened:
        client = opened.client
    text = data.get("payer", "").replace("\0", "").strip()[:200]
    if recording and not data.get("take") and text and (client is None or client.name != text):
        found = payer_called(text)
        if client is None or client not in found:
            return (found[0], []) if len(found) == 1 else (None, found)
    if client is None and not text:
        client = payer_in_label(data.get("reference", ""))
    return client, []


def _of_payer(opened: Invoice | None, client: Client | None) -> Invoice | None:
    """The invoice that comes first, as long as it is the payer's."""
    if opened and client and opened.client.account_id == client.account_id:
        return opened
    return None


def _open_invoice(text: str) -> Invoice | None:
    if (invoice_id := row_id(text)) is None:
        return None
    found = Invoice.objects.outstanding().filter(pk=invoice_id)
    return found.select_related("client__client_type").first()


def _named(invoice: Invoice, text: str) -> Instalment | None:
    """The instalment that is settled first, while it is open."""
    pk = row_id(text)
    found = invoice.instalments.open().select_related("invoice")
    return None if pk is None else found.filter(pk=pk).first()


def _is_right_payer(form: PaymentForm, entry: Entry) -> bool:
    """The label names an invoice of somebody else: nothing is booked before somebody says so."""
    other = of_others(entry)
    if other is None or form.data.get("payer-right") == str(other.pk):
        return True
    form.add_error("reference", _("Say first that the payer is right. Nothing was recorded."))
    return False


# ─ What ─────────────────────────────────────────────────────────────────────────────────────────
def _entry(
    data: Any,
    client: Client | None,
    first: Invoice | None,
    on: date,
    *,
    changed: bool,
    settles: bool,
) -> Entry:
    # The currency of another payer is not this one's.
    wanted = "" if changed else data.get("currency", "")
    currency = currency_of(client, first.currency if first and not wanted else wanted, on)
    owed = list(owed_by(client.pk, currency)[:MOST_SHOWN]) if client else []
    if settles:
        # An invoice that the page did not show yet is not settled unseen.
        for invoice in owed:
            data.setdefault(part_name(invoice), "0")
    return read_entry(data, client=client, first=first, owed=owed, currency=currency, on=on)


def _day_hint() -> str:
    last = closed_until()
    if last is None:
        return _("The day on which our bank booked it.")
    return _("The books are closed until %(day)s.") % {"day": dates.day(last)}


def _more_open(entry: Entry) -> int:
    """Open invoices that the page does not show: they are settled in further steps."""
    if entry.client is None or len(entry.owed) < MOST_SHOWN:
        return 0
    return owed_by(entry.client.pk, entry.currency).count() - MOST_SHOWN


def _first_figures(request: StaffRequest, opened: Invoice | None, on: date) -> dict[str, str]:
    """What the page begins with: from an invoice its open amount, from a payment that was taken
    back what was typed, after one that was recorded its day and method."""
    given = request.GET
    found = {"received_on": dates.as_typed(on), "method": Payment.Method.TRANSFER.value}
    before = row_id(given.get("again", ""))
    taken_back = before and Payment.objects.filter(pk=before, reversed_by__isnull=False).first()
    if taken_back:
        found |= {"client": str(taken_back.client.account_id), **figures_of(taken_back)}
    elif opened:
        named = _named(opened, given.get("instalment", ""))
        owed = named.outstanding_minor if named else opened.outstanding_minor
        found["amount"] = typed_minor(owed, opened.currency)
    names = ("client", "invoice", "instalment", "currency", "received_on", "reference", "method")
    found |= {name: given[name] for name in names if name in given}
    with suppress(ValueError):
        found["amount"] = as_typed(machine_number(given.get("amount", "")))
    return found


def _question(request: StaffRequest, entry: Entry, alike: list[Payment]) -> dict[str, Any]:
    """Whether it is money that is here already, asked as soon as the figures say so."""
    amount, day = entry.received, entry.received_on
    if not alike and entry.client and amount and amount > 0 and day:
        reference = entry.data.get("reference", "").replace("\0", "").strip()
        found = alike_to(entry.client, from_minor(amount, entry.currency), day, reference)
        alike = not_yet_answered(found, [])
    answer = request.POST.get("same", "")
    asked = ",".join(str(payment.pk) for payment in alike)
    # An answer is one to the payments that were asked about then.
    return {"alike": alike, "asked": asked, "same": answer if asked == _asked_text(request) else ""}


def _asked_text(request: StaffRequest) -> str:
    return request.POST.get("asked", "")


def _asked(request: StaffRequest) -> list[int]:
    """The payments that the page asked about."""
    return [pk for text in _asked_text(request).split(",") if (pk := row_id(text)) is not None]


# ─ Done ─────────────────────────────────────────────────────────────────────────────────────────
def _the_same(request: StaffRequest, client: Client) -> HttpResponse | None:
    """It is money that is here already: nothing is recorded, that payment opens."""
    account = Client.objects.account_of(client.pk)
    found = Payment.objects.filter(pk__in=_asked(request), client__in=account).first()
    if found is None:
        return None
    return said(
        request,
        _("Nothing was recorded: it is this payment."),
        reverse("invoices:payment", args=[found.pk]),
    )


def _record(
    request: StaffRequest, form: PaymentForm, client: Client, on: date, alike: list[Payment]
) -> HttpResponse | None:
    """Record it; None when it was refused, which the form then says, or when `alike` asks."""
    data = form.cleaned_data

    def act() -> Payment:
        return record_payment(
            client_id=client.pk,
            amount=data["amount"],
            charges=data["charges"],
            received_on=data["received_on"],
            reference=data["reference"],
            method=data["method"],
            note=data["note"],
            by=request.user,
            allocations=form.allocations(),
            on=on,
            other_than=_asked(request) if request.POST.get("same") == "other" else [],
            instalment=row_id(request.POST.get("instalment", "")),
        )

    return carry_out(
        request,
        action="payment",
        act=act,
        refused={
            LooksAlike: lambda question: alike.extend(question.payments),
            PaymentRefused: into(form),
        },
        done=lambda paid: _recorded(request, form, paid),
        again=already(request),
        url=lambda paid: _leads_to(request, paid),
    )


def _leads_to(request: StaffRequest, payment: Payment) -> str:
    """To the next line of the bank, back to the invoice, or to the payment."""
    if request.POST.get("then") == "next":
        kept = {"received_on": payment.received_on.isoformat(), "method": payment.method}
        return f"{reverse('invoices:payment-new')}?{urlencode(kept)}"
    if (invoice_id := row_id(request.POST.get("invoice", ""))) is not None:
        return reverse("invoices:detail", args=[invoice_id])
    return reverse("invoices:payment", args=[payment.pk])


def _recorded(request: StaffRequest, form: PaymentForm, payment: Payment) -> HttpResponse:
    text = _("%(amount)s from %(client)s is recorded.") % {
        "amount": formatted(payment.amount),
        "client": payment.client.name,
    }
    if payment.unapplied.amount:
        text += " " + _("%(rest)s stay unapplied cash.") % {"rest": formatted(payment.unapplied)}
    undo = ""
    if request.user.has_perm("invoices.reverse_payment"):
        url = reverse("invoices:payment-undo", args=[payment.pk])
        undo = with_undo(url, payment_shown(payment).token)
    messages.success(request, text, extra_tags=undo)
    paid = [invoice for invoice in form.invoices if invoice.pk in dict(form.allocations())]
    if early := is_before_issue(payment.received_on, paid):
        messages.warning(
            request,
            _("The value date is before %(numbers)s was issued: check the date.")
            % {"numbers": ", ".join(str(invoice) for invoice in early[:3])},
        )
    return redirect(_leads_to(request, payment))
