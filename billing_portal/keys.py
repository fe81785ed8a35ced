"""Names and numbers as people look for them and sort them.

Beside each name or number a row keeps its key: small letters without accents, signs and spaces. One
column compared as it stands serves both databases, where LIKE, UPPER() and the order of É differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models import Q

# Letters that no decomposition takes apart.
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_WIDTH = 12
# Of ASCII nothing is taken apart: most texts, in a tenth of the time.
_ASCII = str.maketrans("", "", "".join(chr(n) for n in range(128) if not chr(n).isalnum()))
_PART = re.compile(r"[^\W\d_]+|\d+")


def text_key(text: str) -> str:
    """“Électricité & Cie” → electricitecie"""
    if text.isascii():
        return text.lower().translate(_ASCII)
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(filter(str.isalnum, plain.translate(_LETTERS)))


def number_key(text: str) -> str:
    """“F-2026-0078”, “f 2026 78” → f202678: each part without its leading zeros."""
    parts = _PART.findall(_plain(text))
    return "".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)


def sort_key(text: str) -> str:
    """“F-2026-10000” comes after “F-2026-9999”: the figures of each part in one width."""
    parts = _PART.findall(_plain(text))
    return " ".join(part.zfill(_WIDTH) if part.isdigit() else part for part in parts)[:255]


def _plain(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


class KeyField(models.CharField):  # type: ignore[type-arg]
    """The key of another column of the row, never written by hand."""

    def __init__(self, source: str = "", key: Callable[[str], str] = text_key, **options: Any):
        self.source, self.key = source, key
        options = {"max_length": 255, "blank": True, "default": "", "editable": False, **options}
        super().__init__(**options)

    def deconstruct(self) -> Any:
        # For a migration it is a plain column: the key is computed by code that may change.
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options

    def of(self, text: str) -> str:
        assert self.max_length is not None
        return self.key(text)[: self.max_length]

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.of(str(getattr(model_instance, self.source) or ""))
        setattr(model_instance, self.attname, value)
        return value


def keys_of(model: type[models.Model], sources: Iterable[str] | None = None) -> list[KeyField]:
    """The key columns of a model, or those whose source is among `sources`."""
    wanted = None if sources is None else set(sources)
    return [
        column
        for column in model._meta.concrete_fields
        if isinstance(column, KeyField) and (wanted is None or column.source in wanted)
    ]


Row = TypeVar("Row", bound=models.Model)


class KeyedQuerySet(models.QuerySet[Row]):
    """Keeps the keys right where save() is gone around."""

    def update(self, **changes: Any) -> int:
        for column in keys_of(self.model, changes):
            if column.name in changes:
                # From bulk_update below, row by row.
                continue
            value = changes[column.source]
            if hasattr(value, "resolve_expression"):
                raise TypeError(f"{column.name} cannot follow an expression: save the rows.")
            changes[column.name] = column.of(str(value))
        return super().update(**changes)

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], *args: Any, **named: Any
    ) -> int:
        rows, names = list(objs), list(fields)
        for column in keys_of(self.model, names):
            names.append(column.name)
            for row in rows:
                column.pre_save(row, add=False)
        return super().bulk_update(rows, names, *args, **named)


class Keyed(models.Model):
    """A row with key columns: saving a part of it saves their keys too."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        names: Sequence[str] | None = options.get("update_fields")
        if names is not None:
            keys = (column.name for column in keys_of(type(self), names))
            options["update_fields"] = [*names, *keys]
        super().save(*args, **options)


# ─ Looking for them ─────────────────────────────────────────────────────────────────────────────
def contains(column: str, text: str) -> Q:
    """The key column contains the text as a key; nothing does where no letter or figure is left."""
    key = text_key(text)
    return Q(**{f"{column}__contains": key}) if key else Q(pk__in=[])


def contains_number(text: str, path: str = "") -> Q:
    """A number with these figures in it, with or without the leading zeros of its parts."""
    key = number_key(text)
    if not key:
        return Q(pk__in=[])
    plain = Q(**{f"{path}number_plain__contains": text_key(text)})
    return Q(**{f"{path}number_key__contains": key}) | plain


def begins(column: str, key: str) -> Q:
    """Begins with the key, through an index on both databases."""
    if not key:
        return Q(pk__in=[])
    found = Q(**{f"{column}__startswith": key})
    if connection.vendor == "sqlite":
        # LIKE does not use an index there; a span of the binary order does.
        found &= Q(**{f"{column}__gte": key, f"{column}__lt": key + "\U0010ffff"})
    return found
