"""The public list of late-payment histories, brought in whole."""

from __future__ import annotations

import csv
import os
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from invoices.history.receivables_file import convert
from invoices.models import Client, ClientType, Invoice, Payment
from tests.invoices.history.files import snapshot
from tests.shared import SHARED

KINDS = ("clients", "invoices", "payments")
pytestmark = pytest.mark.django_db


RECEIVABLES = Path(
    os.environ.get("LATE_PAYMENT_HISTORIES", "") or SHARED / "data" / "late-payment-histories.csv"
)
# Every sixtieth row of it, so that the same is tried where the list is not.
SAMPLE = Path(__file__).with_name("late-payment-sample.csv")
NOT_HERE = pytest.mark.skipif(not RECEIVABLES.exists(), reason="the list is not here")


@pytest.mark.parametrize(
    "path", [SAMPLE, pytest.param(RECEIVABLES, marks=NOT_HERE)], ids=["sample", "whole"]
)
def test_the_public_list_comes_in_once_to_the_cent(path, tmp_path, capsys):
    with path.open(encoding="utf-8-sig") as source:
        rows = {row["invoiceNumber"]: row for row in csv.DictReader(source)}
    call_command("convert_receivables", str(path), to=str(tmp_path))
    files = {kind: str(tmp_path / f"{kind}.csv") for kind in KINDS}
    call_command("import_history", **files)
    assert Invoice.objects.count() == Payment.objects.count() == len(rows)
    assert Client.objects.count() == len({row["customerID"] for row in rows.values()})
    assert ClientType.objects.count() == len({row["countryCode"] for row in rows.values()})
    right = {n: int(Decimal(row["InvoiceAmount"]) * 100) for n, row in rows.items()}
    found = Invoice.objects.values_list("number", "total_minor", "paid_minor", "days_late")
    assert {number: total for number, total, _paid, _late in found} == right
    assert sum(paid for _number, _total, paid, _late in found) == sum(right.values())
    # The signed delay, where the list writes 0 for early ones.
    assert all(max(late, 0) == int(rows[n]["DaysLate"]) for n, _total, _paid, late in found)
    assert not Invoice.objects.exclude(status="settled", outstanding_minor=0).exists()
    before = snapshot()
    capsys.readouterr()
    call_command("import_history", **files)
    assert snapshot() == before
    said = capsys.readouterr().out
    assert f"invoices: {len(rows)} unchanged" in said and "Nothing is new: all of it" in said
    call_command("verify_books")


def test_the_public_list_as_of_a_day_leaves_later_payments_out_and_knows_both_stand_ins():
    text = (
        "countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,"
        "Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate\n"
        "391,A,1/1/2012,1,1/2/2013,2/1/2013,55.94,No,1/15/2013,Paper,13,0\n"
        "391,A,1/1/2012,2,1/5/2013,2/4/2013,10.00,Yes,3/15/2013,Electronic,69,39\n"
        "391,A,1/1/2012,3,3/5/2013,4/4/2013,10.00,Yes,4/15/2013,Electronic,41,11\n"
    )
    found = convert(text, as_of=date(2013, 2, 1))
    assert [len(found[kind]) for kind in KINDS] == [1, 2, 1]
    assert found["clients"][0]["client_type"] == "Country 391"
    by_channel = convert(text, type_by="channel")
    assert by_channel["clients"][0]["client_type"] == "Electronic bills"


def test_what_is_not_that_list_is_refused(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="Line 2"):
        call_command("convert_receivables", str(tmp_path / "x.csv"), to=str(tmp_path))
