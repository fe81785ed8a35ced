"""The deal behind a document is no longer what its draft was made from: which parts, in words.

Deals keep it (deals/changes.py); what is here only reads and tells. A content is a dict of codes
and values: `status`, `unreadable`, `hidden`, `client`, `currency`, `title`, `purchase_order`,
`service_from`, `service_until`, `sum_minor`, `lineless` and `lines`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import SequenceMatcher
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from moneyed import Money

from billing_portal.dates import day
from billing_portal.figures import grouped
from billing_portal.money import digits, formatted, formatted_minor, is_currency, reader_locale
from billing_portal.words import labelled
from invoices.models import Client, Deal, DealBasis, Invoice

# So many lines are named one by one; of the others the number is told.
MOST_LINES = 8
# Parts that older rows do not have: they are told where a deal has them now.
_LATER = ("instalments",)
Content = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One part of a deal, as it was and as it is, for the reader."""

    label: str
    was: str
    now: str

    def __str__(self) -> str:
        return _("%(what)s: %(was)s, now %(now)s.") % {
            "what": self.label,
            "was": self.was,
            "now": self.now,
        }


@dataclass(frozen=True)
class Changed:
    """What a page says of a deal that changed after its draft was made."""

    invoice_id: int
    since: datetime
    changes: list[Change]
    basis: DealBasis


def waiting_basis(invoice: Invoice) -> DealBasis | None:
    """Read anew each time: under the lock of the invoice it is what the last import wrote."""
    return DealBasis.objects.waiting().filter(invoice_id=invoice.pk).first()


def changed_of(invoice: Invoice) -> Changed | None:
    """What waits for a decision on this document, if anything does."""
    basis = waiting_basis(invoice)
    if basis is None or basis.changed_at is None:
        return None
    return Changed(invoice.pk, basis.changed_at, told(basis.known, basis.now), basis)


def reason_not_to_issue(invoice: Invoice) -> str:
    """A sentence while the deal is not what a person agreed to; empty otherwise."""
    basis = waiting_basis(invoice)
    if basis is None:
        return ""
    changes = " ".join(map(str, told(basis.known, basis.now)))
    return _("The deal changed after this draft was made. %(changes)s Confirm it first.") % {
        "changes": changes
    }


def parts(was: Content, now: Content) -> dict[str, dict[str, Any]]:
    """What differs, and what is needed to tell it: for the log of the invoice."""
    needed = {"currency", "lineless"}
    names = [name for name in now if name in needed or was.get(name) != now[name]]
    return {
        "was": {name: was.get(name) for name in names},
        "now": {name: now[name] for name in names},
    }


def told(was: Content, now: Content) -> list[Change]:
    """Every part that differs, in the reader's language."""
    found = [
        Change(str(label), tell(was.get(name), was), tell(now[name], now))
        for name, (label, tell) in _parts().items()
        if name in now and was.get(name) != now[name] and (name in was or name in _LATER)
    ]
    if not (was.get("lineless") and now.get("lineless")):
        found += _lines(was, now)
    return found


def _parts() -> dict[str, tuple[str, Any]]:
    return {
        "status": (_("Status"), lambda value, _all: str(dict(Deal.Status.choices).get(value, ""))),
        "unreadable": (_("In the CRM"), _readable),
        "hidden": (_("In the CRM"), _visible),
        "client": (_("Client"), _client),
        "title": (_("Title"), _text),
        "currency": (_("Currency"), _text),
        "sum_minor": (_("Amount"), _sum),
        "purchase_order": (_("Purchase order"), _text),
        "service_from": (_("Service from"), _day),
        "service_until": (_("Service until"), _day),
        "instalments": (_("Instalments"), _instalments),
    }


def _instalments(value: Any, all_: Content) -> str:
    code = str(all_.get("currency", ""))
    return (
        ", ".join(
            f"{day(date.fromisoformat(on))} {formatted_minor(minor, code)}"
            for on, minor, _words in value or ()
        )
        if is_currency(code)
        else ""
    ) or _("none")


def _readable(value: Any, _all: Content) -> str:
    return _("changed, and it can no longer be read") if value else _("readable")


def _visible(value: Any, _all: Content) -> str:
    return _("no longer visible to us") if value else _("visible")


def _client(value: Any, _all: Content) -> str:
    client = Client.objects.filter(pk=value).first() if value else None
    return client.name if client else _("none")


def _text(value: Any, _all: Content) -> str:
    return str(value or "–")


def _day(value: Any, _all: Content) -> str:
    return day(date.fromisoformat(value)) if value else "–"


def _sum(value: Any, all_: Content) -> str:
    code = str(all_.get("currency", ""))
    if value is None or not is_currency(code):
        return _("cannot be added up")
    return formatted_minor(value, code)


def _lines(was: Content, now: Content) -> list[Change]:
    before, after = was.get("lines") or [], now.get("lines") or []
    if before == after:
        return []
    found: list[Change] = []
    a, b = ([tuple(line) for line in lines] for lines in (before, after))
    for act, a1, a2, b1, b2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if act == "equal":
            continue
        for step in range(max(a2 - a1, b2 - b1)):
            old = before[a1 + step] if a1 + step < a2 else None
            new = after[b1 + step] if b1 + step < b2 else None
            place = b1 + step + 1 if new else a1 + step + 1
            label = _("Line %(place)s") % {"place": place}
            found.append(Change(label, *_line_pair(old, was, new, now)))
    more = len(found) - MOST_LINES
    if more > 0:
        words = ngettext("%(n)s more line", "%(n)s more lines", more) % {"n": grouped(more)}
        found = [*found[:MOST_LINES], Change(words, "…", "…")]
    return found


def _line_pair(
    old: Sequence[str] | None, was: Content, new: Sequence[str] | None, now: Content
) -> tuple[str, str]:
    """The words only where they differ: most changes are of a quantity or a price."""
    same = bool(old and new and old[0] == new[0])
    return _line(old, was, bare=same), _line(new, now, bare=same)


def _line(line: Sequence[str] | None, content: Content, *, bare: bool) -> str:
    if line is None:
        return "–"
    text, _unit, quantity, price, percent, amount, _category, rate = line
    code = str(content.get("currency", ""))
    said = f"{_number(quantity)} × {_price(price, code)}"
    if Decimal(percent):
        said += f" − {_number(percent)} %"
    if Decimal(amount):
        said += f" − {_price(amount, code)}"
    said += " · " + _("VAT %(rate)s %%") % {"rate": _number(rate)}
    words = text.partition("\n")[0][:80]
    return said if bare else labelled(words, said)


def _number(text: str) -> str:
    return str(format_decimal(Decimal(text), locale=reader_locale(), decimal_quantization=False))


def _price(text: str, code: str) -> str:
    """A unit price keeps its decimals beyond the coin."""
    price = Decimal(text)
    if not is_currency(code):
        return text
    places = max(digits(code), -int(price.normalize().as_tuple().exponent))
    return str(formatted(Money(price.quantize(Decimal(1).scaleb(-places)), code)))
