"""A credit note over several invoices of a client, or over a period: seen before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing_portal.acts import carry_out, into, said
from billing_portal.confirming import ChangedMeanwhile
from billing_portal.forms import row_id
from billing_portal.htmx import StaffRequest, render_page
from billing_portal.money import formatted_minor, is_currency
from invoices.clients.recipients import client_recipients
from invoices.clients.vat import vat_treatment
from invoices.company import numbering
from invoices.company.numbering import NumberRefused
from invoices.company.vat_rates import FrenchRates
from invoices.documents.totals import STANDARD
from invoices.invoicing import rebate_plan, rebating
from invoices.invoicing.confirming import rebate_shown, rebate_under_lock
from invoices.invoicing.forms.rebates import INVOICES, PERCENT, RebateForm, SpanForm
from invoices.invoicing.freezing import IssueRefused
from invoices.models import Client, Company, Invoice
from invoices.tax.territories import territory_of


@dataclass(frozen=True)
class Page:
    """What the address says: of whom, in which currency, and which invoices are offered."""

    client: Client
    currency: str
    span: SpanForm
    rows: list[Invoice]
    query: str

    @property
    def since(self) -> date | None:
        return self.span.cleaned_data.get("issued_from")

    @property
    def until(self) -> date | None:
        return self.span.cleaned_data.get("issued_to")


@require_POST
@permission_required("invoices.add_creditnote", raise_exception=True)
def rebate_chosen(request: StaffRequest) -> HttpResponse:
    """From ticked invoices of the list to the page of their client."""
    ids = [pk for pk in map(row_id, request.POST.getlist("ids")) if pk is not None]
    rows = list(
        Invoice.objects.visible_to(request.user).filter(pk__in=ids).select_related("client")
    )
    if text := _not_together(rows):
        messages.error(request, text)
        return redirect("invoices:list")
    first = rows[0]
    query = urlencode({"currency": first.currency, "ids": ",".join(str(row.pk) for row in rows)})
    return redirect(f"{reverse('invoices:rebate', args=[first.client.account_id])}?{query}")


def _not_together(rows: list[Invoice]) -> str:
    if not rows:
        return _("Tick the invoices that are to be credited together.")
    if len(rows) > rebate_plan.MOST:
        return _("One credit note names at most %(most)s invoices: choose fewer.") % {
            "most": rebate_plan.MOST
        }
    if any(row.is_credit_note or not row.is_issued for row in rows):
        return _("Only issued invoices are credited together: no drafts, no credit notes.")
    if len({row.client.account_id for row in rows}) > 1:
        return _("One credit note is for one client: these are of several.")
    if len({row.currency for row in rows}) > 1:
        return _("One credit note is in one currency: these are in several.")
    return ""


@require_http_methods(["GET", "POST"])
@permission_required("invoices.add_creditnote", raise_exception=True)
def rebate(request: StaffRequest, pk: int) -> HttpResponse:
    page = _page(request, pk)
    form = _form(request, page)
    if request.method == "POST" and form.is_valid():
        answer = carry_out(
            request,
            action="credit several invoices",
            act=lambda: rebating.issue_rebate(
                client_id=pk,
                currency=page.currency,
                asked=form.asked(),
                reason=form.cleaned_data["reason"],
                code=form.cleaned_data["code"],
                by=request.user,
                on=timezone.localdate(),
                recipients=form.cleaned_data["recipients"],
                send="send" in request.POST,
            ),
            confirmed=rebate_under_lock(page.client, page.rows),
            refused={
                ChangedMeanwhile: lambda refusal: _again(request, pk, refusal),
                IssueRefused: lambda refusal: _say(form, refusal),
                NumberRefused: into(form),
            },
            done=lambda note: said(
                request,
                _("%(number)s credits %(amount)s to %(client)s.")
                % {
                    "number": note.number,
                    "amount": formatted_minor(note.total_minor, note.currency),
                    "client": page.client.name,
                },
                reverse("invoices:detail", args=[note.pk]),
            ),
            url=lambda note: reverse("invoices:detail", args=[note.pk]),
        )
        if answer is not None:
            return answer
    return _shown(request, page, form)


def _again(request: StaffRequest, pk: int, refusal: ChangedMeanwhile) -> HttpResponse:
    page = _page(request, pk)
    form = _form(request, page)
    form.is_valid()
    return _shown(request, page, form, changed=str(refusal))


@require_POST
@permission_required("invoices.add_creditnote", raise_exception=True)
def rebate_preview(request: StaffRequest, pk: int) -> HttpResponse:
    page = _page(request, pk)
    form = _form(request, page)
    context = _preview(form, page)
    return render(request, "invoices/invoicing/partials/rebate_totals.html", context)


def _page(request: StaffRequest, pk: int) -> Page:
    client = get_object_or_404(Client.objects.select_related("client_type"), pk=pk)
    given = request.GET
    currency = given.get("currency", "").upper()[:3]
    currency = currency if is_currency(currency) else client.currency
    span = SpanForm(given, today=timezone.localdate())
    # What cannot be read is told beside its field, and narrows nothing.
    span.is_valid()
    since = span.cleaned_data.get("issued_from")
    until = span.cleaned_data.get("issued_to")
    rows = rebate_plan.choosable(client, currency, since, until)
    named = set(_ids(given.get("ids", "").split(",")))
    if missing := named - {row.pk for row in rows}:
        # Ticked in the list, older than the latest that are offered here.
        more = Invoice.objects.visible_to(request.user).filter(
            pk__in=missing, client__in=Client.objects.account_of(client.pk), currency=currency
        )
        rows += list(more.defer("paper").order_by("-issue_date", "-pk"))
    return Page(client, currency, span, rows, given.urlencode())


def _ids(texts: list[str]) -> list[int]:
    return [pk for pk in map(row_id, texts) if pk is not None][: 2 * rebate_plan.MOST]


def _form(request: StaffRequest, page: Page) -> RebateForm:
    company = Company.ours()
    standard = vat_treatment(page.client, company).category == STANDARD
    charged = standard and not (company and company.in_franchise)
    territory = territory_of(page.client.country, page.client.postal_code)
    rates = FrenchRates().on(timezone.localdate(), territory) if charged else ()
    posted = request.POST if request.method == "POST" else None
    if posted is not None:
        ids = _ids(posted.getlist("ids"))
    elif "ids" in request.GET:
        ids = _ids(request.GET["ids"].split(","))
    else:
        ids = [row.pk for row in page.rows] if page.since or page.until else []
    return RebateForm(
        posted,
        currency=page.currency,
        rates=rates,
        ids=ids,
        initial={
            "over": INVOICES,
            "how": PERCENT,
            "code": Invoice.CreditReason.REBATE,
            "since": page.since,
            "until": page.until,
            "nature": company.usual_nature if company else None,
            "recipients": client_recipients(page.client),
        },
    )


def _say(form: RebateForm, refusal: IssueRefused) -> None:
    for reason in refusal.reasons:
        form.add_error(reason.field if reason.field in form.fields else None, reason.text)


def _shown(
    request: StaffRequest, page: Page, form: RebateForm, *, changed: str = ""
) -> HttpResponse:
    company = Company.ours()
    ticked = set(form.ids)
    currencies = (
        Invoice.objects.invoices()
        .issued()
        .filter(client__in=Client.objects.account_of(page.client.pk))
        .order_by("currency")
        .values_list("currency", flat=True)
        .distinct()
    )
    return render_page(
        request,
        page="invoices/invoicing/rebate.html",
        partial="invoices/invoicing/partials/rebate_form.html",
        context={
            "client": page.client,
            "currency": page.currency,
            "currencies": [code for code in currencies if code != page.currency],
            "span": page.span,
            "query": f"?{page.query}" if page.query else "",
            "rows": [(row, row.pk in ticked) for row in page.rows],
            "most": rebate_plan.MOST,
            "form": form,
            "changed": changed,
            "confirmed": rebate_shown(page.client, page.rows).token,
            "number": numbering.next_number("credit_note", timezone.localdate()) if company else "",
            **_preview(form, page),
        },
        status=422 if changed or (form.is_bound and form.errors) else 200,
    )


def _preview(form: RebateForm, page: Page) -> dict[str, Any]:
    """Net, VAT and total as they would be; a sentence when nothing can be said yet."""
    if not form.is_bound:
        return {"preview_refusal": _("Tick invoices, and say how much.")}
    form.is_valid()
    trouble = [name for name in form.errors if name not in ("reason", "code", "recipients")]
    if trouble:
        return {"preview_refusal": " ".join(str(each) for each in form.errors[trouble[0]])}
    company = Company.ours()
    if company is None:
        return {"preview_refusal": _("The company’s particulars come first.")}
    try:
        plan = rebate_plan.planned(
            page.client,
            page.currency,
            form.asked(),
            code=form.cleaned_data.get("code", ""),
            company=company,
            on=timezone.localdate(),
        )
    except IssueRefused as refusal:
        return {"preview_refusal": str(refusal)}
    code, total = page.currency, plan.net_minor + plan.vat_minor
    applied, whole = plan.applied(), plan.by_invoice()
    numbers = {share.invoice.pk: share.invoice.number for share in plan.shares}
    return {
        "net": formatted_minor(plan.net_minor, code),
        "vat": formatted_minor(plan.vat_minor, code),
        "total": formatted_minor(total, code),
        "applied": formatted_minor(sum(applied.values()), code),
        "over": formatted_minor(total - sum(applied.values()), code)
        if total > sum(applied.values())
        else "",
        "each": [(numbers[pk], formatted_minor(minor, code)) for pk, minor in whole.items()],
    }
