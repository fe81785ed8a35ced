"""Rows as a cursor gives them, with their values spelled as they are sealed (models/facts.py).

A check of the books reads some millions of values. Most come from the database as they are sealed
already: those are taken as they are, which also leaves nothing of theirs out of the comparison.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache, lru_cache
from math import isfinite
from typing import Any

from django.db import connection, models

from invoices.models.facts import Plain, decimal_as_sealed

# Place in the row → how the value there becomes what is sealed.
Spelling = tuple[tuple[int, Plain], ...]


@lru_cache(maxsize=20_000)
def day_written(text: str | None) -> date | None:
    """A day as a seal has it; the first of all days where it is none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _finite(text: str) -> float | str:
    """1e999 is no number of ours: it stays the text that it is, which no seal was made over."""
    number = float(text)
    return number if isfinite(number) else text


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=str)


def json_written(value: Any) -> Any:
    """What JSON in the database says."""
    if not isinstance(value, str):
        return json.loads(json.dumps(value))
    try:
        found, end = _decoder.raw_decode(value)
    except ValueError:
        end = -1
    # With spaces around it, or no JSON at all: that is a finding, and no error.
    return found if end == len(value) else _read_slowly(value)


def _read_slowly(value: str) -> Any:
    try:
        return _decoder.decode(value)
    except ValueError:
        return f"no JSON: {value}"


@cache
def spelling(model: type[models.Model], columns: tuple[str, ...]) -> Spelling:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    found = ((place, _how(fields[column])) for place, column in enumerate(columns))
    return tuple((place, how) for place, how in found if how is not None)


def _how(field: models.Field[Any, Any]) -> Plain | None:
    """None of a column whose values need no change."""
    if isinstance(field, models.DecimalField):
        # Rates and quantities are few, however many rows have them.
        return lru_cache(maxsize=5_000)(decimal_as_sealed(field.decimal_places))
    if isinstance(field, models.JSONField):
        return json_written
    if connection.vendor == "sqlite":
        return None
    if isinstance(field, models.DateTimeField):
        return _moment_written
    return date.isoformat if isinstance(field, models.DateField) else None


def spelled(values: Sequence[Any], how: Spelling) -> list[Any]:
    found = list(values)
    for place, spell in how:
        if (value := found[place]) is not None:
            found[place] = spell(value)
    return found


def _moment_written(text: str) -> str:
    """Without the microseconds of a whole second, as Python writes it."""
    return text.removesuffix(".000000")


def select(model: type[models.Model], columns: Iterable[str], where: str, more: str = "") -> str:
    """The statement for these columns, then `more` ones; `where` goes on to its end. All of it is
    SQL of our own on `f`: what is asked for by value stands as a parameter."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    named = ", ".join(_expression(column, fields[column]) for column in columns)
    return f"SELECT {named}{more} FROM {model._meta.db_table} f WHERE {where}"  # noqa: S608


def _expression(column: str, field: models.Field[Any, Any]) -> str:
    named = f'f."{column}"'
    if connection.vendor == "sqlite":
        # An expression comes as it is kept: of a column the driver would make a day out of text.
        return f"{named} || ''" if isinstance(field, models.DateField) else named
    if isinstance(field, models.DateTimeField):
        # The server writes a moment in a tenth of the time in which one is made of it here.
        utc = f"pg_catalog.timezone('UTC', {named})"
        return f"pg_catalog.to_char({utc}, 'YYYY-MM-DD HH24:MI:SS.US')"
    return named


def rows_of(
    model: type[models.Model], columns: tuple[str, ...], where: str, given: Sequence[Any] = ()
) -> Iterator[list[Any]]:
    """Rows of a table, of which `where` is SQL of our own on `f`."""
    how = spelling(model, columns)
    with connection.cursor() as cursor:
        cursor.execute(select(model, columns, where), list(given))
        rows = cursor.fetchall()
    return (spelled(row, how) for row in rows)
