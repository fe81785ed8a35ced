"""What the page of a new payment shows of its entry: rows, running figures, what will happen."""

from __future__ import annotations

from typing import Any

from babel.numbers import get_currency_symbol
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor, reader_locale
from invoices.models import Invoice
from invoices.payments.effects import effects
from invoices.payments.entry import Entry, part_name, typed_minor
from invoices.payments.payers import of_others_in_label
from invoices.payments.spreading import Part


def shown_entry(entry: Entry, form: Any) -> dict[str, Any]:
    """For the template; `form` has a field for each part."""
    open_left = [part for part in entry.parts if part.left_minor > 0]
    return {
        "currency": entry.currency,
        "sign": get_currency_symbol(entry.currency, reader_locale()),
        "amount_question": entry.amount_question,
        "day_question": entry.day_question,
        "of_others": (other := of_others(entry)),
        "payer_right": other is not None and entry.data.get("payer-right") == str(other.pk),
        "currencies": entry.currencies,
        "on": entry.on,
        "invoice": entry.first,
        "payer": entry.client.name if entry.client else entry.data.get("payer", ""),
        "rows": [_row(entry, part, form) for part in entry.parts],
        "named": sum(part.in_label for part in entry.parts),
        "effects": effects(entry),
        "rest_on": open_left[0].invoice if entry.left > 0 and open_left else None,
        **_sums(entry),
    }


def of_others(entry: Entry) -> Invoice | None:
    """The first invoice of somebody else that the label names."""
    label = entry.data.get("reference", "")
    found = of_others_in_label(label, entry.client) if entry.client and label else []
    return found[0] if found else None


def _row(entry: Entry, part: Part, form: Any) -> dict[str, Any]:
    field = form[part_name(part.invoice)]
    owed = formatted_minor(part.invoice.outstanding_minor, entry.currency)
    due = part.invoice.next_due
    late = (entry.on - due).days if due else 0
    return {
        "invoice": part.invoice,
        "field": field,
        "errors": field.errors,
        "typed": field.value(),
        "label": _("%(part)s, %(owed)s outstanding") % {"part": field.label, "owed": owed},
        "owed": owed,
        "name": part_name(part.invoice),
        "was": "" if part.by_hand else typed_minor(part.minor, entry.currency),
        "by_hand": part.by_hand,
        "in_label": part.in_label,
        "out": not part.minor,
        "settled": part.left_minor == 0,
        "left": formatted_minor(abs(part.left_minor), entry.currency),
        "too_much": part.left_minor < 0,
        "unread": part.minor is None,
        "late": late > 0,
        "when": due_words(late),
    }


def due_words(late: int) -> str:
    """How far the due date is from today."""
    if late > 0:
        return ngettext("%(n)s day late", "%(n)s days late", late) % {"n": grouped(late)}
    if not late:
        return _("today")
    return ngettext("in %(n)s day", "in %(n)s days", -late) % {"n": grouped(-late)}


def _sums(entry: Entry) -> dict[str, Any]:
    """The running figures beside the parts."""
    amount, received, code = entry.amount, entry.received, entry.currency
    settling = [
        (part.invoice, formatted_minor(-part.minor, code), part.left_minor == 0)
        for part in entry.parts
        if part.minor
    ]
    return {
        "amount": formatted_minor(received, code) if received else "",
        "amount_minor": max(0, amount or 0),
        "given": formatted_minor(entry.given, code),
        "given_minor": min(entry.given, amount or 0),
        "left": formatted_minor(abs(entry.left), code),
        "left_minor": entry.left,
        "outstanding": formatted_minor(
            sum(part.invoice.outstanding_minor for part in entry.parts), code
        ),
        "still_open": formatted_minor(sum(part.left_minor for part in entry.parts), code),
        "settling": settling,
    }
