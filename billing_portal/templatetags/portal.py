"""Filters and tags that every template has, without {% load %}."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms, template
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from moneyed import Money

from billing_portal import dates
from billing_portal.confirming import FIELD as CONFIRMED
from billing_portal.confirming import Shown, facts_of
from billing_portal.editing import SHOWN, token_of
from billing_portal.figures import EMPTY, decimal, grouped, percent
from billing_portal.idempotency import FIELD, new_key
from billing_portal.money import formatted, formatted_minor
from billing_portal.notices import in_words
from billing_portal.toasts import undo_in
from billing_portal.words import labelled

register = template.Library()

# Icon and word of each state (ui/UI.md, "States").
STATES: dict[str, tuple[str, Any]] = {
    "draft": ("circle-dashed", gettext_lazy("Draft")),
    "issued": ("file-check", gettext_lazy("Issued")),
    "sent": ("send", gettext_lazy("Sent")),
    "part": ("circle-half-2", gettext_lazy("Part settled")),
    "overdue": ("clock-exclamation", gettext_lazy("Overdue")),
    "settled": ("circle-check", gettext_lazy("Settled")),
    "credit": ("receipt-refund", gettext_lazy("Credit note")),
    "void": ("ban", gettext_lazy("Discarded")),
}
# Icon and colour of each state of a quote, whose words come with its row.
QUOTE_LOOKS = {
    "draft": ("circle-dashed", "draft"),
    "sent": ("send", "sent"),
    "viewed": ("eye", "issued"),
    "accepted": ("circle-check", "settled"),
    "declined": ("circle-x", "overdue"),
    "expired": ("hourglass", "promised"),
    "replaced": ("repeat", "void"),
    "withdrawn": ("hand-stop", "void"),
    "discarded": ("ban", "void"),
}
# In a list these say enough by themselves; of the others the first is shown, the rest are noted.
_NOT_NOTED = {"sent", "issued"}


# ─ Figures ──────────────────────────────────────────────────────────────────────────────────────
@register.filter
def money(amount: Money | None) -> str:
    return EMPTY if amount is None else formatted(amount)


@register.filter
def minor(amount_minor: int | None, currency: str) -> str:
    return EMPTY if amount_minor is None else formatted_minor(amount_minor, currency)


@register.filter
def number(value: int | None) -> str:
    return EMPTY if value is None else grouped(value)


register.filter("decimal", decimal)
register.filter("percent", percent)
register.filter("in_words", in_words)
register.filter("labelled", labelled)


# ─ Days ─────────────────────────────────────────────────────────────────────────────────────────
@register.filter
def day(value: date | None) -> SafeString:
    return dates.day_tag(value)


@register.filter
def short_day(value: date | None) -> SafeString:
    return dates.day_tag(value, short=True)


@register.filter
def day_text(value: date | None) -> str:
    return dates.day(value)


@register.filter
def long_day(value: date | None) -> str:
    return dates.long_day(value)


@register.filter
def moment(value: datetime | None) -> SafeString:
    return dates.moment_tag(value)


# ─ Signs ────────────────────────────────────────────────────────────────────────────────────────
def sprite() -> str:
    return static("vendor/icons.svg")


def icon_html(name: str, classes: str = "icon") -> SafeString:
    return mark_safe(
        f'<svg class="{classes}" aria-hidden="true"><use href="{sprite()}#i-{name}"></use></svg>'
    )


@register.simple_tag
def icon(name: str, small: bool = False, late: bool = False, extra: str = "") -> SafeString:
    classes = "icon" + (" icon-sm" if small else "") + (" late" if late else "")
    return icon_html(name, f"{classes} {extra}".rstrip())


@register.simple_tag
def ct(client_type: Any) -> SafeString:
    """Mark and name of a client type."""
    if client_type is None:
        return mark_safe(EMPTY)
    mark = client_type.mark
    return format_html(
        '<span class="ct ct-{}"><svg aria-hidden="true"><use href="{}#ct-{}"></use></svg>{}</span>',
        mark,
        sprite(),
        mark,
        client_type.name,
    )


@register.simple_tag
def ct_mark(client_type: Any) -> SafeString:
    """The mark alone; the name is its accessible name."""
    if client_type is None:
        return mark_safe("")
    mark = client_type.mark
    return format_html(
        '<span class="ct ct-{}"><svg role="img" aria-label="{}"><use href="{}#ct-{}"></use></svg>'
        "</span>",
        mark,
        client_type.name,
        sprite(),
        mark,
    )


def state_html(key: str, label: Any = None, *, pill: bool = False) -> SafeString:
    sign, word = STATES[key]
    return format_html(
        '<span class="state state-{}{}">{}{}</span>',
        key,
        " state-pill" if pill else "",
        icon_html(sign),
        word if label is None else label,
    )


@register.simple_tag
def state(invoice: Any, on: date) -> SafeString:
    """The state of an invoice in a list: the most pressing one, the others as a note."""
    first, *others = invoice.states(on)
    noted = [str(STATES[key][1]).lower() for key in others if key not in _NOT_NOTED]
    shown = state_html(first)
    if not noted:
        return shown
    # With a sign between them: read aloud or copied, two words must not become one.
    return format_html('{}<span class="note"> · {}</span>', shown, ", ".join(noted))


@register.simple_tag
def state_pill(key: str, label: Any = None) -> SafeString:
    return state_html(key, label, pill=True)


@register.simple_tag
def quote_state(version: Any, on: date, pill: bool = False) -> SafeString:
    """The state of a version of a quote on a day."""
    key = version.state(on)
    sign, colour = QUOTE_LOOKS[key]
    return format_html(
        '<span class="state state-{}{}">{}{}</span>',
        colour,
        " state-pill" if pill else "",
        icon_html(sign),
        key.label,
    )


# ─ Addresses ────────────────────────────────────────────────────────────────────────────────────
def query_with(params: QueryDict, changes: Mapping[str, Any]) -> str:
    """The query string with some values changed; None or "" takes one out. Begins with "?"."""
    changed = params.copy()
    for name, value in changes.items():
        if value is None or value == "":
            changed.pop(name, None)
        elif isinstance(value, list | tuple):
            changed.setlist(name, [str(each) for each in value])
        else:
            changed[name] = str(value)
    return "?" + changed.urlencode()


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    return query_with(context["request"].GET, changes)


# ─ Forms ────────────────────────────────────────────────────────────────────────────────────────
@register.simple_tag
def once() -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, new_key())


@register.inclusion_tag("partials/undo.html", takes_context=True)
def undo(context: Context, message: Any) -> dict[str, Any]:
    """The button “Undo” of a toast whose message has one (toasts.with_undo)."""
    found = undo_in(getattr(message, "extra_tags", "") or "")
    url, confirmed = found or ("", "")
    return {"url": url, "confirmed": confirmed, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("partials/shown.html")
def shown(form: Any) -> dict[str, Any]:
    """The values that an edit form shows, to compare with when it is saved (editing.py)."""
    token = getattr(form, "shown_token", "") or ("" if form.is_bound else token_of(form))
    return {"name": SHOWN, "token": token, "conflicts": getattr(form, "conflicts", [])}


@register.simple_tag
def confirm(row: Model) -> SafeString:
    """What is shown of a row, for a button that cannot be undone; `row_under_lock` compares."""
    return format_html(
        '<input type="hidden" name="{}" value="{}">', CONFIRMED, Shown(facts_of(row)).token
    )


def _widget_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput | forms.RadioSelect | forms.CheckboxSelectMultiple):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"


@register.inclusion_tag("partials/field.html")
def field(
    bound: BoundField,
    wrapper: str = "",
    label: Any = None,
    hint: Any = None,
    hide_label: bool = False,
    switch: bool = False,
    optional: bool = True,
    piece: str = "",
    **attrs: Any,
) -> dict[str, Any]:
    """Label, control, error and hint of a form field; other keywords are attributes of the control.

    `piece` is "control" or "notes" where something stands between the two, as in an input group.

    `wrapper` is a class of the outer element, `klass` further classes of the control ("num");
    `optional=False` leaves out the word beside fields that may stay empty.
    """
    widget = bound.field.widget
    attrs = {name.replace("_", "-"): value for name, value in attrs.items()}
    many = isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple)
    classes = [_widget_class(widget), widget.attrs.get("class", ""), attrs.pop("klass", "")]
    errors = [str(each) for each in bound.errors]
    help_text = bound.help_text if hint is None else hint
    described = []
    if errors:
        classes.append("is-invalid")
        attrs["aria-invalid"] = "true"
        described.append(f"{bound.auto_id}-e")
    if help_text:
        described.append(f"{bound.auto_id}-h")
    if described:
        attrs["aria-describedby"] = " ".join(described)
    attrs["class"] = " ".join(part for part in classes if part)
    single = isinstance(widget, forms.CheckboxInput)
    return {
        "piece": piece,
        "hidden": bound.is_hidden,
        "control": bound if many else bound.as_widget(attrs=attrs),
        "widget_attrs": attrs,
        "many": many,
        "single": single,
        "switch": switch,
        "id": bound.id_for_label or bound.auto_id,
        "base_id": bound.auto_id,
        "label": bound.label if label is None else label,
        "hide_label": hide_label,
        "optional": optional and not bound.field.required and not single and not many,
        "errors": errors,
        "hint": help_text,
        "wrapper": wrapper,
    }


@register.inclusion_tag("partials/form_errors.html")
def form_errors(form: forms.BaseForm, nothing: Any = None) -> dict[str, Any]:
    """The summary on top of a form that came back: what kept it, with a link to each field.

    `nothing` says what did not happen: {% form_errors form nothing=_("Nothing was recorded.") %}.
    """
    general = [str(each) for each in form.non_field_errors()] if form.is_bound else []
    wrong = (
        [
            {"id": form[name].id_for_label or form[name].auto_id, "label": form[name].label}
            for name in form.errors
            if name in form.fields and not form[name].is_hidden
        ]
        if form.is_bound
        else []
    )
    hidden = (
        [
            str(each)
            for name in form.errors
            if name in form.fields and form[name].is_hidden
            for each in form.errors[name]
        ]
        if form.is_bound
        else []
    )
    return {
        "general": [*general, *hidden],
        "wrong": wrong,
        "shown": bool(general or hidden or len(wrong) > 1),
        "nothing": _("Nothing was saved.") if nothing is None else nothing,
    }


@register.simple_tag
def attrs(**pairs: Any) -> SafeString:
    """name="value" for each pair that has a value; underscores become hyphens."""
    return mark_safe(
        "".join(
            f' {name.replace("_", "-")}="{conditional_escape(value)}"'
            for name, value in pairs.items()
            if value not in (None, "", False)
        )
    )
