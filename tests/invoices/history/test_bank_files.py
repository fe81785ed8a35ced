"""A bank's statement among the files of a history is told apart, and leads to the right page."""

from __future__ import annotations

import pytest

from invoices.history.bank_files import bank_format
from tests.invoices.history.files import CLIENT, INVOICE, PAYMENT, as_csv, only_complaint, plan_of

pytestmark = pytest.mark.django_db

CAMT = '<?xml version="1.0"?>\n<!-- a --><!-- b --><Document xmlns="urn:iso:20022:camt.053.001.02">'
CFONB = "0130004    00447EUR2 00012345678  200226" + " " * 50 + "0000000001904{     " + "\n"
MT940 = "{1:F01KERLFR2NXXXX}{4:\r\n:20:2026-11\r\n:25:30002005500000157845Z02\r\n:28C:11/1\r\n"
LINES = (
    "Solde au 01/02/2026;1 200,00\n\nDate de valeur;Libellé;Montant\n02/02/2026;VIR OLD-1;120,00"
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (CAMT, "CAMT"),
        ("OFXHEADER:100\nDATA:OFXSGML\n<OFX>", "OFX"),
        ('<?xml version="1.0"?><?OFX OFXHEADER="200"?><OFX>', "OFX"),
        (CFONB, "CFONB 120"),
        (MT940, "MT940"),
        (":20:STMT\n:25:1\n", "MT940"),
        (LINES, "CSV"),
        ("Date;Libellé;Débit;Crédit\n01/02/2026;VIR;;120,00\n", "CSV"),
        ("Booking date,Value date,Narrative,Amount\n", "CSV"),
    ],
)
def test_a_statement_is_known_by_how_it_begins(text, name):
    for content in (text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("latin-1")):
        assert bank_format(content) == name
    complaint = only_complaint(plan_of([CLIENT], [INVOICE], text.encode()))
    assert f"is a statement of a bank ({name})" in complaint.reason
    assert complaint.line == 0


@pytest.mark.parametrize(
    "text",
    [
        as_csv("payments", [PAYMENT]).decode(),
        "Facture;Date de valeur;Libellé;Montant;Devise\n",
        "N° facture;Date;Libellé;Débit;Crédit\n",
        "Invoice no,Value date,Label,Amount\n",
        "PieceRef\tDate\tLibellé\tDébit\tCrédit\n",
        "",
        "<html>",
        "01",
        "<!---->" * 2_000,
    ],
)
def test_a_list_of_payments_is_none(text):
    assert bank_format(text.encode()) == ""
