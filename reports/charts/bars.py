"""Shares of invoices by class of delay, and of the receivable by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import percent
from reports.charts.base import Figure, axis, figure, short, with_names_above


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


def _marker(band: Band) -> dict[str, Any]:
    if not band.hatched:
        return {"color": band.fill, "line": {"color": "var(--pt-surface)", "width": 1.5}}
    return {
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


def distribution(labels: Sequence[str], bands: Sequence[Band]) -> Figure:
    """Stacked shares of the invoices that fell due, one bar per group."""
    from plotly import graph_objects

    names = [short(label) for label in labels]
    traces = []
    for band in bands:
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
                marker=_marker(band),
                customdata=list(band.urls),
                hovertemplate=[
                    f"{name}<br>{band.label}: {percent(round(share, 1))} ({count})<extra></extra>"
                    for name, share, count in zip(names, band.shares, band.counts, strict=True)
                ],
            )
        )
    count = len(names)
    drawn = figure(
        traces,
        height=max(130, 62 + (44 if count <= 8 else 28) * count),
        barmode="stack",
        bargap=0.34,
        xaxis=axis(
            _("Share of invoices that fell due, %"), range=[0, 100.5], dtick=25, showgrid=True
        ),
        yaxis=axis(
            range=[count - 0.45, -0.55],
            showgrid=False,
            tickvals=list(range(count)),
            ticktext=names,
            tickfont={"color": "var(--pt-ink)", "size": 13},
        ),
    )
    return with_names_above(drawn, labels, row=64, above=30)


def ageing_bar(bands: Sequence[Band]) -> Figure:
    """The receivable as one bar, by age; its twin has the amounts."""
    bar = distribution([""], bands)
    bar["layout"]["height"] = 96
    # So low that a title of the axis would lie on its ticks: they carry the sign themselves.
    shares = [0, 25, 50, 75, 100]
    bar["layout"]["xaxis"] |= {
        "title": {"text": ""},
        "tickvals": shares,
        "ticktext": [percent(share) for share in shares],
    }
    bar["layout"]["yaxis"]["showticklabels"] = False
    return bar
