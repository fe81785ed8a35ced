"""The nightly run of the alert rules: the first one, which speaks, and one that finds no news."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from bench.pages import OVERDUE, raw
from bench.timing import Fact, Row, by_turns, middle, timed
from invoices.models import Message
from reports.alerts import running as domain
from reports.models import Alert, AlertRule


def alerts() -> Iterator[Row | Fact]:
    today = timezone.localdate()
    scan = raw(
        (
            "SELECT i.id, i.due_date, i.currency, i.outstanding_minor, i.client_id "
            f"FROM invoices_invoice i {OVERDUE}",
            [today],
        )
    )
    floor = "the overdue invoices read by raw SQL"
    told = 0

    def rolled_back() -> None:
        nonlocal told
        with transaction.atomic():
            found = domain.run(on=today)
            told = sum(len(each.alerts) for each in found)
            transaction.set_rollback(True)

    first, read = by_turns(rolled_back, scan, runs=5, warm_up=1)
    rules = AlertRule.objects.filter(active=True).count()
    yield Row.of(
        f"alert run, {rules} rules, {told:,} alerts spoken for the first time",
        first,
        [(floor, read)],
        most_ms=5000,
    )
    domain.run(on=today)
    before = Alert.objects.count(), Message.objects.count()
    again = middle([timed(lambda: domain.run(on=today)) for _n in range(5)])
    after = Alert.objects.count(), Message.objects.count()
    yield Row.of(f"alert run, {rules} rules, nothing new", again, [(floor, read)], most_ms=5000)
    new = after[0] - before[0] + after[1] - before[1]
    yield Fact("alerts and mails that a second run adds", str(new), "0", new == 0)
