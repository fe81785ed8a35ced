"""A statement and the reports tell the same of any day, to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from moneyed import Money

from invoices.clients.balances import balances
from invoices.models import Client, Payment
from invoices.payments.allocating import allocate
from invoices.payments.refunding import refund_client
from invoices.selections.filters import InvoiceFilter
from invoices.statements.movements import account, balance_at, movements, opening, position
from invoices.statements.open_items import free_items, open_items
from reports.receivables.measuring import positions
from tests.factories import make_client, make_company, make_invoice, make_invoice_in_instalments
from tests.reports.golden import pay
from tests.reports.test_past_days import DAYS, FIRST, bounce, random_books

pytestmark = pytest.mark.django_db
LAST = date(2026, 11, 24)


def in_parts_and_paid_back():
    """Instalments, one of them paid, and money that went back to a client merged into another."""
    client = Client.objects.order_by("pk").first()
    former = make_client(merged_into=client)
    parts = make_invoice_in_instalments(
        [(date(2026, 3, 1), 400_00), (date(2026, 6, 1), 600_00)],
        client=former,
        issue_date=date(2026, 2, 1),
    )
    money = Payment.objects.create(
        client=client, received_on=date(2026, 4, 2), currency="EUR", amount_minor=900_00
    )
    allocate(
        invoice=parts,
        amount_minor=400_00,
        applied_on=date(2026, 4, 2),
        by=None,
        payment=money,
        instalment=parts.instalments.get(position=1),
    )
    refund_client(
        client_id=client.pk,
        amount=Money(5, "EUR"),
        refunded_on=date(2026, 5, 7),
        reference="",
        method="transfer",
        reason="Paid twice",
        by=None,
        on=date(2026, 5, 7),
    )


def told(minor_by_currency):
    return {code: minor for code, minor in minor_by_currency.items() if minor}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_balance_of_any_day_is_what_the_reports_say_of_it(seed):
    make_company()
    random_books(seed)
    in_parts_and_paid_back()
    for client in Client.objects.living():
        for day in [*DAYS, LAST]:
            here = position(client.pk, day)
            of_reports = positions(FIRST, day, wanted=InvoiceFilter(client=client.pk))
            for code, figures in of_reports.items():
                mine = here.get(code)
                if mine is None:
                    assert figures.is_quiet or not (
                        figures.ageing.receivable_minor
                        or figures.unapplied_cash_minor
                        or figures.credit_balance_minor
                    )
                    continue
                assert mine.receivable_minor == figures.ageing.receivable_minor
                assert mine.overdue_minor == figures.ageing.overdue_minor
                assert mine.cash_minor == figures.unapplied_cash_minor
                assert mine.credit_minor == figures.credit_balance_minor
            # What moved the account comes to what is open, credited and free.
            assert told({c: p.balance_minor for c, p in here.items()}) == balance_at(client.pk, day)
            rows = Counter()
            for item in open_items(account(client.pk), day):
                rows[item.currency] += item.open_minor
            assert told(rows) == told({c: p.receivable_minor for c, p in here.items()})
            free = Counter()
            for item in free_items(account(client.pk), day):
                free[item.currency] += item.free_minor
            assert told(free) == told({c: p.credit_minor + p.cash_minor for c, p in here.items()})


@pytest.mark.parametrize("seed", [4])
def test_rows_lead_from_the_opening_to_the_closing_balance(seed):
    make_company()
    random_books(seed)
    in_parts_and_paid_back()
    for client in Client.objects.living():
        for since, until in [(FIRST, LAST), (DAYS[0], DAYS[2]), (DAYS[1], DAYS[1])]:
            before, after = opening(client.pk, since), balance_at(client.pk, until)
            for code in {"EUR", "GBP"}:
                rows = list(movements(client.pk, code, since, until))
                assert [row[:3] for row in rows] == sorted(row[:3] for row in rows)
                assert all(since <= row.day <= until for row in rows)
                moved = sum(row.minor for row in rows)
                assert before.get(code, 0) + moved == after.get(code, 0)


def test_today_it_is_what_the_list_of_clients_says():
    make_company()
    client = make_client()
    make_invoice(client=client, total_minor=700_00, due_date=date(2026, 10, 1))
    pay(make_invoice(client=client, total_minor=50_00), 20_00, date(2026, 11, 2))
    (owed,) = balances([client.pk], LAST)[client.pk]
    here = position(client.pk, LAST)["EUR"]
    assert (here.receivable_minor, here.overdue_minor) == (owed[1], owed[2]) == (730_00, 730_00)


def test_money_that_was_undone_is_no_movement_and_a_bounced_cheque_is_two():
    make_company()
    invoice = make_invoice(total_minor=100_00)
    bounce(pay(invoice, 40_00, date(2026, 10, 2)), date(2026, 10, 2))
    bounce(pay(invoice, 60_00, date(2026, 10, 5)), date(2026, 10, 9))
    rows = movements(invoice.client_id, "EUR", FIRST, LAST)
    assert [(row.kind, row.minor) for row in rows] == [
        ("invoice", 100_00),
        ("payment", -60_00),
        ("reversal", 60_00),
    ]
