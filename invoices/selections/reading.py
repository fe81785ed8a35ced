"""One value of a query string: what it means, or ValueError for a link that was cut or made up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from billing_portal.money import is_currency
from billing_portal.typed.days import machine_day
from billing_portal.typed.numbers import machine_number, machine_whole


def one_of(choices: Iterable[str]) -> Any:
    allowed = set(choices)

    def read(given: list[str]) -> str:
        if given[-1] not in allowed:
            raise ValueError(given[-1])
        return given[-1]

    return read


def whole(given: list[str]) -> int:
    number = machine_whole(given[-1])
    # Beyond a century of days or a 64-bit key nothing is found, and the database would object.
    if abs(number) > 2**62:
        raise ValueError(given[-1])
    return number


def days(given: list[str]) -> int:
    number = machine_whole(given[-1])
    if abs(number) > 100_000:
        raise ValueError(given[-1])
    return number


def day(given: list[str]) -> date:
    found = machine_day(given[-1])
    if not 1900 <= found.year <= 2200:
        raise ValueError(given[-1])
    return found


def currency(given: list[str]) -> str:
    code = given[-1].upper()
    if not is_currency(code):
        raise ValueError(code)
    return code


def flag(given: list[str]) -> bool:
    # “on” is what a browser sends of a box without a value.
    if given[-1] not in ("0", "1", "on"):
        raise ValueError(given[-1])
    return given[-1] != "0"


def amount(given: list[str]) -> Decimal:
    number = machine_number(given[-1])
    if abs(number) > 10**12:
        raise ValueError(given[-1])
    return number
