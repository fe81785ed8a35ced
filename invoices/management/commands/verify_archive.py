"""Checks an archive of the books without the database."""

from __future__ import annotations

import zipfile
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.accounting.archive_reader import problems


class Command(BaseCommand):
    help = "Names what is wrong with an archive; exits 1 when something is. Asks no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="ARCHIVE.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with zipfile.ZipFile(options["file"]) as archive:
                found = list(problems(archive))
        except (OSError, zipfile.BadZipFile, ValueError, KeyError) as trouble:
            raise CommandError(f"The archive cannot be read: {trouble}") from None
        for text in found:
            self.stdout.write(text)
        if found:
            raise CommandError(f"{len(found)} things are wrong.", returncode=1)
        self.stdout.write("The archive is whole: every file, document and link is as it was.")
