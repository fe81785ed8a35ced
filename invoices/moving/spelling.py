"""A cell of a table as JSON, the same on both databases, and back."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _


class CellRefused(ValueError):
    """The cell is none of its column."""


def written(field: Any, value: Any) -> Any:
    """Days as 2026-01-31, moments in UTC, decimals as text in all their places, files as Base64."""
    if value is None:
        return None
    if isinstance(field, models.BinaryField):
        content = bytes(value)
        return {
            "sha256": hashlib.sha256(content).hexdigest(),
            "base64": base64.b64encode(content).decode(),
        }
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        places = getattr(field, "decimal_places", None)
        return format(round(value, places) if places is not None else value, "f")
    return value


def read(field: Any, value: Any) -> Any:
    """Raises CellRefused for what no portal would have written."""
    if value is None:
        if not field.null:
            raise CellRefused(_("is empty"))
        return None
    field = field.target_field if field.is_relation else field
    if isinstance(field, models.BinaryField):
        return _content(value)
    if isinstance(field, models.JSONField):
        return value
    wanted: type = str
    if isinstance(field, models.BooleanField):
        wanted = bool
    elif isinstance(field, models.IntegerField):
        wanted = int
    if type(value) is not wanted:
        raise CellRefused(_("is of another kind than its column"))
    try:
        found = field.to_python(value)
    except (ValidationError, ValueError, ArithmeticError):
        raise CellRefused(_("cannot be read")) from None
    if isinstance(found, Decimal) and not found.is_finite():
        raise CellRefused(_("is no number"))
    if isinstance(found, str) and (
        "\0" in found or (field.max_length is not None and len(found) > field.max_length)
    ):
        raise CellRefused(_("is too long, or holds a letter that no text has"))
    return found


def _content(value: Any) -> bytes:
    if not isinstance(value, dict) or set(value) != {"sha256", "base64"}:
        raise CellRefused(_("is no file"))
    try:
        content = base64.b64decode(value["base64"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise CellRefused(_("is no file")) from None
    if hashlib.sha256(content).hexdigest() != value["sha256"]:
        raise CellRefused(_("is not the file that its SHA-256 names"))
    return content
