"""The faults of invoices.tax.judging, told to a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing_portal.dates import day
from billing_portal.figures import percent
from invoices.company.vat_rates import FrenchRates
from invoices.documents.nature import Nature
from invoices.models import Company, ExemptionReason
from invoices.tax.judging import REVERSED_AT_HOME, Charged, Fault, faults, misplaced
from invoices.tax.territories import Territory

# UNTDID 5305, but for what bears VAT.
WITHOUT_VAT: Final[dict[str, Any]] = {
    "AE": gettext_lazy("Reverse charge"),
    "E": gettext_lazy("Exempt"),
    "O": gettext_lazy("Outside French VAT"),
    "G": gettext_lazy("Export"),
    "K": gettext_lazy("Within the EU"),
}
_MEANT_FOR: Final[dict[str, Any]] = {
    REVERSED_AT_HOME: gettext_lazy("the article that it names is for clients in France"),
    "AE": gettext_lazy("it is for services to businesses of other states of the Union"),
    "O": gettext_lazy("it is for services to clients outside the VAT territory of the Union"),
    "G": gettext_lazy("it is for goods that leave the VAT territory of the Union or go overseas"),
    "K": gettext_lazy("it is for goods sent to businesses of other states of the Union"),
}
# Of a decision about a client's VAT id; beside the categories, which are of one or two letters.
UNKNOWN_ID: Final = "id"
_FOR_GOODS: Final = {"G", "K"}
_WHERE: Final[dict[str, Any]] = {
    Territory.METROPOLE: gettext_lazy("in metropolitan France or Monaco"),
    Territory.CORSICA: gettext_lazy("in Corsica"),
    Territory.DOM_WITH_VAT: gettext_lazy("in Guadeloupe, Martinique or Réunion"),
    Territory.DOM_WITHOUT_VAT: gettext_lazy("in Guyane or Mayotte"),
    Territory.COLLECTIVITY: gettext_lazy("in an overseas collectivity"),
    Territory.EU: gettext_lazy("in another state of the Union"),
    Territory.EU_OUTSIDE_VAT: gettext_lazy("in a part of the Union outside its VAT territory"),
    Territory.NORTHERN_IRELAND: gettext_lazy("in Northern Ireland"),
    Territory.BEYOND: gettext_lazy("outside the Union"),
}


def told_faults(
    lines: Iterable[Charged],
    *,
    seller: Company | None,
    on: date | None,
    rates: FrenchRates,
) -> list[tuple[str, Fault]]:
    """A sentence for each rate that the seller cannot charge; with the first line of each.

    `on` is the day of the supply; None takes the rates of any day.
    """
    lines = list(lines)
    home = seller.country if seller else "FR"
    if home != "FR" or not lines:
        return []
    franchise = seller is not None and seller.in_franchise
    lawful = rates.on(on)
    found: dict[tuple[str, Decimal], list[Fault]] = {}
    for fault in faults(lines, home=home, lawful=lawful, franchise=franchise):
        found.setdefault((fault.code, fault.rate), []).append(fault)
    return [
        (_sentence(code, rate, [each.line for each in group], lawful, on), group[0])
        for (code, rate), group in found.items()
    ]


def _sentence(
    code: str, rate: Decimal, places: list[int], lawful: tuple[Decimal, ...], on: date | None
) -> str:
    values = {
        "lines": ", ".join(map(str, places)),
        "rate": percent(rate),
        "rates": ", ".join(percent(each) for each in lawful),
    }
    if code == "franchise":
        return (
            ngettext(
                "Line %(lines)s bears VAT at %(rate)s, and the company charges none "
                "(franchise, CGI 293 B).",
                "Lines %(lines)s bear VAT at %(rate)s, and the company charges none "
                "(franchise, CGI 293 B).",
                len(places),
            )
            % values
        )
    if code == "zero":
        return (
            ngettext(
                "Line %(lines)s bears a rate of 0, which France does not have: choose why there is "
                "no VAT.",
                "Lines %(lines)s bear a rate of 0, which France does not have: choose why there is "
                "no VAT.",
                len(places),
            )
            % values
        )
    text = ngettext(
        "Line %(lines)s bears %(rate)s, which is no French rate of VAT (%(rates)s).",
        "Lines %(lines)s bear %(rate)s, which is no French rate of VAT (%(rates)s).",
        len(places),
    )
    if on is not None:
        values["day"] = day(on)
        text = ngettext(
            "Line %(lines)s bears %(rate)s, which is no French rate of VAT on %(day)s (%(rates)s).",
            "Lines %(lines)s bear %(rate)s, which is no French rate of VAT on %(day)s (%(rates)s).",
            len(places),
        )
    return text % values


def told_misplaced(
    lines: Iterable[Charged], *, home: str, territory: Territory
) -> list[tuple[str, Fault]]:
    """A sentence for each reason for no VAT that fits neither where the client is nor what is
    supplied; with the first line of each."""
    found: dict[tuple[str, str], list[Fault]] = {}
    for fault in misplaced(lines, home=home, territory=territory):
        found.setdefault((fault.code, fault.category), []).append(fault)
    return [
        (
            (_unnatural if code == "nature" else _misplaced)(
                category, [each.line for each in group], territory
            ),
            group[0],
        )
        for (code, category), group in found.items()
    ]


def _unnatural(category: str, places: list[int], territory: Territory) -> str:
    values = {
        "lines": ", ".join(map(str, places)),
        "category": WITHOUT_VAT[category],
        "meant": _MEANT_FOR[category],
    }
    if category in _FOR_GOODS:
        return (
            ngettext(
                "Line %(lines)s is of services and says “%(category)s”: %(meant)s.",
                "Lines %(lines)s are of services and say “%(category)s”: %(meant)s.",
                len(places),
            )
            % values
        )
    return (
        ngettext(
            "Line %(lines)s is of goods and says “%(category)s”: %(meant)s.",
            "Lines %(lines)s are of goods and say “%(category)s”: %(meant)s.",
            len(places),
        )
        % values
    )


def _misplaced(category: str, places: list[int], territory: Territory) -> str:
    return ngettext(
        "Line %(lines)s says “%(category)s”, and the client is %(where)s: %(meant)s.",
        "Lines %(lines)s say “%(category)s”, and the client is %(where)s: %(meant)s.",
        len(places),
    ) % {
        "lines": ", ".join(map(str, places)),
        "category": _named(category),
        "where": _WHERE[territory],
        "meant": _MEANT_FOR[category],
    }


def _named(category: str) -> str:
    if category == REVERSED_AT_HOME:
        return str(ExemptionReason.Category.REVERSE_CHARGE.label)
    return str(WITHOUT_VAT.get(category, category))


def key_of(fault: Fault, territory: Territory) -> str:
    """What is decided when such a line is allowed: the same word for another client is not."""
    return f"{fault.category} {fault.nature or territory.value}"


def unknown_id_key(vat_id: str) -> str:
    """What is decided when a client's id that the register does not know is taken all the same."""
    return f"{UNKNOWN_ID} {vat_id}"


def told_key(key: str) -> str:
    category, _space, territory = key.partition(" ")
    if category == UNKNOWN_ID:
        return _("VAT id %(vat_id)s, which VIES says is not valid") % {"vat_id": territory}
    if territory in set(Nature):
        told = (
            _("“%(category)s” for goods")
            if territory == Nature.GOODS
            else _("“%(category)s” for services")
        )
        return told % {"category": WITHOUT_VAT.get(category, category)}
    return _("“%(category)s” for a client %(where)s") % {
        "category": _named(category),
        "where": _WHERE.get(territory, territory),
    }
