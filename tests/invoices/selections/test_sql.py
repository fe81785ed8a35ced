"""Tests of invoices/selections/sql.py: the same whole numbers from both databases."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.db.models import F

from invoices.models import Invoice
from invoices.selections.sql import DaysBetween, MonthIndex, Packed, month_index
from tests.factories import make_invoice

pytestmark = pytest.mark.django_db


def test_whole_numbers_are_read_as_the_database_gives_them():
    issued, due = date(2026, 10, 30), date(2026, 12, 2)
    make_invoice(issue_date=issued, due_date=due)
    packed = Packed(
        (MonthIndex(F("issue_date")), 20, 0), (DaysBetween(F("due_date"), F("issue_date")), 12, 100)
    )
    told = {
        "days": DaysBetween(F("issue_date"), F("due_date")),
        "never": DaysBetween(F("issue_date"), F("settled_on")),
        "month": MonthIndex(F("issue_date")),
        "packed": packed,
    }
    (row,) = Invoice.objects.annotate(**told).values(*told)
    assert {type(each) for each in row.values()} == {int, type(None)}
    assert (row["days"], row["never"], row["month"]) == (33, None, month_index(issued))
    assert packed.unpack(row["packed"]) == [month_index(issued), -33]
    # Not by Django once more: of a book of ten years that took a fifth of a preview.
    assert [each.get_db_converters(connection) for each in told.values()] == [[]] * 4
