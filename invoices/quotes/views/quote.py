"""One quote: what it says, how it stands, what was billed, what happened, and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from billing_portal.accounts.models import User
from billing_portal.dates import exact_moment
from billing_portal.htmx import StaffRequest
from billing_portal.money import formatted_minor
from billing_portal.templatetags.portal import quote_state
from invoices.invoicing.deducting import total_left
from invoices.invoicing.forms.lines import UNITS, vat_label, vat_value
from invoices.models import (
    Quote,
    QuoteAcceptance,
    QuoteBilling,
    QuoteDocument,
    QuoteLine,
    QuoteVersion,
)
from invoices.models.quotes import State
from invoices.quotes import converting, links, timeline, words
from invoices.quotes.adjusting import adjusted_in_words
from invoices.quotes.choices import proposed, taken, totals_of
from invoices.quotes.views.drafts import visible
from invoices.quotes.views.editor import draft_of

MOST_EVENTS = 200


@require_GET
@permission_required("invoices.view_quote", raise_exception=True)
def quote(request: StaffRequest, pk: int) -> HttpResponse:
    found = visible(request, pk)
    on = timezone.localdate()
    version = found.version
    assert version is not None
    chosen = _version(request, found) or version
    acceptance = (
        QuoteAcceptance.objects.filter(quote=found)
        .select_related("version", "document", "recorded_by", "sales_terms")
        .defer("sales_terms__content", "sales_terms__text")
        .first()
    )
    draft = draft_of(found)
    state = version.state(on)
    events = found.events.select_related("by")[:MOST_EVENTS]
    context: dict[str, Any] = {
        "quote": found,
        "client": found.client,
        "version": chosen,
        "current": version,
        "state": state,
        "pill": quote_state(version, on, pill=True),
        "chosen_pill": quote_state(chosen, on),
        "draft": draft if draft is not None and draft.pk != version.pk else None,
        "is_draft": version.is_draft,
        "acceptance": acceptance,
        "accepted_at": exact_moment(acceptance.at) if acceptance else "",
        "versions": [(each, quote_state(each, on)) for each in found.versions.order_by("-number")],
        "files": QuoteDocument.objects.filter(version__quote=found)
        .defer("content")
        .select_related("version"),
        "steps": timeline.steps(events, may_see_mail=request.user.has_perm("invoices.view_mail")),
        "copies": found.copies.exclude(version__status=State.DISCARDED)[:5],
        "on": on,
        "days_left": (version.valid_until - on).days,
        "reason": version.get_decline_reason_display(),
        "link": _link(version, on, request.user),
        **_content(chosen, acceptance),
        **_next(found, version, state, request.user),
    }
    if acceptance is not None:
        context |= billed_context(acceptance, found)
    return render(request, "invoices/quotes/quote.html", context)


def _version(request: StaffRequest, found: Quote) -> QuoteVersion | None:
    """The version that the address asks for (`?version=1`)."""
    text = request.GET.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        return None
    return found.versions.filter(number=int(text)).first()


def _link(version: QuoteVersion, on: date, user: User) -> str:
    """For whoever may send it: to hand it over in another way than by mail."""
    has_link = version.sent_at is not None and bool(version.link_key)
    return links.address_of(version) if has_link and user.has_perm("invoices.change_quote") else ""


def _content(version: QuoteVersion, acceptance: QuoteAcceptance | None) -> dict[str, Any]:
    """The lines with what was accepted of them, else with what is ticked at first."""
    lines = list(version.lines.all())
    accepted = acceptance is not None and acceptance.version_id == version.pk
    if accepted and acceptance is not None:
        kept = set(acceptance.lines.values_list("pk", flat=True))
    else:
        kept = {line.pk for line in taken(lines, proposed(lines))}
    code = version.currency
    rows = [line for line in lines if line.pk in kept]
    totals = totals_of(rows, code, version.adjustments)
    return {
        "sections": _by_section(lines, kept, code),
        "shows_accepted": accepted,
        **adjusted_in_words(version, rows, version.language),
        "net": formatted_minor(totals.net_minor, code),
        "groups": [
            (
                vat_label(vat_value(group.vat_category, group.vat_rate)),
                formatted_minor(group.basis_minor, code),
                formatted_minor(group.vat_minor, code),
            )
            for group in totals.breakdown
        ],
        "total": formatted_minor(totals.total_minor, code),
        "plan": [
            (label, when, formatted_minor(minor, code))
            for label, when, minor in words.plan(version, totals.total_minor, version.language)
        ],
    }


def _by_section(lines: list[QuoteLine], kept: set[int], code: str) -> list[dict[str, Any]]:
    units = dict(UNITS)
    found: list[dict[str, Any]] = []
    for line in lines:
        if not found or found[-1]["name"] != line.section:
            found.append({"name": line.section, "lines": []})
        found[-1]["lines"].append(
            {
                "text": line.description,
                "role": "" if line.role == QuoteLine.Role.INCLUDED else line.get_role_display(),
                "out": line.pk not in kept,
                "quantity": line.quantity,
                "unit": "" if line.unit == "C62" else units.get(line.unit, line.unit),
                "price": line.unit_price,
                "vat": vat_label(vat_value(line.vat_category, line.vat_rate)),
                "net": formatted_minor(line.net_minor, code),
            }
        )
    return found


def _next(found: Quote, version: QuoteVersion, state: State, user: User) -> dict[str, bool]:
    """What can be done now; each only where it is allowed and would change something."""
    may = user.has_perm("invoices.change_quote")
    is_open = state in (State.SENT, State.VIEWED)
    return {
        "may_edit": may and version.is_draft,
        "may_send_again": may and is_open,
        "may_withdraw": may and (is_open or state in (State.EXPIRED, State.DECLINED)),
        "may_record": may and version.status in (State.SENT, State.DECLINED),
        "may_renew": may
        and bool(found.number)
        and state not in (State.ACCEPTED, State.DISCARDED, State.DRAFT),
        "may_copy": may,
        "may_bill": state == State.ACCEPTED and user.has_perm("invoices.change_invoice"),
        "may_link": may and version.sent_at is not None,
    }


def billed_context(acceptance: QuoteAcceptance, found: Quote) -> dict[str, Any]:
    billings = converting.alive(found)
    stands = converting.standing(acceptance, billings)
    code = stands.currency
    return {
        "billings": [(each, formatted_minor(each.invoice.total_minor, code)) for each in billings],
        "accepted_total": formatted_minor(stands.accepted_minor, code),
        "billed": formatted_minor(stands.billed_minor, code),
        "left": formatted_minor(abs(stands.left_minor), code),
        "left_minor": stands.left_minor,
        "billed_beyond": stands.left_minor < 0,
        **_next_bill(acceptance, found, billings, stands),
    }


def _next_bill(
    acceptance: QuoteAcceptance,
    found: Quote,
    billings: Sequence[QuoteBilling],
    stands: converting.Standing,
) -> dict[str, Any]:
    """Deposit, final invoice, or all of it: what is billed next, and what has to be done before."""
    invoices = [each.invoice for each in billings]
    code = stands.currency
    open_deposits = converting.not_deducted(billings)
    context: dict[str, Any] = {
        "open_deposits": [
            (each, formatted_minor(total_left(each), code)) for each in open_deposits
        ],
    }
    waiting = next((each for each in invoices if each.is_deposit and each.is_draft), None)
    bill = reverse("invoices:quote-bill", args=[found.pk])
    if waiting is not None:
        edit = reverse("invoices:edit", args=[waiting.pk])
        following = ("file-check", _("Issue the deposit"), edit)
    elif open_deposits:
        following = ("file-invoice", _("Make the final invoice"), f"{bill}#rest-title")
    elif not invoices and acceptance.deposit_minor:
        following = ("percentage", _("Bill the deposit"), f"{bill}#deposit-title")
    elif stands.left_minor > 0:
        following = ("file-invoice", _("Bill it") if not invoices else _("Bill the rest"), bill)
    else:
        return context
    return {**context, "following": following}


@require_GET
@xframe_options_sameorigin
@permission_required("invoices.view_quote", raise_exception=True)
def document(request: StaffRequest, pk: int, document_id: int) -> HttpResponse:
    """The bytes as they were kept."""
    found = visible(request, pk)
    kept = get_object_or_404(QuoteDocument, pk=document_id, version__quote=found)
    answer = HttpResponse(bytes(kept.content), content_type="application/pdf")
    way = "attachment" if "download" in request.GET else "inline"
    answer["Content-Disposition"] = f'{way}; filename="{kept.filename}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
