"""What the receivables page says about one currency: its figures, ratios, cells, and its bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models import ClientType
from invoices.selections.ageing import BUCKETS_DUE, BUCKETS_ISSUE
from invoices.selections.filters import InvoiceFilter
from reports import charts
from reports.cells import Cell, Kpi, days_unit, invoices_text, one_place, rounded
from reports.links import invoice_list
from reports.receivables.measuring import Ageing, Position

MOST_ROWS = 50


@dataclass
class Row:
    key: Any
    label: str
    client_type: ClientType | None
    ageing: Ageing
    cells: list[Cell]
    url: str


@dataclass
class Block:
    """All figures of one currency."""

    currency: str
    position: Position
    rows: list[Row]
    foot: list[Cell]
    hidden: int
    wanted: InvoiceFilter
    start: date

    @property
    def hidden_words(self) -> str:
        if self.hidden <= 0:
            return ""
        return _("The %(shown)s largest of %(all)s; the exports have every one.") % {
            "shown": MOST_ROWS,
            "all": grouped(self.hidden + MOST_ROWS),
        }

    @property
    def title(self) -> str:
        owed = self.position.ageing
        if not owed.receivable_minor:
            return _("%(currency)s: nothing is owed") % {"currency": self.currency}
        share = Fraction(owed.overdue_minor * 100, owed.receivable_minor)
        return _("%(currency)s: %(percent)s%% of what is owed is past its due date") % {
            "currency": self.currency,
            "percent": f"{rounded(share, 0):.0f}",
        }

    @property
    def kpis(self) -> list[Kpi]:
        owed, wanted = self.position.ageing, self.wanted
        currency = self.currency
        open_url = invoice_list(wanted.but(state="open"))
        found = [
            Kpi(
                _("Receivable"),
                formatted_minor(owed.receivable_minor, currency),
                "",
                invoices_text(owed.count),
                open_url,
            ),
            Kpi(
                _("Not yet due"),
                formatted_minor(owed.current_minor, currency),
                "",
                invoices_text(owed.due_count["current"]),
                invoice_list(wanted.but(state="open", bucket="current")),
            ),
            Kpi(
                _("Overdue"),
                formatted_minor(owed.overdue_minor, currency),
                "",
                invoices_text(owed.count - owed.due_count["current"]),
                invoice_list(wanted.but(state="overdue")),
            ),
        ]
        found.append(
            Kpi(
                _("Unapplied cash"),
                formatted_minor(self.position.unapplied_cash_minor, currency),
                "",
                self._cash_words,
            )
        )
        found.append(
            Kpi(
                _("Credit balances"),
                formatted_minor(self.position.credit_balance_minor, currency),
                "",
                _("credit notes not used yet"),
                invoice_list(wanted.but(state="open", kind="credit_note")),
            )
        )
        return found

    @property
    def _cash_words(self) -> str:
        if self.wanted.type:
            return _("received, on no invoice yet; by the type that the client has today")
        if self.wanted.owner is not None:
            return _("received, on no invoice yet; whoever sold")
        return _("received, on no invoice yet")

    @property
    def ratios(self) -> list[Kpi]:
        position = self.position
        sales = invoice_list(self.wanted.but(state="issued", issued_from=self.start))
        return [
            _in_days(
                _("DSO, simple"),
                position.dso_simple,
                _("receivable ÷ sales of the period × %(days)s days") % {"days": position.days},
                sales,
            ),
            _in_days(
                _("Best possible DSO"),
                position.dso_best_possible,
                _("the same with what is not yet due"),
                sales,
            ),
            _in_days(
                _("Average days delinquent"), position.add, _("DSO − best possible DSO"), sales
            ),
            self._countback,
            _in_days(
                _("Best possible, countback"),
                position.countback_best_possible,
                _("the same walk with what is not yet due"),
            ),
            _in_days(
                _("DSO, rolling"),
                position.dso_rolling,
                _("average receivable at month ends ÷ sales × days"),
            ),
            Kpi(
                _("Collection effectiveness"),
                one_place(position.cei),
                "%",
                _("write-offs counted as collected: %(percent)s%%")
                % {"percent": one_place(position.cei_with_write_offs)},
            ),
        ]

    @property
    def _countback(self) -> Kpi:
        position = self.position
        found = _in_days(
            _("DSO, countback"),
            position.dso_countback,
            _("months of sales taken off the receivable, latest first"),
        )
        if position.countback_more_than is None:
            return found
        more = _("more than %(days)s") % {"days": grouped(position.countback_more_than)}
        return replace(found, value=more, unit=days_unit(position.countback_more_than))

    @property
    def formula(self) -> str:
        position = self.position
        amounts = {
            "sales": formatted_minor(position.sales_minor, self.currency),
            "beginning": formatted_minor(position.beginning_minor, self.currency),
            "written_off": formatted_minor(position.written_off_minor, self.currency),
        }
        return (
            _(
                "Sales: invoices less credit notes issued, with VAT: %(sales)s. Receivable before "
                "the period: %(beginning)s. Written off in it: %(written_off)s. CEI: (beginning "
                "receivable + sales − receivable − written off) ÷ (beginning receivable + sales − "
                "not yet due). Sales of several months are not divided by their number."
            )
            % amounts
        )

    @property
    def issue_cells(self) -> list[Cell]:
        wanted = self.wanted
        owed = self.position.ageing
        return [
            *bucket_cells(owed.issue_minor, owed.issue_count, wanted, self.currency, "issue"),
            Cell(
                money_text(owed.receivable_minor, self.currency),
                invoice_list(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def due_cells(self) -> list[Cell]:
        wanted = self.wanted
        owed = self.position.ageing
        return [
            *bucket_cells(owed.due_minor, owed.due_count, wanted, self.currency, ""),
            Cell(
                money_text(owed.receivable_minor, self.currency),
                invoice_list(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def band(self) -> list[charts.Band]:
        """The ageing by due date as one bar, in percent of the receivable."""
        owed, wanted = self.position.ageing, self.wanted
        whole = owed.receivable_minor
        words = due_labels()
        return [
            charts.Band(
                label=words[place],
                fill=f"var(--seq-{place + 1})",
                ink=f"var(--seq-{place + 1}-ink)",
                shares=[round(owed.due_minor[bucket] * 100 / whole, 2) if whole else 0.0],
                counts=[owed.due_count[bucket]],
                urls=[invoice_list(wanted.but(state="open", bucket=bucket))],
            )
            for place, bucket in enumerate(BUCKETS_DUE)
        ]


def _in_days(label: str, number: Fraction | None, sub: str, url: str = "") -> Kpi:
    return Kpi(label, one_place(number), days_unit(number), sub, url)


def bucket_cells(
    minor: dict[str, int],
    counts: dict[str, int],
    wanted: InvoiceFilter,
    currency: str,
    ageing: str,
) -> list[Cell]:
    return [
        Cell(
            money_text(amount, currency),
            invoice_list(wanted.but(state="open", bucket=bucket, ageing=ageing))
            if counts[bucket]
            else "",
            "" if bucket == "0-30" else "d-none d-md-table-cell",
        )
        for bucket, amount in minor.items()
    ]


def money_text(minor: int, currency: str) -> str:
    return formatted_minor(minor, currency) if minor else "–"


def due_labels() -> list[str]:
    return [
        _("Not yet due"),
        _("1–30 days"),
        _("31–60 days"),
        _("61–90 days"),
        _("Over 90 days"),
    ]


def issue_labels() -> list[str]:
    assert len(BUCKETS_ISSUE) == 4
    return [_("0–30 days"), _("31–60 days"), _("61–90 days"), _("Over 90 days")]
