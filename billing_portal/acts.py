"""An act that a form asks for: carried out once, or refused in words, or found done already.

Every view that changes something goes the same four ways; here they are walked in one place, and
each view brings its own words:

    answer = carry_out(
        request,
        action="write off",
        act=lambda: write_off(invoice_id=pk, ...),
        refused={PaymentRefused: into(form, "amount")},
        done=lambda row: said(request, _("It is written off."), detail_url),
        url=detail_url,
    )
    if answer is not None:
        return answer
    # Refused: the form holds the reason, and the page shows it with 422.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.contrib import messages
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import render

from billing_portal.confirming import FIELD, ChangedMeanwhile, Shown
from billing_portal.htmx import StaffRequest, go_to
from billing_portal.idempotency import AlreadyDone, NoKey, key_of, run_once

T = TypeVar("T")
# What a view does with a refusal: answer at once, or None to show its own page again.
Refusals = Mapping[type[Exception], Callable[[Any], HttpResponse | None]]


def carry_out(
    request: StaffRequest,
    *,
    action: str,
    act: Callable[[], T],
    done: Callable[[T], HttpResponse],
    url: str | Callable[[T], str],
    refused: Refusals | None = None,
    confirmed: Callable[[], Shown] | None = None,
    again: Callable[[AlreadyDone, str], HttpResponse] | None = None,
) -> HttpResponse | None:
    """The answer; None when it was refused and the refusal's way gave no answer of its own.

    `url` is where the act leads and is kept beside its key: a second click of the same form is led
    there, by `again` when a view has more to say about it. What `refused` does not name is a fault.
    What cannot be undone brings `confirmed`: the facts that its page showed, read again under lock.
    """
    back = "/" if callable(url) else url
    ways: Refusals = {
        ChangedMeanwhile: lambda refusal: _look_again(request, back, refusal),
        **(refused or {}),
    }
    try:
        result = run_once(
            key=key_of(request),
            action=action,
            by=request.user,
            act=act if confirmed is None else _as_confirmed(request, confirmed, act),
            url=url if callable(url) else lambda _result: url,
        )
    except AlreadyDone as before:
        led_to = before.result_url or back
        return again(before, led_to) if again else go_to(request, led_to)
    except NoKey as problem:
        return HttpResponseBadRequest(str(problem), content_type="text/plain; charset=utf-8")
    except tuple(ways) as refusal:
        return next(way for kind, way in ways.items() if isinstance(refusal, kind))(refusal)
    return done(result)


def _as_confirmed(
    request: StaffRequest, confirmed: Callable[[], Shown], act: Callable[[], T]
) -> Callable[[], T]:
    def checked() -> T:
        with transaction.atomic():
            confirmed().require(request.POST.get(FIELD, ""))
            return act()

    return checked


def _look_again(request: StaffRequest, back: str, refusal: ChangedMeanwhile) -> HttpResponse:
    """For a button without a page of its own: what changed, and the way back to look."""
    context = {"changed": str(refusal), "back": back}
    return render(request, "changed_meanwhile.html", context, status=422)


def into(form: BaseForm, field: str | None = None) -> Callable[[Exception], None]:
    """The refusal becomes an error of the form, at `field` or above them all."""
    return lambda refusal: form.add_error(field, str(refusal))


def already(request: StaffRequest) -> Callable[[AlreadyDone, str], HttpResponse]:
    """For what leaves no trace on the page it leads to: the second click hears that it is done."""

    def say(before: AlreadyDone, url: str) -> HttpResponse:
        messages.info(request, str(before))
        return go_to(request, url)

    return say


def said(request: StaffRequest, text: str, url: str) -> HttpResponse:
    """It happened: say so, and lead the window on."""
    messages.success(request, text)
    return go_to(request, url)
