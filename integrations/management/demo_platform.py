"""The demo's approved platform: connected, and some invoices of the last weeks in each state."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import requests
from django.core.management import call_command

from billing_portal.accounts.models import User
from integrations import tasks
from invoices.einvoicing.transmitting import TransmitRefused, transmit
from invoices.models import Client, Company, Invoice

NAME: Final = "Plateforme Armor (démonstration)"
# An SME is obliged to issue from this day.
OBLIGED_FROM: Final = date(2027, 9, 1)
MOST: Final = 24
_SEEN: Final = ["200", "202", "203"]
# What the first clients answer; all others approve.
STORIES: Final[list[list[Any]]] = [
    ["200", ["213", "ADR_ERR", "Erreur d’adresse de facturation électronique"]],
    [*_SEEN, ["210", "TX_TVA_ERR", "Taux de TVA erroné"]],
    [*_SEEN, ["207", "QTE_ERR", "Deux jours facturés, un seul effectué"]],
    [*_SEEN, ["208", "JUSTIF_ABS", "Bon de livraison demandé"]],
    ["200"],
    [*_SEEN, "204"],
    [*_SEEN, "204", "205", "211"],
]
_SUPPLIER: Final = '<?xml version="1.0" encoding="UTF-8"?><Invoice>{}</Invoice>'


def play(base_url: str, clerk: User) -> int:
    """How many invoices were handed over; the stand-in listens at `base_url`."""
    call_command(
        "connect",
        "platform",
        base_url=base_url,
        api_token="sandbox-token",  # noqa: S106
        name=NAME,
    )
    Company.objects.update(einvoicing_from=OBLIGED_FROM)

    def edit(what: str, /, **given: Any) -> None:
        answer = requests.post(f"{base_url}/_sandbox/edits/{what}", json=given, timeout=30)
        answer.raise_for_status()

    french = Client.objects.filter(country="FR").exclude(siren="")
    for siren in french.values_list("siren", flat=True):
        edit("enter", siren=siren, addresses=[siren])
    chosen = list(
        Invoice.objects.issued()
        .filter(imported=False, kind=Invoice.Kind.INVOICE, client__in=french)
        .select_related("client")
        .order_by("-pk")[:MOST]
    )
    buyers = list(dict.fromkeys(invoice.client.siren for invoice in chosen))
    for place, siren in enumerate(buyers):
        story = STORIES[place] if place < len(STORIES) else [*_SEEN, "205"]
        edit("tell_story", siren=siren, story=story)
    sent = sum(_handed_over(invoice, clerk) for invoice in chosen)
    tasks.send_to_platform()
    if buyers:
        edit("enter", siren=buyers[0], addresses=[f"{buyers[0]}_COMPTA"])
    edit("say", number="F-2019-0007", code="205")
    for number in ("2026-114", "FA-30918"):
        content = _SUPPLIER.format(number)
        edit("bring", content=content, name=f"{number}.xml", type="SupplierInvoice", syntax="UBL")
    tasks.poll_platform()
    # Receipts that were recorded meanwhile.
    tasks.send_to_platform()
    tasks.ask_directory()
    return sent


def _handed_over(invoice: Invoice, clerk: User) -> bool:
    try:
        transmit(invoice_id=invoice.pk, by=clerk)
    except TransmitRefused:
        return False
    return True
