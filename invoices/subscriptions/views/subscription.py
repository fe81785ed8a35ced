"""One subscription: how it stands, what comes, what it has made, at which prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from moneyed import Money

from billing_portal.accounts.models import User
from billing_portal.figures import percent
from billing_portal.htmx import StaffRequest
from billing_portal.lists.totals import joined, totals_per_currency
from billing_portal.money import digits, formatted, formatted_minor
from billing_portal.templatetags.portal import icon_html
from invoices.documents.adjustments import CHARGE, read
from invoices.invoicing.forms.lines import UNITS, vat_label, vat_value, written
from invoices.invoicing.readiness import reasons_not_to_issue
from invoices.models import (
    Company,
    Indexation,
    Invoice,
    Subscription,
    SubscriptionBilling,
    SubscriptionPeriod,
)
from invoices.selections.filters import InvoiceFilter, select
from invoices.selections.signs import with_signs
from invoices.subscriptions import timeline, words
from invoices.subscriptions.index_values import name_of
from invoices.subscriptions.running import billed_until
from invoices.subscriptions.upcoming import Contents, Upcoming, contents_of, upcoming
from invoices.subscriptions.views.drafts import visible
from invoices.subscriptions.views.editor import told

COMING, MADE, MOST_EVENTS = 12, 24, 100
Status = Subscription.Status


@require_GET
@permission_required("invoices.view_subscription", raise_exception=True)
def subscription(request: StaffRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    on = timezone.localdate()
    contents = contents_of(found)
    is_open = found.is_open
    coming = upcoming(contents, found.next_number, COMING + 1) if is_open else []
    rows, waiting = _made(found, on)
    indexation = Indexation.objects.filter(subscription=found).first()
    events = found.events.select_related("by")[:MOST_EVENTS]
    icon = words.LOOKS[Status(found.status)][0]
    context: dict[str, Any] = {
        "subscription": found,
        "client": found.client,
        "on": on,
        "pill": words.state_html(found.status, icon_html(icon), pill=True),
        "rhythm": words.rhythm(found.unit, found.every),
        "calendar": words.calendar_words(found),
        "ending": words.ending(found),
        "next_span": words.span(coming[0].period.first, coming[0].period.last) if coming else "",
        "coming": [_told(contents, each, found.currency) for each in coming[:COMING]],
        "goes_on": len(coming) > COMING,
        "made": rows,
        "waiting": waiting,
        "periods_count": found.periods.count(),
        "figures": _figures(request.user, found, on),
        "made_url": reverse("invoices:list") + f"?subscription={found.pk}",
        "lines": _lines(contents, coming[0].period.first if coming else None),
        "adjusted": _adjusted(contents, coming[0].period.first if coming else None),
        "versions": [
            (version, len(version.lines.all()))
            for version in found.versions.prefetch_related("lines")
        ],
        "rises": [(rise, words.rise_words(rise)) for rise in found.rises.all()],
        "indexation": indexation,
        "index_words": words.index_words(
            indexation, contents, coming[0].period.first if coming else on
        )
        if indexation
        else [],
        "steps": timeline.steps(events),
        "until": billed_until(found),
        **_next(found, request.user),
    }
    return render(request, "invoices/subscriptions/subscription.html", context)


def _told(contents: Contents, coming: Upcoming, currency: str) -> dict[str, Any]:
    """With the value of the index that its price does not have yet."""
    found = told(coming, currency)
    if (missing := contents.missing_value(coming.period)) and contents.indexed:
        name = name_of(contents.indexed.index, missing)
        text = _("waits for %(name)s") if contents.holds(coming.period) else _("without %(name)s")
        found["waits"] = text % {"name": name}
    return found


def _made(found: Subscription, on: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The latest periods with their invoices; and those that need somebody, with the reasons."""
    billings = SubscriptionBilling.objects.select_related("invoice__client").order_by("pk")
    periods = found.periods.prefetch_related(Prefetch("billings", billings))
    rows, waiting = [], []
    company = Company.ours()
    for period in periods[:MADE]:
        invoice = _standing(period)
        text, needs = words.period_state(period, invoice)
        row = {
            "period": period,
            "span": words.span(period.first_day, period.last_day),
            "invoice": invoice,
            "total": formatted_minor(invoice.total_minor, invoice.currency) if invoice else "–",
            "text": text,
            "needs": needs,
            "may_draft": invoice is None,
        }
        rows.append(row)
        if needs and invoice is not None:
            sending = found.way == Subscription.Way.SEND
            reasons = reasons_not_to_issue(invoice, on, sending=sending, company=company)
            waiting.append({**row, "reasons": [reason.text for reason in reasons]})
    return rows, waiting


def _standing(period: SubscriptionPeriod) -> Invoice | None:
    alive = [
        billing.invoice
        for billing in period.billings.all()
        if billing.invoice.status != Invoice.Status.VOID
        and not (
            billing.invoice.status == Invoice.Status.SETTLED
            and billing.invoice.credited_minor == billing.invoice.total_minor
        )
    ]
    return alive[-1] if alive else None


def _figures(user: User, found: Subscription, on: date) -> dict[str, Any]:
    """What it has made, by the very selection that the list of invoices shows."""
    wanted = InvoiceFilter(subscription=found.pk)
    rows, columns = select(Invoice.objects.visible_to(user), wanted, on)
    signed, sums = with_signs(rows, wanted, columns.open)
    totals = totals_per_currency(signed, *sums, "drafts")
    drafts = sum(total.sums["drafts"] for total in totals)
    return {
        "documents": sum(total.count for total in totals) - drafts,
        "drafts": drafts,
        "billed": joined(totals, sums.total),
        "open": joined(totals, sums.open),
    }


def _lines(contents: Contents, day: date | None) -> list[dict[str, Any]]:
    """A whole period at the prices of the next one, or of the last that was."""
    units = dict(UNITS)
    if not contents.versions:
        return []
    found: Sequence[Any] = contents.whole_lines(day or contents.versions[-1].first_day)
    return [
        {
            "text": line.description,
            "quantity": line.amounts.quantity,
            "unit": "" if line.unit == "C62" else units.get(line.unit, line.unit),
            "price": written(line.amounts.unit_price, digits(contents.currency)),
            "missing": line.price_missing,
            "percent": line.amounts.discount_percent,
            "amount": line.amounts.discount_amount,
            "vat": vat_label(vat_value(line.amounts.vat_category, line.amounts.vat_rate)),
        }
        for line in found
    ]


def _adjusted(contents: Contents, day: date | None) -> list[tuple[str, str]]:
    """The discounts and charges on the whole of a period, as they were typed."""
    if not contents.versions:
        return []
    kept = contents.version(day or contents.versions[-1].first_day).adjustments
    found = []
    for each in read(kept):
        sign = Decimal(1 if each.kind == CHARGE else -1)
        amount = formatted(Money(sign * each.amount, contents.currency))
        words = percent(sign * each.percent) if each.percent else amount
        found.append((each.words(contents.language), words))
    return found


def _next(found: Subscription, user: User) -> dict[str, bool]:
    may = user.has_perm("invoices.change_subscription")
    running = found.status in (Status.ACTIVE, Status.PAUSED)
    return {
        "may_change": may and found.is_open,
        "may_start": may and found.status == Status.DRAFT,
        "may_pause": may and found.status == Status.ACTIVE,
        "may_resume": may and found.status == Status.PAUSED,
        "may_end": may and running,
        "may_skip": may and running and found.next_first_day is not None,
        "may_copy": may and found.status != Status.DISCARDED,
        "may_release": user.has_perm("invoices.issue_invoice")
        and found.way != Subscription.Way.DRAFT
        and found.periods.waiting().exists(),
    }
