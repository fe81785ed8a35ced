"""The parts of an invoice's page, as values for its templates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.accounts.models import User
from billing_portal.figures import grouped
from billing_portal.htmx import StaffRequest
from billing_portal.money import formatted_minor
from billing_portal.templatetags.portal import STATES, query_with
from invoices.clients.payment_habits import habit_of
from invoices.einvoicing.life import life_of
from invoices.invoicing import timeline
from invoices.invoicing.by_platform import duty_of
from invoices.invoicing.creditable import left_to_credit
from invoices.invoicing.forms.lines import UNITS, vat_label
from invoices.invoicing.views.listing import listing_of, selection, with_amounts
from invoices.invoicing.views.related import use_of_credit
from invoices.models import (
    Allocation,
    Client,
    Company,
    Invoice,
    InvoiceEvent,
    Message,
    Payment,
)
from invoices.models.dues import each
from invoices.payments.late_claims import claim_of

MOST_EVENTS = 200


# ─ What the page shows ──────────────────────────────────────────────────────────────────────────
def states_of(invoice: Invoice, on: date) -> list[tuple[str, str]]:
    found = []
    for key in invoice.states(on):
        label = str(STATES[key][1])
        if key == "overdue":
            days = invoice.days_overdue(on)
            label = ngettext("Overdue %(n)s day", "Overdue %(n)s days", days) % {"n": grouped(days)}
        elif key == "part" and invoice.is_credit_note:
            label = _("Part used")
        found.append((key, label))
    return found


def money_panel(
    invoice: Invoice, allocations: Sequence[Allocation], on: date, user: User
) -> dict[str, Any]:
    code = invoice.currency
    rows = _settled_rows(invoice, allocations, user)
    settled_minor = invoice.total_minor - invoice.outstanding_minor
    return {
        "total": formatted_minor(invoice.total_minor, code),
        "net": formatted_minor(invoice.net_minor, code),
        "vat": formatted_minor(invoice.vat_minor, code),
        "outstanding": formatted_minor(invoice.outstanding_minor, code),
        "settled": formatted_minor(settled_minor, code),
        "settled_minor": settled_minor,
        "total_minor": invoice.total_minor,
        "rows": rows,
        "late": invoice.days_overdue(on),
        "days_left": (invoice.next_due - on).days if invoice.next_due else None,
        "instalments": _instalments(invoice, on, user),
        "claim": _claim(invoice, on),
    }


def _settled_rows(
    invoice: Invoice, allocations: Sequence[Allocation], user: User
) -> list[tuple[str, str, str, str]]:
    """(what happened, what it leads to, where, amount) for each step, taken back or not."""
    may_see = user.has_perm("invoices.view_payment")
    may_undo = user.has_perm("invoices.add_creditnote")
    taken_back = {row.takes_back_id for row in allocations}
    rows = []
    for row in allocations:
        amount = formatted_minor(-row.amount_minor, invoice.currency)
        back = row.amount_minor < 0
        if back:
            amount = f"+{amount}"
        reference, url = "", ""
        if row.refund_id:
            word = _("Refund taken back on %(day)s") if back else _("Refunded on %(day)s")
            url = reverse("invoices:refund", args=[row.refund_id]) if may_see else ""
            reference = str(row.refund)
        elif invoice.is_credit_note:
            word = _("Used on %(day)s for")
            reference, url = str(row.invoice), _detail(row.invoice_id)
        elif row.kind == Allocation.Kind.PAYMENT:
            word = _("Taken back on %(day)s") if back else _paid_words(row)
            url = reverse("invoices:payment", args=[row.payment_id]) if may_see else ""
            reference = str(row.payment) if row.payment else ""
        elif row.kind == Allocation.Kind.CREDIT:
            word = _("Credited on %(day)s")
            reference, url = str(row.credit_note), _detail(row.credit_note_id)
        else:
            word = _("Write-off taken back on %(day)s") if back else _("Written off on %(day)s")
            if may_undo and not back and row.pk not in taken_back:
                reference = _("take back…")
                url = reverse("invoices:write-off-back", args=[row.pk])
        values = {"day": dates.day(row.applied_on), "received": dates.day(_received_on(row))}
        rows.append((word % values, reference, url, amount))
    return rows


def _paid_words(row: Allocation) -> str:
    """An invoice is settled once it exists and the money is put on it: perhaps after it came."""
    if _received_on(row) == row.applied_on:
        return _("Paid on %(day)s")
    return _("Paid on %(day)s, received on %(received)s")


def _received_on(row: Allocation) -> date:
    return row.payment.received_on if row.payment else row.applied_on


def _detail(pk: int | None) -> str:
    return reverse("invoices:detail", args=[pk]) if pk else ""


def _instalments(invoice: Invoice, on: date, user: User) -> list[dict[str, Any]]:
    """Each instalment of an issued invoice, in words."""
    code, may_change = invoice.currency, user.has_perm("invoices.change_invoice")
    rows = []
    for part in invoice.instalments.order_by("position"):
        late = part.outstanding_minor > 0 and part.due_date < on
        if not part.outstanding_minor:
            said = _("settled %(day)s") % {"day": dates.day(part.settled_on)}
        elif late:
            days = (on - part.due_date).days
            said = ngettext("%(n)s day late", "%(n)s days late", days) % {"n": grouped(days)}
        else:
            said = _("retention") if part.is_retention else ""
            if part.due_date != part.said_due:
                said = _("retention, moved from %(day)s") % {"day": dates.day(part.said_due)}
        rows.append(
            {
                "pk": part.pk,
                "day": dates.day(part.due_date),
                "amount": formatted_minor(part.amount_minor, code),
                "open": formatted_minor(part.outstanding_minor, code)
                if 0 < part.outstanding_minor < part.amount_minor
                else "",
                "said": said,
                "late": late,
                "settled": not part.outstanding_minor,
                "may_move": may_change and part.is_retention and part.outstanding_minor > 0,
            }
        )
    return rows


def _claim(invoice: Invoice, on: date) -> dict[str, Any] | None:
    """Interest and indemnity of a late invoice, apart from the balance."""
    company = Company.objects.filter(pk=1).only("currency").first()
    found = claim_of(invoice, on)
    if company is None or found is None:
        return None
    same = invoice.currency == company.currency
    interest = found.interest_minor
    together = (
        formatted_minor((interest or 0) + found.indemnity_minor, company.currency) if same else ""
    )
    return {
        "total": together if interest is not None else "",
        "interest": None if interest is None else formatted_minor(interest, invoice.currency),
        "indemnity": formatted_minor(found.indemnity_minor, company.currency),
        "rates": tuple(dict.fromkeys(found.percents)),
        "days": found.days_late,
        "settled": invoice.status == Invoice.Status.SETTLED,
    }


def usual_delay(invoice: Invoice) -> dict[str, Any] | None:
    """How late the client of an open invoice usually pays."""
    if not invoice.is_outstanding:
        return None
    days, payments = habit_of(invoice.client_id)
    return None if days is None else {"days": days, "early": -days, "n": payments}


def may_send(invoice: Invoice, user: User) -> bool:
    return invoice.is_issued and not invoice.imported and user.has_perm("invoices.send_invoice")


def next_steps(invoice: Invoice, user: User) -> dict[str, Any]:
    """What can be done now; each only where it is allowed and would change something."""
    may_credit = user.has_perm("invoices.add_creditnote")
    creditable = invoice.is_issued and not invoice.is_credit_note and may_credit
    left = left_to_credit(invoice) if creditable else 0
    found: dict[str, Any] = {
        "pay": invoice.is_outstanding and user.has_perm("invoices.add_payment"),
        "send": may_send(invoice, user),
        "credit": left > 0,
        "correct": left > 0 and not invoice.imported and user.has_perm("invoices.issue_invoice"),
        "write_off": invoice.is_outstanding and user.has_perm("invoices.add_creditnote"),
    }
    if invoice.is_outstanding and found["pay"]:
        cash, credit = applicable(invoice)
        total = sum(p.amount_minor - p.allocated_minor for p in cash)
        total += sum(note.outstanding_minor for note in credit)
        if total:
            found["apply"] = formatted_minor(total, invoice.currency)
    if invoice.is_credit_note:
        found |= use_of_credit(invoice, user)
    found["any"] = any(found.values())
    return found


def applicable(invoice: Invoice) -> tuple[list[Payment], list[Invoice]]:
    """The account's unapplied cash and unused credit in the invoice's currency."""
    account = Client.objects.account_of(invoice.client_id)
    cash = (
        Payment.objects.unapplied_of(account)
        .filter(currency=invoice.currency)
        .order_by("received_on", "pk")
    )
    credit = (
        Invoice.objects.credit_notes()
        .filter(client__in=account, currency=invoice.currency, status=Invoice.Status.ISSUED)
        .order_by("issue_date", "pk")
    )
    return list(cash[:20]), list(credit[:20])


def timeline_of(invoice: Invoice, on: date, user: User) -> dict[str, Any]:
    events: QuerySet[InvoiceEvent] = invoice.events.select_related("by")
    mails = list(
        invoice.messages.filter(state__in=[Message.State.QUEUED, Message.State.SENDING]).order_by(
            "-created_at"
        )[:5]
    )
    moving = [m for m in mails if m.state == Message.State.QUEUED or m.claimed_until is not None]
    return {
        "steps": timeline.steps(
            invoice,
            list(events[:MOST_EVENTS]),
            mails,
            on,
            may_see_money=user.has_perm("invoices.view_payment"),
            may_see_mail=user.has_perm("invoices.view_mail"),
        ),
        "moving": bool(moving),
        "mail_waits": bool(mails),
    }


def platform_panel(invoice: Invoice, on: date) -> dict[str, Any]:
    """Where the document stands on the approved platform, and whether it has to go there."""
    if not invoice.is_issued:
        return {}
    duty = duty_of(invoice, on)
    found: dict[str, Any] = {"duty": duty, "transmission": duty.transmission}
    found["dispute"] = invoice.disputes.filter(closed_at=None).first()
    if duty.transmission is not None:
        duty.transmission.invoice = invoice
        found["life"] = life_of(duty.transmission)
    return found


def lines_of(invoice: Invoice) -> dict[str, Any]:
    code = invoice.currency
    units = dict(UNITS)
    rows = [
        {
            "text": line.description,
            "quantity": line.quantity,
            "unit": "" if line.unit == "C62" else units.get(line.unit, line.unit),
            "price": line.unit_price,
            "discount_percent": line.discount_percent,
            "discount_amount": line.discount_amount,
            "vat": vat_label(f"{line.vat_category}:{format(line.vat_rate.normalize() + 0, 'f')}"),
            "net": formatted_minor(line.net_minor, code),
        }
        for line in invoice.lines.all()
    ]
    groups = [
        (
            vat_label(f"{row.category}:{format(row.rate.normalize() + 0, 'f')}"),
            formatted_minor(row.basis_minor, code),
            formatted_minor(row.vat_minor, code),
        )
        for row in invoice.vat_breakdown.all()
    ]
    return {"lines": rows, "groups": groups}


def neighbours(request: StaffRequest, invoice: Invoice, on: date) -> dict[str, Any]:
    """The invoices before and after this one in the list that led here (its query string)."""
    params = request.GET.copy()
    params.pop("tab", None)
    if not params:
        return {"list_query": "", "tab_query": ""}
    list_shown = selection(request, on)
    columns = list_shown.columns
    listing = listing_of(list_shown)
    sort, path = listing.sorted_by(params)
    falling = sort.startswith("-")
    query = "?" + params.urlencode()
    found: dict[str, Any] = {
        "list_query": query_with(_without_position(params), {}),
        "list_state": list_shown.wanted.state,
        "tab_query": "&" + params.urlencode(),
    }
    # Its own place in that order, even if it has left the list since; of instalments the first.
    itself = Invoice.objects.filter(pk=invoice.pk)
    here = with_amounts(
        each(itself) if columns.apart else itself,
        list_shown.wanted,
        list_shown.day,
        list_shown.is_past,
        columns,
    )[0]
    places = here.order_by(f"{'-' if falling else ''}{path}").values_list(path, columns.key)
    value, key = places.first() or (None, None)
    if value is None:
        return found
    rows = list_shown.rows.exclude(pk=invoice.pk)
    for name, forwards in (("next", True), ("previous", False)):
        down = falling == forwards
        than = "lt" if down else "gt"
        beyond = rows.filter(
            Q(**{f"{path}__{than}": value}) | Q(**{path: value, f"{columns.key}__{than}": key})
        )
        sign = "-" if down else ""
        in_order = beyond.order_by(f"{sign}{path}", f"{sign}{columns.key}")
        pk = in_order.values_list("pk", flat=True).first()
        if pk is not None:
            found[name] = reverse("invoices:detail", args=[pk]) + query
    return found


def _without_position(params: QueryDict) -> QueryDict:
    kept = params.copy()
    for name in ("after", "before", "at"):
        kept.pop(name, None)
    return kept
