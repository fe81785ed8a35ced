"""Telephone, website and postal code, as people type them (pure).

Forms ask for what their person changed. What an import brought keeps its text: a form that is saved
for another reason does not refuse it.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext as _

from billing_portal.typed.texts import shown

_PHONE = re.compile(r"[0-9+().\-/ \u00a0\u202f]+")
_FEWEST_DIGITS = 4
_POSTAL_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 \-]*")
# No country's is longer than ten signs, with a space or a hyphen.
_LONGEST_POSTAL_CODE = 12
_is_web_address = URLValidator(schemes=["http", "https"])


def phone_number(text: str) -> str:
    """The number as it was typed. Raises ValidationError."""
    figures = sum(sign.isdigit() for sign in text)
    if text and (not _PHONE.fullmatch(text) or figures < _FEWEST_DIGITS):
        raise ValidationError(
            _("“%(text)s” is no telephone number: write digits, spaces and + ( ) . - / only.")
            % {"text": shown(text)}
        )
    return text


def web_address(text: str) -> str:
    """The address as it was typed, with or without http(s)://. Raises ValidationError."""
    if not text:
        return text
    try:
        _is_web_address(text if "://" in text else f"https://{text}")
    except ValidationError:
        raise ValidationError(
            _("“%(text)s” is no address of a website: write it like www.kerlann.example.")
            % {"text": shown(text)}
        ) from None
    return text


def postal_code(text: str, country: str) -> str:
    """The code; a French one without its space. Raises ValidationError."""
    if not text:
        return text
    if country == "FR":
        written = re.sub(r"[\s.]", "", text)
        if not re.fullmatch(r"[0-9]{5}", written):
            raise ValidationError(
                _("“%(text)s” is no French postal code: five digits.") % {"text": shown(text)}
            )
        return written
    if len(text) > _LONGEST_POSTAL_CODE or not _POSTAL_CODE.fullmatch(text):
        raise ValidationError(
            _("“%(text)s” is no postal code: at most %(most)s letters and digits.")
            % {"text": shown(text), "most": _LONGEST_POSTAL_CODE}
        )
    return text
