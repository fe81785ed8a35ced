"""Rows in, plotly figures out (pure). Colours are tokens; portal/charts.js resolves them.

Only what the basic bundle of plotly.js can draw: scatter and bar. `customdata` is the address of
the invoices behind a point. plotly takes a while to import, so the functions do it.
"""

from __future__ import annotations

from reports.charts.bars import Band, ageing_bar, distribution
from reports.charts.base import EVERYBODY, PLAIN, STYLES, Figure, Style, short
from reports.charts.percentiles import Dots, percentiles
from reports.charts.survival import Line, survival
from reports.charts.trends import Trend, months, small_multiples

__all__ = [
    "EVERYBODY",
    "PLAIN",
    "STYLES",
    "Band",
    "Dots",
    "Figure",
    "Line",
    "Style",
    "Trend",
    "ageing_bar",
    "distribution",
    "months",
    "percentiles",
    "short",
    "small_multiples",
    "survival",
]
