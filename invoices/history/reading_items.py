"""What the rows of a file of the catalogue say: one row for each price of an item. Pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from billing_portal.typed import numbers
from billing_portal.typed.texts import Unreadable
from invoices.catalogue.units import known_unit
from invoices.history.cells import Reader, Sheet
from invoices.history.rows import ItemRow
from invoices.models.catalogue import LONGEST_CODE

_NATURES: Final = {
    "services": "services",
    "service": "services",
    "goods": "goods",
    "biens": "goods",
    "bien": "goods",
}
_STATES: Final = {
    "offered": "offered",
    "active": "offered",
    "actif": "offered",
    "archived": "archived",
    "inactive": "archived",
    "archivé": "archived",
}
# What the VAT of an item may be beside a rate.
EXEMPT, BY_CLIENT = "exempt", "client"
# What several rows of one item say in common.
_COMMON: Final = ("name", "description", "unit", "nature", "vat", "exemption", "state")


def read_items(sheet: Sheet) -> tuple[list[ItemRow], set[str]]:
    """The items of the good rows, and the codes that a bad one names: these stay out whole."""
    found: dict[str, ItemRow] = {}
    refused: set[str] = set()
    for row in sheet.each_row():
        cell = Reader(sheet, row)
        one = _item(cell)
        before = found.get(one.key)
        if before is not None:
            _agree(cell, before, one)
        if cell.bad:
            refused.add(one.key)
        elif before is None:
            found[one.key] = one
        else:
            found[one.key] = _together(before, one)
    return [row for key, row in found.items() if key not in refused], refused


def _item(cell: Reader) -> ItemRow:
    currency = cell.currency("currency", needed=bool(cell.row.cells["price"].strip()))
    price = cell.price("price", currency) if cell.row.cells["price"].strip() else None
    if currency and price is None and not cell.bad and not cell.row.cells["price"].strip():
        cell.complain("price", "history.needed")
    return ItemRow(
        line=cell.row.line,
        code=cell.text("code", most=LONGEST_CODE, needed=True),
        name=cell.text("name", most=255),
        description=cell.row.cells["description"][:1_500],
        unit=_unit(cell),
        nature=cell.choice("nature", _NATURES) if cell.row.cells["nature"] else "",
        vat=_vat(cell),
        exemption=cell.text("exemption", most=200),
        state=cell.choice("state", _STATES) if cell.row.cells["state"] else "",
        prices={currency: price} if price is not None else {},
        lines=(cell.row.line,),
    )


def _unit(cell: Reader) -> str:
    word = cell.text("unit", most=40)
    code = known_unit(word) if word else ""
    if word and not code and len(word) == 3 and word.isascii() and word.isalnum():
        return word.upper()
    if word and not code:
        cell.complain("unit", "history.unit", text=word)
    return code


def _vat(cell: Reader) -> str:
    """A rate in percent, or one of the two words; "" says nothing."""
    text = cell.text("vat", most=20).removesuffix("%").strip().casefold()
    if text in ("", EXEMPT, BY_CLIENT):
        return text
    try:
        rate = numbers.read_number(text)
    except Unreadable:
        rate = Decimal(-1)
    if not 0 < rate < 100 or numbers.is_finer(rate, 2):
        cell.complain("vat", "history.item_vat", text=text)
        return ""
    return format(rate.normalize() + 0, "f")


def _agree(cell: Reader, before: ItemRow, one: ItemRow) -> None:
    for name in _COMMON:
        said, first = getattr(one, name), getattr(before, name)
        if said and first and said != first:
            cell.complain(name, "history.item_differs", item=one.code, line=before.line)
    for currency in one.prices.keys() & before.prices.keys():
        cell.complain(
            "price", "history.price_twice", item=one.code, currency=currency, line=before.line
        )


def _together(before: ItemRow, one: ItemRow) -> ItemRow:
    said = {name: getattr(before, name) or getattr(one, name) for name in _COMMON}
    prices = {**before.prices, **one.prices}
    return replace(before, **said, prices=prices, lines=(*before.lines, *one.lines))
