"""What was kept of refused files before complaints had rows of their own."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from invoices.models import HistoryImport

pytestmark = pytest.mark.django_db


def test_sentences_that_were_kept_in_a_report_move_into_rows_and_are_still_shown(
    clerk, clerk_client
):
    counts = dict.fromkeys(("new", "changed", "unchanged", "refused"), 0)
    said = {"file": "a.csv", "line": 3, "column": "net", "reason": "It was wrong."}
    report = {
        "complaints": [said],
        "refused": 1,
        "notices": ["Something was said."],
        "counts": {"invoices": counts},
        "unread": [],
        "totals": {},
        "changes": [],
        "first_invoices": [],
        "first_payments": [],
        "writes": 0,
    }
    kept = HistoryImport.objects.create(created_by=clerk, report=report)
    import_module("invoices.migrations.0025_complaints_of_a_history_by_row").move_complaints(
        apps, None
    )
    kept.refresh_from_db()
    assert "complaints" not in kept.report
    page = clerk_client.get(reverse("invoices:history_preview", args=[kept.pk])).text
    assert "a.csv, line 3" in page and "It was wrong." in page and "Something was said." in page
