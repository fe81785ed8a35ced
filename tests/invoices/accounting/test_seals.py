"""Any single change of what is sealed is named: every column, every row, every file.

The books are made once; each change is made with the rules of the database taken away.
"""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from invoices.accounting.chain import linking
from invoices.models import (
    Allocation,
    BooksChain,
    BooksHead,
    BooksLink,
    Document,
    Instalment,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    NumberSeries,
    Payment,
    VatBreakdown,
    database_rules,
)
from invoices.models.facts import (
    FILE,
    INSTALMENT,
    LEFT_OPEN,
    LINE,
    MODELS,
    VAT_ROW,
    VERSIONS,
    model_of,
    newest,
)
from tests.invoices.accounting.sealed_books import found, rolled_back

pytestmark = pytest.mark.django_db
BELOW = {
    InvoiceLine: LINE,
    VatBreakdown: VAT_ROW,
    Instalment: INSTALMENT,
    Document: [*FILE, "content"],
}
COLUMNS = [
    *((kind, column) for kind in MODELS for column in VERSIONS[kind][newest(kind)]),
    ("document", "paper"),
    ("document", "client_type_id"),
    *((model.__name__, column) for model, columns in BELOW.items() for column in columns),
]


def model_named(name):
    return model_of(name) if name in MODELS else next(m for m in BELOW if m.__name__ == name)


def other(field, value):
    """Another value that the column could have."""
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.JSONField):
        return {"changed": 1}
    if isinstance(field, models.DateTimeField):
        return (value or datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) + datetime.timedelta(
            microseconds=1
        )
    if isinstance(field, models.DateField):
        return (value or datetime.date(2026, 1, 1)) + datetime.timedelta(days=1)
    if isinstance(field, models.DecimalField):
        return (value or 0) + Decimal(1).scaleb(-field.decimal_places)
    if isinstance(field, models.BinaryField):
        return bytes(value) + b" "
    if isinstance(field, models.CharField | models.TextField):
        text = value or ""
        return ("y" if text[:1] == "x" else "x") + text[1:]
    # One below zero would be refused by the type of some.
    return (value or 0) + 1


def changed(model, column):
    """Change the newest row; False where the schema itself refuses it."""
    field = next(f for f in model._meta.concrete_fields if f.attname == column)
    rows = model._base_manager.order_by("-pk")
    if model is Invoice:
        rows = rows.filter(status__in=["issued", "settled"])
    row = rows.first()
    value = other(field, getattr(row, column))
    try:
        with transaction.atomic():
            table = model._meta.db_table
            with connection.cursor() as cursor:
                cursor.execute(
                    f'UPDATE {table} SET "{column}" = %s WHERE id = %s',
                    [field.get_db_prep_save(value, connection), row.pk],
                )
    except IntegrityError:
        return False
    return True


@pytest.mark.parametrize(("kind", "column"), COLUMNS, ids=lambda each: str(each))
def test_a_change_of_any_column_is_named(ledger, kind, column):
    with rolled_back():
        if changed(model_named(kind), column):
            assert found() != []


def test_hardly_any_column_is_kept_by_the_schema_alone(ledger):
    refused = []
    for kind, column in COLUMNS:
        with rolled_back():
            if not changed(model_named(kind), column):
                refused.append((kind, column))
    assert len(refused) < 22, refused


def test_what_was_changed_is_said(ledger):
    with rolled_back():
        Invoice.objects.filter(pk=ledger["last"].pk).update(title="Other", note="Other")
        assert found() == ["F-2026-0004: was changed after it was recorded: title, note."]
    with rolled_back():
        InvoiceLine.objects.filter(invoice=ledger["last"]).update(net_minor=1)
        assert found() == ["F-2026-0004: was changed after it was recorded: its lines."]


@pytest.mark.parametrize("kind", ["event", "payment", "allocation", "refund", "decision"])
def test_a_row_that_is_deleted_is_named(ledger, kind):
    with rolled_back():
        row = model_of(kind)._base_manager.order_by("-pk").first()
        type(row)._base_manager.filter(pk=row.pk)._raw_delete("default")
        assert any("was deleted" in text and str(row.pk) in text for text in found())


def test_a_document_that_is_deleted_is_named_by_its_number(ledger):
    """And its series rewound: with nothing left of it but its link."""
    with rolled_back():
        wipe(ledger["last"])
        assert "F-2026-0004: was deleted, though it had been linked into the books." in found()


def wipe(invoice):
    for model in (InvoiceEvent, Document, InvoiceLine, VatBreakdown, Instalment):
        model.objects.filter(invoice=invoice)._raw_delete("default")
    Invoice.objects.filter(pk=invoice.pk)._raw_delete("default")
    before = Invoice.objects.filter(series=invoice.series).order_by("-sequence").first()
    NumberSeries.objects.filter(pk=invoice.series_id).update(
        next_value=before.sequence + 1, last_hash=before.content_hash
    )


def all_notes(ledger):
    """#2: all own credit notes and their series."""
    notes = Invoice.objects.credit_notes()
    Allocation.objects.filter(credit_note__in=notes)._raw_delete("default")
    for note in notes:
        for model in (InvoiceEvent, Document, InvoiceLine, VatBreakdown):
            model.objects.filter(invoice=note)._raw_delete("default")
    notes._raw_delete("default")
    NumberSeries.objects.filter(kind="credit_note")._raw_delete("default")


def payment_raised(ledger):
    """#14: a payment, its application, its entry in the log and the balance, all in step."""
    invoice, payment = ledger["paid"], Payment.objects.order_by("pk").first()
    raised = {"amount_minor": 900_00, "allocated_minor": 800_00}
    Payment.objects.filter(pk=payment.pk).update(**raised)
    Allocation.objects.filter(payment=payment, invoice=invoice).update(amount_minor=800_00)
    InvoiceEvent.objects.filter(invoice=invoice, kind="paid").update(
        data={"amount_minor": 800_00, "payment_id": payment.pk}
    )
    Invoice.objects.filter(pk=invoice.pk).update(paid_minor=800_00, outstanding_minor=400_00)


def imported_deleted(ledger):
    """#20: an imported invoice with what settled it."""
    Allocation.objects.filter(invoice=ledger["old"])._raw_delete("default")
    InvoiceEvent.objects.filter(invoice=ledger["old"])._raw_delete("default")
    Invoice.objects.filter(pk=ledger["old"].pk)._raw_delete("default")


def imported_totals(ledger):
    """#21: the totals of an imported invoice, consistently."""
    Invoice.objects.filter(pk=ledger["old"].pk).update(
        net_minor=200_00, total_minor=200_00, outstanding_minor=160_00
    )


@pytest.mark.parametrize(
    ("tamper", "where"),
    [
        (all_notes, "A-2026-0001"),
        (payment_raised, "payment "),
        (imported_deleted, "OLD-"),
        (imported_totals, "OLD-"),
    ],
)
def test_what_was_changed_consistently_is_named(ledger, tamper, where):
    with rolled_back():
        tamper(ledger)
        assert any(text.startswith(where) for text in found()), found()


def test_a_document_deleted_before_it_was_linked_leaves_a_series_that_nobody_sealed(ledger):
    from tests.factories import make_issued

    with rolled_back():
        database_rules.install(connection)
        new = make_issued()
        database_rules.remove(connection)
        wipe(new)
        assert found() == ["F-2026-: was changed after it was recorded: next value, last hash."]


def test_a_row_that_the_portal_did_not_write_is_named(ledger):
    with rolled_back():
        invoice = ledger["last"]
        row = Allocation(
            kind="write_off",
            invoice=invoice,
            amount_minor=invoice.outstanding_minor,
            applied_on=invoice.issue_date,
        )
        row.save()
        Allocation.objects.filter(pk=row.pk).update(seal=None)
        assert any(f"allocation {row.pk}: is not sealed" in text for text in found())
        Allocation.objects.filter(pk=row.pk).update(seal="1.aaaaaaaa.bbbbbbbb.c.d")
        assert any("was sealed with it" in text or "rows were sealed" in text for text in found())


def test_a_copied_row_is_named(ledger):
    with rolled_back():
        row = Allocation.objects.order_by("pk").first()
        table, columns = Allocation._meta.db_table, [f.column for f in Allocation._meta.fields[1:]]
        names = ", ".join(f'"{name}"' for name in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (id, {names}) SELECT 99999, {names} FROM {table} "
                "WHERE id = %s",
                [row.pk],
            )
        assert any("is a copy of another row" in text for text in found())


@pytest.mark.parametrize("column", ["position", "kind", "object_id", "seal", "name", "hash"])
def test_a_change_of_a_link_is_named(ledger, column):
    with rolled_back():
        link = BooksLink.objects.order_by("-position").first()
        value = {"position": 999, "kind": "refund", "object_id": 999}.get(column, "x" * 30)
        BooksLink.objects.filter(pk=link.pk).update(**{column: value})
        assert found() != []


@pytest.mark.parametrize("column", ["position", "hash", "counts", "at", "key", "mac"])
def test_a_change_of_a_head_is_named(ledger, column):
    with rolled_back():
        head = BooksHead.objects.order_by("-position").first()
        value = {
            "position": 2,
            "counts": {"event": 1},
            "at": head.at + datetime.timedelta(seconds=1),
        }.get(column, "x" * 8)
        BooksHead.objects.filter(pk=head.pk).update(**{column: value})
        assert found() != []


def test_a_chain_computed_anew_without_the_key_is_named(ledger):
    """#25: a document, its seal and all links and heads, by somebody who knows how."""
    with rolled_back():
        database_rules.install(connection)
        database_rules.remove(connection)
        forged = ledger["last"]
        Invoice.objects.filter(pk=forged.pk).update(title="Forged")
        with override_settings(SECRET_KEY="somebody else's"):
            BooksLink.objects.all()._raw_delete("default")
            BooksHead.objects.all()._raw_delete("default")
            BooksChain.objects.update(complete={}, seen={}, sealed_at=None)
            for kind in MODELS:
                model_of(kind)._base_manager.update(seal=None)
            linking.link_new()
            assert found() == []
        assert any("is not known here" in text for text in found())


@given(st.data())
@settings(max_examples=12)
def test_any_two_changes_at_random_are_named(ledger, data):
    with rolled_back():
        picked = data.draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2, unique=True))
        made = [changed(model_named(kind), column) for kind, column in picked]
        if any(made):
            assert found() != []


def test_every_column_is_sealed_or_left_open_for_a_reason():
    for kind in MODELS:
        columns = {field.attname for field in model_of(kind)._meta.concrete_fields}
        listed = {*VERSIONS[kind][newest(kind)], *LEFT_OPEN[kind]}
        assert columns == listed, f"decide about {columns ^ listed} of {kind} (models/facts.py)"


def test_what_lies_beneath_a_document_is_sealed_whole():
    apart = {"id", "invoice_id", "content"}
    for model, columns in BELOW.items():
        kept = {field.attname for field in model._meta.concrete_fields} - apart
        balance = {name for name in kept if name.endswith(("_minor", "_on", "_late", "_pay"))}
        open_ones = balance - set(columns) if model is Instalment else set()
        if model is Instalment:
            # The day that counts: it follows from what it said and from the events.
            open_ones |= {"due_date"}
        assert kept - open_ones == set(columns) - apart
