"""What nobody but a tamperer writes is named in words, never an error and never overlooked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing_portal import seals
from invoices.accounting import balances, log
from invoices.accounting.chain.plain_rows import json_written
from invoices.models import Instalment, Invoice, InvoiceEvent
from invoices.models.facts import in_order
from invoices.payments import recording
from tests.invoices.accounting.sealed_books import ON, found, rolled_back

pytestmark = pytest.mark.django_db
# As Python's JSON has them, which knows more than others do.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def pay(invoice, amount):
    return recording.record_payment(
        client_id=invoice.client_id,
        amount=Money(amount, "EUR"),
        received_on=ON,
        reference="R-9",
        method="transfer",
        by=None,
        allocations=[(invoice.pk, Money(amount, "EUR"))],
    )


@given(JSON, JSON)
def test_a_seal_holds_of_its_own_values_and_of_no_others(one, other):
    mine, others = (json_written(json.dumps(value)) for value in (one, other))
    seal = seals.parts_of(seals.sealed("event", "1", [mine]))
    assert seals.holds("event", [mine], seal)
    same = seals._encode([mine]) == seals._encode([others])
    assert seals.holds("event", [others], seal) == same


ROWS = st.lists(st.tuples(st.integers(0, 120) | st.sampled_from(["S", "S,", "É", 'S"']), st.text()))


@given(ROWS)
def test_rows_are_in_the_order_in_which_they_were_sealed(rows):
    """By their whole text, of which the shorter way looks at the beginning."""
    whole = sorted(map(list, rows), key=lambda row: json.dumps(row, sort_keys=True))
    assert in_order(rows) == whole


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", '"\\ud800"', "1e16", "{", ""])
def test_no_number_and_no_json_are_neither_nothing_nor_an_error(text):
    seal = seals.parts_of(seals.sealed("event", "1", [None, 1]))
    value = json_written(text)
    assert not seals.holds("event", [value, 1], seal)
    assert seals.changed(["data", "by"], [value, 1], seal) == ["data"]


@pytest.mark.parametrize("seal", ["é.é.é.é.é", "1.2.3", "", "2.ab.cd.é.ef", "2.\x00.\x00.\x00."])
def test_a_seal_of_any_text_is_named(ledger, seal):
    if connection.vendor == "postgresql" and "\x00" in seal:
        pytest.skip("PostgreSQL has no text with it")
    with rolled_back():
        InvoiceEvent.objects.filter(invoice=ledger["last"]).update(seal=seal)
        assert any("entry" in text for text in found())


@pytest.mark.parametrize("data", [[], 7, None, "paid", {"amount_minor": []}, {"payment_id": {}}])
def test_a_log_of_any_shape_is_named(ledger, data):
    with rolled_back():
        InvoiceEvent.objects.filter(invoice=ledger["paid"], kind="paid").update(
            data=data if data is not None else {}
        )
        assert [str(one) for one in log.check() if ledger["paid"].number in str(one)] != []


# ─ What is made from the allocations ────────────────────────────────────────────────────────────
MOVED = {
    "days_late": F("days_late") + 1,
    "days_to_pay": F("days_to_pay") - 1,
    "next_due": ON + timedelta(days=500),
}


@pytest.mark.parametrize("column", MOVED)
def test_a_delay_or_day_that_the_payments_do_not_make_is_named(ledger, column):
    with rolled_back():
        invoice = ledger["last"]
        pay(invoice, "1200")
        assert list(balances.check()) == []
        Invoice.objects.filter(pk=invoice.pk).update(**{column: MOVED[column]})
        assert [one.where for one in balances.check()] == [invoice.number]


@pytest.mark.parametrize("column", ["days_late", "days_to_pay"])
def test_a_delay_of_an_instalment_is_named(ledger, column):
    with rolled_back():
        invoice = ledger["parts"]
        pay(invoice, "600")
        assert list(balances.check()) == []
        rows = Instalment.objects.filter(invoice=invoice, position=1)
        rows.update(**{column: MOVED[column]})
        assert [one.where for one in balances.check()] == [f"{invoice.number} / 1"]
