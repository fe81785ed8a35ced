from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing_portal.accounts.middleware import JustActedMiddleware
from billing_portal.htmx import StaffRequest
from reports.desk.counts import counts as counted
from reports.desk.desk import desk as desk_of


@require_GET
@permission_required("reports.view_desk", raise_exception=True)
def desk(request: StaffRequest) -> HttpResponse:
    context = desk_of(request.user, timezone.localdate())
    return render(request, "reports/desk/desk.html", context)


@require_GET
@permission_required("reports.view_desk", raise_exception=True)
def counts(request: StaffRequest) -> HttpResponse:
    """The figures of the sidebar, each swapped into its entry."""
    anew = JustActedMiddleware.just_acted(request)
    found = counted(request.user, timezone.localdate(), anew=anew)
    return render(request, "reports/desk/partials/counts.html", {"counts": found})
