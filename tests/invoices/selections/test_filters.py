from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.http import QueryDict

from invoices.models import Invoice
from invoices.selections.as_of import with_open_amount
from invoices.selections.filters import (
    InvoiceFilter,
    filter_invoices,
)
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import AS_OF, credit, make_golden_set, pay

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


def titles(query: str, on: date = ON) -> str:
    wanted, problems = InvoiceFilter.read(QueryDict(query))
    assert not problems
    found = filter_invoices(Invoice.objects.all(), wanted, on)
    return "".join(sorted(found.values_list("title", flat=True)))


@pytest.fixture
def golden():
    return make_golden_set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=issued&as_of=2026-09-30", "ABCDEFGHZ"),
        ("state=open&as_of=2026-09-30", "DFGH"),
        ("state=overdue&as_of=2026-09-30", "DF"),
        ("state=paid&as_of=2026-09-30", "ABCEZ"),
        ("state=settled&as_of=2026-09-30", "ABCEZ"),
        ("state=part&as_of=2026-09-30", "F"),
        ("state=part&as_of=2026-08-20", "C"),
        ("state=open&as_of=2026-08-20", "CDEF"),
        ("state=issued&as_of=2026-08-01", "ABCDEZ"),
        ("state=paid&late_max=0", "A"),
        ("state=paid&late_min=1&late_max=15", "BEZ"),
        ("late_min=42&late_max=42&as_of=2026-09-30", "D"),
        ("to_pay_min=50&as_of=2026-09-30", "CD"),
        ("state=open&bucket=current&as_of=2026-09-30", "GH"),
        ("state=open&bucket=1-30&as_of=2026-09-30", "F"),
        ("state=open&bucket=31-60&as_of=2026-09-30", "D"),
        ("state=open&bucket=61-90&ageing=issue&as_of=2026-09-30", "D"),
        ("state=open&bucket=0-30&as_of=2026-09-30", "GH"),
        ("state=open&bucket=0-30&ageing=due&as_of=2026-09-30", "GH"),
        ("issued_from=2026-08-01&issued_to=2026-08-31", "EF"),
        ("due_from=2026-10-01&due_to=2026-10-10", "GH"),
        ("paid_from=2026-08-14&paid_to=2026-08-29", "BC"),
        ("state=issued&amount_min=2500&amount_max=3000", "DG"),
        ("state=issued&amount_min=2500&converted=1", "DFG"),
        ("state=issued&currency=eur&amount_max=1000", "AH"),
        ("state=issued&currency=USD", ""),
        ("state=issued&owner=0", "ABCDEFGHZ"),
        ("state=issued&type=999999", ""),
    ],
)
def test_a_query_string_means_these_rows(golden, query, expected):
    assert titles(query) == expected


def test_the_query_string_of_a_filter_reads_back_as_the_same_filter():
    wanted = InvoiceFilter(
        state="paid",
        type=(3, 5),
        owner=0,
        late_min=-4,
        amount_min=Decimal("10.50"),
        converted=True,
        as_of=ON,
        q="50 % & more",
        currency="EUR",
    )
    assert InvoiceFilter.read(QueryDict(wanted.query())) == (wanted, [])


@pytest.mark.parametrize(
    "query",
    [
        "state=late",
        "client=x",
        "type=1&type=x",
        "as_of=2026-02-30",
        "as_of=0001-01-01",
        "late_min=999999999999",
        "amount_min=abc",
        "amount_max=1e400",
        "currency=EURO",
        "bucket=99",
        "owner=99999999999999999999999",
        "kind=quote",
    ],
)
def test_what_is_not_understood_is_left_out_with_a_sentence(query):
    wanted, problems = InvoiceFilter.read(QueryDict(query))
    assert len(problems) == 1
    assert "was left out" in problems[0]
    assert wanted == InvoiceFilter()


def test_amounts_are_compared_in_the_units_of_each_currency():
    make_company()
    client = make_client()
    make_invoice(client=client, currency="JPY", total_minor=5000, title="J")
    make_invoice(client=client, currency="TND", total_minor=5_000_000, title="T")
    make_invoice(client=client, currency="EUR", total_minor=5000_00, title="E")
    assert titles("state=issued&amount_min=5000&amount_max=5000") == "EJT"
    assert titles("state=issued&amount_min=5000.01") == ""


def test_converted_amounts_round_half_up_at_the_rate_of_the_invoice():
    make_company()
    client = make_client()
    rate = Decimal("0.85")
    make_invoice(client=client, currency="USD", total_minor=150, exchange_rate=rate, title="U")
    make_invoice(
        client=client, currency="JPY", total_minor=1000, exchange_rate=Decimal("0.006"), title="J"
    )
    make_invoice(client=client, currency="GBP", total_minor=150, title="no rate")
    # 1.50 × 0.85 = 1.275, rounded to 1.28; 1000 yen are 6.00.
    assert titles("state=issued&converted=1&amount_min=1.28&amount_max=1.28") == "U"
    assert titles("state=issued&converted=1&amount_min=6&amount_max=6") == "J"


def test_one_settled_by_credit_note_alone_is_withdrawn_and_never_paid():
    make_company()
    invoice = make_invoice(total_minor=100_00, issue_date=date(2026, 8, 1), title="W")
    credit(invoice, 100_00, date(2026, 8, 20))
    assert titles("state=withdrawn&as_of=2026-09-30") == "W"
    assert titles("state=paid&as_of=2026-09-30") == ""
    assert titles("state=open&as_of=2026-08-19") == "W"
    assert titles("late_min=-1000&as_of=2026-09-30") == ""


def test_the_open_amount_of_a_past_day_takes_later_payments_back(golden):
    rows = with_open_amount(Invoice.objects.invoices(), date(2026, 8, 20))
    assert dict(rows.filter(title__in="CF").values_list("title", "open_minor")) == {
        "C": 1_000_00,
        "F": 4_000_00,
    }
    rows = with_open_amount(Invoice.objects.invoices(), AS_OF)
    assert sum(rows.values_list("open_minor", flat=True)) == 9_300_00


def test_rows_are_found_by_type_client_and_owner():
    make_company()
    seller = make_user()
    kind = make_client_type("Public sector")
    client = make_client(client_type=kind, name="Mairie de Brest")
    make_invoice(client=client, owner=seller, title="M")
    other = make_invoice(title="O")
    pay(other, 120_00, date(2026, 9, 3))
    assert titles(f"state=issued&type={kind.pk}") == "M"
    assert titles(f"state=issued&client={client.pk}") == "M"
    assert titles(f"state=issued&owner={seller.pk}") == "M"
    assert titles("q=mairie") == "M"
    assert titles("q=" + other.number) == "O"


@pytest.mark.parametrize(("minor", "expected"), [(150, 128), (-150, -128), (-149, -127)])
def test_conversion_rounds_away_from_zero_on_both_sides_of_it(minor, expected):
    from django.db.models import Value

    from invoices.selections.sql import InCompanyCurrency

    make_company()
    make_invoice(currency="USD", exchange_rate=Decimal("0.85"))
    rows = Invoice.objects.annotate(euros=InCompanyCurrency(Value(minor), "EUR"))
    assert rows.get().euros == expected
