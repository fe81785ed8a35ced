"""The command `export_journal`: one line, a whole file or none, remembered."""

from __future__ import annotations

import hashlib
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from invoices.models import JournalExport
from tests.factories import make_client, make_company, make_invoice
from tests.invoices.accounting.bookkeeping import issued

pytestmark = pytest.mark.django_db
ON = date(2026, 9, 1)
PERIOD = ["--from", "2026-09-01", "--to", "2026-09-30"]


@pytest.fixture(autouse=True)
def _books(db):
    make_company()
    issued(make_client(), [("1000.00", 20, "services")], ON)


def test_it_writes_the_fec_and_says_so_in_one_line(tmp_path, capsys):
    out = tmp_path / "journal.txt"
    call_command("export_journal", *PERIOD, "--out", str(out))
    told = capsys.readouterr().out
    kept = JournalExport.objects.get()
    assert told.count("\n") == 1
    assert "1 entries, 3 lines, €1,200.00 in debit and in credit" in told
    assert kept.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (kept.entries, kept.lines, kept.total_minor) == (1, 3, 1_200_00)
    assert kept.by is None
    assert list(tmp_path.iterdir()) == [out]


def test_into_a_folder_under_its_own_name_as_json(tmp_path, capsys):
    given = ["--out", str(tmp_path), "--format", "xero", "--result", "json"]
    call_command("export_journal", *PERIOD, *given)
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(tmp_path / "journal-xero-2026-09-01-2026-09-30.csv")
    assert told["debit_minor"] == told["credit_minor"] == 1_200_00
    assert (tmp_path / "journal-xero-2026-09-01-2026-09-30.csv").exists()


def test_dry_it_keeps_nothing(tmp_path, capsys):
    call_command("export_journal", *PERIOD, "--out", str(tmp_path / "x"), "--dry-run")
    assert capsys.readouterr().out.startswith("Would write")
    assert list(tmp_path.iterdir()) == []
    assert not JournalExport.objects.exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--from", "2026-10-01", "--to", "2026-09-30"], "before the first"),
        (PERIOD, "cannot be written"),
    ],
)
def test_what_fails_says_why_and_leaves_the_old_file(given, why, tmp_path):
    make_invoice(imported=False, currency="USD", issue_date=ON)
    out = tmp_path / "journal.txt"
    out.write_text("old")
    with pytest.raises(CommandError, match=why):
        call_command("export_journal", *given, "--out", str(out))
    assert out.read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]
    assert not JournalExport.objects.exists()


def test_left_out_by_wish_it_is_counted(tmp_path, capsys):
    make_invoice(imported=False, currency="USD", issue_date=ON)
    call_command("export_journal", *PERIOD, "--out", str(tmp_path), "--leave-out")
    assert "1 left out" in capsys.readouterr().out
    assert JournalExport.objects.get().left_out == 1


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_journal", *PERIOD, "--out", str(tmp_path / "no" / "x"))
