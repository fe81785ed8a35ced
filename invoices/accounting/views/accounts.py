"""Settings of the ledger: its journals, and the account of everything that is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing_portal.acts import carry_out, said
from billing_portal.confirming import locked, row_under_lock
from billing_portal.editing import NotSaved, save_edit, save_unless_taken
from billing_portal.figures import grouped, percent
from billing_portal.htmx import StaffRequest
from invoices.accounting.chart import Chart, Choice, Key, Role, row_of
from invoices.accounting.forms.accounts import (
    CATEGORIES,
    TERRITORIES,
    AccountForm,
    NewAccountForm,
    SetupForm,
)
from invoices.accounting.journal.exporting import ExportRefused, making_of
from invoices.accounting.journal.journal import entries
from invoices.accounting.journal.making import Span
from invoices.accounting.journal.summary import Summary
from invoices.accounting.missing import missing
from invoices.company.currencies import company_currency
from invoices.models import JournalSetup, LedgerAccount
from invoices.models.natures import NATURES

may_see = permission_required("invoices.export", raise_exception=True)
may_change = permission_required("invoices.change_accounts", raise_exception=True)


def _name_of(role: str) -> str:
    return str(Role(role).label)


def told(key: Key) -> str:
    """What an account is for: “Sales, services, Guadeloupe, Martinique, Réunion”."""
    words = [
        "" if key.rate is None else percent(key.rate),
        *(
            str(dict(choices).get(value, value))
            for choices, value in (
                (CATEGORIES, key.category),
                (NATURES, key.nature),
                (TERRITORIES, key.territory),
            )
            if value
        ),
    ]
    if key == Key(Role.VAT):
        words = [_("a rate that is not stated")]
    return ", ".join(word for word in words if word)


def query_of(key: Key) -> str:
    rate = "" if key.rate is None else format(key.rate, "f")
    told_as = {
        "role": key.role,
        "rate": rate,
        "category": key.category,
        "territory": key.territory,
        "nature": key.nature,
    }
    return urlencode({name: value for name, value in told_as.items() if value})


def key_in(params: QueryDict) -> Key | None:
    """The key that an address names; None for one that no account can have."""
    rate: Decimal | None = None
    if written := params.get("rate", ""):
        if not written.replace(".", "", 1).isdigit() or len(written) > 6 or not written.isascii():
            return None
        rate = Decimal(written)
    return Key(
        params.get("role", ""),
        params.get("territory", ""),
        params.get("category", ""),
        rate,
        params.get("nature", ""),
    )


@require_http_methods(["GET", "POST"])
@may_see
def accounts(request: StaffRequest) -> HttpResponse:
    currency = company_currency()
    if request.method == "GET":
        return _page(request, SetupForm(instance=JournalSetup.ours(), currency=currency))
    if not request.user.has_perm("invoices.change_accounts"):
        raise PermissionDenied
    url = reverse("invoices:accounts")
    answer = carry_out(
        request,
        action="journals",
        act=lambda: save_edit(
            request,
            lock=lambda: locked(JournalSetup.objects.all(), 1) or JournalSetup(pk=1),
            build=lambda data, row: SetupForm(data, instance=row, currency=currency),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _page(request, refusal.form)},
        done=lambda _row: said(request, _("The journals are saved."), url),
        url=url,
    )
    assert answer is not None
    return answer


def _page(request: StaffRequest, form: SetupForm) -> HttpResponse:
    rows = [
        {
            "role": _name_of(choice.key.role),
            "for": told(choice.key),
            "account": choice.account,
            "query": query_of(choice.key),
            "choice": choice,
        }
        for choice in Chart.ours()
    ]
    context = {
        "form": form,
        "rows": rows,
        "missing": missing(),
        "may_change": request.user.has_perm("invoices.change_accounts"),
        "nav_section": "settings",
    }
    status = 422 if form.errors else 200
    return render(request, "invoices/accounting/accounts.html", context, status=status)


@require_GET
@may_see
def accounts_used(request: StaffRequest) -> HttpResponse:
    """How many lines of the last twelve months are on each account; fetched after the page."""
    on = timezone.localdate()
    try:
        making = making_of(Span(on.replace(year=on.year - 1, day=1), on, with_history=True))
    except ExportRefused:
        return HttpResponse()
    found = Summary()
    for entry in entries(making):
        found.count(entry)
    counts = [
        (number, grouped(found.by_account[number].lines) if number in found.by_account else "–")
        for number in sorted({choice.account.number for choice in making.chart})
    ]
    return render(request, "invoices/accounting/partials/used.html", {"counts": counts})


@require_http_methods(["GET", "POST"])
@may_change
def account(request: StaffRequest) -> HttpResponse:
    key = key_in(request.GET)
    choice = Chart.ours().choice(key) if key else None
    if choice is None:
        raise Http404
    if request.method == "GET":
        return _account_page(request, AccountForm(instance=row_of(choice)), choice)
    url = reverse("invoices:accounts")
    chosen: Choice = choice

    def row() -> LedgerAccount:
        found = locked(LedgerAccount.objects.all(), chosen.pk) if chosen.pk else None
        held: LedgerAccount = found or row_of(chosen)
        if found is None:
            # Gone back to the usual one meanwhile: it is chosen anew.
            held.pk = None
        return held

    answer = carry_out(
        request,
        action="account",
        act=lambda: save_edit(
            request,
            lock=row,
            build=lambda data, found: AccountForm(data, instance=found),
            save=lambda form: form.save(),
            by=request.user,
        ),
        refused={NotSaved: lambda refusal: _account_page(request, refusal.form, chosen)},
        done=lambda saved: said(request, _("%(account)s is saved.") % {"account": saved}, url),
        url=url,
    )
    assert answer is not None
    return answer


def _account_page(request: StaffRequest, form: Any, choice: Choice | None) -> HttpResponse:
    context = {
        "form": form,
        "choice": choice,
        "dropped": LedgerAccount.objects.get(pk=choice.pk) if choice and choice.pk else None,
        "title": _name_of(choice.key.role) if choice else _("Another account"),
        "for": told(choice.key) if choice else "",
        "nav_section": "settings",
    }
    status = 422 if form.errors else 200
    return render(request, "invoices/accounting/account.html", context, status=status)


@require_http_methods(["GET", "POST"])
@may_change
def account_new(request: StaffRequest) -> HttpResponse:
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        url = reverse("invoices:accounts")
        answer = carry_out(
            request,
            action="new account",
            act=lambda: save_unless_taken(form, form.save),
            refused={NotSaved: lambda refusal: _account_page(request, refusal.form, None)},
            done=lambda row: said(request, _("%(account)s is added.") % {"account": row}, url),
            url=url,
        )
        assert answer is not None
        return answer
    return _account_page(request, form, None)


@require_POST
@may_change
def account_drop(request: StaffRequest, pk: int) -> HttpResponse:
    """Back to the usual account; one beside the usual ones is gone."""
    rows = LedgerAccount.objects.all()
    url = reverse("invoices:accounts")
    answer = carry_out(
        request,
        action="drop an account",
        act=lambda: rows.filter(pk=pk).delete(),
        confirmed=row_under_lock(rows, pk),
        done=lambda _gone: said(request, _("The usual account holds again."), url),
        url=url,
    )
    assert answer is not None
    return answer
