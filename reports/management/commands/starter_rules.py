"""The alert rules that a finance team begins with; each can be changed or switched off.

They have no name of their own: each reader sees what they watch in their own language.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from billing_portal.accounts.models import User
from invoices.models import ClientType
from reports.models import AlertRule


class Command(BaseCommand):
    help = "Adds the usual alert rules to a portal that has none yet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how many, add none")

    def handle(self, *args: Any, **options: Any) -> None:
        if AlertRule.objects.exists():
            self.stdout.write("There are alert rules already: nothing was added.")
            return
        finance = User.objects.filter(role=User.Role.FINANCE, is_active=True).exclude(password="")
        told = {"users": [user.pk for user in finance if user.has_usable_password()]}
        rules = [
            AlertRule(
                kind="overdue",
                days=30,
                amount_minor=1_000_000,
                recipients={**told, "owner": True},
            ),
            AlertRule(
                kind="habit",
                days=10,
                recipients=told,
            ),
            AlertRule(
                kind="not_invoiced",
                days=14,
                recipients={**told, "owner": True},
            ),
        ]
        rules += [
            AlertRule(
                kind="type_delay",
                client_type=client_type,
                measure=AlertRule.Measure.P50,
                days=10,
                window_days=180,
                recipients=told,
            )
            for client_type in ClientType.objects.filter(mark=ClientType.Mark.SME)
        ]
        if options["dry_run"]:
            self.stdout.write(f"Would add {len(rules)} alert rules.")
            return
        AlertRule.objects.bulk_create(rules)
        self.stdout.write(f"Added {len(rules)} alert rules.")
