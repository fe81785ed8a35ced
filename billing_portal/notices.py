"""Something to say that is kept: a code and values, put into words for whoever reads it.

A sentence that is kept stays in the language and the wording of the day it was written. So rows
keep `Notice.kept()`, each package registers its sentences when the app is ready, and pages ask
`in_words`. What older versions kept as a sentence is still a string, and is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.money import formatted_minor

_SENTENCES: dict[str, Any] = {}


class Notice:
    """`values` fill the sentence: texts, whole numbers, `amount(…)`, `count(…)`, `day(…)`, other
    notices, and lists of all these, which are joined by commas."""

    def __init__(self, code: str, **values: Any) -> None:
        self.code, self.values = code, values

    def kept(self, **more: Any) -> dict[str, Any]:
        """As JSON; `more` are values that only the caller knows."""
        values = {name: _kept(value) for name, value in {**more, **self.values}.items()}
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


def day(day: date) -> dict[str, Any]:
    return {"day": day.isoformat()}


def register(sentences: Mapping[str, Any]) -> None:
    """Code → a lazy sentence; with `ngettext_lazy(…, …, "count")` that value chooses the form.

    A function gets the values as they are kept and answers the text itself.
    """
    _SENTENCES.update(sentences)


def in_words(kept: Any) -> str:
    """In the language of now; "" for nothing."""
    if isinstance(kept, Notice):
        kept = kept.kept()
    if not isinstance(kept, dict):
        return str(kept or "")
    sentence = _SENTENCES.get(kept.get("code", ""))
    if sentence is None:
        return str(kept.get("code", ""))
    values = kept.get("values", {})
    if callable(sentence):
        return str(sentence(values))
    shown = {name: _shown(value) for name, value in values.items()}
    shown.setdefault("provider", _("the CRM"))
    return str(sentence % shown)


def all_in_words(kept: Any) -> str:
    return " ".join(in_words(each) for each in kept or ())


class _Grouped(int):
    """A count: it chooses the plural form of its sentence, and is shown grouped."""

    def __str__(self) -> str:
        return grouped(int(self))


def _kept(value: Any) -> Any:
    if isinstance(value, Notice):
        return value.kept()
    return [_kept(each) for each in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(str(_shown(each)) for each in value)
    if not isinstance(value, dict):
        return value
    if "minor" in value:
        return formatted_minor(value["minor"], value["currency"])
    if "count" in value:
        return _Grouped(value["count"])
    if "day" in value:
        return dates.day(date.fromisoformat(value["day"]))
    return in_words(value)
