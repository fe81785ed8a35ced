"""manage.py import_history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from invoices.history import bringing_in
from invoices.models import Client, Invoice
from tests.invoices.history.files import CLIENT, INVOICE, ON, PAYMENT, as_csv, changed, plan_of

pytestmark = pytest.mark.django_db


def write(tmp_path, **files):
    paths = {}
    for kind, rows in files.items():
        paths[kind] = str(tmp_path / f"{kind}.csv")
        Path(paths[kind]).write_bytes(as_csv(kind, rows))
    return paths


def test_the_command_brings_in_and_says_so_in_one_line(tmp_path, capsys, clerk):
    files = write(tmp_path, clients=[CLIENT], invoices=[INVOICE], payments=[PAYMENT])
    call_command("import_history", **files, by=clerk.email)
    out = capsys.readouterr().out
    assert "Brought in: clients: 1 new; invoices: 1 new" in out and "received €120.00" in out
    assert Invoice.objects.get().created_by == clerk


def test_the_dry_run_of_the_command_lists_every_refused_row_and_fails(tmp_path, capsys):
    bad = [changed(INVOICE, net="1"), changed(INVOICE, number="B", due_on="soon")]
    files = write(tmp_path, clients=[CLIENT], invoices=bad)
    with pytest.raises(CommandError, match="2 reasons against these files"):
        call_command("import_history", **files, dry_run=True)
    out = capsys.readouterr().out
    assert "invoices.csv, line 2, total: Net 1 and VAT 20.00 do not make the total 120.00." in out
    assert "invoices.csv, line 3, due_on: “soon” is not a date" in out
    assert not Client.objects.exists()


def test_the_rows_that_are_wrong_stay_out_when_somebody_says_so(tmp_path, capsys):
    bad = changed(INVOICE, number="B", net="1")
    files = write(tmp_path, clients=[CLIENT], invoices=[INVOICE, bad])
    with pytest.raises(CommandError, match="--leave-out brings in the other rows"):
        call_command("import_history", **files)
    call_command("import_history", **files, leave_out=True)
    out = capsys.readouterr().out
    assert "Left out: invoices.csv, line 3, total: Net 1 and VAT" in out
    assert Invoice.objects.get().number == INVOICE["number"]


def test_the_command_speaks_json(tmp_path, capsys):
    files = write(tmp_path, clients=[CLIENT], invoices=[INVOICE])
    call_command("import_history", **files, dry_run=True, format="json")
    found = json.loads(capsys.readouterr().out)
    assert found["done"] is False and found["counts"]["invoices"]["new"] == 1
    assert not Invoice.objects.exists()


def test_the_command_without_a_file_or_with_an_unknown_one_says_so(tmp_path):
    with pytest.raises(CommandError, match="Name at least one file"):
        call_command("import_history")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_history", clients=str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("import_history", by="x@y.example", **write(tmp_path, clients=[CLIENT]))


def test_reading_ten_rows_asks_no_more_than_reading_one(django_assert_max_num_queries):
    for count in (1, 10):
        numbers = [f"N{n}" for n in range(count)]
        invoices = [changed(INVOICE, number=number) for number in numbers]
        payments = [changed(PAYMENT, invoice=n, reference=n) for n in numbers]
        with django_assert_max_num_queries(10):
            plan = plan_of([CLIENT], invoices, payments)
        assert plan.counts()["payments"]["new"] == count
        with django_assert_max_num_queries(60):
            bringing_in.resolve(plan.rows, on=ON)
