"""The files of a journal: the eighteen columns, what other ledgers read, the same sums in all."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation
from moneyed import Money

from invoices.accounting.journal.exporting import ExportRefused, making_of, write
from invoices.accounting.journal.formats import FORMATS, amount, text
from invoices.accounting.journal.making import Span
from invoices.models import Client, ExchangeRate
from invoices.payments import recording
from tests.factories import make_client, make_company
from tests.invoices.accounting.bookkeeping import issued

pytestmark = pytest.mark.django_db
ON, PAID = date(2026, 9, 1), date(2026, 9, 20)
SPAN = Span(date(2026, 9, 1), date(2026, 9, 30))
FEC = [
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib",
    "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit",
    "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _books(db):
    make_company()
    client = make_client(name="Crêperie\t“L’Étoile” – 株式会社|SARL")
    invoice = issued(client, [("1000.00", 20, "services"), ("33.33", 10, "services")], ON)
    recording.record_payment(
        client_id=client.pk,
        amount=Money("1236.66", "EUR"),
        received_on=PAID,
        reference="=cmd",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money("1236.66", "EUR"))],
    )
    ExchangeRate.objects.create(currency="USD", on=ON, rate="0.91", source="ECB")
    issued(make_client(currency="USD"), [("10.00", 20, "goods")], ON)


def written(key, span=SPAN):
    out = io.BytesIO()
    return write(making_of(span), key, out), out.getvalue()


def rows_of(key):
    found, content = written(key)
    lines = content.decode(found.format.encoding).split("\r\n")
    assert lines.pop() == ""
    quoting = csv.QUOTE_NONE if key == "fec" else csv.QUOTE_MINIMAL
    return found, list(csv.DictReader(lines, delimiter=found.format.separator, quoting=quoting))


def number(cell):
    return Decimal(cell.replace(",", ".") or 0)


def test_the_fec_has_its_eighteen_columns_tabs_and_commas():
    found, content = written("fec")
    lines = content.decode("iso8859-15").split("\r\n")
    assert lines[0].split("\t") == FEC
    assert lines[-1] == ""
    assert {len(line.split("\t")) for line in lines[:-1]} == {18}
    assert found.filename == "732829320FEC20260930-extrait.txt"
    _found, rows = rows_of("fec")
    first = rows[0]
    assert first["JournalCode"] == "VE"
    assert first["EcritureDate"] == first["PieceDate"] == "20260901"
    assert (first["CompteNum"], first["Debit"], first["Credit"]) == ("411000", "1236,66", "0,00")
    assert first["DateLet"] == "20260920"
    assert first["ValidDate"].isdigit()
    dollars = next(row for row in rows if row["Idevise"])
    assert (dollars["Montantdevise"], dollars["Debit"]) == ("12,00", "10,92")


def test_each_entry_of_the_fec_balances():
    _found, rows = rows_of("fec")
    sums = {}
    for row in rows:
        assert number(row["Debit"]) >= 0
        assert number(row["Credit"]) >= 0
        balance = number(row["Debit"]) - number(row["Credit"])
        sums[row["EcritureNum"]] = sums.get(row["EcritureNum"], 0) + balance
    assert set(sums.values()) == {0}
    assert len(sums) > 3


def test_signs_that_the_form_lacks_go_by_plain_ones():
    _found, rows = rows_of("fec")
    assert rows[0]["CompAuxLib"] == 'Crêperie "L\'Étoile" - ???? SARL'
    paid = next(row for row in rows if row["JournalCode"] == "BQ")
    # A spreadsheet would run it.
    assert paid["PieceRef"] == "'=cmd"


def debit_and_credit(key, row):
    if key == "xero":
        minor = number(row["*Amount"])
        return max(minor, 0), max(-minor, 0)
    names = {
        "fec": ("Debit", "Credit"),
        "quickbooks": ("Debits", "Credits"),
    }.get(key, ("Débit", "Crédit"))
    return number(row[names[0]]), number(row[names[1]])


@pytest.mark.parametrize("key", sorted(FORMATS))
def test_every_form_has_the_same_lines_and_sums(key):
    found, rows = rows_of(key)
    told = [debit_and_credit(key, row) for row in rows]
    assert len(rows) == found.summary.lines
    assert sum(debit for debit, _credit in told) * 100 == found.summary.debit
    assert sum(credit for _debit, credit in told) * 100 == found.summary.credit
    assert None not in rows[0]
    assert set(rows[0]) == set(FORMATS[key].head)


@pytest.mark.parametrize("key", sorted(FORMATS))
def test_the_same_file_comes_again_whoever_asks(key):
    first = written(key)
    with translation.override("fr"):
        again = written(key)
    assert first[1] == again[1]
    assert first[0].sha256 == again[0].sha256


def test_pennylane_and_quickbooks_have_what_they_ask_for():
    _found, rows = rows_of("pennylane")
    client = Client.objects.get(name__startswith="Crêperie")
    assert rows[0]["Numéro de compte"] == f"411{client.ledger_account}"
    assert rows[0]["Date"] == "01/09/2026"
    _found, rows = rows_of("quickbooks")
    assert rows[0]["Account Name"] == "Clients"
    assert rows[0]["Debits"] == "1236.66"
    assert rows[0]["Credits"] == ""
    _found, rows = rows_of("xero")
    journals = {(row["*Narration"], row["*Date"]) for row in rows}
    assert len(journals) == written("xero")[0].summary.entries


def test_the_fec_without_a_siren_is_refused():
    make_company(siren="")
    with pytest.raises(ExportRefused, match="SIREN"):
        written("fec")
    assert written("sage")[1]


def test_amounts_have_the_decimals_of_their_currency():
    assert amount(-5, "EUR", ",") == "-0,05"
    assert amount(1234, "JPY", ",") == "1234"
    assert amount(1, "TND", ".") == "0.001"
    assert text(" a\n\tb|c ") == "a b c"
