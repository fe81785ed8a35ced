"""Tests of invoices/clients/balances.py: a client and all merged into it are one account."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from invoices.clients.balances import Owed, accounts_of, balance_totals, balances
from invoices.models import Client, Invoice
from tests.factories import make_client, make_invoice

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)


@pytest.fixture
def books():
    winner, other, paid = make_client(), make_client(), make_client()
    loser = make_client(merged_into=winner)
    make_invoice(client=winner, total_minor=100, due_date=date(2026, 12, 24))
    make_invoice(client=loser, total_minor=20, due_date=date(2026, 11, 1))
    make_invoice(client=other, total_minor=3, due_date=ON)
    return winner, loser, other, paid


def test_what_merged_clients_owe_stands_with_their_account_and_nowhere_else(books):
    winner, loser, other, paid = books
    found = balances([winner.pk, other.pk, paid.pk], ON)
    assert found == {winner.pk: [Owed("EUR", 120, 20)], other.pk: [Owed("EUR", 3, 0)]}
    (total,) = balance_totals(Client.objects.living(), ON)
    assert (total.currency, total.sums) == ("EUR", {"open": 123, "late": 20})
    (total,) = balance_totals(Client.objects.filter(pk=winner.pk), ON)
    assert total.sums == {"open": 120, "late": 20}


def test_accounts_that_owe_and_that_are_late(books):
    winner, _loser, other, _paid = books
    assert set(accounts_of(Invoice.objects.outstanding())) == {winner.pk, other.pk}
    assert set(accounts_of(Invoice.objects.overdue(ON))) == {winner.pk}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads the plan as SQLite writes it")
@pytest.mark.parametrize("owing", ["outstanding", "overdue"])
def test_each_client_looks_among_its_own_invoices_and_in_the_index_alone(owing, books):
    invoices = getattr(Invoice.objects, owing)(*([ON] if owing == "overdue" else []))
    plan = Client.objects.filter(pk__in=accounts_of(invoices)).explain()
    due = " AND next_due<?" if owing == "overdue" else ""
    assert f"INDEX invoice_of_client (client_id=? AND kind=? AND status=?{due})" in plan, plan
