"""The run of the subscriptions after a standstill: thousands of periods drafted, each once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils import timezone

from bench.drafts import LINES, a_client
from bench.timing import Fact, Row, by_turns, timed
from invoices.documents.totals import LineInput, compute
from invoices.invoicing.draft_lines import DraftLine
from invoices.invoicing.drafting import draft
from invoices.models import Client, Invoice, SubscriptionPeriod
from invoices.models.terms import months_later
from invoices.subscriptions import beginning, making, running

SUBSCRIPTIONS, PERIODS = 1_000, 5


def _lines() -> list[DraftLine]:
    return [
        DraftLine(
            words,
            "C62",
            LineInput(
                quantity=Decimal(quantity), unit_price=Decimal(price), vat_rate=Decimal(rate)
            ),
        )
        for words, quantity, price, rate in LINES
    ]


def recurring() -> Iterator[Row | Fact]:
    """Drafts of three lines; the floor is as many drafts by the one door, of no subscription."""
    today, client = timezone.localdate(), a_client()
    start = months_later(today.replace(day=1), 1 - PERIODS)
    for _n in range(SUBSCRIPTIONS):
        found = beginning.begun(client, by=None, on=start, lines=_lines(), starts_on=start)
        running.start(subscription_id=found.pk, by=None, on=start)
    many = SUBSCRIPTIONS * PERIODS
    plain = timed(lambda: _plainly(client, many // 10))
    spent = timed(lambda: making.make_due(today))
    floor = type(plain)(*(10 * each for each in plain))
    what = f"{many:,} periods of {SUBSCRIPTIONS:,} subscriptions drafted"
    yield Row.of(what, spent, [("as many drafts made by nobody's plan", floor)], most_times=3)
    made = SubscriptionPeriod.objects.count()
    yield Fact("periods that the run made", f"{made:,}", f"{many:,}", made == many)
    before = Invoice.objects.count()
    again, asked = by_turns(lambda: making.make_due(today), lambda: making.due(today).exists())
    floor_of_nothing = [("whether any is due", asked)]
    yield Row.of("the same run, with nothing due", again, floor_of_nothing, most_ms=100)
    new = Invoice.objects.count() - before
    yield Fact("drafts that a second run adds", str(new), "0", new == 0)


def _plainly(client: Client, count: int) -> None:
    lines = _lines()
    for _n in range(count):
        totals = compute([line.amounts for line in lines], currency="EUR")
        draft(client=client, lines=lines, totals=totals, by=None, on=timezone.localdate())
