"""The company that is measured: its people, its rules, and bulk data from the command `seed`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.core.management import call_command
from django.db import connection

from bench.timing import Fact
from billing_portal.accounts.models import User
from invoices.models import Company, ExchangeRate, LatePenaltyRate

EMAIL = "bench@kerlann.example"


def migrate() -> Iterator[Fact]:
    """An empty portal with its company."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    User.objects.create_user(EMAIL, "correct horse", name="Bench", role=User.Role.FINANCE)
    Company.objects.create(
        pk=1,
        name="Kerlann Conseil",
        legal_form="SAS",
        capital="80 000 €",
        siren="732829320",
        siret="73282932000074",
        rcs_city="Nantes",
        vat_id="FR44732829320",
        address_line1="14, quai de la Fosse",
        postal_code="44000",
        city="Nantes",
        email="facturation@kerlann.example",
        iban="FR7630006000011234567890189",
        bic="AGRIFRPP",
    )
    first = date(2015, 1, 1)
    # By contract: one of the law ends with its half-year.
    LatePenaltyRate.objects.create(
        starts_on=first,
        percent=Decimal("12.15"),
        basis=LatePenaltyRate.Basis.CONTRACT,
        source="Example",
    )
    for currency, rate in (("USD", "0.92"), ("GBP", "1.17")):
        ExchangeRate.objects.create(currency=currency, on=first, rate=Decimal(rate))
    yield from ()


def prepare(invoices: str) -> Iterator[Fact]:
    """The same, after five years of business."""
    yield from migrate()
    count = int(invoices)
    call_command(
        "seed",
        invoices=count,
        clients=max(20, count // 100),
        # A queue of deals to bill does not grow with the books.
        deals=300,
        stdout=sys.stderr,
    )
    call_command("starter_rules", stdout=sys.stderr)
    connection.close()


def bench_user() -> User:
    return User.objects.get(email=EMAIL)
