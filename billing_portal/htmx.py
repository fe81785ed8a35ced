"""One URL, one view, two bodies: the page, or the part of it that htmx asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from billing_portal.accounts.models import User


class StaffRequest(HttpRequest):
    """A request behind the login wall."""

    user: User
    htmx: HtmxDetails


def wants_partial(request: HttpRequest) -> bool:
    htmx = cast(StaffRequest, request).htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def came_from(request: HttpRequest) -> str:
    """The path of the page on which htmx asked; empty when it did not, or said no address."""
    try:
        path = cast(StaffRequest, request).htmx.current_url_abs_path
    except ValueError:
        return ""
    return (path or "").split("?")[0]


def render_page(
    request: HttpRequest,
    *,
    page: str,
    partial: str,
    context: Mapping[str, Any],
    status: int = 200,
) -> HttpResponse:
    """`is_partial` tells the piece that it goes out alone: what belongs to it elsewhere on the page
    (a button in its head) goes with it then, out of band."""
    is_partial = wants_partial(request)
    name = partial if is_partial else page
    answer = render(request, name, {**context, "is_partial": is_partial}, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def render_dialog(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    url: str = "",
    back: str,
    status: int = 200,
) -> HttpResponse:
    """One template, a dialog for htmx and a page of its own without script.

    It extends `dialog_base`; its form is sent to `url`, else to where it came from; `back` is where
    the page's Cancel leads.
    """
    in_dialog = wants_partial(request)
    frame = {
        "dialog_base": "partials/dialog_base.html" if in_dialog else "partials/dialog_page.html",
        "dialog_url": url or request.get_full_path(),
        "dialog_back": back,
        "in_dialog": in_dialog,
    }
    answer = render(request, template, {**context, **frame}, status=status)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the whole window, from a plain form as from an htmx one."""
    if wants_partial(request):
        return cast(HttpResponse, HttpResponseClientRedirect(url))
    return HttpResponseRedirect(url, status=303)


def next_url(request: HttpRequest, otherwise: str) -> str:
    """Where the person came from (`next`), if that is here: a link that mends leads back there."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    here = {request.get_host()}
    if wanted and url_has_allowed_host_and_scheme(wanted, here, require_https=request.is_secure()):
        return wanted
    return otherwise


class HtmxLoginMiddleware:
    """An expired login inside a fragment leads the window to the login page, not into a panel."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from django.conf import settings
        from django.shortcuts import resolve_url

        answer = self.get_response(request)
        if not cast(StaffRequest, request).htmx or answer.status_code != 302:
            return answer
        login = resolve_url(settings.LOGIN_URL)
        if not answer["Location"].startswith(login):
            return answer
        # Back to the page that the person sees, not to the fragment.
        from urllib.parse import urlencode, urlsplit

        try:
            shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:
            shown = urlsplit("/")
        back = f"{shown.path}?{shown.query}".rstrip("?") or "/"
        return cast(
            HttpResponse, HttpResponseClientRedirect(f"{login}?{urlencode({'next': back})}")
        )
