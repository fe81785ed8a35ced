"""Rows in, plotly figures out (pure). Colours are tokens that portal.js resolves when it draws.

Only what the basic bundle of plotly.js can draw: scatter and bar. `customdata` is the address of
the invoices behind a point. plotly takes a while to import, so the functions do it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import percent

FONT = "InterVariable, system-ui, sans-serif"
Figure = dict[str, Any]


@dataclass(frozen=True)
class Style:
    """How a group is drawn everywhere; `open_symbol` is its hollow twin."""

    colour: str
    symbol: str
    dash: str = "solid"

    @property
    def open_symbol(self) -> str:
        return self.symbol if self.symbol.endswith("-open") else f"{self.symbol}-open"


# Client types (ui/UI.md): never used for anything else.
STYLES: dict[str, Style] = {
    "large": Style("var(--ct-large)", "circle"),
    "sme": Style("var(--ct-sme)", "square", "8px 4px"),
    "startup": Style("var(--ct-startup)", "triangle-up", "2px 3px"),
    "public": Style("var(--ct-public)", "diamond", "10px 3px 2px 3px"),
    "nonprofit": Style("var(--ct-nonprofit)", "cross", "14px 5px"),
    "intl": Style("var(--ct-intl)", "star", "5px 2px"),
}
PLAIN = Style("var(--pt-ink-3)", "circle-open")
EVERYBODY = Style("var(--pt-accent)", "circle")


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


@dataclass(frozen=True)
class Line:
    label: str
    style: Style
    points: Sequence[tuple[int, float]]
    # Day, percent still unpaid, address; two per line.
    marks: Sequence[tuple[int, float, str]]
    # Only where colours do not tell the lines apart.
    dash: str = "solid"


@dataclass(frozen=True)
class Band:
    """One class of delay over all groups: percent, count and address per group."""

    label: str
    fill: str
    ink: str
    shares: Sequence[float]
    counts: Sequence[int]
    urls: Sequence[str]
    hatched: bool = False


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


def _axis(title: str = "", **given: Any) -> dict[str, Any]:
    return {
        "automargin": True,
        "fixedrange": True,
        "gridcolor": "var(--pt-grid)",
        "gridwidth": 1,
        "showline": False,
        "ticks": "",
        "tickfont": {"color": "var(--pt-ink-3)", "size": 12},
        "zeroline": False,
        "title": {
            "text": title,
            "font": {"color": "var(--pt-ink-2)", "size": 12},
            "standoff": 8,
        },
        **given,
    }


def _figure(traces: Sequence[Any], *, height: int, **layout: Any) -> Figure:
    from plotly import graph_objects

    font = {"family": FONT, "size": 12}
    figure = graph_objects.Figure(
        data=list(traces),
        layout={
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {**font, "color": "var(--pt-ink-2)"},
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "align": "left",
                "bgcolor": "var(--pt-surface)",
                "bordercolor": "var(--pt-axis)",
                "font": {**font, "color": "var(--pt-ink)"},
            },
            **layout,
        },
    )
    # After the fact: given at once, None means the default template.
    figure.layout.template = None
    told: Figure = figure.to_plotly_json()
    return {"data": told["data"], "layout": told["layout"]}


def _upright(at: int, low: float, high: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": low,
        "y1": high,
        "layer": "below",
        "line": {"color": "var(--pt-axis)", "width": 1},
    }


def percentiles(rows: Sequence[Dots], *, title: str, from_due: bool) -> Figure:
    """Half, three in four and nine in ten on one line per group."""
    from plotly import graph_objects

    traces, annotations = [], []
    ends = [v for row in rows for v in (row.early, row.p50, row.p75, row.p90) if v is not None]
    low, high = min([0, *ends]), max([10, *ends])
    margin = max(3, (high - low) // 12)
    for place, row in enumerate(rows):
        known = [v for v in (row.early, row.p50, row.p75, row.p90) if v is not None]
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
            crowded = any(abs(value - other) <= (high - low) / 28 for other in shown)
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
        if row.note:
            annotations.append(
                {
                    "text": row.note,
                    "x": max(known, default=0) if row.p50 is not None else 0,
                    "y": place,
                    "xshift": 10,
                    "xanchor": "left",
                    "showarrow": False,
                    "font": {"color": "var(--pt-ink-3)", "size": 11},
                }
            )
    count = len(rows)
    return _figure(
        traces,
        height=max(150, 58 + 42 * count if count <= 8 else 58 + 30 * count),
        shapes=[_upright(0, -0.6, count - 0.5)] if from_due else [],
        annotations=annotations,
        xaxis=_axis(title, range=[low - margin, high + margin], showgrid=True, dtick=_tick(high)),
        yaxis=_axis(
            range=[count - 0.5, -0.75],
            showgrid=False,
            tickvals=list(range(count)),
            ticktext=[short(row.label) for row in rows],
            tickfont={"color": "var(--pt-ink)", "size": 13},
        ),
    )


def _tick(high: int) -> int:
    return next((step for step in (5, 15, 30, 60, 90) if high / step <= 8), 180)


def short(label: str, most: int = 22) -> str:
    # plotly reads some markup in its texts, and a name may hold anything.
    cleaned = label.replace("<", "‹").replace(">", "›").replace("&", "＆")
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"


def survival(lines: Sequence[Line], *, title: str, span: tuple[int, int], from_due: bool) -> Figure:
    """Share still unpaid against days, one step line per group."""
    from plotly import graph_objects

    traces, annotations = [], []
    hover = _("%(percent)s%% still unpaid after %(days)s days") % {
        "percent": "%{y:.0f}",
        "days": "%{x}",
    }
    for line in lines:
        traces.append(
            graph_objects.Scatter(
                x=[day for day, _share in line.points],
                y=[share for _day, share in line.points],
                mode="lines",
                line={
                    "color": line.style.colour,
                    "width": 1.75,
                    "shape": "hv",
                    "dash": line.dash,
                },
                hovertemplate=f"{short(line.label)}<br>{hover}<extra></extra>",
            )
        )
    for line in lines:
        traces.append(
            graph_objects.Scatter(
                x=[day for day, _share, _url in line.marks],
                y=[share for _day, share, _url in line.marks],
                mode="markers",
                marker={
                    "color": line.style.colour,
                    "symbol": line.style.symbol,
                    "size": 9,
                    "line": {"color": "var(--pt-surface)", "width": 1},
                },
                customdata=[url for _day, _share, url in line.marks],
                hovertemplate=f"{short(line.label)}<br>{hover}<extra></extra>",
            )
        )
    # The two highest ends are told; more would lie on each other.
    told: list[float] = []
    ends = [line.marks[-1] for line in lines if line.marks]
    for day, share, _url in sorted(ends, key=lambda mark: -mark[1]):
        if len(told) < 2 and all(abs(share - other) >= 12 for other in told):
            told.append(share)
            annotations.append(
                {
                    "text": percent(round(share)),
                    "x": day,
                    "y": share,
                    "xshift": 22,
                    "yshift": 6,
                    "showarrow": False,
                    "font": {"color": "var(--pt-ink)", "size": 12, "weight": 600},
                }
            )
    return _figure(
        traces,
        height=310,
        annotations=annotations,
        shapes=[_upright(0, 0, 100)] if from_due else [],
        xaxis=_axis(title, range=list(span), dtick=15 if span[1] <= 90 else 30, showgrid=True),
        yaxis=_axis(_("Still unpaid, % of invoices"), range=[0, 101], dtick=25, showgrid=True),
    )


def distribution(labels: Sequence[str], bands: Sequence[Band]) -> Figure:
    """Stacked shares of the invoices that fell due, one bar per group."""
    from plotly import graph_objects

    names = [short(label) for label in labels]
    traces = []
    for band in bands:
        marker: dict[str, Any] = {
            "color": band.fill,
            "line": {"color": "var(--pt-surface)", "width": 1.5},
        }
        if band.hatched:
            marker = {
                "color": "var(--pt-surface)",
                "line": {"color": "var(--st-overdue)", "width": 1},
                "pattern": {
                    "shape": "/",
                    "size": 5,
                    "solidity": 0.35,
                    "bgcolor": "var(--pt-surface)",
                    "fgcolor": "var(--st-overdue)",
                },
            }
        traces.append(
            graph_objects.Bar(
                x=list(band.shares),
                y=list(range(len(names))),
                orientation="h",
                text=[
                    f"{share:.0f}" if share >= 6 and not band.hatched else ""
                    for share in band.shares
                ],
                textposition="inside",
                textangle=0,
                insidetextanchor="middle",
                constraintext="none",
                textfont={"color": band.ink, "size": 12},
                marker=marker,
                customdata=list(band.urls),
                hovertemplate=[
                    f"{name}<br>{band.label}: {percent(round(share, 1))} ({count})<extra></extra>"
                    for name, share, count in zip(names, band.shares, band.counts, strict=True)
                ],
            )
        )
    count = len(names)
    return _figure(
        traces,
        height=max(130, 62 + (44 if count <= 8 else 28) * count),
        barmode="stack",
        bargap=0.34,
        xaxis=_axis(
            _("Share of invoices that fell due, %"), range=[0, 100.5], dtick=25, showgrid=True
        ),
        yaxis=_axis(
            range=[count - 0.45, -0.55],
            showgrid=False,
            tickvals=list(range(count)),
            ticktext=names,
            tickfont={"color": "var(--pt-ink)", "size": 13},
        ),
    )


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
    annotations = []
    if trend.note:
        annotations.append(
            {
                "text": trend.note.replace(" ", "<br>", 1),
                "x": len(periods) - 0.4,
                "xanchor": "right",
                "y": span[0],
                "yanchor": "bottom",
                "align": "right",
                "showarrow": False,
                "bgcolor": "var(--pt-surface)",
                "font": {"color": "var(--pt-ink-3)", "size": 11},
            }
        )
    return _figure(
        traces,
        height=150,
        margin={"l": 4, "r": 12, "t": 14, "b": 4},
        annotations=annotations,
        xaxis=_axis(
            range=[-0.75, len(periods) - 0.4],
            showgrid=False,
            tickvals=[0.3, len(periods) - 1.3] if len(periods) > 2 else places,
            ticktext=[periods[0], periods[-1]] if len(periods) > 2 else list(periods),
            tickfont={"color": "var(--pt-ink-3)", "size": 11},
        ),
        yaxis=_axis(
            range=span,
            showgrid=True,
            tickvals=ticks,
            ticktext=[str(t).replace("-", "−") for t in ticks],
            tickfont={"color": "var(--pt-ink-3)", "size": 11},
        ),
    )


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
    return _figure(
        traces,
        height=310,
        margin={"l": 8, "r": 24, "t": 20, "b": 8},
        xaxis=_axis(
            # Room for the words at the end of each line.
            range=[-0.5, len(periods) - 0.5 + max(1.0, len(periods) * 0.12)],
            showgrid=False,
            tickvals=places[::every],
            ticktext=list(periods)[::every],
            tickangle=0,
        ),
        yaxis=_axis(title, showgrid=True, rangemode="tozero"),
    )


def ageing_bar(bands: Sequence[Band]) -> Figure:
    """The receivable as one bar, by age; its twin has the amounts."""
    figure = distribution([""], bands)
    figure["layout"]["height"] = 96
    figure["layout"]["xaxis"]["title"]["text"] = _("Share of the receivable, %")
    figure["layout"]["yaxis"]["showticklabels"] = False
    return figure
