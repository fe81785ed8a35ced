"""What narrows a list: the words typed, and a chip for each filter in force."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db.models import Model, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.figures import decimal
from billing_portal.lists.columns import POSITION
from billing_portal.templatetags.portal import query_with


def searched(params: QueryDict, name: str = "q") -> str:
    """What was typed into a search field; without NUL, which PostgreSQL refuses."""
    return params.get(name, "").replace("\0", "").strip()[:200]


@dataclass(frozen=True)
class Chip:
    name: str
    label: Any
    text: str
    # The address without this filter.
    url: str


def chips(form: forms.BaseForm, params: QueryDict) -> list[Chip]:
    """One chip for each filter in force, from a bound form."""
    form.is_valid()
    found = []
    for name, form_field in form.fields.items():
        value = form.cleaned_data.get(name)
        # An empty query set must not be mistaken for a filter, nor be evaluated twice.
        if isinstance(value, QuerySet):
            value = list(value)
        if value in (None, "", [], False):
            continue
        url = query_with(params, {**POSITION, name: None})
        found.append(Chip(name, form_field.label, _in_words(form_field, value), url))
    return found


def _in_words(form_field: forms.Field, value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(form_field, each) for each in value)
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, bool):
        return _("yes")
    if isinstance(value, datetime):
        return dates.exact_moment(value)
    if isinstance(value, date):
        return dates.day(value)
    if isinstance(value, Decimal | int | float):
        return decimal(value)
    if isinstance(form_field, forms.ChoiceField):
        for key, label in cast("Iterable[tuple[Any, Any]]", form_field.choices):
            if str(key) == str(value):
                return str(label)
    return str(value)


def left_out(form: forms.BaseForm, only: Container[str] | None = None) -> list[str]:
    """A sentence for each filter that could not be read, so that the list says what it did.

    `only` names those to speak of, where the page reads its address by itself.
    """
    return [
        _("The filter “%(name)s” was left out: %(why)s")
        % {"name": form.fields[name].label, "why": " ".join(str(each) for each in problems)}
        for name, problems in form.errors.items()
        if name in form.fields and (only is None or name in only)
    ]


# ─ Tabs ─────────────────────────────────────────────────────────────────────────────────────────
def tabs_of(
    params: QueryDict, tabs: Iterable[tuple[str, Any]], state: str, **left: Any
) -> list[dict[str, Any]]:
    """Links to the states of a list, by key and label; `left` is what a tab does not keep."""
    return [
        {
            "key": key or "all",
            "label": label,
            "url": query_with(params, {**left, **POSITION, "state": key}),
            "current": key == state,
        }
        for key, label in tabs
    ]


# ─ The panel ────────────────────────────────────────────────────────────────────────────────────
def panel_context(form: forms.BaseForm | None, params: QueryDict) -> dict[str, Any]:
    """What partials/filter_more.html asks, and what the list says of filters that it left out. The
    panel's twenty controls are written when it is opened: most who look at a list never do."""
    return {
        "problems": left_out(form) if form is not None else [],
        "panel_open": "panel" in params or bool(form is not None and form.errors),
        "panel_url": query_with(params, {**POSITION, "panel": 1}),
    }


def periods(params: QueryDict, first: str, last: str, on: date) -> list[tuple[str, str, bool]]:
    """The usual periods as links: word, address, whether it is the one shown."""
    month, year = on.replace(day=1), on.replace(month=1, day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    quarter = month.replace(month=month.month - (month.month - 1) % 3)
    spans = (
        (_("This month"), month, None),
        (_("Last month"), before, month - timedelta(days=1)),
        (_("This quarter"), quarter, None),
        (_("This year"), year, None),
        (_("Last year"), year.replace(year=year.year - 1), year - timedelta(days=1)),
    )
    found = []
    for text, start, end in spans:
        given = {first: start.isoformat(), last: end.isoformat() if end else None}
        now = all(params.get(name, "") == (value or "") for name, value in given.items())
        found.append((text, query_with(params, {**POSITION, **given}), now))
    return found
