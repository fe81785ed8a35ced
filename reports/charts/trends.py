"""Medians over time: one small figure per group, or percentiles month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from reports.charts.base import Figure, Style, axis, figure


@dataclass(frozen=True)
class Trend:
    key: str
    label: str
    style: Style
    values: Sequence[int | None]
    hovers: Sequence[str]
    urls: Sequence[str]
    # "not reached" in the latest period.
    note: str = ""


def small_multiples(trends: Sequence[Trend], periods: Sequence[str]) -> dict[str, Figure]:
    """One figure per group, the others as ghosts behind it, all on one scale."""
    values = [v for trend in trends for v in trend.values if v is not None]
    low, high = min([0, *values]), max([15, *values])
    span = [low - max(3, (high - low) * 0.1), high + max(4, (high - low) * 0.15)]
    step = next((s for s in (5, 10, 15, 30, 60) if (high - low) / s <= 3), 120)
    return {f"trend-{trend.key}": _multiple(trend, trends, periods, span, step) for trend in trends}


def _multiple(
    trend: Trend,
    trends: Sequence[Trend],
    periods: Sequence[str],
    span: list[float],
    step: int,
) -> Figure:
    from plotly import graph_objects

    places = list(range(len(periods)))
    traces = [
        graph_objects.Scatter(
            x=places,
            y=list(other.values),
            mode="lines",
            hoverinfo="skip",
            line={"color": "var(--pt-ghost)", "width": 1},
        )
        for other in trends
        if other.key != trend.key
    ]
    known = [place for place in places if trend.values[place] is not None]
    ends = {known[0], known[-1]} if known else set()
    traces.append(
        graph_objects.Scatter(
            x=places,
            y=list(trend.values),
            mode="lines+markers+text",
            cliponaxis=False,
            text=[
                str(trend.values[place]).replace("-", "−") if place in ends else ""
                for place in places
            ],
            textposition="top center",
            textfont={"color": "var(--pt-ink)", "size": 12, "weight": 600},
            line={"color": trend.style.colour, "width": 2},
            marker={"color": trend.style.colour, "symbol": trend.style.symbol, "size": 7},
            customdata=list(trend.urls),
            hovertemplate=[f"{hover}<extra></extra>" for hover in trend.hovers],
        )
    )
    ticks = [tick for tick in range(-180, 720, step) if span[0] <= tick <= span[1]]
    return figure(
        traces,
        height=150,
        margin={"l": 4, "r": 12, "t": 14, "b": 4},
        annotations=_note(trend, len(periods), span),
        xaxis=axis(
            range=[-0.75, len(periods) - 0.4],
            showgrid=False,
            tickvals=[0.3, len(periods) - 1.3] if len(periods) > 2 else places,
            ticktext=[periods[0], periods[-1]] if len(periods) > 2 else list(periods),
            tickfont={"color": "var(--pt-ink-3)", "size": 11},
        ),
        yaxis=axis(
            range=span,
            showgrid=True,
            tickvals=ticks,
            ticktext=[str(t).replace("-", "−") for t in ticks],
            tickfont={"color": "var(--pt-ink-3)", "size": 11},
        ),
    )


def _note(trend: Trend, periods: int, span: list[float]) -> list[dict[str, Any]]:
    if not trend.note:
        return []
    return [
        {
            "text": trend.note.replace(" ", "<br>", 1),
            "x": periods - 0.4,
            "xanchor": "right",
            "y": span[0],
            "yanchor": "bottom",
            "align": "right",
            "showarrow": False,
            "bgcolor": "var(--pt-surface)",
            "font": {"color": "var(--pt-ink-3)", "size": 11},
        }
    ]


def months(trends: Sequence[Trend], periods: Sequence[str], *, title: str) -> Figure:
    """Percentiles month by month, as lines that are told at their ends."""
    from plotly import graph_objects

    traces = []
    places = list(range(len(periods)))
    for trend in trends:
        known = [place for place in places if trend.values[place] is not None]
        last = known[-1] if known else None
        traces.append(
            graph_objects.Scatter(
                x=places,
                y=list(trend.values),
                mode="lines+markers+text",
                cliponaxis=False,
                text=[
                    f" {trend.label} {trend.values[place]}".replace("-", "−")
                    if place == last
                    else ""
                    for place in places
                ],
                textposition="middle right",
                textfont={"color": "var(--pt-ink)", "size": 12, "weight": 600},
                line={"color": trend.style.colour, "width": 2, "dash": trend.style.dash},
                marker={"color": trend.style.colour, "symbol": trend.style.symbol, "size": 7},
                customdata=list(trend.urls),
                hovertemplate=[f"{hover}<extra></extra>" for hover in trend.hovers],
            )
        )
    every = max(1, -(-len(periods) // 5))
    return figure(
        traces,
        height=310,
        margin={"l": 8, "r": 24, "t": 20, "b": 8},
        xaxis=axis(
            # Room for the words at the end of each line.
            range=[-0.5, len(periods) - 0.5 + max(1.0, len(periods) * 0.12)],
            showgrid=False,
            tickvals=places[::every],
            ticktext=list(periods)[::every],
            tickangle=0,
        ),
        yaxis=axis(title, showgrid=True, rangemode="tozero"),
    )
