"""Invoices read as packed numbers tally as they do one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.db.models import Sum

from invoices.models import Allocation, Invoice, Payment
from invoices.payments import allocating
from invoices.selections.as_of import state_as_of
from invoices.selections.sql import month_index
from reports.delays.measuring import BYS, MEASURES, Scope
from reports.delays.reading import PARTS, Reading
from reports.delays.tally import Tally, fold, total
from tests.factories import make_client, make_client_type, make_company, make_invoice, make_user
from tests.reports.golden import credit, pay

FIRST, GO_LIVE = date(2024, 11, 3), date(2025, 5, 1)
SCOPES = [
    Scope(date(2026, 9, 30)),
    Scope(date(2025, 10, 15), issued_from=date(2025, 1, 10)),
    Scope(date(2026, 9, 30), issued_to=date(2026, 2, 14), type_today=True),
]


def take_back(payment, on):
    """It bounced: what was paid is open again."""
    reverse = Payment.objects.create(
        client=payment.client,
        received_on=on,
        currency=payment.currency,
        amount_minor=-payment.amount_minor,
        reverses=payment,
    )
    for row in payment.allocations.all():
        allocating.take_back(row, on=on, by=None, invoice=row.invoice, payment=reverse)


@pytest.fixture
def books(db):
    """Invoices of every fate, some brought in as open items, of clients of whom some merged."""
    make_company()
    chance = random.Random(11)
    sellers = [make_user(), make_user(), None]
    clients = [
        make_client(client_type=make_client_type(f"Type {n % 3}"), name=f"Client {n}")
        for n in range(20)
    ]
    for old, new in ((3, 4), (7, 1)):
        clients[old].merged_into = clients[new]
        clients[old].save(update_fields=["merged_into"])
    for _n in range(120):
        issued = FIRST + timedelta(days=chance.randrange(660))
        currency = chance.choice(["EUR", "EUR", "EUR", "USD", "JPY", "GBP"])
        amount = chance.choice([40_000, 300_000, 700_000, 1_500_000, 9_000_000])
        invoice = make_invoice(
            client=chance.choice(clients),
            owner=chance.choice(sellers),
            currency=currency,
            exchange_rate={"USD": Decimal("0.9123"), "JPY": Decimal("0.0061")}.get(currency),
            issue_date=issued,
            due_date=issued + timedelta(days=chance.choice([0, 30, 60])),
            total_minor=amount + chance.randrange(1000),
            observed_from=GO_LIVE if issued < GO_LIVE and chance.random() < 0.5 else None,
        )
        when, fate = issued + timedelta(days=chance.randrange(110)), chance.random()
        if fate < 0.5:
            pay(invoice, invoice.total_minor, when)
        elif fate < 0.65:
            take_back(pay(invoice, invoice.total_minor, when), when + timedelta(days=90))
        elif fate < 0.75:
            pay(invoice, invoice.total_minor // 3, when)
        elif fate < 0.85:
            credit(invoice, invoice.total_minor, when)
        # The others are open.


def in_euros(minor, invoice):
    if invoice.currency == "EUR":
        return minor
    if invoice.exchange_rate is None:
        return None
    cents = Decimal(minor) * invoice.exchange_rate * (100 if invoice.currency == "JPY" else 1)
    return int(cents.to_integral_value(ROUND_HALF_UP))


def dimensions_of(invoice, scope, reading):
    client = invoice.client.merged_into or invoice.client
    back = month_index(scope.until) - month_index(invoice.issue_date)
    euros = in_euros(invoice.total_minor, invoice)
    place = None
    if euros is not None:
        place = sum(euros >= end * 100 for end in reading.classes)
    return {
        "client_type": client.client_type_id if scope.type_today else invoice.client_type_id,
        "client": client.pk,
        "owner": invoice.owner_id,
        "month": month_index(invoice.issue_date),
        "quarter": back // 3,
        "year": back // 12,
        "amount": place,
        "part": client.pk % PARTS,
    }


def tally_of(invoice, scope, measure):
    """One invoice, by the words of FORMULAS."""
    found = Tally()
    start = invoice.due_date if measure == "late" else invoice.issue_date
    end = invoice.paid_then or invoice.settled_then or scope.as_of
    days, paid = (end - start).days, invoice.paid_then is not None
    (found.paid if paid else found.unfinished)[days] = 1
    if invoice.observed_from:
        found.enter(days, (invoice.observed_from - start).days, paid=paid)
    late = int((invoice.paid_then or scope.as_of) > invoice.due_date)
    if paid:
        given = Allocation.objects.filter(
            invoice=invoice, kind=Allocation.Kind.PAYMENT, applied_on__lte=scope.as_of
        ).aggregate(minor=Sum("amount_minor"))["minor"]
        weight = in_euros(given, invoice)
        found.weight_minor, found.weighted_days = weight or 0, (weight or 0) * days
        found.late, found.unrated = late, int(weight is None)
    elif invoice.settled_then is None:
        found.open, found.overdue = 1, late
    return found


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_read_tallies_as_the_invoices_do_one_by_one(books, scope, measure):
    rows = state_as_of(scope.rows(), scope.as_of).select_related("client__merged_into")
    ones = [(invoice, tally_of(invoice, scope, measure)) for invoice in rows]
    assert len(ones) > 40
    for by in BYS:
        reading = Reading(scope, measure, by)
        spans = [("quarter", "amount"), ("year", "part"), ("year",)] if by != "month" else []
        for wanted in ((by,), (by, "part"), ("amount", "part"), *((by, *span) for span in spans)):
            expected: dict[tuple[int | None, ...], Tally] = {}
            for invoice, one in ones:
                of = dimensions_of(invoice, scope, reading)
                expected.setdefault(tuple(of[name] for name in wanted), Tally()).add(one)
            assert reading.tallies(*wanted) == expected
            bare = {
                key: replace(tally, weight_minor=0, weighted_days=0)
                for key, tally in expected.items()
            }
            assert reading.tallies(*wanted, weighed=False) == bare


def test_the_books_have_every_kind_of_invoice(books):
    """Or the test above would show less than it says."""
    whole = total(Reading(SCOPES[0], "late", "client").tallies("client").values())
    then = total(Reading(SCOPES[1], "late", "client").tallies("client").values())
    assert whole.entries and whole.unseen_paid and whole.unrated
    assert whole.open and whole.n_closed_unpaid
    bounced = Invoice.objects.filter(status=Invoice.Status.ISSUED, past_settlements__isnull=False)
    assert bounced.exists() and then.n_paid


def test_a_fold_leaves_what_it_adds_up_as_it_was():
    chance = random.Random(3)
    found = {
        (group, place): Tally(paid={chance.randrange(9): 1 + place}, entries={1: 2}, late=place)
        for group in range(4)
        for place in range(group)
    }
    before = {key: replace(tally, paid=dict(tally.paid)) for key, tally in found.items()}
    folded = fold(found, lambda key: key[0])
    assert found == before
    assert folded == {
        group: total(tally for key, tally in before.items() if key[0] == group)
        for group in (1, 2, 3)
    }
    assert fold(found, lambda key: None) == {}
