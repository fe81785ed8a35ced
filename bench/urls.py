"""The portal's pages, and an empty one: what a request of a signed-in person costs by itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from billing_portal.urls import urlpatterns as portal


def empty(request: HttpRequest) -> HttpResponse:
    # The login wall has read session and person, as before every page.
    assert request.user.is_authenticated
    return HttpResponse("")


urlpatterns = [path("bench/empty/", empty), *portal]
