"""Ask VIES about a VAT id that a client has, as the client's page does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from invoices.clients import vat_checks
from invoices.models import Client, VatCheck
from invoices.tax.vat_ids import compact


class Command(BaseCommand):
    help = (
        "Asks VIES whether the VAT id of a client is valid and keeps the answer as proof, as the "
        "button on the client's page does; at most once in a minute."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("vat_id", help="as a client has it, such as DE129273398")
        parser.add_argument("--dry-run", action="store_true", help="ask nothing, keep nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        vat_id: str = options["vat_id"]
        clients = Client.objects.living().filter(vat_id__in={vat_id, compact(vat_id)})
        client = clients.order_by("pk").first()
        if client is None:
            raise CommandError(f"No client has the VAT id {vat_id}.")
        if options["dry_run"]:
            why_not = vat_checks.why_not_asked(client.vat_id)
            self.stdout.write(why_not or f"Would ask about {compact(vat_id)}, of {client}.")
            return
        on = timezone.localdate()
        try:
            check = vat_checks.finish(vat_checks.begin(client_id=client.pk, by=None, on=on))
        except vat_checks.NotAsked as refusal:
            raise CommandError(str(refusal)) from refusal
        if check.answer == VatCheck.Answer.NONE:
            raise CommandError(check.trouble_text)
        said = " · ".join(part for part in (check.consultation, check.name) if part)
        self.stdout.write(f"{check.vat_id}: {check.get_answer_display()} {said}".rstrip())
