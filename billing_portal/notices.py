"""Something to say that is kept: a code and values, put into words for whoever reads it.

A sentence that is kept stays in the language and the wording of the day it was written. So rows
keep `Notice.kept()`, each package registers its sentences when the app is ready, and pages ask
`in_words`. What older versions kept as a sentence is still a string, and is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor

_SENTENCES: dict[str, Any] = {}


class Notice:
    """`values` fill the sentence: texts, whole numbers, `amount(…)`, `count(…)`, other notices."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values

    def kept(self, **more: Any) -> dict[str, Any]:
        """As JSON; `more` are values that only the caller knows."""
        values = {
            name: value.kept() if isinstance(value, Notice) else value
            for name, value in {**more, **self.values}.items()
        }
        return {"code": self.code, "values": values}

    def __str__(self) -> str:
        return in_words(self.kept())

    def __repr__(self) -> str:
        return f"Notice({self.code!r}, {self.values!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Notice) and self.kept() == other.kept()

    def __hash__(self) -> int:
        return hash(repr(self))


def amount(minor: int, currency: str) -> dict[str, Any]:
    return {"minor": minor, "currency": currency}


def count(number: int) -> dict[str, Any]:
    """A number of things, which is grouped; a number that is a name (of a line) is not."""
    return {"count": number}


def register(sentences: Mapping[str, Any]) -> None:
    _SENTENCES.update(sentences)


def in_words(kept: Any) -> str:
    """In the language of now; "" for nothing."""
    if not isinstance(kept, dict):
        return str(kept or "")
    sentence = _SENTENCES.get(kept.get("code", ""))
    if sentence is None:
        return str(kept.get("code", ""))
    values = {name: _shown(value) for name, value in kept.get("values", {}).items()}
    values.setdefault("provider", _("the CRM"))
    return str(sentence) % values


def all_in_words(kept: Any) -> str:
    return " ".join(in_words(each) for each in kept or ())


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if "minor" in value:
            return formatted_minor(value["minor"], value["currency"])
        if "count" in value:
            return grouped(value["count"])
        return in_words(value)
    return value
