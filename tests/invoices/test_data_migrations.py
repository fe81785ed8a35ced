"""What migrations do to rows that an older version wrote."""

from __future__ import annotations

from datetime import date
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from invoices.invoicing import crediting
from invoices.invoicing.creditable import CreditLine
from invoices.models import InvoiceEvent, InvoiceLine, LatePenaltyRate, database_rules
from tests.factories import make_issued

pytestmark = pytest.mark.django_db


def run(module, function):
    getattr(import_module(f"invoices.migrations.{module}"), function)(
        apps, connection.schema_editor()
    )


def test_credited_lines_are_found_in_the_log_of_the_note():
    invoice = make_issued(lines=((1, 100), (1, 50), (2, 25)))
    lines = list(invoice.lines.all())
    # Two of the same amount, and one that is no line of this invoice.
    wanted = [CreditLine(lines[1].pk, 50_00), CreditLine(lines[2].pk, 50_00)]
    note = crediting.issue_credit_note(
        invoice_id=invoice.pk, lines=wanted, reason="Wrong", by=None, on=date(2026, 11, 24)
    )
    database_rules.remove(connection)
    InvoiceLine.objects.filter(invoice=note).update(credits=None)
    InvoiceEvent.objects.filter(invoice=note, kind="issued").update(
        data={"lines": [[lines[1].pk, 50_00], [lines[2].pk, 50_00], [0, 3]]}
    )
    database_rules.install(connection)
    if connection.vendor == "sqlite":
        database_rules.remove(connection)
    run("0007_link_credited_lines", "link")
    assert list(note.lines.values_list("credits_id", flat=True)) == [lines[1].pk, lines[2].pk]


def test_late_rates_of_the_law_get_their_last_day_and_others_are_of_contracts():
    sources = ("ECB, January", "taux BCE de juillet", "our general terms")
    for month, source in zip((1, 7, 8), sources, strict=True):
        LatePenaltyRate.objects.create(
            starts_on=date(2026, month, 1), percent=12, source=source, basis="contract"
        )
    LatePenaltyRate.objects.update(ends_on=None)
    run("0037_late_rates_have_a_last_day", "fill")
    rows = LatePenaltyRate.objects.order_by("starts_on").values_list("basis", "ends_on")
    # A column with this default was just added: here the rows have it from before.
    assert [end for _basis, end in rows] == [date(2026, 6, 30), date(2026, 12, 31), None]
    assert rows[2][0] == "contract"
