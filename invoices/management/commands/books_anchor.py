"""The head of the books, to be kept outside the database."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from invoices.accounting.chain import anchors


class Command(BaseCommand):
    help = "Prints the signed head of the books, and writes it into the log (BOOKS_ANCHORS)."

    def handle(self, *args: Any, **options: Any) -> None:
        line = anchors.anchor_now()
        if not line:
            raise CommandError("The books are empty: there is no head yet.")
        self.stdout.write(line)
