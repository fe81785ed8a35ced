"""Filters: typed in the language of the reader, carried by the address in none.

A filter form sends what was typed together with `typed=1`. The view is then led to the same
address in the spelling of machines (amount_min=1234.50, issued_from=2026-11-24): an address that is
bookmarked or sent to a colleague means the same in every language and on every day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import wraps
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.typed import numbers
from billing_portal.typed.days import machine_day
from billing_portal.typed.fields import DayField, NumberField
from billing_portal.typed.texts import shown

TYPED = "typed"
View = Callable[..., HttpResponseBase]


class Address(QueryDict):
    """The query string of a page, and beside it what was typed and could not be read."""

    mistyped: dict[str, str]


def mistyped(params: QueryDict) -> dict[str, str]:
    """What was typed into the filters and could not be read: see `typed_filters`."""
    found: dict[str, str] = getattr(params, "mistyped", {})
    return found


class AddressForm(forms.Form):
    """A filter form filled from an address, whose figures and days it shows as its reader does."""

    def __init__(self, params: QueryDict, **options: Any) -> None:
        super().__init__(**options)
        given = params.copy()
        self._misread: dict[str, str] = {}
        for name, field in self.fields.items():
            text = given.get(name, "").strip()
            if not text or not isinstance(field, NumberField | DayField):
                continue
            try:
                given[name] = _for_the_reader(field, text)
            except ValueError:
                self._misread[name] = text
        for name, text in mistyped(params).items():
            given[name] = text
        self.data, self.is_bound = given, True

    def readable(self, name: str) -> None:
        """The field is shown with a value of the page: what the address has there is no matter."""
        self._misread.pop(name, None)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name, text in self._misread.items():
            if name in cleaned:
                self.add_error(
                    name,
                    _("The address has “%(text)s” here, which cannot be read: type it again.")
                    % {"text": shown(text)},
                )
        return cleaned


def typed_filters(form: type[forms.Form], *, empty: tuple[str, ...] = ()) -> Callable[[View], View]:
    """For a view whose page has that filter form: see above.

    A field of `empty` that was emptied stays in the address: there it means "without an end",
    where an address that does not name it means the usual.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def led(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
            if TYPED not in request.GET:
                return view(request, *args, **named)
            address = read_typed(form, request.GET, empty)
            if not address.mistyped:
                query = address.urlencode()
                return HttpResponseRedirect(f"{request.path}?{query}" if query else request.path)
            # The rest is shown, and the form says what of it could not be read.
            request.GET = address  # type: ignore[assignment]
            return view(request, *args, **named)

        return led

    return decorated


def read_typed(form: type[forms.Form], params: QueryDict, empty: tuple[str, ...] = ()) -> Address:
    """The address for what was typed: without empty fields, and without what cannot be read."""
    address = Address(mutable=True)
    address.mistyped = {}
    for name, values in params.lists():
        field = form.base_fields.get(name)
        kept = [value for value in values if value.strip()]
        if name == TYPED or not kept:
            if name in empty:
                address[name] = ""
            continue
        if isinstance(field, NumberField | DayField):
            try:
                address[name] = _for_the_address(field.clean(kept[-1]))
            except ValidationError:
                address.mistyped[name] = kept[-1]
        else:
            address.setlist(name, kept)
    return address


def _for_the_reader(field: forms.Field, text: str) -> str:
    if isinstance(field, DayField):
        return dates.as_typed(machine_day(text))
    return numbers.as_typed(numbers.machine_number(text))


def _for_the_address(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else format(Decimal(value), "f")
