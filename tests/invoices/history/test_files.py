"""Files of a history as they come: encodings, workbooks, what other tools write."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoices.history.bringing_in import apply, read
from invoices.models import Invoice, Payment
from tests.invoices.history.files import (
    CLIENT,
    INVOICE,
    ON,
    PAYMENT,
    as_csv,
    bring,
    changed,
    notices,
    only_complaint,
    plan_of,
    workbook,
)

pytestmark = pytest.mark.django_db


def test_a_latin_1_file_is_refused_with_the_way_out():
    bad = as_csv("clients", [changed(CLIENT, name="Société")]).decode().encode("latin-1")
    found = only_complaint(plan_of(bad, [INVOICE]))
    assert "line 2 is not UTF-8 (near “Société" in found.reason and "CSV UTF-8" in found.reason


def test_semicolons_byte_order_mark_and_any_line_ends_are_accepted_and_said():
    text = "\ufeff" + as_csv("clients", [CLIENT], delimiter=";").decode()
    for ends in ("\r\n", "\n"):
        plan = plan_of(text.replace("\r\n", ends).encode())
        assert not plan.complaints
        assert plan.rows.clients[0].name == "Atelier Brume"
        assert any("semicolons" in notice for notice in notices(plan))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"name,country\nA,FR\n", "lacks the column client_type"),
        (as_csv("invoices", [INVOICE]), "lacks the column client_type"),
        (as_csv("clients", [CLIENT]).replace(b"country", b"Name"), "has the column name twice"),
        (as_csv("clients", [CLIENT]) + b'"open,', "line 3 cannot be read"),
        (as_csv("clients", [CLIENT]).decode().encode("utf-16"), "in UTF-16"),
        (b"\x00\x01\x02", "neither a CSV text nor an XLSX"),
        (b"\xd0\xcf\x11\xe0abc", "old kind (.xls)"),
        (b"PK\x03\x04rubbish", "damaged"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_in_a_sentence(content, reason):
    found = only_complaint(plan_of(content))
    assert found.line == 0 and reason in found.reason


def test_a_comma_in_a_value_without_quotation_marks_is_noticed():
    text = as_csv("clients", [CLIENT]) + b"Dupont, Fils,SME,FR,,,,,,,,\n"
    found = only_complaint(plan_of(text.replace(b",,,,,,,,\n", b",EUR,fr,30,,,,x\n")))
    assert found.line == 3 and "cells under 10 columns" in found.reason


def test_too_many_rows_are_refused():
    source = ("clients.csv", as_csv("clients", [changed(CLIENT, name=str(n)) for n in range(4)]))
    assert (
        "more than 3 rows"
        in only_complaint(read(sources={"clients": source}, on=ON, max_rows=3)).reason
    )


def test_a_workbook_is_read_with_its_dates_and_numbers():
    rows = [
        changed(
            INVOICE,
            issued_on=date(2026, 1, 10),
            due_on=datetime(2026, 2, 9),
            net=100.1,
            vat=20.02,
            total=0.1 + 120.02,
        )
    ]
    bring(workbook("clients", [CLIENT]), workbook("invoices", rows))
    invoice = Invoice.objects.get()
    assert (invoice.total_minor, invoice.due_date) == (12012, date(2026, 2, 9))


def test_formulas_errors_and_times_in_cells_are_refused():
    rows = [
        changed(INVOICE, number="A", total="=SUM(G2:H2)"),
        changed(INVOICE, number="B", issued_on=datetime(2026, 1, 10, 9, 30)),
        changed(INVOICE, number="C", total="#REF!"),
    ]
    plan = plan_of(workbook("clients", [CLIENT]), workbook("invoices", rows))
    assert [(c.line, c.column, c.reason.split(":")[0]) for c in plan.complaints] == [
        (2, "total", "The cell holds a formula"),
        (3, "issued_on", "The cell holds a time of day"),
        (4, "total", "The cell holds an error, #REF!."),
    ]


def test_a_row_that_claims_an_endless_number_ends_the_reading():
    out = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(workbook("clients", [CLIENT])))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = content.replace(b'<row r="2"', b'<row r="999999999999"')
                assert b"999999999999" in content
            archive.writestr(entry, content)
    assert "10,000 empty rows" in only_complaint(plan_of(out.getvalue())).reason


def test_a_zip_bomb_is_refused_unopened():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (64 * 2**20))
    assert "unpacks to more" in only_complaint(plan_of(out.getvalue())).reason


def test_a_workbook_with_entities_is_refused():
    good = workbook("clients", [CLIENT])
    out = io.BytesIO()
    bomb = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                data = bomb + data.split(b"?>", 1)[-1]
            new.writestr(entry, data)
    assert "cannot be read as an XLSX" in only_complaint(plan_of(out.getvalue())).reason


@given(st.binary(max_size=300))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_bytes_at_all_are_more_than_a_sentence(content):
    for start in (b"", b"PK\x03\x04", as_csv("clients", [CLIENT])):
        plan = plan_of(start + content)
        assert plan.complaints or plan.rows.clients is not None


def test_a_french_export_is_read_as_it_comes():
    content = (
        "sep=;\r\nN° facture;Nature;Tiers;Date facture;Échéance;Devise;Total HT;TVA;Total TTC;"
        "corrects;Objet\r\n"
        "FA-1;Facture;Atelier Brume;05/01/2026;20260204;EUR;1 000,00;200,00;1 200,00;;Audit\r\n"
    ).encode()
    answers = {"invoices.issued_on": "day"}
    plan = plan_of([CLIENT], content, answers=answers)
    assert plan.complaints == []
    (row,) = plan.new_invoices
    assert (row.number, row.total_minor) == ("FA-1", 1200_00)
    assert (row.issued_on, row.due_on) == (date(2026, 1, 5), date(2026, 2, 4))
    assert any("day first" in notice for notice in notices(plan))


def test_our_own_name_of_a_column_goes_before_a_synonym():
    text = as_csv("invoices", [INVOICE]).decode()
    head, rest = text.split("\n", 1)
    content = f"{head.strip()},Date\n{rest.strip()},nonsense\n".encode()
    plan = plan_of([CLIENT], content)
    assert plan.complaints == []


def test_open_items_of_a_go_live_day_carry_it():
    day = date(2026, 3, 1)
    plan = plan_of([CLIENT], [INVOICE], [PAYMENT], go_live=day)
    assert any("older than the go-live day" in notice for notice in notices(plan))
    apply(plan, by=None, on=ON)
    assert Invoice.objects.get(number=INVOICE["number"]).observed_from == day
    again = plan_of(None, [INVOICE])
    assert again.complaints == []


def test_a_longer_file_with_an_equal_remittance_brings_the_second():
    row = changed(PAYMENT, amount="10.00", reference="R-7")
    apply(plan_of([CLIENT], [INVOICE], [row]), by=None, on=ON)
    longer = plan_of([CLIENT], [INVOICE], [row, row])
    assert longer.complaints == []
    apply(longer, by=None, on=ON)
    found = Payment.objects.filter(reference="R-7").order_by("pk")
    assert [(each.amount_minor, each.occurrence) for each in found] == [(10_00, 1), (10_00, 2)]
    assert apply(plan_of([CLIENT], [INVOICE], [row, row]), by=None, on=ON).writes == 0


def test_a_longer_file_over_a_reversed_payment_keeps_the_day_that_stands():
    from invoices.accounting import books
    from invoices.payments.reversing import reverse_payment

    total = INVOICE["total"]
    early = changed(PAYMENT, amount=total, received_on="2026-02-01", reference="A")
    apply(plan_of([CLIENT], [INVOICE], [early]), by=None, on=ON)
    reverse_payment(
        payment_id=Payment.objects.get().pk, by=None, on=date(2026, 3, 1), reason="bounced"
    )
    late = changed(PAYMENT, amount=total, received_on="2026-03-20", reference="B")
    apply(plan_of([CLIENT], [INVOICE], [early, late]), by=None, on=ON)
    invoice = Invoice.objects.get(number=INVOICE["number"])
    assert (invoice.settled_on, invoice.paid_on) == (date(2026, 3, 20), date(2026, 3, 20))
    past = invoice.past_settlements.get()
    assert (past.settled_on, past.reopened_on) == (date(2026, 2, 1), date(2026, 3, 1))
    assert [broken for broken in books.verify() if broken.where == invoice.number] == []
