"""The page of a rule while it is typed: twelve months tried with five thresholds, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from django.template.loader import render_to_string
from django.utils import timezone

from bench.data import bench_user
from bench.pages import raw
from bench.timing import Row, by_turns
from reports.alerts.previews import preview
from reports.models import AlertRule


def previews() -> Iterator[Row]:
    """Of each kind of starter rule; nothing is written."""
    today, reader = timezone.localdate(), bench_user()
    history = raw(
        (
            """
            SELECT i.id, i.client_id, i.issue_date, i.due_date, i.settled_on, i.paid_on
            FROM invoices_invoice i
            WHERE i.kind = 'invoice' AND i.status IN ('issued', 'settled') AND i.issue_date <= %s
            """,
            [today],
        )
    )
    floor = "the days of all invoices read by raw SQL"
    for rule in AlertRule.objects.select_related("client_type").order_by("pk"):

        def trying(rule: AlertRule = rule) -> None:
            preview(rule, today, reader=reader, render=render_to_string)

        spent, read = by_turns(trying, history, runs=5, warm_up=1)
        yield Row.of(f"preview of a rule: {rule.kind}", spent, [(floor, read)])
