"""Load the demo: Kerlann Conseil comes in over HTTP from the stand-in, then lives some weeks."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing_portal.accounts.examples import make_examples
from billing_portal.accounts.models import User
from integrations.management import demo_platform, demo_quotes, demo_subscriptions
from integrations.sandbox.kit.behaviour import payment_behaviour
from invoices.company.payment_terms import Step, save_steps
from invoices.deals.drafting import draft_from_deal
from invoices.deals.lacking import missing_for, with_what_billing_needs
from invoices.invoicing.freezing import IssueRefused
from invoices.invoicing.issuing import issue
from invoices.models import (
    Client,
    ClientType,
    Company,
    Deal,
    ExchangeRate,
    Invoice,
    LatePenaltyRate,
    Payment,
    PaymentTerms,
)
from invoices.models.terms import TermsKind
from invoices.payments.recording import record_payment

# The old accounting ends so many days ago; what was won since is billed here, except the newest.
GO_LIVE_DAYS, QUEUE_DAYS = 70, 21
TYPES = {
    ClientType.Mark.LARGE: "Grand compte",
    ClientType.Mark.SME: "PME",
    ClientType.Mark.PUBLIC: "Secteur public",
    ClientType.Mark.NONPROFIT: "Association",
}
# Roughly the rates of the period, one per half-year: enough for a demo, labelled as such.
EXEMPTION = "Exonération de TVA, article 261, 4-4° a du CGI."
# Offered for clients and drafts; nobody has them yet.
TERMS = {
    "30 % à la commande, solde à 45 jours fin de mois": [
        Step(Decimal(30)),
        Step(None, days=45, kind=TermsKind.END_OF_MONTH_AFTER),
    ],
    "Moitié à 30 jours, moitié à 60 jours": [
        Step(Decimal(50), days=30),
        Step(Decimal(50), days=60),
    ],
}
RATES = {"USD": "0.90", "GBP": "1.16"}


class Command(BaseCommand):
    help = (
        "Fills an empty portal with the demo company: a real import from the stand-in for "
        "Pipedrive, the go-live import of its old accounting, and some weeks of billing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--base-url", required=True, help="where the stand-in listens")
        parser.add_argument(
            "--platform-url", default="", help="where the stand-in for the platform listens"
        )
        parser.add_argument("--on", type=date.fromisoformat, default=None, help="today")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Set DEMO=true first: the example logins have a public password.")
        if Company.objects.exists():
            raise CommandError("There is a company already: the demo only fills an empty portal.")
        on: date = options["on"] or timezone.localdate()
        base_url: str = options["base_url"].rstrip("/")
        go_live = on - timedelta(days=GO_LIVE_DAYS)
        self.say("Making the company and its people…")
        make_examples(settings.DEMO_PASSWORD)
        clerk = User.objects.get(role=User.Role.FINANCE)
        make_company(go_live, on)
        for name, steps in TERMS.items():
            save_steps(PaymentTerms.objects.create(name=name), steps)
        self.say("Importing from Pipedrive over HTTP…")
        call_command("connect", "pipedrive", base_url=base_url, api_token="sandbox-token")  # noqa: S106
        call_command("sync", "pipedrive", full=True)
        self.say("Bringing in the old accounting…")
        self.import_history(base_url, go_live)
        self.say("Billing the last weeks…")
        Client.objects.filter(client_type__mark=ClientType.Mark.PUBLIC).update(buyer_kind="public")
        self.live(go_live, on, clerk)
        self.say("Writing and answering quotes…")
        demo_quotes.play(on, clerk)
        self.say("Billing what comes again…")
        demo_subscriptions.play(on, clerk)
        if options["platform_url"]:
            self.say("Handing invoices to the approved platform…")
            demo_platform.play(options["platform_url"].rstrip("/"), clerk)
        name_types_in_french()
        call_command("starter_rules")
        call_command("run_alerts", on=on.isoformat())

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def import_history(self, base_url: str, until: date) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for name in ("clients", "invoices", "payments"):
                answer = requests.get(
                    f"{base_url}/_sandbox/history/{name}.csv",
                    params={"until": until.isoformat()},
                    timeout=60,
                )
                answer.raise_for_status()
                files[name] = Path(folder) / f"{name}.csv"
                files[name].write_bytes(answer.content)
            call_command("import_history", **{name: str(path) for name, path in files.items()})

    def live(self, go_live: date, on: date, clerk: User) -> None:
        """Bill what was won since go-live, day by day, and let clients pay as their type does."""
        rng = Random(7)  # noqa: S311 - a story, not a secret
        deals = Deal.objects.to_bill(go_live).exclude(won_on=None).order_by("won_on", "pk")
        found = list(with_what_billing_needs(deals))
        lacking = missing_for(found)
        complete = [
            deal
            for deal in found
            # The note that exempt lines ask for is written on the draft, by `bill`.
            if not {m.field for m in lacking[deal.pk] if m.blocking} - {"exempt"}
        ]
        last_billed = on - timedelta(days=QUEUE_DAYS)
        todo = sorted(
            (deal.won_on + timedelta(days=rng.randint(1, 5)), deal.pk)
            for deal in complete
            if deal.won_on and deal.won_on < last_billed
        )
        billed = (bill(deal_id, day, clerk) for day, deal_id in todo)
        issued = [pk for pk in billed if pk is not None]
        paid = 0
        for invoice in Invoice.objects.filter(pk__in=issued).select_related("client__client_type"):
            paid += pay(invoice, on, clerk, rng)
        for deal in [d for d in reversed(complete) if not lacking[d.pk]][:3]:
            draft_from_deal(deal_id=deal.pk, by=clerk, on=on)
        self.say(f"Issued {len(issued)} invoices, recorded {paid} payments.")


def bill(deal_id: int, day: date, clerk: User) -> int | None:
    """Draft and issue; a training sold without VAT gets the sentence that the law asks for. None of
    a client whose name no page can print: that draft waits, and says why."""
    draft = draft_from_deal(deal_id=deal_id, by=clerk, on=day)
    if draft.lines.filter(vat_category="E").exists():
        Invoice.objects.filter(pk=draft.pk).update(note=EXEMPTION)
    try:
        return issue(invoice_id=draft.pk, by=clerk, on=day).pk
    except IssueRefused as refusal:
        if {reason.field for reason in refusal.reasons} != {"client"}:
            raise
        return None


def name_types_in_french() -> None:
    """A French firm's own words; its Pipedrive says them in English, and the mapping knows both."""
    for mark, name in TYPES.items():
        for row in ClientType.objects.filter(mark=mark):
            row.name = name
            row.save()


def make_company(go_live: date, on: date) -> None:
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
        phone="+33 2 40 00 00 00",
        website="kerlann.example",
        iban="FR7630006000011234567890189",
        bic="AGRIFRPP",
        billing_starts_on=go_live,
    )
    for year in range(on.year - 3, on.year + 1):
        for month in (1, 7):
            day = date(year, month, 1)
            LatePenaltyRate.objects.create(
                starts_on=day, percent=Decimal("12.15"), source="Demo figure: ECB rate + 10 points"
            )
            for currency, rate in RATES.items():
                ExchangeRate.objects.create(
                    currency=currency, on=day, rate=Decimal(rate), source="Demo figure"
                )


def pay(invoice: Invoice, on: date, clerk: User, rng: Random) -> int:
    """Pay an invoice as a client of its type would, unless that day is still to come."""
    assert invoice.due_date is not None and invoice.issue_date is not None
    behave = payment_behaviour(invoice.client.client_type.name, today=on)
    days = behave(rng, float(invoice.total.amount), invoice.due_date)
    if days is None:
        return 0
    received_on = max(invoice.due_date + timedelta(days=days), invoice.issue_date)
    if received_on > on:
        return 0
    record_payment(
        client_id=invoice.client_id,
        amount=invoice.total,
        received_on=received_on,
        reference=f"VIR {invoice.number}",
        method=Payment.Method.TRANSFER,
        by=clerk,
        allocations=[(invoice.pk, invoice.total)],
    )
    return 1
