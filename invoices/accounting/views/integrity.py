"""Do the books hold: the last checks, the chain, its head to be kept elsewhere."""

from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_q.tasks import async_task

from billing_portal.acts import already, carry_out, said
from billing_portal.htmx import StaffRequest
from billing_portal.seals import keys
from invoices.accounting.chain import anchors, linking
from invoices.models import BooksChain, BooksCheck

may_check = permission_required("accounts.change_company", raise_exception=True)
CHECKS = 10
NAMED = 50


@require_GET
@may_check
def integrity(request: StaffRequest) -> HttpResponse:
    checks = list(BooksCheck.objects.all()[:CHECKS])
    last = checks[0] if checks else None
    head = linking.last_head()
    chain = BooksChain.objects.filter(pk=1).first()
    return render(
        request,
        "invoices/accounting/integrity.html",
        {
            "checks": checks,
            "last": last,
            "named": last.named[:NAMED] if last else [],
            "more": max(0, last.broken - NAMED) if last else 0,
            "head": head,
            "counts": sorted((head.counts if head else {}).items()),
            "sealed_at": chain.sealed_at if chain else None,
            "key": keys()[0].name,
            "nav_section": "settings",
        },
    )


@require_POST
@may_check
def integrity_check(request: StaffRequest) -> HttpResponse:
    """By the worker: of large books it takes half a minute."""
    url = reverse("invoices:integrity")
    answer = carry_out(
        request,
        action="check the books",
        act=lambda: async_task("invoices.tasks.check_books_now"),
        done=lambda _task: said(
            request, _("The books are being checked: the result stands here in a moment."), url
        ),
        again=already(request),
        url=url,
    )
    assert answer is not None
    return answer


@require_POST
@may_check
def integrity_anchor(request: StaffRequest) -> HttpResponse:
    """The head of this moment, as a file. Asked for twice it is the same or a younger one."""
    line = anchors.anchor_now()
    if not line:
        return said(
            request,
            _("There is no head yet: nothing was issued, paid or decided."),
            reverse("invoices:integrity"),
        )
    answer = HttpResponse(line + "\n", content_type="application/json")
    name = f"books-head-{timezone.localdate():%Y-%m-%d}.json"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
