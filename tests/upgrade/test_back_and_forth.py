"""The series of a year go to their periods and back: no number, hash or rule is lost on the way."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.executor import MigrationExecutor

from invoices.models import NumberPattern, NumberSeries, database_rules
from tests.upgrade import house

# The last of series by year, the first of series by period.
BEFORE, AFTER = "0042", "0047"
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
    # All in one, the refusal where the two forms of series meet: the ways up and down take long.
    with django_db_blocker.unblock(), house.former_house(tmp_path):
        house.migrate()
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
        call_command("migrate", "invoices", AFTER, verbosity=0)
        assert rows("invoices_numberseries", KEPT) == series
        added = _what_the_former_version_cannot_number_is_not_taken_back()
        # On SQLite the triggers rest while `migrate` runs, and it did not come to its end.
        house.migrate()
        assert rows("invoices_numberseries", KEPT) == [*series, *added]
        assert rows("invoices_invoice", "id, number, series_id, sequence, content_hash") == invoices
        assert NumberPattern.of("invoice").form.prefix == "INV/{year}/"
        assert database_rules.missing(connections["default"]) == set()
        assert books_hold()


def _what_the_former_version_cannot_number_is_not_taken_back():
    loader = MigrationExecutor(connections["default"]).loader
    then = loader.project_state(
        ("invoices", loader.get_migration_by_prefix("invoices", AFTER).name)
    )
    then.apps.get_model("invoices", "NumberSeries").objects.create(
        kind="invoice", period="2027-01", prefix="F-2027-01-"
    )
    with pytest.raises(IrreversibleError, match=r"nothing was changed"):
        call_command("migrate", "invoices", BEFORE, verbosity=0)
    return rows("invoices_numberseries", KEPT)[-1:]
