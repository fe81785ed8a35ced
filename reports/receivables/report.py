"""The receivables page: what is owed, how old it is, and how fast sales become money."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing_portal import dates
from billing_portal.figures import grouped
from billing_portal.money import formatted_minor
from invoices.models import ClientType
from invoices.selections.filters import NOBODY, InvoiceFilter
from reports import charts
from reports.cells import Cell, one_place
from reports.delays.measuring import By, Scope, labels
from reports.delays.slices import Slices, slices
from reports.links import invoice_list
from reports.receivables.block import MOST_ROWS, Block, Row, bucket_cells, money_text
from reports.receivables.measuring import Ageing, ageing, positions, total
from reports.terms import terms_of_payments, terms_of_receivables


class ReceivablesReport:
    def __init__(self, start: date, as_of: date, by: By, wanted: InvoiceFilter) -> None:
        self.start, self.as_of, self.by = start, as_of, by
        self.wanted = wanted.but(as_of=as_of)
        self.groups = ageing(as_of, by=by, wanted=wanted)
        self.positions = positions(start, as_of, wanted=wanted, groups=self.groups)

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
            if currency in self.told_in_words:
                continue
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
                Block(
                    currency,
                    position,
                    rows[:MOST_ROWS],
                    foot,
                    len(rows) - MOST_ROWS,
                    self.wanted_in(currency),
                    self.start,
                )
            )
        return sorted(found, key=lambda block: -block.position.ageing.receivable_minor)

    @cached_property
    def told_in_words(self) -> set[str]:
        """The currencies that have no section of their own: a block of zeros tells nothing. Where
        there are only such, those with sales keep theirs."""
        quiet = {code for code, position in self.positions.items() if position.is_quiet}
        if len(quiet) < len(self.positions):
            return quiet
        return {code for code in quiet if self.positions[code].is_empty}

    @property
    def nothing_words(self) -> list[str]:
        """What is said of them instead."""
        told = {code: self.positions[code] for code in sorted(self.told_in_words)}
        words = [
            _("%(currency)s: nothing is owed. Sales of the period: %(sales)s.")
            % {"currency": code, "sales": formatted_minor(position.sales_minor, code)}
            for code, position in told.items()
            if position.sales_minor > 0
        ]
        if empty := [code for code, position in told.items() if position.sales_minor <= 0]:
            words.append(
                _(
                    "%(currencies)s: nothing is owed, nothing was invoiced in the period, and no "
                    "money or credit is left over."
                )
                % {"currencies": ", ".join(empty)}
            )
        return words

    @property
    def terms(self) -> list[tuple[str, str]]:
        return terms_of_receivables()

    @property
    def terms_of_payments(self) -> list[tuple[str, str]]:
        return terms_of_payments()

    @property
    def period_why(self) -> str:
        """Why the period begins where it does, which is not where that of the delays begins."""
        return _(
            "The period is of the sales only, for the days of sales and the collection: three "
            "months, if you do not choose another. What is owed is all that is open, however old."
        )

    def all_rows(self) -> list[tuple[str, str, Ageing, int | None]]:
        """Currency, group, ageing, id of the group: what the exports write."""
        keys = {key for groups in self.groups.values() for key in groups}
        names = labels(self.by, keys)
        return [
            (currency, name, groups[key], key)
            for currency, groups in sorted(self.groups.items())
            for key, name in names.items()
            if key in groups
        ]

    def wanted_in(self, currency: str) -> InvoiceFilter:
        return self.wanted.but(currency=currency)

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
            invoice_list(wanted.but(state="open")),
        )

    def _cells(self, aged: Ageing, wanted: InvoiceFilter, currency: str) -> list[Cell]:
        return [
            *bucket_cells(aged.due_minor, aged.due_count, wanted, currency, ""),
            Cell(
                money_text(aged.overdue_minor, currency),
                invoice_list(wanted.but(state="overdue")) if aged.overdue_minor else "",
            ),
            Cell(
                money_text(aged.receivable_minor, currency),
                invoice_list(wanted.but(state="open")),
                strong=True,
            ),
        ]

    @property
    def filter_words(self) -> str:
        words = _("Period %(first)s – %(last)s, as of %(last)s") % {
            "first": dates.day(self.start),
            "last": dates.day(self.as_of),
        }
        return f"{words}, {_('client types of today')}" if self.wanted.type_today else words

    @cached_property
    def _slices(self) -> Slices:
        return slices(
            Scope(
                self.as_of,
                issued_from=self.start,
                client_types=self.wanted.type,
                type_today=self.wanted.type_today,
                client=self.wanted.client,
                owner=self.wanted.owner,
                currency=self.wanted.currency,
            )
        )

    @property
    def unrated_words(self) -> str:
        """How many payments and balances the weighted averages leave out."""
        number = self._slices.unrated
        if not number:
            return ""
        return ngettext(
            "%(n)s payment or balance without an exchange rate is left out.",
            "%(n)s payments and balances without an exchange rate are left out.",
            number,
        ) % {"n": grouped(number)}

    @property
    def slices(self) -> list[tuple[str, str]]:
        """Delays by payment instead of by invoice, for what was issued in the period."""
        found = self._slices
        return [
            (_("Days late by payment, weighted by amount"), one_place(found.days_late)),
            (_("Days to pay by payment, weighted by amount"), one_place(found.days_to_pay)),
            (_("With overdue open amounts at their age, signed"), one_place(found.signed)),
            (_("Days beyond terms (DBT): the same, early = 0"), one_place(found.beyond_terms)),
        ]

    def figures(self) -> dict[str, charts.Figure]:
        return {f"ageing-{block.currency}": charts.ageing_bar(block.band) for block in self.blocks}
