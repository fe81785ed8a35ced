"""Bulk data for benchmarks: as many rows as asked for, believable, and the same every time."""

from __future__ import annotations

from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, Sum

from invoices.models import (
    Allocation,
    Client,
    ClientType,
    Deal,
    DealLine,
    Invoice,
    InvoiceEvent,
    InvoiceLine,
    NumberSeries,
    Payment,
    VatBreakdown,
)
from invoices.seeding import SeedRefused, seed

pytestmark = pytest.mark.django_db

ON = date(2026, 11, 24)


def test_the_rows_are_believable_and_obey_the_same_rules():
    made = seed(invoices=3_000, clients=120, deals=50, seed=3, on=ON)
    invoices = Invoice.objects.invoices()
    assert (made.invoices, made.clients, made.deals) == (3_000, 120, 50)
    assert invoices.count() == 3_000 and Client.objects.count() == 120
    assert not invoices.filter(imported=False).exists() and not NumberSeries.objects.exists()
    assert ClientType.objects.exclude(mark="none").count() == 6
    assert set(invoices.values_list("currency", flat=True)) == {"EUR", "USD", "GBP"}
    assert 0.82 < invoices.filter(status="settled").count() / 3_000 < 0.88
    days = sorted(invoices.values_list("issue_date", flat=True))
    assert days[0] >= date(2021, 11, 1) and days[-1] <= ON and (ON - days[0]).days > 1_700
    assert all(day.weekday() < 5 for day in days)
    assert max(Payment.objects.values_list("received_on", flat=True)) <= ON
    assert InvoiceLine.objects.count() == made.lines > 300
    assert InvoiceEvent.objects.filter(kind="imported").count() == 3_000
    assert Deal.objects.to_bill().count() == 50
    assert DealLine.objects.values("deal").annotate(n=Count("pk")).count() == 50


def test_every_balance_is_the_sum_of_its_rows():
    seed(invoices=800, clients=40, seed=4, on=ON)
    settled = dict(
        Allocation.objects.values("invoice")
        .annotate(s=Sum("amount_minor"))
        .values_list("invoice", "s")
    )
    for invoice in Invoice.objects.invoices():
        assert invoice.outstanding_minor == invoice.total_minor - settled.get(invoice.pk, 0)
    for invoice in Invoice.objects.annotate(n=Count("lines")).filter(n__gt=0):
        lines = invoice.lines.aggregate(s=Sum("net_minor"))["s"]
        group = VatBreakdown.objects.get(invoice=invoice)
        assert lines == invoice.net_minor == group.basis_minor
        assert group.vat_minor == invoice.vat_minor
    assert Invoice.objects.credit_notes().exists()


def test_client_types_pay_differently():
    seed(invoices=4_000, clients=200, seed=5, on=ON, fast=True)
    late = {}
    for kind, days in Invoice.objects.exclude(paid_on=None).values_list(
        "client__client_type__name", "days_late"
    ):
        late.setdefault(kind, []).append(days)
    medians = {kind: sorted(days)[len(days) // 2] for kind, days in late.items()}
    assert medians["Non-profit"] < medians["SME"] < medians["Public sector"]
    assert not InvoiceEvent.objects.exists() and not InvoiceLine.objects.exists()


def rows():
    return list(
        Invoice.objects.order_by("number").values_list(
            "number", "total_minor", "issue_date", "paid_on", "client__name"
        )
    )


def test_the_same_seed_makes_the_same_rows_and_is_sown_once():
    seed(invoices=60, clients=5, seed=6, on=ON)
    first = rows()
    with pytest.raises(SeedRefused, match="Seed 6 has been sown here already"):
        seed(invoices=60, clients=5, seed=6, on=ON)
    assert rows() == first
    seed(invoices=60, clients=5, seed=7, on=ON)
    renamed = [(n.replace("SEED7", "SEED6"), *rest) for n, *rest in rows() if "SEED7" in n]
    assert [r[1:3] for r in renamed] != [r[1:3] for r in first]


def test_the_command_says_what_it_made(capsys):
    call_command("seed", invoices=20, clients=3, deals=2, seed=8)
    assert "3 clients, 20 invoices" in capsys.readouterr().out
    call_command("seed", invoices=20, clients=3, seed=9, dry_run=True)
    assert Invoice.objects.invoices().count() == 20
    with pytest.raises(CommandError, match="sown here already"):
        call_command("seed", invoices=20, clients=3, seed=8)
    with pytest.raises(CommandError, match="not negative"):
        call_command("seed", invoices=-1, clients=3, seed=10)
