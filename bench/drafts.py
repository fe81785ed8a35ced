"""A client and drafts of three lines, for what issues them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bench.data import bench_user
from invoices.invoicing import drafting
from invoices.models import Client, ClientType

LINES = (
    ("Audit of the information system", "3", "950.00", "20"),
    (
        "Integration of the new accounting, with the transfer of five years of entries",
        "12.5",
        "780",
        "20",
    ),
    ("Training, on site", "2", "1200.00", "20"),
)


def a_client() -> Client:
    kind, _made = ClientType.objects.get_or_create(name="Bench")
    return Client.objects.create(
        name="Ateliers Réunis de la Loire",
        client_type=kind,
        billing_email="compta@ateliers.example",
        address_line1="12, rue de la Paix",
        postal_code="75002",
        city="Paris",
        country="FR",
        siren="552100554",
        vat_id="FR96552100554",
    )


def a_draft(client: Client, today: date) -> int:
    user = bench_user()
    draft = drafting.new_draft(client_id=client.pk, by=user, on=today)
    rows = [
        {
            "description": text,
            "quantity": Decimal(quantity),
            "unit_price": Decimal(price),
            "vat_rate": Decimal(rate),
        }
        for text, quantity, price, rate in LINES
    ]
    problems = drafting.save_draft(
        invoice_id=draft.pk, header={"title": "Audit and integration"}, lines=rows, by=user
    )
    assert not problems, problems
    return draft.pk
