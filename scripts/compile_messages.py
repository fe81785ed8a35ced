"""Compile the translations with Babel: no gettext needs to be installed."""

from __future__ import annotations

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "billing_portal" / "locale"

for source in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
    with source.open("rb") as words:
        catalogue = read_po(words, locale=source.parts[-3])
    with source.with_suffix(".mo").open("wb") as compiled:
        write_mo(compiled, catalogue)
