"""The series of a year go to their periods and back: no number, hash or rule is lost on the way."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.exceptions import IrreversibleError

from invoices.models import NumberPattern, NumberSeries, database_rules
from tests.upgrade import house

BEFORE = "0042"
KEPT = "id, kind, prefix, width, next_value, last_issue_date, last_hash"


def rows(table, columns):
    with connections["default"].cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY 1")
        return cursor.fetchall()


def books_hold():
    out = StringIO()
    call_command("verify_books", stdout=out)
    return "The books hold" in out.getvalue()


def test_back_and_forth_nothing_is_lost(django_db_setup, django_db_blocker, tmp_path):
    # Both in one: the way up is by far the longest part.
    with django_db_blocker.unblock(), house.former_house(tmp_path):
        house.migrate()
        _goes_back_and_comes_again()
        _what_the_former_version_cannot_number_is_not_taken_back()


def _goes_back_and_comes_again():
    series = rows("invoices_numberseries", KEPT)
    invoices = rows("invoices_invoice", "id, number, series_id, sequence, content_hash")
    assert {each.period for each in NumberSeries.objects.all()} == {"2026"}
    NumberPattern.objects.update_or_create(
        kind="invoice", defaults={"prefix": "INV/{year}/", "width": 6}
    )
    call_command("migrate", "invoices", BEFORE, verbosity=0)
    assert rows("invoices_numberseries", KEPT) == series
    assert {year for (year,) in rows("invoices_numberseries", "year")} == {2026}
    (company,) = rows("invoices_company", "invoice_prefix, credit_note_prefix, number_width")
    assert company == ("INV/{year}/", "A-{year}-", 6)
    call_command("migrate", verbosity=0)
    assert rows("invoices_numberseries", KEPT) == series
    assert rows("invoices_invoice", "id, number, series_id, sequence, content_hash") == invoices
    assert NumberPattern.of("invoice").form.prefix == "INV/{year}/"
    assert database_rules.missing(connections["default"]) == set()
    assert books_hold()


def _what_the_former_version_cannot_number_is_not_taken_back():
    NumberSeries.objects.create(kind="invoice", period="2027-01", prefix="F-2027-01-")
    with pytest.raises(IrreversibleError, match=r"nothing was changed"):
        call_command("migrate", "invoices", BEFORE, verbosity=0)
    assert NumberSeries.objects.filter(period="2027-01", last_issue_date=None).exists()
    # On SQLite the triggers rest while `migrate` runs, and it did not come to its end.
    house.migrate()
    assert books_hold()
