"""The receivables page: what is owed, how old it is, and how fast sales become money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.money import MINUS, formatted_minor
from invoices.models import ClientType
from invoices.selections.filters import BUCKETS_DUE, BUCKETS_ISSUE, NOBODY, InvoiceFilter
from reports import charts
from reports.delays.measuring import By, Scope, labels, rounded, slices
from reports.delays.report import Cell, list_url
from reports.receivables.measuring import Ageing, Position, ageing, positions, total

MOST_ROWS = 50


@dataclass
class Row:
    key: Any
    label: str
    client_type: ClientType | None
    ageing: Ageing
    cells: list[Cell]
    url: str


@dataclass(frozen=True)
class Figure:
    """One indicator: what it is called, its value, and how it came about."""

    label: str
    value: str
    unit: str
    sub: str
    url: str = ""


@dataclass
class Block:
    """All figures of one currency."""

    currency: str
    position: Position
    rows: list[Row]
    foot: list[Cell]
    hidden: int
    report: ReceivablesReport

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
    def kpis(self) -> list[Figure]:
        owed, wanted = self.position.ageing, self.report.wanted_in(self.currency)
        currency = self.currency
        open_url = list_url(wanted.but(state="open"))
        found = [
            Figure(
                _("Receivable"),
                formatted_minor(owed.receivable_minor, currency),
                "",
                invoices(owed.count),
                open_url,
            ),
            Figure(
                _("Not yet due"),
                formatted_minor(owed.current_minor, currency),
                "",
                invoices(owed.due_count["current"]),
                list_url(wanted.but(bucket="current")),
            ),
            Figure(
                _("Overdue"),
                formatted_minor(owed.overdue_minor, currency),
                "",
                invoices(owed.count - owed.due_count["current"]),
                list_url(wanted.but(state="overdue")),
            ),
        ]
        found.append(
            Figure(
                _("Unapplied cash"),
                formatted_minor(self.position.unapplied_cash_minor, currency),
                "",
                _("received, on no invoice yet"),
            )
        )
        found.append(
            Figure(
                _("Credit balances"),
                formatted_minor(self.position.credit_balance_minor, currency),
                "",
                _("credit notes not used yet"),
                list_url(wanted.but(state="open", kind="credit_note")),
            )
        )
        return found

    @property
    def ratios(self) -> list[Figure]:
        position = self.position
        days = _("days")
        countback = days_number(position.dso_countback)
        if position.countback_more_than is not None:
            countback = _("more than %(days)s") % {"days": grouped(position.countback_more_than)}
        sales = list_url(self.report.period_filter(self.currency))
        return [
            Figure(
                _("DSO, simple"),
                days_number(position.dso_simple),
                days,
                _("receivable ÷ sales of the period × %(days)s days") % {"days": position.days},
                sales,
            ),
            Figure(
                _("Best possible DSO"),
                days_number(position.dso_best_possible),
                days,
                _("the same with what is not yet due"),
                sales,
            ),
            Figure(
                _("Average days delinquent"),
                days_number(position.add),
                days,
                _("DSO − best possible DSO"),
                sales,
            ),
            Figure(
                _("DSO, countback"),
                countback,
                days,
                _("months of sales taken off the receivable, latest first"),
            ),
            Figure(
                _("Best possible, countback"),
                days_number(position.countback_best_possible),
                days,
                _("the same walk with what is not yet due"),
            ),
            Figure(
                _("DSO, rolling"),
                days_number(position.dso_rolling),
                days,
                _("average receivable at month ends ÷ sales × days"),
            ),
            Figure(
                _("Collection effectiveness"),
                days_number(position.cei),
                "%",
                _("write-offs counted as collected: %(percent)s%%")
                % {"percent": days_number(position.cei_with_write_offs)},
            ),
        ]

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
        wanted = self.report.wanted_in(self.currency)
        owed = self.position.ageing
        return [
            *_bucket_cells(owed.issue_minor, owed.issue_count, wanted, self.currency, "issue"),
            Cell(
                money_text(owed.receivable_minor, self.currency),
                list_url(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def due_cells(self) -> list[Cell]:
        wanted = self.report.wanted_in(self.currency)
        owed = self.position.ageing
        return [
            *_bucket_cells(owed.due_minor, owed.due_count, wanted, self.currency, ""),
            Cell(
                money_text(owed.receivable_minor, self.currency),
                list_url(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def band(self) -> list[charts.Band]:
        """The ageing by due date as one bar, in percent of the receivable."""
        owed, wanted = self.position.ageing, self.report.wanted_in(self.currency)
        whole = owed.receivable_minor
        words = due_labels()
        return [
            charts.Band(
                label=words[place],
                fill=f"var(--seq-{place + 1})",
                ink=f"var(--seq-{place + 1}-ink)",
                shares=[round(owed.due_minor[bucket] * 100 / whole, 2) if whole else 0.0],
                counts=[owed.due_count[bucket]],
                urls=[list_url(wanted.but(state="open", bucket=bucket))],
            )
            for place, bucket in enumerate(BUCKETS_DUE)
        ]


class ReceivablesReport:
    def __init__(self, start: date, as_of: date, by: By, wanted: InvoiceFilter) -> None:
        self.start, self.as_of, self.by = start, as_of, by
        self.wanted = wanted.but(as_of=as_of)
        self.positions = positions(start, as_of, wanted=wanted)
        self.groups = ageing(as_of, by=by, wanted=wanted)

    @cached_property
    def blocks(self) -> list[Block]:
        keys = {key for groups in self.groups.values() for key in groups}
        names = labels(self.by, keys)
        types = (
            {t.pk: t for t in ClientType.objects.filter(pk__in=keys)}
            if self.by == "client_type"
            else {}
        )
        found = []
        for currency, position in self.positions.items():
            groups = self.groups.get(currency, {})
            rows = [
                self._row(key, name, types.get(key), groups[key], currency)
                for key, name in names.items()
                if key in groups
            ]
            if self.by != "client_type":
                rows.sort(key=lambda row: -row.ageing.overdue_minor)
            foot = self._cells(total(groups.values()), self.wanted_in(currency), currency)
            found.append(
                Block(currency, position, rows[:MOST_ROWS], foot, len(rows) - MOST_ROWS, self)
            )
        return sorted(found, key=lambda block: -block.position.ageing.receivable_minor)

    def all_rows(self) -> list[tuple[str, str, Ageing]]:
        """Currency, group, ageing: what the exports write."""
        keys = {key for groups in self.groups.values() for key in groups}
        names = labels(self.by, keys)
        return [
            (currency, name, groups[key])
            for currency, groups in sorted(self.groups.items())
            for key, name in names.items()
            if key in groups
        ]

    def wanted_in(self, currency: str) -> InvoiceFilter:
        return self.wanted.but(currency=currency)

    def period_filter(self, currency: str) -> InvoiceFilter:
        return self.wanted_in(currency).but(state="issued", issued_from=self.start)

    def _row(
        self, key: Any, name: str, kind: ClientType | None, aged: Ageing, currency: str
    ) -> Row:
        wanted = self.wanted_in(currency)
        if self.by == "client_type":
            wanted = wanted.but(type=(key,))
        elif self.by == "client":
            wanted = wanted.but(client=key)
        else:
            wanted = wanted.but(owner=NOBODY if key is None else key)
        return Row(
            key,
            name,
            kind,
            aged,
            self._cells(aged, wanted, currency),
            list_url(wanted.but(state="open")),
        )

    def _cells(self, aged: Ageing, wanted: InvoiceFilter, currency: str) -> list[Cell]:
        return [
            *_bucket_cells(aged.due_minor, aged.due_count, wanted, currency, ""),
            Cell(
                money_text(aged.overdue_minor, currency),
                list_url(wanted.but(state="overdue")) if aged.overdue_minor else "",
            ),
            Cell(
                money_text(aged.receivable_minor, currency),
                list_url(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def filter_words(self) -> str:
        return _("Period %(first)s – %(last)s, as of %(last)s") % {
            "first": dates.day(self.start),
            "last": dates.day(self.as_of),
        }

    @property
    def slices(self) -> list[tuple[str, str]]:
        """Delays by payment instead of by invoice, for what was issued in the period."""
        found = slices(
            Scope(
                self.as_of,
                issued_from=self.start,
                client_types=self.wanted.type,
                client=self.wanted.client,
                owner=self.wanted.owner,
                currency=self.wanted.currency,
            )
        )
        return [
            (_("Days late by payment, weighted by amount"), days_number(found.days_late)),
            (_("Days to pay by payment, weighted by amount"), days_number(found.days_to_pay)),
            (_("With overdue open amounts at their age, signed"), days_number(found.signed)),
            (_("Days beyond terms (DBT): the same, early = 0"), days_number(found.beyond_terms)),
        ]

    def figures(self) -> dict[str, charts.Figure]:
        return {f"ageing-{block.currency}": charts.ageing_bar(block.band) for block in self.blocks}


def _bucket_cells(
    minor: dict[str, int],
    counts: dict[str, int],
    wanted: InvoiceFilter,
    currency: str,
    ageing: str,
) -> list[Cell]:
    return [
        Cell(
            money_text(amount, currency),
            list_url(wanted.but(state="open", bucket=bucket, ageing=ageing))
            if counts[bucket]
            else "",
            "" if bucket == "0-30" else "d-none d-md-table-cell",
        )
        for bucket, amount in minor.items()
    ]


def money_text(minor: int, currency: str) -> str:
    return formatted_minor(minor, currency) if minor else "–"


def invoices(n: int) -> str:
    return ngettext("%(n)s invoice", "%(n)s invoices", n) % {"n": grouped(n)}


def days_number(value: Fraction | None) -> str:
    found = rounded(value, 1)
    if found is None:
        return "–"
    return number_format(found, decimal_pos=1, use_l10n=True).replace("-", MINUS)


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
