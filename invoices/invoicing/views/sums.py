"""What is typed in an editor, added up, as its panel shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import ngettext

from billing_portal.figures import percent
from billing_portal.money import formatted_minor
from invoices.documents.adjustments import read
from invoices.documents.totals import STANDARD, Totals, TotalsRefused
from invoices.invoicing.forms import lines as typed
from invoices.invoicing.views.editing import DocumentEditor


@dataclass(frozen=True)
class Sums:
    """What is typed, added up; `totals` is None with the reason in `refusal`."""

    totals: Totals | None
    refusal: str
    currency: str
    left_out: int
    # Of nothing that can be read there is no sum: 0.00 would look like one.
    nothing: bool

    @property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "sums_refusal": self.refusal,
            "left_out": ngettext(
                "One line cannot be read and is left out.",
                "%(n)s lines cannot be read and are left out.",
                self.left_out,
            )
            % {"n": self.left_out}
            if self.left_out
            else "",
        }
        if self.totals is None:
            return found
        return found | {
            "net": self.money(self.totals.net_minor),
            "groups": [
                (
                    typed.vat_label(typed.vat_value(g.vat_category, g.vat_rate)),
                    g.vat_category == STANDARD,
                    formatted_minor(g.basis_minor, self.currency),
                    formatted_minor(g.vat_minor, self.currency),
                )
                for g in self.totals.breakdown
            ],
            "total": self.money(self.totals.total_minor),
        }

    def money(self, minor: int) -> str:
        return "–" if self.nothing else formatted_minor(minor, self.currency)


def sums_of(editor: DocumentEditor[Any], values: Sequence[dict[str, Any]]) -> Sums:
    good = editor.readable(values)
    left_out = sum(bool(line.errors) for line in editor.lines)
    totals, refusal = None, ""
    try:
        totals = editor.totals(good)
    except TotalsRefused as problem:
        refusal = str(problem)
    return Sums(totals, refusal, editor.currency, left_out, bool(left_out) and not good)


def adjusted_of(editor: DocumentEditor[Any], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The net of the lines, and what each discount or charge adds to it; of lines and adjustments
    that add up."""
    code, kept = editor.currency, editor.form.adjustments
    if not kept:
        return {}
    lines = editor.adding_up(values, ()).net_minor
    found, before = [], lines
    for place, each in enumerate(read(kept), 1):
        after = editor.adding_up(values, kept[:place]).net_minor
        share = f" ({percent(each.percent)})" if each.percent else ""
        words = each.words(editor.form["language"].value() or editor.document.language)
        found.append((f"{words}{share}", formatted_minor(after - before, code)))
        before = after
    return {"lines_net": formatted_minor(lines, code), "adjusted": found}
