from __future__ import annotations

from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from billing_portal.htmx import StaffRequest
from reports.search import search as searching


@require_GET
@permission_required("reports.view_desk", raise_exception=True)
def search(request: StaffRequest) -> HttpResponse:
    """A number typed whole leads straight to its page; everything else is a page of results."""
    found = searching.search(request.GET.get("q", ""), request.user)
    if found.exact is not None:
        return redirect("invoices:detail", found.exact.pk)
    return render(
        request,
        "reports/search/search.html",
        {"found": found, "search_text": found.text, "on": timezone.localdate()},
    )
