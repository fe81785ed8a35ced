"""Seals and links what is new; of an older portal all that was written before there were seals."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from invoices.accounting.chain import linking
from invoices.models import BooksChain


class Command(BaseCommand):
    help = (
        "Seals books that are older than the seals, once, and links what is new into the chain. "
        "The worker does the same each minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        sealed = linking.seal_older(self._progress("sealed"))
        linked = linking.link_new(progress=self._progress("linked"))
        since = BooksChain.objects.get(pk=1).sealed_at
        day = f", sealed on {since:%Y-%m-%d}" if since else ""
        self.stdout.write(f"{sealed} rows were sealed, {linked} linked{day}.")

    def _progress(self, what: str) -> linking.Progress:
        def say(done: int, total: int) -> None:
            if self.stderr.isatty():
                self.stderr.write(f"\r{done:,} of {total:,} {what}", ending="")

        return say
