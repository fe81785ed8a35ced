"""Every figure is the sum, or the estimate, over the rows that it opens."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from urllib.parse import urlsplit

import pytest
from django.http import QueryDict

from invoices.models import Client, Invoice
from invoices.payments import allocating
from invoices.payments.allocating import allocate
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    InvoiceFilter,
    filter_invoices,
)
from reports.delays.estimator import Curve
from reports.delays.figures import CLASSES
from reports.delays.measuring import BYS, MEASURES, Scope
from reports.delays.plain import measure
from reports.delays.report import DelayReport
from reports.delays.slices import slices
from reports.receivables.measuring import ageing, positions
from reports.receivables.report import ReceivablesReport
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import credit, pay

pytestmark = pytest.mark.django_db
FIRST = date(2025, 1, 1)
DAYS = [date(2026, 3, 31), date(2026, 9, 30)]


@pytest.fixture(params=[1, 2])
def books(request):
    """Some invoices that went every way an invoice can go."""
    chance = random.Random(request.param)
    make_company()
    sellers = [make_user(), make_user(), None]
    clients = [
        make_client(client_type=make_client_type(f"Type {n % 3}"), name=f"Client {n}")
        for n in range(7)
    ]
    for _n in range(45):
        issued = FIRST + timedelta(days=chance.randrange(600))
        currency = chance.choice(["EUR", "EUR", "USD", "JPY", "GBP"])
        rate = {"USD": Decimal("0.91234567"), "JPY": Decimal("0.0061")}.get(currency)
        total = chance.randrange(1, 3_000_000)
        invoice = make_invoice(
            client=chance.choice(clients),
            owner=chance.choice(sellers),
            currency=currency,
            exchange_rate=rate,
            issue_date=issued,
            due_date=issued + timedelta(days=chance.choice([0, 30, 45, 60])),
            total_minor=total,
        )
        fate = chance.random()
        when = issued + timedelta(days=chance.randrange(0, 120))
        part = chance.randrange(0, total)
        if fate < 0.5:
            pay(invoice, total, when)
        elif fate < 0.65 and part:
            pay(invoice, part, when)
            if chance.random() < 0.7:
                pay(invoice, total - part, when + timedelta(days=chance.randrange(60)))
        elif fate < 0.75:
            credit(invoice, total, when)
        elif fate < 0.82 and part:
            credit(invoice, part, when)
            pay(invoice, total - part, when + timedelta(days=9))
        elif fate < 0.88:
            allocate(invoice=invoice, amount_minor=total, applied_on=when, by=None)
        elif fate < 0.92 and part:
            wrong = pay(invoice, part, when)
            take_back(invoice, wrong, when)
    return chance


def take_back(invoice, payment, on):
    from invoices.models import Payment

    reverse = Payment.objects.create(
        client=payment.client,
        received_on=on,
        currency=payment.currency,
        amount_minor=-payment.amount_minor,
        reverses=payment,
    )
    for row in payment.allocations.all():
        allocating.take_back(row, on=on, by=None, invoice=invoice, payment=reverse)


def in_euros(minor: int, invoice: Invoice) -> int | None:
    if invoice.currency == "EUR":
        return minor
    if invoice.exchange_rate is None:
        return None
    cents = Decimal(minor) * invoice.exchange_rate * (100 if invoice.currency == "JPY" else 1)
    return int(cents.to_integral_value(ROUND_HALF_UP))


def by_hand(rows, as_of: date, which: str) -> dict:
    """The figures of FORMULAS, section 4 and 6, by a plain loop."""
    paid, unfinished, weights = [], [], []
    still_open = overdue = closed_unpaid = 0
    for row in rows:
        start = row.due_date if which == "late" else row.issue_date
        if row.settled_on and row.settled_on <= as_of:
            if row.paid_on:
                days = (row.paid_on - start).days
                paid.append(days)
                weight = in_euros(row.paid_minor, row)
                if weight is not None:
                    weights.append((weight, days))
            else:
                closed_unpaid += 1
                unfinished.append((row.settled_on - start).days)
        else:
            still_open += 1
            overdue += row.due_date < as_of
            unfinished.append((as_of - start).days)
    share, steps = Fraction(1), {}
    for day in sorted(set(paid)):
        at_risk = sum(d >= day for d in paid) + sum(d >= day for d in unfinished)
        share *= 1 - Fraction(paid.count(day), at_risk)
        steps[day] = share
    return {
        "n": len(paid) + len(unfinished),
        "paid": len(paid),
        "open": still_open,
        "closed_unpaid": closed_unpaid,
        "overdue": overdue,
        "mean": Fraction(sum(paid), len(paid)) if paid else None,
        "weighted": (
            Fraction(sum(w * d for w, d in weights), sum(w for w, _d in weights))
            if weights
            else None
        ),
        "steps": steps,
    }


def of_tally(tally) -> dict:
    return {
        "n": tally.n,
        "paid": tally.n_paid,
        "open": tally.open,
        "closed_unpaid": tally.n_closed_unpaid,
        "overdue": tally.overdue,
        "mean": tally.mean,
        "weighted": tally.weighted_mean,
        "steps": {step.day: step.share for step in tally.curve.steps},
    }


def opened(url: str):
    """The rows that the list shows at this address."""
    wanted, problems = InvoiceFilter.read(QueryDict(urlsplit(url).query))
    assert not problems
    return filter_invoices(Invoice.objects.all(), wanted, DAYS[-1])


@pytest.mark.parametrize("by", BYS)
@pytest.mark.parametrize("as_of", DAYS)
def test_groups_and_total_equal_a_plain_loop_over_their_rows(books, by, as_of):
    scope = Scope(as_of)
    report = measure(scope, by)
    for which in MEASURES:
        assert of_tally(getattr(report.total, which)) == by_hand(scope.rows(), as_of, which)
    page = DelayReport(scope, by, "late")
    assert len(report.groups) == len(page.groups.rows)
    for row in page.groups.rows:
        group = next(g for g in report.groups if g.key == row.key)
        expected = by_hand(opened(row.url), as_of, "late")
        assert of_tally(row.tally) == of_tally(group.late) == expected
        assert of_tally(group.to_pay) == by_hand(opened(row.url), as_of, "to_pay")


@pytest.mark.parametrize("which", MEASURES)
@pytest.mark.parametrize("by", BYS)
def test_every_number_on_the_page_counts_the_rows_it_opens(books, by, which):
    scope = Scope(DAYS[0], issued_from=date(2025, 2, 11))
    report = DelayReport(scope, by, which)
    heads = [head.key for head in report.table.heads]
    for row in report.table.shown:
        cells = dict(zip(heads, row.cells, strict=True))
        assert int(cells["n"].text) == opened(cells["n"].url).count()
        assert int(cells["open"].text) == opened(cells["open"].url).count()
        assert int(cells["overdue"].text) == opened(cells["overdue"].url).count()
        assert row.tally.n_paid == opened(cells["mean"].url).count()
        assert row.tally.late == opened(cells["late"].url).count()
        if by != "month":
            assert row.recent.n == opened(cells["recent"].url).count()
            assert row.before.n == opened(cells["before"].url).count()
    for band in report.figures.bands:
        for count, url in zip(band.counts, band.urls, strict=True):
            assert count == opened(url).count()
    assert len(report.figures.bands) == len(CLASSES[which]) + 1
    for line in report.figures.lines:
        for day, _share, url in line.marks:
            start = "due_date" if which == "late" else "issue_date"
            assert all((DAYS[0] - getattr(row, start)).days > day for row in opened(url))


@pytest.mark.parametrize("by", ["client_type", "owner"])
def test_points_of_the_trend_and_cells_of_the_heat_map_open_their_rows(books, by):
    report = DelayReport(Scope(DAYS[0]), by, "late")
    quarters = sum(cell.url != "" for _row, cells in report.trends.rows for cell in cells)
    assert quarters
    for row, cells in report.heat.rows:
        for cell in cells:
            if cell.n:
                rows = opened(cell.url)
                assert cell.n == rows.count()
                curve = Curve(*_histograms(rows, DAYS[0]))
                if curve.events >= 5 and curve.p50 is not None:
                    assert cell.text == str(curve.p50).replace("-", "−")
                    assert cell.unit == ("day" if abs(curve.p50) == 1 else "days")
        rated = sum(cell.n for cell in cells)
        unrated = opened(row.url).filter(exchange_rate=None).exclude(currency="EUR").count()
        assert rated == row.tally.n - unrated


def _histograms(rows, as_of):
    paid, unfinished = {}, {}
    for row in rows:
        done = row.settled_on and row.settled_on <= as_of
        if done and row.paid_on:
            paid[row.days_late] = paid.get(row.days_late, 0) + 1
        else:
            days = ((row.settled_on if done else as_of) - row.due_date).days
            unfinished[days] = unfinished.get(days, 0) + 1
    return paid, unfinished


@pytest.mark.parametrize("as_of", DAYS)
def test_ageing_sums_to_the_receivable_of_the_rows_it_opens(books, as_of):
    invoices = list(Invoice.objects.invoices().filter(issue_date__lte=as_of))
    for currency, position in positions(date(2025, 6, 1), as_of).items():
        owed = 0
        for row in invoices:
            settled = row.settled_on and row.settled_on <= as_of
            if row.currency == currency and not settled:
                steps = row.allocations.filter(applied_on__lte=as_of)
                owed += row.total_minor - sum(steps.values_list("amount_minor", flat=True))
        aged = position.ageing
        assert aged.receivable_minor == owed == sum(aged.issue_minor.values())
    report = ReceivablesReport(date(2025, 6, 1), as_of, "client_type", InvoiceFilter())
    for block in report.blocks:
        for cell in [*block.foot, *block.due_cells, *block.issue_cells]:
            if cell.url:
                rows = with_open_amount(opened(cell.url), as_of)
                minor = sum(rows.values_list("open_minor", flat=True))
                assert cell.text == _written(minor, block.currency)
        for row in block.rows:
            rows = with_open_amount(opened(row.url), as_of)
            assert row.ageing.receivable_minor == sum(rows.values_list("open_minor", flat=True))


def _written(minor, currency):
    from reports.receivables.block import money_text

    return money_text(minor, currency)


@pytest.mark.parametrize("by", ["client_type", "client", "owner"])
def test_groups_of_the_ageing_make_its_total(books, by):
    whole = ageing(DAYS[0])
    for currency, groups in ageing(DAYS[0], by=by).items():
        assert (
            sum(group.receivable_minor for group in groups.values())
            == whole[currency][None].receivable_minor
        )


@pytest.mark.parametrize("as_of", DAYS)
def test_the_receivable_before_the_period_is_what_that_day_shows(books, as_of):
    start = date(2025, 9, 12)
    before = ageing(start - timedelta(days=1))
    for currency, position in positions(start, as_of).items():
        then = before.get(currency, {}).get(None)
        assert position.beginning_minor == (then.receivable_minor if then else 0)


@pytest.mark.parametrize("as_of", DAYS)
def test_positions_are_the_same_by_an_ageing_that_is_known_already(books, as_of):
    found = positions(date(2025, 9, 12), as_of)
    for by in ("client_type", "client", "owner"):
        assert positions(date(2025, 9, 12), as_of, groups=ageing(as_of, by=by)) == found


def test_slices_equal_a_plain_loop_over_payments(books):
    as_of = DAYS[0]
    amounts = late = to_pay = waiting = 0
    for row in Invoice.objects.invoices().filter(issue_date__lte=as_of):
        steps = row.allocations.filter(kind="payment", applied_on__lte=as_of)
        for step in steps:
            euros = in_euros(step.amount_minor, row)
            if euros is not None:
                amounts += euros
                late += euros * (step.applied_on - row.due_date).days
                to_pay += euros * (step.applied_on - row.issue_date).days
        settled = row.settled_on and row.settled_on <= as_of
        if not settled and row.due_date < as_of:
            taken = row.allocations.filter(applied_on__lte=as_of)
            left = row.total_minor - sum(taken.values_list("amount_minor", flat=True))
            euros = in_euros(left, row)
            if euros is not None:
                waiting += euros
    found = slices(Scope(as_of))
    assert found.days_late == Fraction(late, amounts)
    assert found.days_to_pay == Fraction(to_pay, amounts)
    assert found.beyond_terms is not None and found.beyond_terms >= found.signed


def test_filters_narrow_every_figure(books):
    client = Client.objects.first()
    narrowed = Scope(
        DAYS[1], client=client.pk, currency="EUR", client_types=(client.client_type_id,)
    )
    rows = Invoice.objects.invoices().filter(client=client, currency="EUR", issue_date__lte=DAYS[1])
    assert of_tally(measure(narrowed, "month").total.late) == by_hand(rows, DAYS[1], "late")
