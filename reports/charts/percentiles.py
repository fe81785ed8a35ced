"""Half, three in four and nine in ten on one line per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts.base import Figure, Style, axis, figure, short, upright, with_names_above


@dataclass(frozen=True)
class Dots:
    """Percentiles of one group; None is not drawn."""

    label: str
    style: Style
    early: int | None
    p50: int | None
    p75: int | None
    p90: int | None
    hovers: tuple[str, str, str]
    url: str
    # Written instead, or at the end of the line: "too few", "not reached".
    note: str = ""


def percentiles(rows: Sequence[Dots], *, title: str, from_due: bool) -> Figure:
    """Half, three in four and nine in ten on one line per group."""
    traces, annotations = [], []
    ends = [value for row in rows for value in _values(row)]
    low, high = min([0, *ends]), max([10, *ends])
    margin = max(3, (high - low) // 12)
    for place, row in enumerate(rows):
        traces += _marks(row, place, high - low)
        if row.note:
            annotations.append(_note(row, place))
    count = len(rows)
    drawn = figure(
        traces,
        height=max(150, 58 + 42 * count if count <= 8 else 58 + 30 * count),
        shapes=[upright(0, -0.6, count - 0.5)] if from_due else [],
        annotations=annotations,
        xaxis=axis(title, range=[low - margin, high + margin], showgrid=True, dtick=_tick(high)),
        yaxis=axis(
            range=[count - 0.5, -0.75],
            showgrid=False,
            tickvals=list(range(count)),
            ticktext=[short(row.label) for row in rows],
            tickfont={"color": "var(--pt-ink)", "size": 13},
        ),
    )
    return with_names_above(drawn, [row.label for row in rows], row=64, above=30)


def _values(row: Dots) -> list[int]:
    return [v for v in (row.early, row.p50, row.p75, row.p90) if v is not None]


def _marks(row: Dots, place: int, span: int) -> list[Any]:
    """The line of a group, and its three marks with their values."""
    from plotly import graph_objects

    traces = []
    known = _values(row)
    if row.p50 is not None and len(known) > 1:
        traces.append(
            graph_objects.Scatter(
                x=[min(known), max(known)],
                y=[place, place],
                mode="lines",
                opacity=0.45,
                hoverinfo="skip",
                line={"color": row.style.colour, "width": 2},
            )
        )
    forms = (
        (row.p50, row.style.symbol, 13, 600, "var(--pt-ink)"),
        (row.p75, row.style.open_symbol, 11, 400, "var(--pt-ink-2)"),
        (row.p90, "line-ns-open", 12, 400, "var(--pt-ink-2)"),
    )
    shown: list[int] = []
    for (value, symbol, size, weight, ink), hover in zip(forms, row.hovers, strict=True):
        if value is None:
            continue
        # Two labels on one spot would cover each other.
        crowded = any(abs(value - other) <= span / 28 for other in shown)
        shown.append(value)
        traces.append(
            graph_objects.Scatter(
                x=[value],
                y=[place],
                mode="markers" if crowded else "markers+text",
                text=[str(value).replace("-", "−")],
                textposition="top center",
                textfont={"color": ink, "size": 12, "weight": weight},
                marker={
                    "color": row.style.colour,
                    "symbol": symbol,
                    "size": size,
                    "line": {"width": 2 if symbol.endswith("-open") else 0},
                },
                customdata=[row.url],
                hovertemplate=f"{hover}<extra></extra>",
            )
        )
    return traces


def _note(row: Dots, place: int) -> dict[str, Any]:
    return {
        "text": row.note,
        "x": max(_values(row), default=0) if row.p50 is not None else 0,
        "y": place,
        "xshift": 10,
        "xanchor": "left",
        "showarrow": False,
        "font": {"color": "var(--pt-ink-3)", "size": 11},
    }


def _tick(high: int) -> int:
    return next((step for step in (5, 15, 30, 60, 90) if high / step <= 8), 180)
