"""The page of a document as HTML, before it is laid out.

What prints knows no templates: the app hands in, when it is ready, what fills the one of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Fill = Callable[[dict[str, Any]], str]


def _nobody(values: dict[str, Any]) -> str:
    raise RuntimeError("Nobody handed in the template of the page: see the AppConfig of invoices.")


# By the name of the page: "document" (an invoice, a credit note, a quote) or "letter".
_fills: dict[str, Fill] = {}


def filled_by(fill: Fill, of: str = "document") -> None:
    _fills[of] = fill


def html_of(values: dict[str, Any], of: str = "document") -> str:
    return _fills.get(of, _nobody)(values)
