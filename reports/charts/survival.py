"""Share still unpaid against days, one step line per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import percent
from reports.charts.base import Figure, Style, axis, figure, short, upright


@dataclass(frozen=True)
class Line:
    label: str
    style: Style
    points: Sequence[tuple[int, float]]
    # Day, percent still unpaid, address; two per line.
    marks: Sequence[tuple[int, float, str]]
    # Only where colours do not tell the lines apart.
    dash: str = "solid"


def survival(lines: Sequence[Line], *, title: str, span: tuple[int, int], from_due: bool) -> Figure:
    """Share still unpaid against days, one step line per group."""
    from plotly import graph_objects

    traces = []
    hover = _("An estimated %(percent)s%% unpaid after %(days)s days") % {
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
    return figure(
        traces,
        height=310,
        annotations=_labels(lines),
        shapes=[upright(0, 0, 100)] if from_due else [],
        xaxis=axis(title, range=list(span), dtick=15 if span[1] <= 90 else 30, showgrid=True),
        yaxis=axis(_("Still unpaid, % of invoices"), range=[0, 101], dtick=25, showgrid=True),
    )


def _labels(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The two highest ends are labelled; more would lie on each other."""
    annotations: list[dict[str, Any]] = []
    labelled: list[float] = []
    ends = [line.marks[-1] for line in lines if line.marks]
    for day, share, _url in sorted(ends, key=lambda mark: -mark[1]):
        if len(labelled) < 2 and all(abs(share - other) >= 12 for other in labelled):
            labelled.append(share)
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
    return annotations
