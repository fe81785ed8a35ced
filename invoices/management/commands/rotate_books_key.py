"""A new key for the seals of the books, in front of those that stay to verify."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from invoices.accounting.chain import anchors


class Command(BaseCommand):
    help = (
        "Makes a new key and puts it in front of BOOKS_KEYS in .env. Start web and worker anew "
        "afterwards; the old keys stay, for they verify what they sealed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--env", default=str(settings.BASE_DIR / ".env"), metavar="FILE")
        parser.add_argument(
            "--dry-run", action="store_true", help="only print the line that would be written"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # What the old key sealed is linked and signed by it before it retires.
        if not options["dry_run"]:
            anchors.anchor_now()
        new = [secrets.token_urlsafe(36), *settings.BOOKS_KEYS]
        line = f"BOOKS_KEYS={','.join(new)}"
        path = Path(options["env"])
        if options["dry_run"] or "BOOKS_KEYS" in _given_elsewhere(path):
            self.stdout.write(line)
            self.stdout.write("Nothing was written: set this where BOOKS_KEYS is set.")
            return
        try:
            _write(path, line)
        except OSError as trouble:
            raise CommandError(f"{path} cannot be written: {trouble}") from None
        self.stdout.write(f"A new key stands in {path}: start web and worker anew.")


def _given_elsewhere(path: Path) -> set[str]:
    """Set in the environment, and not by this file."""
    text = path.read_text() if path.exists() else ""
    in_file = re.search(r"^BOOKS_KEYS=(.*)$", text, re.MULTILINE)
    given = os.environ.get("BOOKS_KEYS")
    return {"BOOKS_KEYS"} if given and (in_file is None or in_file[1] != given) else set()


def _write(path: Path, line: str) -> None:
    text = path.read_text() if path.exists() else ""
    if re.search(r"^BOOKS_KEYS=", text, re.MULTILINE):
        text = re.sub(r"^BOOKS_KEYS=.*$", lambda _found: line, text, flags=re.MULTILINE)
    else:
        text = f"{text.rstrip()}\n{line}\n" if text else f"{line}\n"
    # Beside it and then in its place: half a file of keys would stop the portal.
    half = path.with_name(f"{path.name}.new")
    half.touch(mode=0o600)
    half.write_text(text)
    half.replace(path)
