"""The faults of invoices.tax.judging, told to a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from invoices.tax.deciding import VatTreatment
from invoices.tax.judging import (
    REVERSED_AT_HOME,
    Charged,
    Fault,
    faults,
    misplaced,
    overcharged,
)
from invoices.tax.supplies import Place, Supply
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
# … about VAT where none is due, about a rate, and about a state where we may have to register.
CHARGED: Final = "charged"
AT_RATE: Final = "rate-"
UNREGISTERED: Final = "unregistered"
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
    place = seller.place if seller else Place("FR")
    if not place.of_french_law or not lines:
        return []
    franchise = seller is not None and seller.in_franchise
    lawful = rates.on(on)
    found: dict[tuple[str, Decimal], list[Fault]] = {}
    for fault in faults(lines, lawful=lawful, franchise=franchise):
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


def told_misplaced(lines: Iterable[Charged], supply: Supply) -> list[tuple[str, Fault]]:
    """A sentence for each reason for no VAT that fits neither where it is supplied nor what is
    supplied; with the first line of each."""
    found: dict[tuple[str, str, Territory], list[Fault]] = {}
    for fault in misplaced(lines, supply):
        found.setdefault((fault.code, fault.category, fault.territory), []).append(fault)
    return [
        (
            _unnatural(group) if code == "nature" else _misplaced(group, supply),
            group[0],
        )
        for (code, _category, _territory), group in found.items()
    ]


def _unnatural(group: Sequence[Fault]) -> str:
    category = group[0].category
    places = [each.line for each in group]
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


def _misplaced(group: Sequence[Fault], supply: Supply) -> str:
    first = group[0]
    category, number = first.category, len(group)
    values = {
        "lines": ", ".join(str(each.line) for each in group),
        "category": _named(category),
        "where": _WHERE[first.territory],
        "meant": _MEANT_FOR[category],
    }
    if category in _FOR_GOODS and supply.delivered is not None:
        text = ngettext(
            "Line %(lines)s says “%(category)s”, and is delivered %(where)s: %(meant)s.",
            "Lines %(lines)s say “%(category)s”, and are delivered %(where)s: %(meant)s.",
            number,
        )
    elif category in ("AE", "O") and supply.tied is not None:
        text = ngettext(
            "Line %(lines)s says “%(category)s”, and the service is %(where)s: %(meant)s.",
            "Lines %(lines)s say “%(category)s”, and the service is %(where)s: %(meant)s.",
            number,
        )
    else:
        text = ngettext(
            "Line %(lines)s says “%(category)s”, and the client is %(where)s: %(meant)s.",
            "Lines %(lines)s say “%(category)s”, and the client is %(where)s: %(meant)s.",
            number,
        )
    return text % values


def told_overcharged(
    lines: Iterable[Charged],
    supply: Supply,
    wanted: Mapping[str, VatTreatment],
    lawful_in: Callable[[Territory], Sequence[Decimal]],
) -> list[tuple[str, Fault]]:
    """A sentence for VAT where none is due, and for a rate of somewhere else; with the first line
    of each."""
    found: dict[tuple[str, Decimal, Territory], list[Fault]] = {}
    for fault in overcharged(lines, wanted, lawful_in):
        found.setdefault((fault.code, fault.rate, fault.territory), []).append(fault)
    told = []
    for group in found.values():
        first = group[0]
        values = {
            "lines": ", ".join(str(each.line) for each in group),
            "rate": percent(first.rate),
            "where": _WHERE[first.territory],
            "category": WITHOUT_VAT.get(first.category, first.category),
        }
        if first.code == "elsewhere":
            taxed_in = wanted[first.nature].taxed_in
            values["where"] = _WHERE[taxed_in]
            values["usual"] = ", ".join(percent(rate) for rate in lawful_in(taxed_in))
            text = ngettext(
                "Line %(lines)s bears VAT at %(rate)s; it is taxed %(where)s, where VAT is "
                "%(usual)s.",
                "Lines %(lines)s bear VAT at %(rate)s; they are taxed %(where)s, where VAT is "
                "%(usual)s.",
                len(group),
            )
        elif supply.seller.territory in (Territory.DOM_WITHOUT_VAT, Territory.COLLECTIVITY):
            values["where"] = _WHERE[supply.seller.territory]
            text = ngettext(
                "Line %(lines)s bears VAT at %(rate)s, and the company sells it %(where)s, where "
                "none is charged.",
                "Lines %(lines)s bear VAT at %(rate)s, and the company sells it %(where)s, where "
                "none is charged.",
                len(group),
            )
        else:
            text = ngettext(
                "Line %(lines)s bears VAT at %(rate)s, and what is supplied %(where)s bears no "
                "French VAT here: “%(category)s”.",
                "Lines %(lines)s bear VAT at %(rate)s, and what is supplied %(where)s bears no "
                "French VAT here: “%(category)s”.",
                len(group),
            )
        told.append((text % values, first))
    return told


def _named(category: str) -> str:
    if category == REVERSED_AT_HOME:
        return str(ExemptionReason.Category.REVERSE_CHARGE.label)
    return str(WITHOUT_VAT.get(category, category))


def key_of(fault: Fault) -> str:
    """What is decided when such a line is allowed: the same word for another client is not."""
    if fault.code == "charged":
        return f"{CHARGED} {fault.territory.value}"
    if fault.code == "elsewhere":
        return f"{AT_RATE}{fault.rate.normalize():f} {fault.territory.value}"
    return f"{fault.category} {fault.nature or fault.territory.value}"


def unknown_id_key(vat_id: str) -> str:
    """What is decided when a client's id that the register does not know is taken all the same."""
    return f"{UNKNOWN_ID} {vat_id}"


def unregistered_key(country: str) -> str:
    """What is decided when a service in another state is billed without its VAT."""
    return f"{UNREGISTERED} {country}"


def told_key(key: str) -> str:
    category, _space, territory = key.partition(" ")
    if category == UNKNOWN_ID:
        return _("VAT id %(vat_id)s, which VIES says is not valid") % {"vat_id": territory}
    if category == UNREGISTERED:
        return _("A service in %(country)s without the VAT of that state") % {"country": territory}
    where = _WHERE.get(territory, territory)
    if category == CHARGED:
        return _("VAT on what is supplied %(where)s") % {"where": where}
    if category.startswith(AT_RATE):
        rate = percent(Decimal(category.removeprefix(AT_RATE)))
        return _("VAT at %(rate)s on what is supplied %(where)s") % {"rate": rate, "where": where}
    if territory in set(Nature):
        told = (
            _("“%(category)s” for goods")
            if territory == Nature.GOODS
            else _("“%(category)s” for services")
        )
        return told % {"category": WITHOUT_VAT.get(category, category)}
    return _("“%(category)s” for a client %(where)s") % {
        "category": _named(category),
        "where": where,
    }
