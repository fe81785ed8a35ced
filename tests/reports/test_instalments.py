"""An invoice in instalments counts in every figure as so many invoices, each due on its own day.

Two clients have the same history: one by instalments, the other by an invoice for each of them. No
report, list, sum or export may tell them apart.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.db.models import Sum

from invoices.clients.balances import balances
from invoices.clients.payment_habits import habit_of
from invoices.models import Allocation, Instalment, Invoice, Payment
from invoices.models.dues import by_instalment
from invoices.payments.allocating import allocate, take_back
from invoices.selections.as_of import state_as_of
from invoices.selections.filters import STATES, InvoiceFilter, select
from reports.alerts.kinds.habit import KIND as HABIT
from reports.alerts.kinds.overdue import KIND as OVERDUE
from reports.alerts.kinds.type_delay import KIND as TYPE_DELAY
from reports.delays.measuring import Scope
from reports.delays.reading import tallies
from reports.delays.slices import slices
from reports.receivables.measuring import ageing
from tests.factories import (
    make_client,
    make_client_type,
    make_company,
    make_invoice,
    make_invoice_in_instalments,
    make_rule,
)
from tests.reports.golden import pay

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def company():
    return make_company()


class Twins:
    """What is done to an instalment of one client is done to an invoice of the other."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.in_parts = make_client(client_type=make_client_type("A"), name="In parts")
        self.apart = make_client(client_type=make_client_type("B"), name="Apart")

    def history(self):
        for _n in range(8):
            self.bill()

    def bill(self):
        chance, issued = self.chance, FIRST + self.chance.randrange(120) * DAY
        days = sorted(chance.sample(range(0, 90, 5), chance.randrange(1, 5)))
        dues = [(issued + day * DAY, chance.randrange(100, 50_000)) for day in days]
        fields = {"issue_date": issued, "currency": chance.choice(["EUR", "EUR", "GBP"])}
        others = [
            make_invoice(client=self.apart, due_date=day, total_minor=minor, **fields)
            for day, minor in dues
        ]
        if len(dues) == 1:
            whole = make_invoice(
                client=self.in_parts, due_date=dues[0][0], total_minor=dues[0][1], **fields
            )
            pairs = [(whole, None, others[0])]
        else:
            whole = make_invoice_in_instalments(dues, client=self.in_parts, **fields)
            parts = list(whole.instalments.order_by("position"))
            pairs = [(whole, part.pk, other) for part, other in zip(parts, others, strict=True)]
        for pair in pairs:
            for step in range(chance.randrange(3)):
                self.settle(*pair, step)

    def settle(self, whole, part, other, step):
        chance = self.chance
        other.refresh_from_db()
        if not other.outstanding_minor:
            return
        minor = chance.choice([other.outstanding_minor, chance.randint(1, other.outstanding_minor)])
        on = other.issue_date + chance.randrange(-10, 150) * DAY
        fate = chance.randrange(4)
        rows = []
        for invoice, named in ((whole, part), (other, None)):
            invoice = Invoice.objects.get(pk=invoice.pk)
            source = {}
            if fate < 2:
                source["payment"] = Payment.objects.create(
                    client=invoice.client,
                    received_on=on,
                    currency=invoice.currency,
                    amount_minor=minor,
                )
            elif fate == 2:
                source["credit_note"] = make_invoice(
                    kind="credit_note",
                    client=invoice.client,
                    currency=invoice.currency,
                    total_minor=minor,
                    issue_date=max(on, invoice.issue_date),
                )
            when = on if fate < 2 else max(on, invoice.issue_date)
            found = allocate(
                invoice=invoice,
                amount_minor=minor,
                applied_on=when,
                by=None,
                instalment=named,
                **source,
            )
            rows.append((invoice, source.get("payment"), found))
        if fate == 1:
            back = max(on, other.issue_date) + chance.randrange(0, 40) * DAY
            for invoice, payment, found in rows:
                mirror = Payment.objects.create(
                    client=invoice.client,
                    received_on=back,
                    currency=invoice.currency,
                    amount_minor=-minor,
                    reverses=payment,
                )
                for row in found:
                    fresh = Invoice.objects.get(pk=invoice.pk)
                    take_back(row, on=back, by=None, invoice=fresh, payment=mirror)


def plain(tally):
    return {
        name: getattr(tally, name)
        for name in ("paid", "unfinished", "open", "overdue", "late", "weight_minor")
    }


def rows_listed(client, wanted, on):
    rows, columns = select(Invoice.objects.all(), wanted.but(client=client.pk), on)
    rows = state_as_of(rows, wanted.as_of or on, columns=columns)
    names = ("kind", "issue_date", columns.due, columns.total, "open_minor", "paid_then")
    return sorted(map(repr, rows.values_list(*names, "late_then")))


@pytest.mark.parametrize("seed", range(6))
def test_reports_cannot_tell_instalments_from_invoices_of_their_own(seed):
    twins = Twins(seed)
    twins.history()
    assert Instalment.objects.exists()
    for day in (FIRST + n * DAY for n in (20, 75, 130, 200, 300)):
        for measure in ("late", "to_pay"):
            mine, other = (
                {
                    key[1:]: plain(tally)
                    for key, tally in tallies(
                        Scope(as_of=day, client=client.pk), measure, "client_type"
                    ).items()
                }
                for client in (twins.in_parts, twins.apart)
            )
            assert mine == other, (day, measure)
        assert slices(Scope(as_of=day, client=twins.in_parts.pk)) == slices(
            Scope(as_of=day, client=twins.apart.pk)
        )
        assert ageing(day, wanted=InvoiceFilter(client=twins.in_parts.pk)) == ageing(
            day, wanted=InvoiceFilter(client=twins.apart.pk)
        )
    assert habit_of(twins.in_parts.pk) == habit_of(twins.apart.pk)
    for on in (FIRST + 100 * DAY, FIRST + 300 * DAY):
        mine, other = (
            balances([client.pk], on)[client.pk] for client in (twins.in_parts, twins.apart)
        )
        assert mine == other


@pytest.mark.parametrize("seed", range(6))
def test_lists_have_a_row_for_each_instalment(seed):
    twins = Twins(seed)
    twins.history()
    on = FIRST + 400 * DAY
    states = [state for state in STATES if state not in ("changed", "credit", "draft", "", "all")]
    filters = [InvoiceFilter(state=state) for state in states]
    filters += [
        InvoiceFilter(state=state, as_of=FIRST + n * DAY)
        for state in (*states, "all")
        for n in (40, 110, 180)
    ]
    filters += [
        InvoiceFilter(state="issued", late_min=5, late_max=40),
        InvoiceFilter(state="issued", to_pay_min=30),
        InvoiceFilter(state="open", bucket="31-60", as_of=FIRST + 150 * DAY),
        InvoiceFilter(state="open", bucket="90+", ageing="issue"),
        InvoiceFilter(due_from=FIRST + 30 * DAY, due_to=FIRST + 90 * DAY),
        InvoiceFilter(state="issued", amount_min=100, amount_max=300),
        InvoiceFilter(state="paid", paid_from=FIRST + 60 * DAY),
    ]
    for wanted in filters:
        assert rows_listed(twins.in_parts, wanted, on) == rows_listed(twins.apart, wanted, on), (
            wanted
        )


@pytest.mark.parametrize("seed", range(3))
def test_an_invoice_is_the_sum_of_its_instalments(seed):
    Twins(seed).history()
    for invoice in Invoice.objects.filter(instalments__isnull=False).distinct():
        parts = invoice.instalments
        names = ("paid_minor", "credited_minor", "written_off_minor", "outstanding_minor")
        for name in names:
            assert parts.aggregate(s=Sum(name))["s"] == getattr(invoice, name)
        still = parts.filter(outstanding_minor__gt=0).order_by("due_date").first()
        assert invoice.next_due == (still.due_date if still else invoice.due_date)
        for part in parts.all():
            given = Allocation.objects.filter(instalment=part).aggregate(s=Sum("amount_minor"))["s"]
            assert part.amount_minor - part.outstanding_minor == (given or 0)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("measure", ["p50", "p75"])
def test_alerts_cannot_tell_them_either(seed, measure):
    twins = Twins(seed)
    for _n in range(3):
        twins.history()
    since, until = FIRST + 60 * DAY, FIRST + 300 * DAY
    fields = {"measure": measure, "min_payments": 3, "days": 5, "window_days": 365}
    for kind, subjects in (
        (HABIT, [twins.in_parts.pk, twins.apart.pk]),
        (TYPE_DELAY, [twins.in_parts.client_type_id, twins.apart.client_type_id]),
    ):
        rule = make_rule(kind=kind.key, **fields)
        told = {subject: [] for subject in subjects}
        for episode in kind.episodes(rule, since, until):
            data = {**episode.figures(max(episode.start, since)), "invoice": None}
            told[episode.subject].append((episode.start, episode.end, repr(data)))
        mine, other = (sorted(told[subject]) for subject in subjects)
        assert mine == other, kind.key


def test_an_invoice_is_overdue_by_its_oldest_open_instalment():
    issued = FIRST
    dues = [(FIRST + 10 * DAY, 100_00), (FIRST + 40 * DAY, 200_00)]
    invoice = make_invoice_in_instalments(dues, client=make_client(), issue_date=issued)
    rule = make_rule(kind="overdue", days=5, amount_minor=0)

    def spells():
        found = OVERDUE.episodes(rule, FIRST, FIRST + 100 * DAY)
        return [((e.start - FIRST).days, e.end and (e.end - FIRST).days) for e in found]

    assert spells() == [(16, None)]
    pay(invoice, 100_00, FIRST + 20 * DAY)
    # The second one is late by itself, later.
    assert spells() == [(16, 20), (46, None)]
    [_first, second] = OVERDUE.episodes(rule, FIRST, FIRST + 100 * DAY)
    assert second.figures(FIRST + 50 * DAY)["owed_minor"] == 200_00
    assert second.figures(FIRST + 50 * DAY)["days"] == 10
    invoice = Invoice.objects.get(pk=invoice.pk)
    assert invoice.next_due == FIRST + 40 * DAY and not invoice.is_overdue(FIRST + 30 * DAY)


def test_without_instalments_no_query_joins_them():
    make_invoice(client=make_client())
    rows, columns = by_instalment(Invoice.objects.outstanding())
    assert not columns.apart and "instalment" not in str(rows.query)
