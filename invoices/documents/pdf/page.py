"""The page of a document as HTML, before it is laid out.

What prints knows no templates: the app hands in, when it is ready, what fills the one of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Fill = Callable[[dict[str, Any]], str]


def _nobody(values: dict[str, Any]) -> str:
    raise RuntimeError("Nobody handed in the template of the page: see the AppConfig of invoices.")


_fill: Fill = _nobody


def filled_by(fill: Fill) -> None:
    global _fill
    _fill = fill


def html_of(values: dict[str, Any]) -> str:
    return _fill(values)
