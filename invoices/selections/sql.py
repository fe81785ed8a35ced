"""Words that SQLite and PostgreSQL say differently, told once: days, months, one currency."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, CharField, F, Func, IntegerField, Value
from django.db.models.expressions import Combinable
from django.db.models.sql.compiler import SQLCompiler
from moneyed import CURRENCIES, get_currency

Sql = tuple[str, Any]


class WholeNumber(Func):
    """Read as both databases give it: by the ten thousand, Django's int() of an int is dear."""

    output_field = IntegerField()

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        return []


class DaysBetween(WholeNumber):
    """Whole days from the first day to the second; negative when the second comes first."""

    arity = 2

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        template = "CAST(julianday(%(second)s) - julianday(%(first)s) AS INTEGER)"
        return self._told(compiler, template)

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        return self._told(compiler, "(%(second)s::date - %(first)s::date)")

    def _told(self, compiler: SQLCompiler, template: str) -> Sql:
        first, second = (compiler.compile(part) for part in self.get_source_expressions())
        return template % {"first": first[0], "second": second[0]}, (*second[1], *first[1])


class WrittenDay(Func):
    """A day as the database writes it, for `ReadDays`: by the ten thousand, Django's reading of
    SQLite's dates costs more than all else that is done with the rows."""

    arity = 1
    output_field = CharField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        ((sql, given),) = (compiler.compile(part) for part in self.get_source_expressions())
        return f"CAST({sql} AS TEXT)", given

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        ((sql, given),) = (compiler.compile(part) for part in self.get_source_expressions())
        return sql, given


class ReadDays(dict[str | date | None, date | None]):
    """What `WrittenDay` gave, as days: books of ten years have some four thousand of them."""

    def __missing__(self, written: str | date | None) -> date | None:
        day = date.fromisoformat(written) if isinstance(written, str) else written
        self[written] = day
        return day


class MonthIndex(WholeNumber):
    """Months since year 0 of a day, as `month_index` counts them: groups fast on both databases."""

    arity = 1

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        ((sql, given),) = (compiler.compile(part) for part in self.get_source_expressions())
        year, month = f"substr({sql}, 1, 4)", f"substr({sql}, 6, 2)"
        return (
            f"(CAST({year} AS INTEGER) * 12 + CAST({month} AS INTEGER) - 1)",
            (*given, *given),
        )

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        ((sql, given),) = (compiler.compile(part) for part in self.get_source_expressions())
        return (
            f"(EXTRACT(YEAR FROM {sql})::int * 12 + EXTRACT(MONTH FROM {sql})::int - 1)",
            (*given, *given),
        )


class Packed(WholeNumber):
    """Several small whole numbers in one, the first in the highest place: one key sorts fastest.

    A part is (expression, bits, offset): expression + offset is at least 0 and below 2 ** bits. The
    first part may be as large as is left of 63 bits.
    """

    output_field = BigIntegerField()

    def __init__(self, *parts: tuple[Any, int, int], **extra: Any) -> None:
        self.layout = [(bits, offset) for _part, bits, offset in parts]
        super().__init__(*(part for part, _bits, _offset in parts))

    def unpack(self, number: int) -> list[int]:
        found = []
        for bits, offset in reversed(self.layout[1:]):
            found.append((number & ((1 << bits) - 1)) - offset)
            number >>= bits
        found.append(number - self.layout[0][1])
        return found[::-1]

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any) -> Sql:  # type: ignore[override]
        big = "::bigint" if connection.vendor == "postgresql" else ""
        told, given, shift = [], [], 0
        places = zip(self.get_source_expressions(), self.layout, strict=True)
        for part, (bits, offset) in reversed(list(places)):
            sql, values = compiler.compile(part)
            # SQLite would add a 0 to each row.
            moved = f"(({sql}){big} + {offset})" if offset else f"({sql}){big}"
            told.append(f"{moved} * {1 << shift}" if shift else moved)
            given.append(values)
            shift += bits
        return f"({' + '.join(told)})", tuple(value for values in given for value in values)


def month_index(day: date) -> int:
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """The first day of a month counted by `month_index`."""
    return date(month // 12, month % 12 + 1, 1)


class InCompanyCurrency(WholeNumber):
    """Minor units of an invoice's currency in minor units of the company's, half away from zero.

    At the rate of the invoice date; null where the invoice has none. Integers on both databases, so
    that sums are exact: SQLite would multiply the rate as a binary float.
    """

    output_field = BigIntegerField()

    def __init__(
        self, minor: str | Combinable, company_currency: str, *, of: str = "", **extra: Any
    ) -> None:
        """`of` leads from the amount's row to the invoice, such as "invoice__"."""
        self.company_currency = company_currency
        amount = F(minor) if isinstance(minor, str) else minor
        super().__init__(
            amount, F(f"{of}currency"), F(f"{of}exchange_rate"), Value(company_currency)
        )

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        # 0.85 as a float times 1e8 rounds to the integer that was typed.
        return self._told(
            compiler,
            # Division cuts off towards zero, so half of the divisor is added away from zero.
            "CAST((({amount}) * CAST(ROUND({rate} * 100000000) AS INTEGER) * {times} "
            "+ CASE WHEN ({amount}) < 0 THEN -50000000 ELSE 50000000 END * {over}) "
            "/ (100000000 * {over}) AS INTEGER)",
        )

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: Any
    ) -> Sql:
        sql, given = self._told(
            compiler, "ROUND(({amount})::numeric * {rate} * {times} / {over})::bigint"
        )
        # An amount that is a sum itself would be read as a decimal.
        return f"({sql})::bigint", given

    def _told(self, compiler: SQLCompiler, product: str) -> Sql:
        (amount, given), (currency, _), (rate, _), (own, own_given) = (
            compiler.compile(part) for part in self.get_source_expressions()
        )
        uses = product.count("{amount}")
        given = tuple(given)
        own_unit = get_currency(self.company_currency).sub_unit
        branches = [f"WHEN {currency} = {own} THEN {amount}"]
        values: list[Any] = [*own_given, *given]
        for unit, codes in codes_by_unit().items():
            if unit == 100:
                continue
            listed = ", ".join(f"'{code}'" for code in codes)
            told = product.format(amount=amount, rate=rate, times=own_unit, over=unit)
            branches.append(f"WHEN {currency} IN ({listed}) THEN {told}")
            values += given * uses
        rest = product.format(amount=amount, rate=rate, times=own_unit, over=100)
        return f"CASE {' '.join(branches)} ELSE {rest} END", (*values, *given * uses)


@cache
def codes_by_unit() -> dict[int, list[str]]:
    """Currencies by the number of their minor units in a major one."""
    found: dict[int, list[str]] = {}
    for code, currency in CURRENCIES.items():
        found.setdefault(int(currency.sub_unit), []).append(str(code))
    return found
