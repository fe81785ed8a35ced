"""What every figure shares: styles of groups, axes, the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

FONT = "InterVariable, system-ui, sans-serif"
Figure = dict[str, Any]
# Names up to so many letters leave room beside them on a phone.
_SHORT = 14


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


def axis(title: str = "", **given: Any) -> dict[str, Any]:
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


def figure(traces: Sequence[Any], *, height: int, **layout: Any) -> Figure:
    from plotly import graph_objects

    font = {"family": FONT, "size": 12}
    drawn = graph_objects.Figure(
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
    drawn.layout.template = None
    plain: Figure = drawn.to_plotly_json()
    return {"data": plain["data"], "layout": plain["layout"]}


def with_names_above(drawn: Figure, labels: Sequence[str], *, row: int, above: int) -> Figure:
    """Long names beside the rows leave a phone no room to draw: there each stands above its row.

    portal/charts.js takes what `meta` says where the box is narrow. `row` is the height of one row
    then, `above` how far over its middle the name stands, in pixels.
    """
    if max(map(len, labels), default=0) <= _SHORT:
        return drawn
    names = [
        {
            "text": short(label, 44),
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "y": place,
            "yshift": above,
            "showarrow": False,
            "font": {"color": "var(--pt-ink)", "size": 12},
        }
        for place, label in enumerate(labels)
    ]
    layout = drawn["layout"]
    layout["meta"] = {
        "narrow": {
            "height": 58 + row * len(labels),
            "annotations": [*layout.get("annotations", ()), *names],
            "yaxis": {**layout["yaxis"], "showticklabels": False},
        }
    }
    return drawn


def upright(at: int, low: float, high: float) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": at,
        "x1": at,
        "y0": low,
        "y1": high,
        "layer": "below",
        "line": {"color": "var(--pt-axis)", "width": 1},
    }


def short(label: str, most: int = 22) -> str:
    # plotly reads some markup in its texts, and a name may hold anything.
    cleaned = label.replace("<", "‹").replace(">", "›").replace("&", "＆")
    return cleaned if len(cleaned) <= most else f"{cleaned[: most - 1]}…"
